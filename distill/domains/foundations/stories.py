"""Word problems: a short story, the sum it hides, and the sum worked out."""

from __future__ import annotations

from random import Random

from distill.domains.drafts import Draft
from distill.domains.foundations.columns import add_columns, subtract_columns, worked_sum
from distill.domains.foundations.sheet import Generator
from distill.records import Skill

AREA = "Word problems"

NAMES = (
    *("Tom", "Ann", "Ben", "Eva", "Sam", "Mia", "Leo", "Zoe", "Max", "Amy"),
    *("Jack", "Lily", "Noah", "Emma", "Adam", "Sara", "Paul", "Nina", "Carl", "Rosa"),
)
THINGS = (
    *("apples", "books", "pens", "cards", "coins", "eggs", "cups", "toys", "balls", "stamps"),
    *("shells", "stones", "beads", "cakes", "pears", "plums", "nuts", "keys", "hats", "stars"),
)
BOXES = ("bags", "boxes", "packs", "jars", "trays", "baskets")

MORE = (
    "{name} has {a} {things}. {name} gets {b} more. How many {things} does {name} have now?",
    "{name} has {a} {things} and {other} has {b}. How many {things} do they have in all?",
    "There are {a} {things} on a table. {name} adds {b} more. How many {things} are there now?",
    "{name} buys {a} {things} on Monday and {b} on Friday. How many {things} is that in all?",
)
FEWER = (
    "{name} has {a} {things}. {name} gives {b} to {other}. How many {things} are left?",
    "There are {a} {things} in a box. {name} takes {b} out. How many {things} are left?",
    "{name} has {a} {things} and {other} has {b}. How many more {things} does {name} have?",
    "{name} needs {a} {things} and has {b}. How many {things} are missing?",
)
GROUPS = "{name} has {a} {boxes} with {b} {things} each."
THEN_MORE = (" {name} gets {c} more {things}.", " {other} brings {c} more {things}.")
THEN_FEWER = (" {name} gives {c} {things} away.", " {name} loses {c} {things}.")
ASK_MORE = " How many {things} are there now?"
ASK_FEWER = " How many {things} are left?"


def _cast(random: Random) -> dict[str, str]:
    name, other = random.sample(NAMES, 2)
    things, boxes = random.choice(THINGS), random.choice(BOXES)
    return {"name": name, "other": other, "things": things, "boxes": boxes}


def _one_step(random: Random, level: int) -> Draft:
    low, high = ((2, 9), (10, 49), (10, 99))[level - 1]
    a, b = (random.randint(low, high) for _ in range(2))
    if random.random() < 0.5:
        story, sign, answer, columns = random.choice(MORE), "+", a + b, add_columns(a, b)
    else:
        a, b = max(a, b) + (a == b < high), min(a, b) - (a == b == high)
        story, sign, answer, columns = random.choice(FEWER), "-", a - b, subtract_columns(a, b)
    question = story.format(a=a, b=b, **_cast(random))
    steps = columns if len(columns) == 1 else (f"{a} {sign} {b}", *columns)
    return Draft(question, str(answer), steps)


def _two_step(random: Random, level: int) -> Draft:
    top = (5, 7, 9)[level - 1]
    a, b = (random.randint(2, top) for _ in range(2))
    is_more, groups = random.random() < 0.5, a * b
    c = random.randint(2, top if is_more else min(top, groups - 1))
    answer = groups + c if is_more else groups - c
    then, ask = (THEN_MORE, ASK_MORE) if is_more else (THEN_FEWER, ASK_FEWER)
    question = (GROUPS + random.choice(then) + ask).format(a=a, b=b, c=c, **_cast(random))
    second = worked_sum(groups, "+" if is_more else "-", c)
    return Draft(question, str(answer), (f"{a} * {b} = {groups}", *second))


def _three_step(random: Random, level: int) -> Draft:
    top = (5, 7, 9)[level - 1]
    a, b = (random.randint(2, top) for _ in range(2))
    groups = a * b
    c = random.randint(2, min(top, groups - 1))
    left, d = groups - c, random.randint(2, top)
    story = GROUPS + random.choice(THEN_FEWER)
    story += " Then {other} brings {d} more {things}." + ASK_MORE
    return Draft(
        story.format(a=a, b=b, c=c, d=d, **_cast(random)),
        str(left + d),
        (f"{a} * {b} = {groups}", f"{groups} - {c} = {left}", f"{left} + {d} = {left + d}"),
    )


GENERATORS = (
    Generator(
        Skill(
            "W1",
            "One-step word problem",
            "Finds the sum or difference of two-digit numbers that a short story asks for.",
            AREA,
            level=4,
            prerequisites=("A3", "B3"),
        ),
        draw=_one_step,
    ),
    Generator(
        Skill(
            "W2",
            "Two-step word problem",
            "Solves a story of equal groups to which something is added or from which it is taken.",
            AREA,
            level=5,
            prerequisites=("W1", "M1"),
        ),
        draw=_two_step,
    ),
)

TRANSFER = (
    Generator(
        Skill(
            "T1",
            "Three-step word problem",
            "Solves a story of equal groups from which something is taken, and then added.",
            AREA,
            level=6,
            is_transfer=True,
        ),
        draw=_three_step,
    ),
)
