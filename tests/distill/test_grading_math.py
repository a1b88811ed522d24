from __future__ import annotations

import os
import threading

import pytest

from distill import grading
from distill.grading.math import Math, final_answer
from distill.grading.mathworker import MathWorker
from distill.records import Probe, Split

pytestmark = pytest.mark.slow


def graded(reference, text):
    return grading.grade(Probe("k", "s", Split.FINAL, "q", reference, "math"), text)


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("\\frac{1}{2}", "Answer: 1/2"),
        ("\\frac{1}{2}", "So it is \\boxed{0.5}."),
        ("\\frac43", "\\boxed{\\frac{4}{3}}"),
        ("3\\sqrt{13}", "The distance is $\\sqrt{117}$."),
        ("2k+2", "Answer: 2(k+1)"),
        ("5", "Answer: $x = 5$"),
        ("(15,-29)", "\\boxed{\\left(15, -29\\right)}"),
        ("1,-2", "Answer: -2, 1"),
        ("137 \\frac{1}{2}", "Answer: 137.5"),
        ("\\text{Evelyn}", "Answer: Evelyn"),
        ("52_8", "\\boxed{52_8}"),
        ("1260", "Answer: 1,260"),
        ("\\$18.90", "Answer: $18.9"),
        ("30^\\circ", "\\boxed{30^\\circ}"),
        ("18", "So she has 18 apples left."),
        ("7", "Is it \\boxed{3}? No: \\boxed{7}"),
        ("\\frac{1}{2}", "\\boxed{\\frac{1}{2}} and more {"),
        ("3/2", "Answer: 1 1/2"),
        ("1 1/2", "\\boxed{\\frac{3}{2}}"),
        ("-3/2", "Answer: -1 1/2"),
        ("12345", "Answer: 12 345"),
        ("12345", "Answer: 12\\,345"),
        ("x+1", "Answer: X + 1"),
        ("\\Delta", "Answer: \\Delta"),
    ],
)
def test_the_same_mathematics_is_right_however_it_is_written(reference, text):
    assert graded(reference, text) == (1.0, "")


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("\\frac{1}{2}", "Answer: 1/3"),
        ("137 \\frac{1}{2}", "Answer: 1371/2"),
        ("11/2", "Answer: 1 1/2"),
        ("11/2", "\\boxed{1 1/2}"),
        ("23", "Answer: 2 3"),
        ("\\pi", "Answer: \\Pi"),
        ("\\Delta", "Answer: \\delta"),
        ("3, 5, 7", "Answer: 7"),
        ("2k+2", "Answer: 2k+1"),
        ("7", ""),
        ("7", "Answer:"),
        ("7", "\\boxed{" + "7" * 500 + "}"),
        ("7", "I do not know"),
        ("7", "Answer: ((((((("),
        ("7", "Answer: 7" + "(" * 150),
        ("7", "{" * 100_000),
    ],
)
def test_other_mathematics_is_wrong(reference, text):
    assert graded(reference, text)[0] == 0.0


@pytest.mark.parametrize(
    ("reference", "said", "is_right"),
    [
        ("12", "12%", False),
        ("12", "12\\%", False),
        ("12", "12 percent", False),
        ("12\\%", "12", False),
        ("12\\%", "12%", True),
        ("12%", "12.0 \\%", True),
        ("0.12", "12%", True),
        ("\\frac{3}{25}", "12%", True),
    ],
)
def test_a_percent_sign_counts(reference, said, is_right):
    assert graded(reference, f"Answer: {said}") == (float(is_right), "")


def test_it_works_off_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(graded("2k+2", "Answer: 2(k+1)")))

    thread.start()
    thread.join()

    assert found == [(1.0, "")]


def test_a_fork_gets_a_process_of_its_own_and_leaves_its_parents_alone():
    assert graded("2k+2", "Answer: 2(k+1)") == (1.0, "")
    child = os.fork()
    if not child:
        os._exit(0 if graded("2k+4", "Answer: 2(k+2)") == (1.0, "") else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert graded("2k+6", "Answer: 2(k+3)") == (1.0, "")


def test_what_never_ends_is_ended_told_and_forgotten():
    math = Math()
    math._worker = MathWorker(cpu_seconds=0.5)
    probe = Probe("k", "s", Split.FINAL, "q", "7", "math")

    value, error = grading.grade(probe, "\\boxed{9^{9^{9^9}}}", graders={"math": math})

    assert value == 0.0
    assert "TimeoutError: comparing took over 0.5 s of computing" in error
    math._worker = MathWorker()
    assert grading.grade(probe, "\\boxed{3+4}", graders={"math": math}) == (1.0, "")


@pytest.mark.parametrize("reference", ["", " ", "1" * 500])
def test_a_reference_that_cannot_be_one_is_an_error(reference):
    assert "the reference is empty, or too long" in graded(reference, "Answer: 7")[1]


def test_the_final_answer_is_boxed_or_marked_or_last():
    assert final_answer("\\boxed{1}\nAnswer: 2\n3") == "1"
    assert final_answer("Answer: **2**\n3") == "2"
    assert final_answer("1\n2\n 3 \n") == "3"
    assert final_answer("\\boxed{1} \\boxed{2") == "1"
