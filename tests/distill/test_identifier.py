"""Gaps, severity, targets: Eq. 2, 4 and 5-6."""

from __future__ import annotations

import pytest

from distill.backends.procedural import ProceduralBackend
from distill.backends.scripted import ScriptedBackend
from distill.identifier.gaps import find_gap
from distill.identifier.probing import ask, score
from distill.identifier.severity import severities, targets
from distill.records import Edge, Split
from distill.settings import Thresholds
from tests.distill.samples import Numbered, gap_of, skill_of

ORDINARY = Thresholds()


def grades(right: int, n: int) -> dict[str, float]:
    return {f"p{i:03}": float(i < right) for i in range(n)}


# --- gaps ------------------------------------------------------------------------------


def test_a_gap_is_the_share_of_the_teacher_that_is_missing():
    gap = find_gap("A1", grades(64, 64), grades(16, 64), ORDINARY)

    assert gap.gap == 0.75
    assert gap.low < 0.75 < gap.high
    assert gap.is_deficient
    assert gap.is_teachable


def test_a_gap_of_the_threshold_itself_is_not_deficient():
    gap = find_gap("A1", grades(50, 50), grades(35, 50), Thresholds(gap=0.3))

    assert not gap.is_deficient


def test_a_skill_the_teacher_cannot_do_has_no_gap_and_is_never_taken_for_mastered():
    gap = find_gap("A1", grades(31, 64), grades(64, 64), ORDINARY)

    assert (gap.gap, gap.low, gap.high) == (None, None, None)
    assert not gap.is_teachable
    assert not gap.is_deficient


def test_a_teacher_who_knows_nothing_is_never_divided_by():
    assert find_gap("A1", grades(0, 64), grades(0, 64), ORDINARY).gap is None


def test_a_student_better_than_its_teacher_has_a_negative_gap():
    gap = find_gap("A1", grades(40, 64), grades(60, 64), ORDINARY)

    assert gap.gap == pytest.approx(-0.5)
    assert not gap.is_deficient


def test_when_all_questions_were_asked_the_gap_is_exact():
    gap = find_gap("A1", grades(20, 20), grades(11, 20), ORDINARY, size=20)

    assert gap.low == gap.gap == gap.high
    assert gap.student.is_exhaustive


def test_only_probes_that_both_answered_count():
    student = grades(4, 8) | {"other": 1.0}

    gap = find_gap("A1", grades(8, 8), student, ORDINARY)

    assert (gap.student.n, gap.gap) == (8, 0.5)


def test_without_a_shared_probe_there_is_no_gap_to_speak_of():
    with pytest.raises(ValueError, match="A1: no probe"):
        find_gap("A1", {"a": 1.0}, {"b": 1.0}, ORDINARY)


# --- severity and targets -----------------------------------------------------------------


def test_severity_weighs_the_own_gap_against_what_the_skill_blocks():
    gaps = {k: gap_of(k, 0.5) for k in "ABC"}
    edges = [Edge("A", "B", 1.0), Edge("A", "C", 0.5)]

    severity = severities(gaps, edges, alpha=0.7)

    assert severity == pytest.approx({"A": 0.35 + 0.3 * 0.75, "B": 0.35, "C": 0.35})


def test_a_negative_gap_counts_as_none_in_severity():
    assert severities({"A": gap_of("A", 1.2)}, []) == {"A": 0.0}


def test_skills_the_teacher_cannot_teach_have_no_severity():
    assert severities({"A": gap_of("A", 0.2, p_teacher=0.4)}, []) == {}


def test_targets_are_the_deficient_skills_most_severe_first_ties_by_name():
    gaps = {k: gap_of(k, r) for k, r in {"D": 0.4, "B": 0.1, "C": 0.4, "A": 0.9}.items()}

    assert targets(gaps, {"A": 0.9, "B": 0.6, "C": 0.4, "D": 0.4}) == ["B", "C", "D"]


@pytest.mark.parametrize(
    ("share", "n", "expected"),
    [(0.25, 8, 2), (0.25, 9, 3), (0.01, 8, 1), (0.07, 100, 7), (1, 5, 5)],
)
def test_a_share_of_the_deficient_skills_is_rounded_up_and_never_to_none(share, n, expected):
    gaps = {f"{i:03}": gap_of(f"{i:03}", 0.2) for i in range(n)}

    assert len(targets(gaps, dict.fromkeys(gaps, 0.5), share=share)) == expected


def test_nothing_deficient_means_nothing_to_teach():
    assert targets({"A": gap_of("A", 0.95)}, {"A": 0.0}) == []


# --- asking --------------------------------------------------------------------------------


def probes(n: int):
    return Numbered((skill_of("A"),)).probes("A", Split.DIAGNOSE, n, seed=0)


def test_each_probe_is_asked_once_greedily_and_graded_in_order():
    backend = ScriptedBackend(["Answer: 0", "Answer: 7", "Answer: 2"])

    answers = ask(backend, probes(3), batch_size=2, max_tokens=9)

    assert [a.grade for a in answers] == [1.0, 0.0, 1.0]
    assert [p.text for p in backend.asked] == [p.question for p in probes(3)]
    assert {(p.sampling.temperature, p.sampling.max_tokens) for p in backend.asked} == {(0.0, 9)}


def test_answers_are_sunk_before_the_beat_so_that_stopping_loses_nothing_answered():
    sunk = []

    def beat(done, total):
        if done == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        ask(ProceduralBackend(), probes(6), batch_size=2, beat=beat, sink=sunk.extend)

    assert [probe.id for probe, _ in sunk] == [p.id for p in probes(4)]


def test_no_probes_cost_no_question():
    assert ask(ScriptedBackend([]), []) == []


def test_a_score_over_all_questions_has_no_interval_left():
    exact, sampled = score("A", [1.0, 0.0], 2), score("A", {"a": 1.0, "b": 0.0}, None)

    assert (exact.low, exact.mean, exact.high, exact.is_exhaustive) == (0.5, 0.5, 0.5, True)
    assert sampled.low < 0.5 < sampled.high
