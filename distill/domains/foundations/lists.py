"""Lists: turn words around, find the largest, sort, count."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from distill.domains.drafts import Draft
from distill.domains.foundations.sheet import Generator
from distill.domains.foundations.words import WORDS
from distill.records import Skill

AREA = "Words and lists"


def _joined(values: list[int] | list[str]) -> str:
    return ", ".join(map(str, values))


def _spelled_backwards(level: int) -> Iterator[Draft]:
    for word in WORDS:
        if len(word) <= level + 2:
            back = word[::-1]
            steps = (f"{'-'.join(word)} reversed: {'-'.join(back)}",)
            yield Draft(f'Spell the word "{word}" backwards.', back, steps)


def _reversed_list(random: Random, level: int) -> Draft:
    words = random.sample(WORDS, random.randint(*((2, 3), (3, 4), (3, 5))[level - 1]))
    numbered = [f"{place} {word}" for place, word in enumerate(words, start=1)]
    # counted down as well: the number says which word comes next, and the answer only copies
    steps = (_joined(numbered), _joined(numbered[::-1]))
    question = f"Reverse this list: {_joined(words)}."
    return Draft(question, _joined(words[::-1]), steps)


def _numbers(random: Random, level: int) -> list[int]:
    top, most = ((9, 3), (99, 3), (99, 4))[level - 1]
    return random.sample(range(top + 1), random.randint(3, most))


def _compared(a: int, b: int) -> str:
    """What to look at of two different numbers below 100: their digits from the left, up to the
    first that differ. No sign between them: it would have to be said before the second.

    >>> _compared(35, 61), _compared(96, 90), _compared(7, 12)
    ('3 and 6', '9 and 9, 6 and 0', '0 and 1')
    """
    looks = []
    for x, y in zip(divmod(a, 10), divmod(b, 10), strict=True):
        looks.append(f"{x} and {y}")
        if x != y:
            break
    return ", ".join(looks)


def _extreme(random: Random, level: int) -> Draft:
    numbers = _numbers(random, level)
    word, pick = random.choice((("largest", max), ("smallest", min)))
    best, steps = numbers[0], []
    for number in numbers[1:]:
        # digits before the answer: a student that names it first has not looked yet
        step = f"{best}, {number}: {_compared(best, number)}"
        best = pick(best, number)
        steps.append(f"{step}, {word} {best}")
    question = f"Which number is the {word}: {_joined(numbers)}?"
    return Draft(question, str(best), tuple(steps))


def _sorted(random: Random, level: int) -> Draft:
    numbers = _numbers(random, level)
    left, steps = list(numbers), []
    while len(left) > 2:  # two are sorted at a glance
        least = min(left)
        left.remove(least)
        steps.append(f"{least}, left {_joined(left)}")
    question = f"Sort from smallest to largest: {_joined(numbers)}."
    return Draft(question, _joined(sorted(numbers)), tuple(steps))


def _counted(random: Random, level: int) -> Draft:
    top, most = ((9, 4), (99, 4), (99, 6))[level - 1]
    numbers = random.sample(range(top + 1), random.randint(3, most))
    bound = random.randint(0, top)
    above = [number for number in numbers if number > bound]
    question = f"How many of these numbers are above {bound}: {_joined(numbers)}?"
    return Draft(question, str(len(above)), (f"Above: {_joined(above) or 'none'}",))


GENERATORS = (
    Generator(
        Skill(
            "S1",
            "Spell a word backwards",
            "Spells a word of three to five letters from its last letter to its first.",
            AREA,
            level=2,
        ),
        every=_spelled_backwards,
        grader="exact",
    ),
    Generator(
        Skill(
            "S2",
            "Reverse a list of words",
            "Writes a list of three to five words in the opposite order.",
            AREA,
            level=2,
        ),
        draw=_reversed_list,
        grader="exact",
    ),
    Generator(
        Skill(
            "N1",
            "Largest, smallest of a list",
            "Finds the largest or the smallest of three or four numbers below 100.",
            AREA,
            level=1,
        ),
        draw=_extreme,
    ),
    Generator(
        Skill(
            "N2",
            "Sort numbers",
            "Sorts three or four numbers below 100 from smallest to largest.",
            AREA,
            level=2,
            prerequisites=("N1",),
        ),
        draw=_sorted,
        grader="exact",
    ),
)

TRANSFER = (
    Generator(
        Skill(
            "T3",
            "Count numbers above a bound",
            "Counts how many of three to six numbers are above a given one.",
            AREA,
            level=3,
            is_transfer=True,
        ),
        draw=_counted,
    ),
)
