"""The gate: its error rates, its three answers, what it asks, and what is forgotten."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from distill.assessment.gate import GateExam, Was, known_at_start
from distill.assessment.mastery import judge, most_probes
from distill.assessment.retention import judge_retention
from distill.records import Split
from distill.settings import Probing, Settings, Thresholds
from distill.verdicts import GateAnswer, Retention
from tests.distill.samples import (
    Numbered,
    RuleStudent,
    evidence_of,
    gap_of,
    retention,
    skill_of,
    verdict,
)

ORDINARY = Thresholds()
LOOK, CAP = Probing().gate_probes, Probing().gate_probes_cap


def grades(right: int, n: int) -> list[float]:
    return [1.0] * right + [0.0] * (n - right)


# --- mastery ----------------------------------------------------------------------------------


TRIALS = 2000


@cache
def trials(ratio: float) -> tuple[float, list[int]]:
    """The gate's own exam, over and over: how often it lets a student of this true ratio pass,
    and how many probes each trial took. Every trial has two checkpoints, one after the other:
    what the first was asked is not fresh for the second.
    """
    draw, passed, took = random.Random(5), 0, []
    for trial in range(TRIALS):
        seen: set[str] = set()
        for _ in range(2):
            gate = exam(stage=("A",), seen={"A": seen}, seed=trial)
            evidence = gate.run(RuleStudent(lambda _: draw.random() < ratio))
            (verdict,) = evidence.stage
            asked = set(gate.grades["A"])
            assert verdict.n == len(asked)
            assert not seen & asked
            seen |= asked
        passed += verdict.answer is GateAnswer.MASTERED
        took.append(verdict.n)
    return passed / TRIALS, took


def fixed_size() -> int:
    """How many probes a test takes that looks once, between the same two ratios, with the same
    error at both: the smallest number for which there is a bound that keeps both.
    """
    low = ORDINARY.mastery - ORDINARY.mastery_margin_low
    high = ORDINARY.mastery + ORDINARY.mastery_margin_high
    for n in range(1, 1000):
        bound = binom.ppf(1 - ORDINARY.gate_error, n, low) + 1  # passes from here on
        if binom.cdf(bound - 1, n, high) <= ORDINARY.gate_error:
            return n
    raise AssertionError


@pytest.mark.slow
def test_a_student_of_four_fifths_passes_at_most_one_time_in_twenty():
    assert trials(0.80)[0] <= 0.05


@pytest.mark.slow
def test_a_student_of_nearly_all_passes_at_least_nine_times_in_ten():
    assert trials(0.97)[0] >= 0.9


@pytest.mark.parametrize(
    ("p_teacher", "most"), [(1.0, CAP), (0.9, 364), (0.8, 572), (0.6, 4 * CAP), (0.5, 4 * CAP)]
)
def test_the_worse_the_teacher_the_more_may_be_asked(p_teacher, most):
    assert most_probes(p_teacher, Probing(), ORDINARY) == most
    assert most_probes(p_teacher, Probing(gate_probes_stretch=1.0), ORDINARY) == CAP


@pytest.mark.slow
@pytest.mark.parametrize(("p_teacher", "passes"), [(1.0, 0.97), (0.8, 0.93), (0.6, 0.92)])
def test_the_gates_errors_hold_whatever_the_teacher_can(p_teacher, passes):
    """With one cap for all, students of 0.95 of a teacher of 0.6 passed less than half the time."""
    assert share_that_passes(0.82, p_teacher) <= 0.05
    assert share_that_passes(0.95, p_teacher) >= passes
    assert share_that_passes(1.0, p_teacher) >= 0.98


def share_that_passes(ratio: float, p_teacher: float, trials: int = 600) -> float:
    """By `judge`, look by look up to the cap."""
    draw, passed = random.Random(f"{ratio}:{p_teacher}"), 0
    most = most_probes(p_teacher, Probing(), ORDINARY)
    for _ in range(trials):
        right, n, answer = 0, 0, GateAnswer.UNCLEAR
        while answer is GateAnswer.UNCLEAR:
            look = min(LOOK, most - n)
            right += sum(draw.random() < ratio * p_teacher for _ in range(look))
            n += look
            answer = judge(
                "A", grades(right, n), p_teacher, ORDINARY, is_last_look=n == most
            ).answer
        passed += answer is GateAnswer.MASTERED
    return passed / trials


def test_at_a_gate_of_an_imperfect_teacher_the_last_look_is_later():
    """An exam stops where the cap of its skill is, and not before."""
    draw = random.Random(3)
    gate = exam(stage=("A",), p_teacher=0.6)

    (verdict,) = gate.run(RuleStudent(lambda _: draw.random() < 0.6 * 0.885)).stage

    assert CAP < verdict.n <= 4 * CAP


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.80, 0.97])
def test_the_gate_asks_at_most_three_fifths_of_what_a_test_of_fixed_size_would(ratio):
    assert fixed_size() == 63
    assert np.median(trials(ratio)[1]) <= 0.6 * fixed_size()


def test_twenty_one_right_in_a_row_are_enough_and_twenty_are_not():
    assert judge("A", grades(21, 21), 1.0, ORDINARY).answer is GateAnswer.MASTERED
    assert judge("A", grades(20, 20), 1.0, ORDINARY).answer is GateAnswer.UNCLEAR


def test_what_is_unclear_at_the_last_look_is_not_yet():
    assert judge("A", grades(29, 32), 1.0, ORDINARY).answer is GateAnswer.UNCLEAR
    last = judge("A", grades(29, 32), 1.0, ORDINARY, is_last_look=True)
    assert last.answer is GateAnswer.NOT_YET


def test_without_a_grade_the_gate_says_unclear():
    assert judge("A", [], 1.0, ORDINARY).answer is GateAnswer.UNCLEAR


@pytest.mark.parametrize(
    ("right", "p_teacher", "expected"),
    [
        (36, 1.0, GateAnswer.MASTERED),  # 0.9 itself
        (35, 1.0, GateAnswer.NOT_YET),
        (18, 0.5, GateAnswer.MASTERED),
        (27, 0.75, GateAnswer.MASTERED),  # 0.675 / 0.75, which floats put below 0.9
    ],
)
def test_when_all_questions_were_asked_the_ratio_alone_decides(right, p_teacher, expected):
    verdict = judge("A", grades(right, 40), p_teacher, ORDINARY, is_exhaustive=True)

    assert verdict.answer is expected
    assert verdict.low == verdict.ratio == verdict.high


def test_the_ratio_and_its_interval_are_over_the_teachers_score():
    verdict = judge("A", grades(30, 40), 0.8, ORDINARY)

    assert verdict.ratio == pytest.approx(0.75 / 0.8)
    assert verdict.low < verdict.ratio < verdict.high


@pytest.mark.parametrize("mastery", [1.0, 0.95, 0.1])
def test_any_allowed_threshold_can_be_judged(mastery):
    thresholds = Thresholds(mastery=mastery, mastery_margin_low=0.05)

    assert judge("A", grades(5, 200), 1.0, thresholds).answer is GateAnswer.NOT_YET or (
        mastery == 0.1
    )
    assert judge("A", grades(200, 200), 1.0, thresholds).answer is GateAnswer.MASTERED


# --- retention --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "n", "expected"),
    [
        (64, 64, Retention.KEPT),
        (61, 64, Retention.KEPT),  # 0.953
        (59, 64, Retention.UNCLEAR),  # 0.92: chance would explain it
        (40, 64, Retention.FORGOTTEN),
        (0, 4, Retention.FORGOTTEN),
        (0, 0, Retention.UNCLEAR),
    ],
)
def test_a_skill_is_kept_unclear_or_forgotten(right, n, expected):
    assert judge_retention("A", grades(right, n), 1.0, 64, ORDINARY).answer is expected


def test_a_skill_that_was_never_good_is_measured_by_what_it_was():
    assert judge_retention("A", grades(58, 64), 0.95, 64, ORDINARY).answer is Retention.KEPT


def test_when_all_questions_were_asked_both_times_chance_is_no_excuse():
    def verdict(*, was_exhaustive):
        return judge_retention(
            *("A", grades(36, 39), 1.0, 39, ORDINARY),
            is_exhaustive=True,
            was_exhaustive=was_exhaustive,
        )

    assert verdict(was_exhaustive=True).answer is Retention.FORGOTTEN
    assert verdict(was_exhaustive=False).answer is Retention.UNCLEAR


@pytest.mark.parametrize("was_exhaustive", [True, False])
def test_of_all_questions_there_are_the_mean_now_is_no_estimate(was_exhaustive):
    verdict = judge_retention(
        *("A", grades(36, 39), 1.0, 39, ORDINARY),
        is_exhaustive=True,
        was_exhaustive=was_exhaustive,
    )

    assert verdict.low == verdict.now == verdict.high == pytest.approx(36 / 39)


def alarms(now: float, trials: int = 2000) -> float:
    """How often a skill that was 0.95, and is `now`, is called forgotten, look by look."""

    @cache
    def answer(right: int, n: int, was: int) -> Retention:
        return judge_retention("A", grades(right, n), was / 64, 64, ORDINARY).answer

    draw = np.random.default_rng(3)
    found = 0
    for _ in range(trials):
        was = int((draw.random(64) < 0.95).sum())
        right = (draw.random(CAP) < now).cumsum()
        said = (answer(int(right[n - 1]), n, was) for n in range(LOOK, CAP + 1, LOOK))
        found += next((a for a in said if a is not Retention.UNCLEAR), "") is Retention.FORGOTTEN
    return found / trials


@pytest.mark.slow
def test_a_skill_that_is_as_it_was_is_hardly_ever_called_forgotten():
    assert alarms(0.95) <= 0.02


@pytest.mark.slow
def test_a_skill_that_lost_as_much_as_may_be_lost_is_called_forgotten_one_time_in_ten_at_most():
    assert alarms(0.95 * 0.95) <= 0.1


@pytest.mark.slow
def test_a_skill_that_lost_a_fourth_is_nearly_always_called_forgotten():
    assert alarms(0.95 * 0.75) >= 0.95


# --- what is known before anything is taught ---------------------------------------------------


def test_skills_that_sit_already_are_known_from_the_start_with_their_score():
    gaps = {
        "sits": gap_of("sits", 1.0),
        "weak": gap_of("weak", 0.2),
        "half": gap_of("half", 0.75),
        "lost": gap_of("lost", 1.0, p_teacher=0.3),
    }
    answered = {
        k: {str(i): float(i < 64 * r) for i in range(64)}
        for k, r in zip(gaps, (1.0, 0.2, 0.75, 0.3), strict=True)
    }

    assert known_at_start(gaps, answered, ORDINARY) == {"sits": Was(1.0, 64)}


# --- the exam ---------------------------------------------------------------------------------


def exam(
    *,
    size=5000,
    stage=("A",),
    mastered=None,
    waived=None,
    seen=None,
    grades=None,
    probing=None,
    seed=0,
    trained=frozenset(),
    p_teacher=1.0,
):
    return GateExam(
        domain=Numbered(
            (skill_of("A"), skill_of("B"), skill_of("C")), sizes=dict.fromkeys(Split, size)
        ),
        settings=Settings(probing=probing or Probing()),
        seed=seed,
        stage=stage,
        mastered=mastered or {},
        waived=waived or {},
        p_teacher=dict.fromkeys((*stage, *(waived or {})), p_teacher),
        seen=seen or {},
        grades=grades if grades is not None else {},
        trained=trained,
    )


def nine_of_ten():
    return RuleStudent(lambda p: int(p.text.rsplit(" ", 1)[1]) % 10 != 0)


def test_a_clear_case_is_decided_after_one_look():
    student = RuleStudent(lambda _: True)

    evidence = exam().run(student)

    assert evidence.allows_advance
    assert len(student.asked) == LOOK


def test_an_unclear_case_is_asked_more_up_to_the_cap_and_no_probe_twice():
    student = nine_of_ten()

    evidence = exam().run(student)

    assert len(student.asked) == len(set(student.asked)) == CAP
    assert [v.n for v in evidence.stage] == [CAP]
    assert evidence.stage[0].answer is GateAnswer.NOT_YET


def test_only_what_is_unclear_is_asked_more():
    student = RuleStudent(lambda p: p.text.startswith("A") or int(p.text.split()[-1]) % 10 != 0)

    evidence = exam(stage=("A", "B")).run(student)

    assert [v.n for v in evidence.stage] == [LOOK, CAP]


def test_fresh_probes_come_first_and_seen_ones_only_when_there_are_no_others():
    probes = exam().probes("A", 60)
    seen = {"A": {p.id for p in probes[:40]}}

    fresh_only = exam(size=80, seen=seen).probes("A", 32)
    reused = exam(size=60, seen=seen).probes("A", 32)

    assert not {p.id for p in fresh_only} & seen["A"]
    assert {p.id for p in reused[:20]} == {p.id for p in probes[40:]}
    assert len({p.id for p in reused}) == 32


def test_what_the_student_was_trained_on_is_not_asked():
    trained = {p.id for p in exam().probes("A", 10)}
    student = RuleStudent(lambda _: True)

    evidence = exam(trained=trained).run(student)
    of_few = exam(size=20, trained=trained).run(RuleStudent(lambda _: True))

    assert not {p.id for p in exam(trained=trained).probes("A", CAP)} & trained
    assert (evidence.allows_advance, evidence.void) == (True, ())
    assert (of_few.stage[0].n, of_few.allows_advance) == (10, False)  # too few fair ones


def test_answers_to_what_the_student_was_trained_on_are_void_and_told():
    ids = [p.id for p in exam().probes("A", LOOK)]
    student = RuleStudent(lambda _: False)

    evidence = exam(grades={"A": dict.fromkeys(ids, 1.0)}, trained=set(ids[:30])).run(student)

    assert evidence.void == (("A", 30),)
    assert len(student.asked) == LOOK - 2
    assert evidence.stage[0].answer is GateAnswer.NOT_YET
    assert not set(student.asked) & set(ids)


def test_a_split_that_is_used_up_decides_by_the_ratio():
    student = RuleStudent(lambda p: int(p.text.split()[-1]) % 10 != 0)

    evidence = exam(size=20).run(student)

    assert len(student.asked) == 20
    assert evidence.stage[0].answer is GateAnswer.MASTERED
    assert evidence.stage[0].ratio == 0.9


@pytest.mark.parametrize("stop_at", range(1, 12))
def test_an_exam_that_was_stopped_continues_and_asks_nothing_twice(stop_at):
    probing = Probing(batch_size=20)
    whole = exam(probing=probing).run(nine_of_ten())
    kept, first, batches = {}, nine_of_ten(), 0

    def sink(answered):
        nonlocal batches
        for probe, answer in answered:
            kept.setdefault(probe.skill, {})[probe.id] = answer.grade
        batches += 1
        if batches == stop_at:
            raise InterruptedError

    if stop_at <= 10:
        with pytest.raises(InterruptedError):
            exam(probing=probing).run(first, sink=sink)
    second = nine_of_ten()
    evidence = exam(probing=probing, grades=kept).run(second)

    assert evidence == whole
    asked = first.asked + second.asked
    assert len(asked) == len(set(asked)) == CAP


class InBatches(RuleStudent):
    """Remembers its batches: what a model in bfloat16 answers can depend on the batch it is in."""

    def __init__(self, is_right):
        super().__init__(is_right)
        self.batches = []

    def generate(self, prompts):
        self.batches.append([p.text for p in prompts])
        return super().generate(prompts)


@pytest.mark.parametrize("stop_at", range(1, 16))
def test_an_exam_that_was_stopped_asks_on_in_the_same_batches(stop_at):
    def close(prompt):  # A and C stay unclear for a while, each another one; B is kept
        number = int(prompt.text.split()[-1])
        return number % {"A": 10, "C": 25}.get(prompt.text[0], 10**6) != 5

    given = {
        "probing": Probing(batch_size=16),
        "stage": ("A", "C"),
        "mastered": {"B": Was(1.0, 64)},
    }
    whole, first, second = InBatches(close), InBatches(close), InBatches(close)
    evidence = exam(**given).run(whole)
    kept = {}

    def sink(answered):
        for probe, answer in answered:
            kept.setdefault(probe.skill, {})[probe.id] = answer.grade
        if len(first.batches) == stop_at:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        exam(**given).run(first, sink=sink)

    assert exam(**given, grades=kept).run(second) == evidence
    assert first.batches + second.batches == whole.batches


def test_a_look_that_was_begun_is_finished_though_the_case_is_clear_by_now():
    ids = [p.id for p in exam().probes("A", LOOK + 8)]
    student = RuleStudent(lambda _: True)

    evidence = exam(grades={"A": dict.fromkeys(ids, 1.0)}).run(student)

    assert len(student.asked) == LOOK - 8
    assert evidence.stage[0].n == 2 * LOOK


def test_mastered_skills_are_asked_again_and_what_is_lost_blocks():
    student = RuleStudent(lambda p: p.text.startswith("A"))

    evidence = exam(mastered={"B": Was(1.0, 64)}).run(student)

    assert [v.answer for v in evidence.stage] == [GateAnswer.MASTERED]
    assert evidence.forgotten == ("B",)
    assert not evidence.allows_advance


@pytest.mark.parametrize(
    ("skills", "is_allowed"),
    [
        (["A"], True),
        (["A", "B"], False),
        (["A", "C"], False),  # which was not measured
        ([], False),
    ],
)
def test_a_stage_may_be_left_when_all_it_teaches_is_mastered(skills, is_allowed):
    found = [verdict("A", GateAnswer.MASTERED), verdict("B", GateAnswer.NOT_YET)]
    lost = retention("Z", Retention.FORGOTTEN, was=1.0, now=0.5)

    assert evidence_of(*found).allows_advance_of(skills) is is_allowed
    assert not evidence_of(*found, lost).allows_advance_of(skills)


def test_an_unclear_loss_is_probed_further():
    student = RuleStudent(lambda p: p.text.startswith("A") or int(p.text.split()[-1]) % 14 != 0)

    evidence = exam(mastered={"B": Was(1.0, 64)}).run(student)

    assert evidence.retention[0].n > LOOK


@pytest.mark.parametrize(
    ("right", "answer", "since"),
    [
        (0.0, GateAnswer.NOT_YET, Retention.FORGOTTEN),
        (1.0, GateAnswer.MASTERED, Retention.KEPT),
    ],
)
def test_what_was_waived_is_asked_one_look_after_all_else_and_holds_nothing_back(
    right, answer, since
):
    def knows(prompt):
        number = int(prompt.text.split()[-1])
        return number % 14 != 0 if prompt.text.startswith("A") else right

    alone, beside = RuleStudent(knows), RuleStudent(knows)

    without = exam().run(alone)
    evidence = exam(waived={"C": Was(0.5, 64), "B": Was(0.5, 64)}).run(beside)

    assert without.stage[0].n > LOOK  # the case of A is unclear at first
    assert evidence.stage == without.stage
    assert evidence.allows_advance == without.allows_advance
    assert [(v.skill, v.answer, v.since, v.was, v.now, v.n) for v in evidence.waived] == [
        ("B", answer, since, 0.5, right, LOOK),
        ("C", answer, since, 0.5, right, LOOK),
    ]
    assert not evidence.forgotten
    assert beside.asked[: len(alone.asked)] == alone.asked
    assert len(beside.asked) == len(alone.asked) + 2 * LOOK


def test_two_means_over_all_questions_are_compared_without_chance():
    student = RuleStudent(lambda p: int(p.text.split()[-1]) > 1)  # 18 of 20

    lost = exam(size=20, stage=(), mastered={"B": Was(1.0, 20, True)}).run(student)
    unclear = exam(size=20, stage=(), mastered={"B": Was(1.0, 51)}).run(student)

    assert lost.retention[0].answer is Retention.FORGOTTEN
    assert unclear.retention[0].answer is Retention.UNCLEAR


def test_progress_never_runs_past_its_total_nor_back():
    beats = []

    exam(stage=("A", "B")).run(nine_of_ten(), beat=lambda done, total: beats.append((done, total)))

    assert beats == sorted(beats)
    assert all(done <= total for done, total in beats)


def test_a_first_look_over_the_cap_is_cut_to_it():
    student = nine_of_ten()

    evidence = exam(probing=Probing(gate_probes=32, gate_probes_cap=10)).run(student)

    assert len(student.asked) == 10
    assert evidence.stage[0].answer is GateAnswer.NOT_YET
