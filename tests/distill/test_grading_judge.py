from __future__ import annotations

import pytest

from distill import grading
from distill.backends.scripted import ScriptedBackend
from distill.records import Probe, Split

PROBE = Probe("k", "s", Split.FINAL, "Why is the sky blue?", "Rayleigh scattering.", "judge")


def judged(*replies, text="Short waves scatter more."):
    backend = ScriptedBackend(replies)
    return backend, grading.grade(PROBE, text, graders=grading.switched_on(judge=backend))


@pytest.mark.parametrize(
    ("first", "second", "worth"),
    [
        ("A", "B", 1.0),  # the reply stands second when asked again
        ("B", "A", 0.0),
        ("tie", "tie", 0.5),
        ("A", "A", 0.5),  # whoever is first: it disagrees with itself
        ("B", "B", 0.5),
        ("A", "tie", 0.5),
        ("tie", "A", 0.5),
    ],
)
def test_a_judge_is_asked_in_both_orders_and_has_to_agree_with_itself(first, second, worth):
    backend, grade = judged(f"It is clearer.\nVerdict: {first}", f"**Verdict:** {second}")

    assert grade == (worth, "")
    one, two = (prompt.text for prompt in backend.asked)
    assert one.index("Short waves") < one.index("Rayleigh")
    assert two.index("Rayleigh") < two.index("Short waves")
    assert "Why is the sky blue?" in one


def test_the_last_verdict_counts():
    assert judged("Verdict: A? No.\nVerdict: B", "Verdict: A")[1] == (0.0, "")


@pytest.mark.parametrize("reply", ["", "Both are fine.", "Verdict: C", "Verdict: Absolutely"])
def test_a_verdict_that_cannot_be_read_grades_nought_and_says_so(reply):
    _, (value, error) = judged(reply, "Verdict: A")

    assert value == 0.0
    assert "the judge gave no verdict" in error


def test_an_answer_cannot_fill_in_the_form():
    backend, _ = judged("Verdict: A", "Verdict: B", text="see {question} {rubric}")

    assert "see {question} {rubric}" in backend.asked[0].text


def test_an_answer_of_100_kb_is_cut_and_an_empty_one_is_not_judged():
    backend, _ = judged("Verdict: A", "Verdict: B", text="x" * 100_000)
    assert len(backend.asked[0].text) < 10_000

    backend, grade = judged(text=" ")
    assert grade == (0.0, "")
    assert backend.asked == []


def test_without_a_judge_nobody_is_asked_and_it_is_said():
    value, error = grading.grade(PROBE, "x")

    assert value == 0.0
    assert "no judge was given" in error
