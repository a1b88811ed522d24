"""What nothing may be trained on: an index of questions that students are measured with.

index = LeakIndex.of_files([Path("gsm8k.jsonl")])
index.find("JANET'S ducks, lay 16 eggs per day…")   # a sentence, or ""
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from distill.adapter.normal import Squeezed, words
from distill.domains.base import Domain
from distill.domains.files import FileDomain, load_file
from distill.domains.reading import Entry, Source, json_entries, text_of

N = 13
"""Words in a row that give a question away. Brown et al. 2020, appendix C, has the same 13."""

FEWEST_WORDS = 3
"""A question with fewer words is found only where it is all of a text. So is one of fewer than
`FEWEST_NUMBERS` where not even two words have a letter: "1 + 2 =" stands in many a list.
"""

FEWEST_NUMBERS = 6

FRAME = 3  # questions that share words in a row: fewer may be the same exercise twice

_PREFIX = 16  # letters by which longer questions are looked up
MEASURED = "those that the student is measured with"


@dataclass(frozen=True, slots=True)
class Unseen:
    """Words that no item may hold.

    Of `question` everything is indexed: whole, and by 13-grams. `partial` are pieces that are
    found only where they are all of a text (an instruction whose input is asked with it), and by
    13-grams. Of `answers` (references, solutions) only 13-grams are indexed: shorter answers say
    nothing.
    """

    where: str  # "gsm8k.jsonl, line 3"; stands in a sentence
    question: str
    partial: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Whole:
    """A question to be found whole."""

    where: int
    text: Squeezed
    is_short: bool  # under 13 words: no 13-gram stands for it
    may_be_part: bool


class LeakIndex:
    """Built once; then each text is looked up in time proportional to its length.

    In memory: one 64-bit hash for each 13-gram and the letters of every question, some 130 bytes
    a word of what was indexed. What matches does not depend on the hashes' seed, but for
    collisions (one text in 10^12).

    Two things are looked for. *The whole question*, anywhere in a text, from the beginning of a
    word to the end of one, whatever its case, spacing and punctuation; numbers that were parted
    otherwise (3, 45 and 34, 5) are other numbers, and a short question with other operators
    between its numbers is another question. *Thirteen words in a row* of a question or an answer.
    """

    def __init__(self, unseen: Iterable[Unseen] = ()) -> None:
        self._where: list[str] = []
        self._grams: dict[int, int] = {}
        self._by_prefix: dict[str, list[_Whole]] = {}
        self._lengths: set[int] = set()  # of the prefixes that are shorter than _PREFIX
        for each in unseen:
            self.add(each)

    @classmethod
    def of_files(cls, paths: Iterable[Path]) -> LeakIndex:
        """Benchmarks and domain files, all of what they ask. Raises DomainError with the line."""
        return cls(each for path in paths for each in unseen_in(path))

    @classmethod
    def of_questions(cls, questions: Iterable[str], where: str = MEASURED) -> LeakIndex:
        """Probes of a run, which have no name that a person could look up.

        Words in a row that `FRAME` or more of them share are how questions of a kind are put
        ("Find the Greatest Common Divisor of these numbers: …"), and give none of them away: those
        to teach with are put in the same words. So thirteen in a row count only where most of them
        are a question's own; the whole question is found as ever.
        """
        asked = list(dict.fromkeys(questions))
        index, shared = cls(), Counter[int]()
        for question in asked:
            index.add(Unseen(where, question))
            shared.update(set(_grams(words(question))))
        frames = {gram for gram, n in shared.items() if n >= FRAME}
        if frames:
            index._grams = _own_grams(asked, frames)
        return index

    def __len__(self) -> int:
        """How many questions were added."""
        return len(self._where)

    def add(self, unseen: Unseen) -> None:
        number = len(self._where)
        self._where.append(unseen.where)
        self._add_whole(number, unseen.question, may_be_part=True)
        for piece in unseen.partial:
            self._add_whole(number, piece, may_be_part=False)
        for text in (unseen.question, *unseen.partial, *unseen.answers):
            for gram in _grams(words(text)):
                self._grams.setdefault(gram, number)

    def find(self, text: str, name: str = "text") -> str:
        """A sentence that says what of the index stands in this text; "" for nothing.

        name: what the sentence calls the text.
        """
        found = Squeezed.of(text)
        if (whole := self._whole_in(found)) is not None:
            return f"The {name} is, or holds, a question of {self._where[whole]}."
        for gram in _grams(found.words):
            if (number := self._grams.get(gram)) is not None:
                return f"The {name} shares {N} words in a row with {self._where[number]}."
        return ""

    def _add_whole(self, number: int, question: str, *, may_be_part: bool) -> None:
        text = Squeezed.of(question)
        if not text.letters:
            return
        with_letters = sum(any(c.isalpha() for c in word) for word in text.words)
        fewest = FEWEST_WORDS if with_letters > 1 else FEWEST_NUMBERS
        prefix = text.letters[:_PREFIX]
        self._lengths.add(len(prefix))
        whole = _Whole(number, text, len(text.words) < N, may_be_part and len(text.words) >= fewest)
        self._by_prefix.setdefault(prefix, []).append(whole)

    def _whole_in(self, text: Squeezed) -> int | None:
        letters, starts = text.letters, text.starts
        for start in starts:
            for length in self._lengths:
                for whole in self._by_prefix.get(letters[start : start + length], ()):
                    end = start + len(whole.text.letters)
                    if (
                        end in starts
                        and letters.startswith(whole.text.letters, start)
                        and (whole.may_be_part or end - start == len(letters))
                        and not _is_another(whole, text, start, end)
                    ):
                        return whole.where
        return None


def _is_another(whole: _Whole, text: Squeezed, start: int, end: int) -> bool:
    """Whether the same letters and digits are another question, by their numbers or operators."""
    mine, theirs = whole.text.parted(0, end - start), text.parted(start, end)
    if not (mine <= theirs or theirs <= mine):
        return True
    if not whole.is_short:
        return False
    is_respaced = mine != theirs
    if is_respaced and theirs not in _ways_to_part(whole.text, end - start):
        return True
    if text.goes_on(start, end):
        return True
    asked, said = whole.text.operators(0, end - start), text.operators(start, end)
    if (
        asked is None or said is None or text.signs is None
    ):  # not to be told from punctuation: another spelling
        return False
    signs, others = _without_brackets(asked), _without_brackets(said)
    if bool(signs) != bool(others):
        return is_respaced if others else bool(_without_brackets(text.signs))
    if len(signs) != len(others):  # some lost; or 2 * 1 - 12 and 21 - 12
        return is_respaced
    return bool(signs) and (signs != others if is_respaced else asked != said)


def _ways_to_part(text: Squeezed, end: int) -> tuple[frozenset[int], ...]:
    """How a question's digits are parted when spaces, punctuation or both are left out, or when
    everything is spaced out.
    """
    by_space, by_punctuation = text.parted_by(0, end)
    return frozenset(), by_space, by_punctuation, text.digit_pairs(0, end)


def _without_brackets(signs: tuple[str, ...]) -> list[str]:
    return [sign for sign in signs if sign not in "()"]


def _grams(tokens: list[str]) -> Iterator[int]:
    for at in range(len(tokens) - N + 1):
        yield hash(" ".join(tokens[at : at + N]))


def _own_grams(questions: Iterable[str], frames: Set[int]) -> dict[int, int]:
    """The grams of which more words than not stand outside all that is a frame."""
    own: dict[int, int] = {}
    for number, question in enumerate(questions):
        grams = list(_grams(words(question)))
        framed = {at + i for at, gram in enumerate(grams) if gram in frames for i in range(N)}
        for at, gram in enumerate(grams):
            if sum(at + i not in framed for i in range(N)) > N // 2:
                own.setdefault(gram, number)
    return own


# --- from files --------------------------------------------------------------------------


def unseen_in(path: Path) -> Iterator[Unseen]:
    """What a benchmark, or a domain file, measures with. Raises DomainError with the line.

    A JSON Lines file needs a `question` in each line; it does not have to be one that
    `load_benchmark` takes. Of each line are indexed `question`, with its `input`, and
    `sanitized.question`, and the 13-grams of `answer` and `solution`. Of a domain file: its probes.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        yield from _probes_of(path)
        return
    source = Source(path)
    entries = list(json_entries(source, text_of(source)))
    if any("domain" in entry or "reference" in entry for _, entry in entries):
        yield from _probes_of(path)
        return
    if not entries:
        raise source.fault(1, "There are no questions in this file.")
    for line, entry in entries:
        yield _unseen(source, line, entry)


def _unseen(source: Source, line: int, entry: Entry) -> Unseen:
    question = entry.get("question")
    if not isinstance(question, str) or not question.strip():
        raise source.fault(line, "There is no “question” to compare with.")
    other = entry.get("sanitized")
    asked = [question, other.get("question") if isinstance(other, Entry) else None]
    questions = [q for q in asked if isinstance(q, str) and q.strip()]
    extra = entry.get("input")
    partial = tuple(questions[1:])
    if isinstance(extra, str) and extra.strip():
        partial = (*questions, extra)
        question = f"{question}\n\n{extra}"
    answers = (entry.get("answer"), entry.get("solution"))
    return Unseen(
        source.where(line),
        question,
        partial,
        tuple(a for a in answers if isinstance(a, str)),
    )


def _probes_of(path: Path) -> Iterator[Unseen]:
    for skill, probes in load_file(path).listed_probes.items():
        yield from (Unseen(f"{path.name}, skill {skill}", p.question) for p in probes)


def questions_to_come(domain: Domain) -> list[str]:
    """Every probe of a domain that lists them, drawn yet or not.

    [] for one with generators: their questions are dealt to splits by their words, and are more
    than can be indexed.
    """
    if not isinstance(domain, FileDomain):
        return []
    return [p.question for probes in domain.listed_probes.values() for p in probes]


def registered(folder: Path) -> list[Path]:
    """The benchmark files of a folder, by name; [] when there is no such folder.

    Every JSON Lines and domain file counts; hidden files and others (a README) do not.
    """
    if not folder.is_dir():
        return []
    files = (p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    return sorted(p for p in files if p.suffix.lower() in (".jsonl", ".yaml", ".yml"))
