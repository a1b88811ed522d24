"""The domain of reasoning-gym's families; its own half runs where the extra is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from distill import grading
from distill.cli import app
from distill.domains import built_in, load, question_key, split_of
from distill.domains.gym import ASKED_FOR, checked, solving
from distill.domains.gym.families import FAMILIES
from distill.errors import DomainError
from distill.records import Probe, Split

MEASURED = [Split.DIAGNOSE, Split.GATE, Split.FINAL]
installed = pytest.mark.skipif(
    importlib.util.find_spec("reasoning_gym") is None, reason="the extra gym is not installed"
)

QUESTIONS = [
    ("chain_sum", "State the final answer to the following problem: 859 + 467 - 914 =", "412"),
    ("decimal_chain_sum", "State the final answer to the following problem: 1.5 - 1.50 =", "0"),
    ("decimal_chain_sum", "State the final answer to the following problem: 9.9 + 0.15 =", "10.05"),
    ("products", "Solve the following multiplication: 914 * 807. Give only it.", "737598"),
    ("simple_equations", "Find the value of t in the equation: 84*t + 4370 = 9410", "60"),
    ("simple_equations", "Solve for x: 3*x*2 - 4 = -10", "-1"),
    ("gcd", "Find the Greatest Common Divisor (GCD) of these numbers: 760, 368. Give it.", "8"),
    ("lcm", "Find the Least Common Multiple (LCM) of these numbers: 60, 100", "300"),
    ("fraction_simplification", "Simplify the fraction 360/39465 to its lowest terms.", "8/877"),
    ("base_conversion", "Now, convert the base-6 number 2541 to base-13\n", "3a0"),
    ("base_conversion", "Now, convert the hexadecimal number ff to binary\n", "11111111"),
    ("count_bits", "How many 1 bits are there in the binary representation of the number 10?", "2"),
    ("count_primes", "Count how many prime numbers there are between 1 and 11 (inclusive) ?", "5"),
    ("letter_counting", 'How many times does the letter "t" appear in the text: "to it"?', "2"),
    ("spell_backward", "Spell this word backward (example: sun -> nus): excusing", "gnisucxe"),
    ("word_sequence_reversal", "Reverse this list of words: me, Verne, and\n", "and, Verne, me"),
    (
        "word_sorting",
        "in descending order (using ASCII ordering) and so: be, at, of\n",
        "of, be, at",
    ),
    ("binary_alternation", "make the following binary string alternating: 1100", "1"),
    ("binary_alternation", "make the following binary string alternating: 110", "1"),
    ("binary_alternation", "make the following binary string alternating: 111", "-1"),
]


@pytest.mark.parametrize(("name", "question", "answer"), QUESTIONS)
def test_an_answer_is_worked_out_from_the_words_of_the_question(name, question, answer):
    draft = checked(FAMILIES[name], question, answer)

    assert draft is not None
    assert draft.answer == answer
    assert draft.question == f"{question.strip()}\n{ASKED_FOR}"
    assert draft.worked.endswith(f"Answer: {answer}")
    assert checked(FAMILIES[name], question, f"{answer}1") is None


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("letter_counting", 'times does the letter "s" appear in the text: "see Smith"?'),
        ("word_sorting", "in ascending order (using ASCII ordering) and so: ant, Zoo, be"),
        ("gcd", "(GCD) of these numbers: 4, 6, 8."),
        ("simple_equations", "Solve for x: x*x = 4"),
        ("simple_equations", "Solve for x: 2*x = 3"),
        ("simple_equations", "Solve for x: x**99999 = 4"),
        ("simple_equations", "Solve for x: 0*x = 0"),
        ("base_conversion", "convert the base-99 number 12 to binary"),
    ],
)
def test_a_question_that_allows_no_answer_or_two_is_left_out(name, question):
    assert FAMILIES[name].solve(question) is None


@pytest.mark.parametrize("name", FAMILIES)
def test_other_words_have_no_answer(name):
    assert FAMILIES[name].solve("Why is there something, and not nothing?") is None
    assert FAMILIES[name].solve("") is None


def test_every_skill_builds_on_skills_that_are_there_before_it():
    seen = set()
    for family in FAMILIES.values():
        assert set(family.skill.prerequisites) <= seen
        assert family.skill.statement.endswith(".")
        seen.add(family.name)
    assert len(seen) == 15


def test_without_the_extra_there_is_a_sentence_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)

    with pytest.raises(DomainError) as caught:
        load("gym")

    assert str(caught.value) == (
        "The domain “gym” needs reasoning-gym, which is not installed. Install it with: "
        ".venv/bin/pip install -e '.[gym]'"
    )
    listed = CliRunner().invoke(app, ["domains", "list"], env={"COLUMNS": "150"})
    assert listed.exit_code == 0
    assert "foundations" in listed.stdout
    assert "not installed" in listed.stdout
    assert "pip install -e '.[gym]'" in listed.stdout
    shown = CliRunner().invoke(app, ["domains", "show", "gym"])
    assert shown.exit_code == 1
    assert "needs reasoning-gym" in " ".join(shown.stderr.split())


def test_it_is_named_among_what_is_built_in_and_imported_only_when_it_is_loaded():
    code = "import sys, distill.domains; print('reasoning_gym' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert built_in() == ("foundations", "gym")
    assert done.stdout.strip() == "False"


@pytest.fixture(scope="module")
def gym():
    return load("gym")


@installed
def test_the_version_names_the_library_and_the_commands_show_it(gym):
    result = CliRunner().invoke(app, ["domains", "show", "gym"], env={"COLUMNS": "200"})

    assert gym.version.startswith("1, reasoning-gym 0.1.")
    assert result.exit_code == 0, result.output
    assert gym.version in result.stdout
    assert "many" in result.stdout


@installed
@pytest.mark.parametrize("skill", FAMILIES)
def test_probes_are_distinct_graded_right_and_never_a_training_item(gym, skill):
    probes = [p for split in MEASURED for p in gym.probes(skill, split, 20, seed=1)]
    problems = gym.problems(skill, 40, seed=1)

    assert (len(probes), len(problems)) == (60, 40)
    keys = {p.id for p in probes} | {p.key for p in problems}
    assert len(keys) == 100
    assert all(p.id == question_key(p.question) and split_of(p.id) is p.split for p in probes)
    assert all(split_of(p.key) is Split.TRAIN for p in problems)
    for probe in probes:
        assert grading.grade(probe, f"So it is. Answer: {probe.reference}") == (1.0, "")
        assert grading.grade(probe, "Answer: neither")[0] == 0.0
    for p in problems:
        asked = Probe(p.key, skill, Split.TRAIN, p.question, p.answer, gym.grader(skill))
        assert grading.grade(asked, p.worked) == (1.0, "")
        assert grading.grade(asked, p.terse) == (1.0, "")


@installed
@pytest.mark.parametrize("skill", FAMILIES)
def test_nearly_all_its_answers_are_ours_or_the_words_allow_two(gym, skill):
    from distill.domains.gym import _dataset

    dataset, family = _dataset(skill, 3), FAMILIES[skill]
    items = [dataset[2**40 + at] for at in range(60)]

    ours = [checked(family, item["question"], item["answer"]) for item in items]

    left_out = [item for item, draft in zip(items, ours, strict=True) if draft is None]
    if skill not in ("letter_counting", "word_sorting"):
        assert left_out == []
    assert all(family.solve(item["question"]) is None for item in left_out)
    assert len(left_out) < 45


@installed
@pytest.mark.parametrize("skill", ["products", "word_sorting", "binary_alternation"])
def test_the_same_seed_gives_the_same_items_and_the_next_one_others(gym, skill):
    first = gym.problems(skill, 30, seed=1)

    assert gym.problems(skill, 30, seed=1) == first
    assert gym.problems(skill, 60, seed=1)[:30] == first
    shared = {p.key for p in first} & {p.key for p in gym.problems(skill, 30, seed=2)}
    assert len(shared) < 5
    rest = gym.problems(skill, 30, seed=1, exclude={p.key for p in first})
    assert {p.key for p in first}.isdisjoint(p.key for p in rest)


@pytest.mark.slow
@installed
def test_items_are_the_same_in_every_process():
    code = (
        "from distill.domains import load; d = load('gym');"
        "print([p.key for s in d.skills for p in d.problems(s.id, 3, seed=7)], end='')"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert printed[0] == printed[1] != ""


@installed
@pytest.mark.parametrize("skill", [s for s in FAMILIES if s != "simple_equations"])
def test_smaller_levels_hold_smaller_instances_and_end(gym, skill):
    small = gym.problems(skill, 40, seed=2, level=1)
    large = gym.problems(skill, 40, seed=2)

    assert 0 < len(small) <= len(large) == 40
    assert sum(len(p.question) for p in small) / len(small) < sum(
        len(p.question) for p in large
    ) / len(large)


@installed
def test_worked_solutions_are_short_enough_for_a_small_student(gym):
    for skill in FAMILIES:
        for problem in gym.problems(skill, 20, seed=5):
            pieces = solving.re.findall(r"\d|[a-zA-Z]+|[^\w\s]", problem.worked)
            assert len(pieces) <= solving.MOST_PIECES or problem.worked == problem.terse


@installed
def test_an_unknown_skill_a_train_probe_and_a_strange_level_are_refused(gym):
    with pytest.raises(DomainError, match="Gym has no skill “Z9”"):
        gym.probes("Z9", Split.GATE, 1, seed=0)
    with pytest.raises(DomainError, match="Gym has no skill “Z9”"):
        gym.size("Z9", Split.GATE)
    with pytest.raises(ValueError, match="train"):
        gym.probes("gcd", Split.TRAIN, 1, seed=0)
    with pytest.raises(ValueError, match="1 to 3"):
        gym.problems("gcd", 1, seed=0, level=4)
    assert gym.size("gcd", Split.GATE) is None
