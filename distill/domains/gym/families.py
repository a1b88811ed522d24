"""Which of reasoning-gym's families are taught, in which sizes, and what they build on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distill.domains.gym import solving
from distill.domains.gym.solving import Solve
from distill.records import Skill

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """One skill: questions by reasoning-gym, with the sizes of levels 1 to 3, and our answers.

    Sizes are set directly: the levels of its own curricula begin too high. The full one has more
    than 16,700 questions, so that each measuring split of 12 % has `UNLIMITED`.
    """

    skill: Skill
    solve: Solve
    sizes: tuple[Options, Options, Options]
    grader: str = "number"

    @property
    def name(self) -> str:
        return self.skill.id  # reasoning-gym's name as well


def _skill(
    id: str, title: str, statement: str, area: str, level: int = 1, builds_on: str = ""
) -> Skill:
    return Skill(id, title, statement, area, level, tuple(builds_on.split()))


DECIMALS = {"min_terms": 2, "min_digits": 1, "min_decimal_places": 1}
NUMBERS, WORDS, LOGIC = "Numbers", "Words", "Logic"

FAMILIES: dict[str, Family] = {
    family.skill.id: family
    for family in (
        Family(
            _skill("chain_sum", "Chains of sums", "Adds and subtracts in a chain.", NUMBERS),
            solving.chain_sum,
            (
                {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 2},
                {"min_terms": 2, "max_terms": 3, "min_digits": 1, "max_digits": 2},
                {"min_terms": 2, "max_terms": 4, "min_digits": 1, "max_digits": 3},
            ),
        ),
        Family(
            _skill(
                *("decimal_chain_sum", "Chains of decimals", "Adds and subtracts decimals."),
                *(NUMBERS, 2, "chain_sum"),
            ),
            solving.chain_sum,
            (
                DECIMALS | {"max_digits": 1, "max_terms": 2, "max_decimal_places": 1},
                DECIMALS | {"max_digits": 2, "max_terms": 2, "max_decimal_places": 1},
                DECIMALS | {"max_digits": 2, "max_terms": 3, "max_decimal_places": 2},
            ),
        ),
        Family(
            _skill(
                *("products", "Products", "Multiplies two whole numbers.", NUMBERS, 2, "chain_sum")
            ),
            solving.products,
            ({"max_digits": 1}, {"max_digits": 2}, {"max_digits": 3}),
        ),
        Family(
            _skill(
                *("simple_equations", "Simple equations", "Finds the unknown of an equation."),
                *(NUMBERS, 3, "products"),
            ),
            solving.simple_equations,
            (
                {"max_terms": 2, "max_value": 9},
                {"max_terms": 2, "max_value": 20},
                {"max_terms": 3, "max_value": 50},
            ),
        ),
        Family(
            _skill(
                *("gcd", "Greatest common divisor", "Finds what divides both of two numbers."),
                *(NUMBERS, 3, "products"),
            ),
            solving.gcd,
            ({"max_value": 20}, {"max_value": 100}, {"max_value": 300}),
        ),
        Family(
            _skill(
                *("lcm", "Least common multiple", "Finds the first number that both divide."),
                *(NUMBERS, 4, "gcd"),
            ),
            solving.lcm,
            ({"max_value": 20}, {"max_value": 60}, {"max_value": 300}),
        ),
        Family(
            _skill(
                *("fraction_simplification", "Lowest terms", "Brings a fraction to lowest terms."),
                *(NUMBERS, 4, "gcd"),
            ),
            solving.fraction_simplification,
            (
                {"max_value": 9, "max_factor": 9, "styles": ("plain",)},
                {"max_value": 30, "max_factor": 12, "styles": ("plain",)},
                {"max_value": 200, "max_factor": 20, "styles": ("plain",)},
            ),
            grader="exact",  # a number may be right without being in lowest terms
        ),
        Family(
            _skill(
                *("base_conversion", "Number bases", "Writes a number in another base."),
                *(NUMBERS, 4, "products"),
            ),
            solving.base_conversion,
            (  # with equal bounds for the bases it never comes to an end
                {"min_base": 2, "max_base": 4, "min_value": 1, "max_value": 30},
                {"min_base": 2, "max_base": 8, "min_value": 1, "max_value": 200},
                {"min_base": 2, "max_base": 16, "min_value": 1, "max_value": 1000},
            ),
            grader="exact",
        ),
        Family(
            _skill(
                *("count_bits", "Ones of a binary number", "Counts the ones of a number's bits."),
                *(NUMBERS, 4, "base_conversion"),
            ),
            solving.count_bits,
            ({"max_n": 100}, {"max_n": 1000}, {"max_n": 100_000}),
        ),
        Family(
            _skill(
                *("count_primes", "Primes in a range", "Counts the primes between two numbers."),
                *(NUMBERS, 4, "products"),
            ),
            solving.count_primes,
            ({"max_n": 20}, {"max_n": 60}, {"max_n": 300}),
        ),
        Family(
            _skill("letter_counting", "Count a letter", "Counts a letter in a text.", WORDS),
            solving.letter_counting,
            (
                {"min_words": 1, "max_words": 2},
                {"min_words": 2, "max_words": 4},
                {"min_words": 3, "max_words": 8},
            ),
        ),
        Family(
            _skill("spell_backward", "Spell backwards", "Spells a word from its end.", WORDS),
            solving.spell_backward,
            ({"max_word_len": 3}, {"max_word_len": 5}, {"max_word_len": 8}),
            grader="exact",
        ),
        Family(
            _skill(
                *("word_sequence_reversal", "Reverse words", "Writes a list of words backwards."),
                WORDS,
            ),
            solving.word_sequence_reversal,
            ({"max_words": 3}, {"max_words": 4}, {"max_words": 6}),
            grader="exact",
        ),
        Family(
            _skill(
                *("word_sorting", "Sort words", "Sorts words by their letters."),
                *(WORDS, 2, "word_sequence_reversal"),
            ),
            solving.word_sorting,
            ({"max_words": 3}, {"max_words": 4}, {"max_words": 6}),
            grader="exact",
        ),
        Family(
            _skill(
                *("binary_alternation", "Alternate bits", "Counts swaps until bits alternate."),
                *(LOGIC, 3),
            ),
            solving.binary_alternation,
            (
                {"min_n": 3, "max_n": 6},
                {"min_n": 4, "max_n": 10},
                {"min_n": 8, "max_n": 20},
            ),
        ),
    )
}
