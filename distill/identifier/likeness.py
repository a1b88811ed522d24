"""Do two skills say the same? Careful: "with a carry" and "without a carry" do not."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher

ALIKE = 0.8
"""Share of words, in their order, from which two skills may be one (difflib's ratio)."""

_WORD = re.compile(r"[^\W_]+|[+*/<>=−-]")
_ENDING = re.compile(r"(?<=[^\W\d]{3})(?:ing|ed|es|e|s)$")
_SAYS_NOTHING = {"a", "an", "the", "of", "and", "that", "is", "are", "be", "can", "its"}
_SAYS_MUCH = {"no", "not", "without", "non", "never", "more", "less", "un"}


def words_of(text: str) -> list[str]:
    """The words that carry meaning, in order and without endings.

    >>> words_of("Adding the fractions")
    ['add', 'fraction']
    """
    found = _WORD.findall(text.casefold())
    return [_ENDING.sub("", word) for word in found if word not in _SAYS_NOTHING]


def is_alike(title: str, statement: str, other_title: str, other_statement: str) -> bool:
    """Whether two skills are near-duplicates, by their words alone. Symmetric and pure.

    They are when their titles are the same but for case, endings and articles; or when one says
    every word that the other does, and few besides, in the same order. Words that differ on both
    sides ("largest", "smallest"), a number or a negation too many keep them apart: a duplicate
    that was missed is seen by the person who reads the proposal, a skill that was lost is not.
    """
    if words_of(title) == words_of(other_title) != []:
        return True
    these = words_of(f"{title} {statement}")
    those = words_of(f"{other_title} {other_statement}")
    only_here, only_there = Counter(these) - Counter(those), Counter(those) - Counter(these)
    if set(only_here) - set(those) and set(only_there) - set(these):
        return False
    differing = {*only_here, *only_there}
    if differing & _SAYS_MUCH or any(word[0].isdigit() for word in differing):
        return False
    one, other = sorted((these, those))  # difflib's ratio depends on the order
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE
