"""How a language model that teaches is to work out questions of each skill: three, or five where a
skill asks in many ways, as those that no example is like are not worked out like one.

Not as the generators do it, digit by digit: small language models cannot follow that in a prompt
(docs/log.md). Tens and ones, and one line a calculation, they can.
"""

from __future__ import annotations

from distill.records import Example


def _examples(*said: str) -> tuple[Example, ...]:
    """The first line of each is the question."""
    found = []
    for each in said:
        question, _, solution = each.partition("\n")
        found.append(Example(question, solution))
    return tuple(found)


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "A1": _examples(
        "What is 5 + 8?\n5 + 8 = 13\nAnswer: 13",
        "What is 15 - 8?\n15 - 8 = 7\nAnswer: 7",
        "What is 0 + 6?\n0 + 6 = 6\nAnswer: 6",
    ),
    "A2": _examples(
        "What is 61 + 24?\n60 + 20 = 80\n1 + 4 = 5\n80 + 5 = 85\nAnswer: 85",
        "What is 50 + 31?\n50 + 30 = 80\n0 + 1 = 1\n80 + 1 = 81\nAnswer: 81",
        "What is 16 + 72?\n10 + 70 = 80\n6 + 2 = 8\n80 + 8 = 88\nAnswer: 88",
    ),
    "A3": _examples(
        "What is 47 + 38?\n40 + 30 = 70\n7 + 8 = 15\n70 + 15 = 85\nAnswer: 85",
        "What is 19 + 24?\n10 + 20 = 30\n9 + 4 = 13\n30 + 13 = 43\nAnswer: 43",
        "What is 66 + 57?\n60 + 50 = 110\n6 + 7 = 13\n110 + 13 = 123\nAnswer: 123",
    ),
    "B2": _examples(
        "What is 97 - 84?\n90 - 80 = 10\n7 - 4 = 3\n10 + 3 = 13\nAnswer: 13",
        "What is 57 - 23?\n50 - 20 = 30\n7 - 3 = 4\n30 + 4 = 34\nAnswer: 34",
        "What is 68 - 65?\n60 - 60 = 0\n8 - 5 = 3\n0 + 3 = 3\nAnswer: 3",
    ),
    "B3": _examples(
        "What is 52 - 27?\n52 - 20 = 32\n32 - 7 = 25\nAnswer: 25",
        "What is 83 - 46?\n83 - 40 = 43\n43 - 6 = 37\nAnswer: 37",
        "What is 71 - 65?\n71 - 60 = 11\n11 - 5 = 6\nAnswer: 6",
    ),
    "A4": _examples(
        "What is 734 - 258?\n734 - 200 = 534\n534 - 50 = 484\n484 - 8 = 476\nAnswer: 476",
        "What is 347 + 286?\n347 + 200 = 547\n547 + 80 = 627\n627 + 6 = 633\nAnswer: 633",
        "What is 512 + 309?\n512 + 300 = 812\n812 + 0 = 812\n812 + 9 = 821\nAnswer: 821",
    ),
    "M1": _examples(
        "What is 8 * 8?\n8 * 8 = 64\nAnswer: 64",
        "What is 6 * 40?\n6 * 40 = 240\nAnswer: 240",
        "What is 0 * 11?\n0 * 11 = 0\nAnswer: 0",
    ),
    "M2": _examples(
        "What is 62 * 9?\n60 * 9 = 540\n2 * 9 = 18\n540 + 18 = 558\nAnswer: 558",
        "What is 45 * 7?\n40 * 7 = 280\n5 * 7 = 35\n280 + 35 = 315\nAnswer: 315",
        "What is 58 * 9?\n50 * 9 = 450\n8 * 9 = 72\n450 + 72 = 522\nAnswer: 522",
    ),
    "X1": _examples(
        "What is (2 + 3) * 4?\n2 + 3 = 5\n5 * 4 = 20\nAnswer: 20",
        "What is 5 * (4 + 5)?\n4 + 5 = 9\n5 * 9 = 45\nAnswer: 45",
        "What is 2 + 3 * 5?\n3 * 5 = 15\n2 + 15 = 17\nAnswer: 17",
        "What is 24 - 4 * 4?\n4 * 4 = 16\n24 - 16 = 8\nAnswer: 8",
        "What is 9 + 6 * 3?\n6 * 3 = 18\n9 + 18 = 27\nAnswer: 27",
    ),
    "E1": _examples(
        "If 6 * x + 3 = 33, what is x?\n33 - 3 = 30\n30 / 6 = 5\nAnswer: 5",
        "If 5 * x + 10 = 25, what is x?\n25 - 10 = 15\n15 / 5 = 3\nAnswer: 3",
        "If 8 * x + 3 = 19, what is x?\n19 - 3 = 16\n16 / 8 = 2\nAnswer: 2",
    ),
    "W1": _examples(
        "Amy needs 74 plums and has 65. How many plums are missing?\n"
        "74 - 60 = 14\n14 - 5 = 9\nAnswer: 9",
        "Zoe has 58 cups. Zoe gets 29 more. How many cups does Zoe have now?\n"
        "58 + 20 = 78\n78 + 9 = 87\nAnswer: 87",
        "Ben has 99 eggs. Ben gives 72 to Ann. How many eggs are left?\n"
        "99 - 70 = 29\n29 - 2 = 27\nAnswer: 27",
    ),
    "W2": _examples(
        "Emma has 5 bags with 5 stones each. Emma loses 9 stones. How many stones are left?\n"
        "5 * 5 = 25\n25 - 9 = 16\nAnswer: 16",
        "Rosa has 8 bags with 3 plums each. Rosa gets 7 more plums. How many plums are there now?"
        "\n8 * 3 = 24\n24 + 7 = 31\nAnswer: 31",
        "Leo has 8 packs with 8 balls each. Leo loses 5 balls. How many balls are left?\n"
        "8 * 8 = 64\n64 - 5 = 59\nAnswer: 59",
    ),
    "S1": _examples(
        'Spell the word "maple" backwards.\nIts letters: m, a, p, l, e\n'
        "From the end: e, l, p, a, m\nAnswer: elpam",
        'Spell the word "hip" backwards.\nIts letters: h, i, p\nFrom the end: p, i, h\nAnswer: pih',
        'Spell the word "skin" backwards.\nIts letters: s, k, i, n\n'
        "From the end: n, i, k, s\nAnswer: niks",
    ),
    "S2": _examples(
        "Reverse this list: one, card, meat, fork.\n"
        "From the end: fork, meat, card, one\nAnswer: fork, meat, card, one",
        "Reverse this list: gift, mind, baby, bat, knot.\n"
        "From the end: knot, bat, baby, mind, gift\nAnswer: knot, bat, baby, mind, gift",
        "Reverse this list: owl, toy, jar, tax.\n"
        "From the end: tax, jar, toy, owl\nAnswer: tax, jar, toy, owl",
    ),
    "N1": _examples(
        "Which number is the largest: 35, 61, 96, 90?\n"
        "The larger of 35 and 61: 61\nThe larger of 61 and 96: 96\nThe larger of 96 and 90: 96\n"
        "Answer: 96",
        "Which number is the smallest: 81, 53, 15?\nThe smaller of 81 and 53: 53\n"
        "The smaller of 53 and 15: 15\nAnswer: 15",
        "Which number is the smallest: 18, 58, 70?\nThe smaller of 18 and 58: 18\n"
        "The smaller of 18 and 70: 18\nAnswer: 18",
    ),
    "N2": _examples(
        "Sort from smallest to largest: 36, 38, 11, 91.\n"
        "First take 11, left 36, 38, 91\nThen take 36, left 38, 91\nAnswer: 11, 36, 38, 91",
        "Sort from smallest to largest: 42, 70, 20.\n"
        "First take 20, left 42, 70\nAnswer: 20, 42, 70",
        "Sort from smallest to largest: 40, 73, 28, 60.\n"
        "First take 28, left 40, 73, 60\nThen take 40, left 73, 60\nAnswer: 28, 40, 60, 73",
    ),
}
