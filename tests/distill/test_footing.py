"""From which student a stage goes on: the best of its rounds, not always the last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.decisions import AtGate, Decision, autopilot, stalls
from distill.organizer.footing import footing, gained
from distill.organizer.mixture import sitting, still_needed
from distill.records import PlannedStage
from distill.verdicts import GateAnswer, Retention
from tests.distill.samples import evidence_of, retention, verdict

M, N, U = GateAnswer.MASTERED, GateAnswer.NOT_YET, GateAnswer.UNCLEAR
KEPT, FORGOTTEN = Retention.KEPT, Retention.FORGOTTEN


def gate(stage, earlier=()):
    return evidence_of(
        *(verdict(k, answer, ratio) for k, answer, ratio in stage),
        *(retention(k, answer, was=1.0, now=now) for k, answer, now in earlier),
    )


FIRST = gate([("A2", M, 0.97), ("N1", N, 0.69)], [("M1", KEPT, 0.96)])
WORSE = gate([("A2", N, 0.56), ("N1", N, 0.72)], [("M1", FORGOTTEN, 0.80)])
BETTER = gate([("A2", M, 0.95), ("N1", M, 0.93)], [("M1", KEPT, 0.96)])


def test_after_one_round_the_next_goes_on_from_it():
    found = footing([FIRST])

    assert (found.at, found.need, found.sits) == (0, {"N1": pytest.approx(0.31)}, {"A2"})


def test_a_round_that_lost_more_than_it_taught_is_given_up():
    assert footing([FIRST, WORSE]).at == 0
    assert footing([FIRST, WORSE, WORSE]).at == 0
    assert footing([WORSE, FIRST]).at == 1
    assert footing([FIRST, WORSE, BETTER]).at == 2


def test_of_students_that_stand_alike_the_last_goes_on():
    alike = gate([("A2", M, 1.0), ("N1", N, 0.5)], [("M1", KEPT, 1.0)])

    assert footing([FIRST, alike]).at == 1


def test_what_a_round_that_is_given_up_had_lost_is_rehearsed_harder():
    found = footing([FIRST, WORSE])

    assert found.need == {"N1": pytest.approx(0.31)}  # M1 is not lost where we go on from
    assert found.lost == {"M1": pytest.approx(0.20), "A2": pytest.approx(0.41 / 0.97)}


RATIOS = st.floats(0.0, 1.0)
ROUNDS = st.lists(
    st.builds(
        lambda a, b, c: gate(
            [("A", M if a > 0.9 else N, a), ("B", M if b > 0.9 else U, b)],
            [("C", KEPT if c > 0.9 else FORGOTTEN, c)],
        ),
        RATIOS,
        RATIOS,
        RATIOS,
    ),
    min_size=1,
    max_size=6,
)


@given(ROUNDS)
def test_no_round_stands_better_than_the_one_that_is_gone_on_from(rounds):
    found = footing(rounds)
    best = rounds[found.at]

    def standing(evidence):
        return sum(v.answer is M for v in evidence.stage) - len(evidence.forgotten)

    assert all(standing(each) <= standing(best) for each in rounds)
    assert all(standing(each) < standing(best) for each in rounds[found.at + 1 :])
    assert found.need == still_needed(best)[0]
    assert found.sits == sitting(best)
    assert found.need


def test_what_a_round_brought_is_the_mean_rise_of_what_it_was_for():
    first = gate([("A2", M, 0.97), ("N1", N, 0.60), ("N2", N, 0.40)])
    second = gate([("A2", N, 0.50), ("N1", N, 0.66), ("N2", N, 0.44)])
    third = gate([("A2", M, 0.97), ("N1", M, 0.92), ("N2", N, 0.50)])

    assert gained([first]) is None
    assert gained([first, second]) == pytest.approx(0.05)
    assert gained([first, second, third]) == pytest.approx((0.32 + 0.10) / 2)  # over the first


@pytest.mark.parametrize(
    ("rise", "others_wait", "says"),
    [(0.04, True, True), (0.05, True, False), (0.04, False, False), (None, True, False)],
)
def test_a_remedy_that_brought_little_is_the_last_while_others_wait(rise, others_wait, says):
    assert stalls(rise, least=0.05, others_wait=others_wait) is says
    stage = PlannedStage(title="t", skills=("N1",), difficulty=0.5)
    at = AtGate(stage, 1, 1, FIRST, may_remedy=True, stalls=says)
    assert autopilot(at) is (Decision.WAIVE if says else Decision.REMEDY)
    advances = AtGate(stage, 1, 1, BETTER, may_remedy=True, stalls=says)
    assert autopilot(advances) is Decision.ADVANCE
