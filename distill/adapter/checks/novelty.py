"""Is it new? No other item asks it, and nothing that the student is measured with does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import TYPE_CHECKING

from distill.adapter.leaks import LeakIndex
from distill.adapter.normal import signature, words
from distill.domains.base import Domain, question_key
from distill.records import Item, Split

if TYPE_CHECKING:  # half a second to import, which every command would wait for
    from datasketch import MinHash

NEAR = 0.8
"""Jaccard similarity of the pairs of words of two questions from which they are near-duplicates.
One word changed in a question of twenty leaves 0.81, in one of ten 0.64.
"""

_PERMUTATIONS = 64  # of a MinHash: candidates only, as the similarity is then computed exactly
_CANDIDATES = 0.7  # a little under NEAR, so that an estimate that is off misses few

SAME = "Another item asks the same question."


class NotDuplicate:
    """No other item asks the same question, or nearly the same.

    taken: question keys of other items, where the words are not at hand; compared exactly.
    others: questions of other items of the round. Items that pass are added to them.
    earlier: questions of earlier rounds and runs.
    again: keys of questions that may be asked again though they stand in `earlier`: a skill with
        few questions has no others left. Within a round nothing may.

    *Exactly*: by `question_key`. *Nearly*: the same numbers and operators in the same order, and a
    similarity of the words of `NEAR`. Questions whose numbers differ are never near-duplicates:
    52 − 37 and 52 − 36 are two exercises.

    Source: Broder 1997 for MinHash; datasketch has its LSH index.
    """

    id, version = "duplicate", 2

    def __init__(
        self,
        taken: Iterable[str] = (),
        *,
        others: Iterable[str] = (),
        earlier: Iterable[str] = (),
        again: Set[str] = frozenset(),
    ) -> None:
        self._taken = set(taken)
        self._earlier: set[str] = set()
        self._near = _Near()
        self._again = set(again)
        for question in others:
            self._taken.add(question_key(question))
            self._near.add(question)
        for question in earlier:
            self._earlier.add(question_key(question))
            self._near.add(question)

    def allow(self, key: str) -> None:
        """That question comes once more, on purpose: see `again`."""
        self._again.add(key)

    def problem(self, item: Item) -> str:
        key = question_key(item.question)
        is_again = key in self._again
        if key in self._taken or (key in self._earlier and not is_again):
            return SAME
        if not is_again and (other := self._near.find(item.question)):
            return f"Another item asks nearly the same question: {other[:200]}"
        self._taken.add(key)
        self._near.add(item.question)
        return ""


class _Near:
    """Questions by their numbers; those of the same numbers by MinHash, made when first needed."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, ...], list[str]] = {}
        self._indexed: dict[tuple[str, ...], _Bucket] = {}

    def add(self, question: str) -> None:
        self._waiting.setdefault(signature(question), []).append(question)

    def find(self, question: str) -> str:
        """A question that is nearly this one; "" for none."""
        numbers = signature(question)
        waiting = self._waiting.pop(numbers, [])
        if numbers not in self._indexed:
            if not waiting:
                return ""
            self._indexed[numbers] = _Bucket()
        bucket = self._indexed[numbers]
        for each in waiting:
            bucket.add(each)
        return bucket.find(question)


class _Bucket:
    def __init__(self) -> None:
        from datasketch import MinHashLSH

        self._questions: list[tuple[str, frozenset[str]]] = []
        self._lsh = MinHashLSH(threshold=_CANDIDATES, num_perm=_PERMUTATIONS)

    def add(self, question: str) -> None:
        pairs = frozenset(_pairs(words(question)))
        self._lsh.insert(len(self._questions), _hashed(pairs))
        self._questions.append((question, pairs))

    def find(self, question: str) -> str:
        mine = frozenset(_pairs(words(question)))
        for number in sorted(self._lsh.query(_hashed(mine))):
            other, theirs = self._questions[number]
            if len(mine & theirs) >= NEAR * len(mine | theirs):
                return str(other)
        return ""


def _pairs(tokens: Sequence[str]) -> Iterator[str]:
    if len(tokens) < 2:
        yield " ".join(tokens)
    for first, second in zip(tokens, tokens[1:], strict=False):
        yield f"{first} {second}"


def _hashed(pairs: Set[str]) -> MinHash:
    from datasketch import MinHash

    made = MinHash(num_perm=_PERMUTATIONS, seed=1)
    made.update_batch([pair.encode() for pair in sorted(pairs)])
    return made


class NotLeak:
    """Nothing in it is what the student is measured with. There is no override.

    probe_keys: question keys of probes whose words are not at hand; compared exactly.
    indexes: of the run's probes, and of benchmarks. Question and solution are looked for.
    domain: what it deals to a split for measuring is no training item, asked yet or not.
    """

    id, version = "leak", 3

    def __init__(
        self,
        probe_keys: Set[str] = frozenset(),
        *indexes: LeakIndex,
        domain: Domain | None = None,
    ) -> None:
        self._probe_keys = probe_keys
        self._indexes = indexes
        self._domain = domain

    def problem(self, item: Item) -> str:
        if question_key(item.question) in self._probe_keys:
            return "This is a question that the student is measured with."
        for name, text in (("question", item.question), ("solution", item.solution)):
            for index in self._indexes:
                if found := index.find(text, name):
                    return found
        dealt = self._domain.dealt_to(item.question) if self._domain else None
        if dealt not in (None, Split.TRAIN):
            return "This is a sum of those that the domain keeps for measuring."
        return ""
