"""About how long a domain's solutions are, before any tokenizer is at hand."""

from __future__ import annotations

import re

from distill.domains.base import Domain

DRAWN = 8
"""Problems of a skill that are looked at."""

_PIECE = re.compile(r"\d|[^\W\d_]+|[^\w\s]|\s(?=\d)|\n")


def about_tokens(text: str) -> int:
    """Digits, words, marks, ends of lines, and blanks before digits: what tokenizers make of
    arithmetic in plain words. Of the worked solutions of `foundations` SmolLM2's has 1.0 to 1.1
    times as many; of long words or other scripts a tokenizer makes more.

    >>> about_tokens("40 + 30 = 70. Answer: 70")
    16
    """
    return len(_PIECE.findall(text))


def solution_lengths(domain: Domain) -> dict[str, int]:
    """By skill about how many tokens the longest of a few worked solutions has; without those
    that have none, as what is only measured. Deterministic.
    """
    found: dict[str, int] = {}
    for skill in domain.skills:
        drawn = domain.problems(skill.id, DRAWN, seed=0)
        if drawn:
            found[skill.id] = max(about_tokens(problem.worked) for problem in drawn)
    return found
