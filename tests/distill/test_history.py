"""The checkpoints of a run of `ioa distil`: which of its students came of which."""

from __future__ import annotations

import dataclasses
import json

import pytest

from distill.decisions import Decision
from distill.diagnosis import BASE, TEACHER
from distill.history import checkpoints
from distill.identifier.edges import _Rounds
from distill.journal import Journal
from distill.records import Answer, Probe, Split
from distill.training.base import TrainingResult
from distill.verdicts import GateAnswer, GateEvidence, Retention
from tests.distill.samples import evidence_of, item_of, retention, verdict, waived

M, N = GateAnswer.MASTERED, GateAnswer.NOT_YET


class Past:
    """A run that is over, round by round."""

    def __init__(self, out):
        self._out = out
        self.journal = Journal(out, resume=False)
        self._answers(TEACHER, Split.DIAGNOSE, {"A": 1.0, "B": 1.0})
        self._answers(BASE, Split.DIAGNOSE, {"A": 0.1, "B": 0.1})

    def _answers(self, who, split, scores):
        for skill, score in scores.items():
            keys = [f"{who}:{split}:{skill}:{i}" for i in range(10)]
            answered = [
                (Probe(k, skill, split, k, "1"), Answer(k, "", float(i < round(10 * score))))
                for i, k in enumerate(keys)
            ]
            self.journal.keep_answers(who, answered)

    def round(self, key, scores, decision, taught=("A", "B")):
        self.journal.keep_items(key, [item_of(k, round_key=key) for k in taught])
        self.journal.keep_checkpoint(key, 2, TrainingResult(self._out, "h", 1, 1, 0.0, 0.0))
        self._answers(key, Split.GATE, scores)
        said = evidence_of(*(verdict(k, M if r >= 0.9 else N, r) for k, r in scores.items()))
        if decision:
            self.journal.keep_decision(key, decision, said, False)

    @property
    def lines(self):
        return [(c.run, c.number, dict(c.ratios)) for c in checkpoints(self.journal, "run")]


@pytest.fixture
def past(tmp_path):
    return Past(tmp_path / "run")


def test_a_run_that_went_back_goes_on_in_another_line_from_where_it_went_back_to(past):
    past.round("s1r0", {"A": 1.0, "B": 0.2}, Decision.REMEDY)
    past.round("s1r1", {"A": 0.0, "B": 0.2}, Decision.REMEDY)  # unlearned A: given up
    past.round("s1r2", {"A": 1.0, "B": 0.9}, Decision.ADVANCE)
    past.round("s2r0", {"A": 1.0, "B": 1.0}, Decision.STOP)

    assert past.lines == [
        ("run", 0, {"A": 0.1, "B": 0.1}),
        ("run", 1, {"A": 1.0, "B": 0.2}),
        ("run", 2, {"A": 0.0, "B": 0.2}),
        ("run, s1r2", 0, {"A": 1.0, "B": 0.2}),
        ("run, s1r2", 1, {"A": 1.0, "B": 0.9}),
        ("run, s1r2", 2, {"A": 1.0, "B": 1.0}),
    ]
    rounds = _Rounds.of(checkpoints(past.journal, "run"), ["A", "B"], 0.9)
    assert rounds.before[:, 0].tolist() == [0.1, 1.0, 1.0, 1.0]  # never that of the one given up


def test_a_stage_that_is_waived_leaves_its_best_student_to_the_next(past):
    past.round("s1r0", {"A": 1.0}, Decision.REMEDY, taught=("A",))
    past.round("s1r1", {"A": 0.2}, Decision.WAIVE, taught=("A",))
    past.round("s2r0", {"B": 0.5}, Decision.STOP, taught=("B",))

    assert past.lines[2:] == [
        ("run", 2, {"A": 0.2}),
        ("run, s2r0", 0, {"A": 1.0, "B": 0.1}),  # B was not asked since the diagnosis
        ("run, s2r0", 1, {"B": 0.5}),
    ]


def test_two_rounds_that_were_given_up_are_two_lines(past):
    past.round("s1r0", {"A": 1.0, "B": 0.2}, Decision.REMEDY)
    for nth in (1, 2):
        past.round(f"s1r{nth}", {"A": 0.1, "B": 0.2}, Decision.REMEDY)

    assert [line[:2] for line in past.lines[2:]] == [
        ("run", 2),
        ("run, s1r2", 0),
        ("run, s1r2", 1),
    ]


def test_what_was_taught_and_not_asked_is_not_known_any_more(past):
    past.round("s1r0", {"A": 1.0}, Decision.REMEDY)
    past.round("s1r1", {"A": 0.2}, Decision.REMEDY)
    past.round("s1r2", {"A": 1.0}, "")

    assert past.lines[3] == ("run, s1r2", 0, {"A": 1.0})


def test_a_round_that_nobody_assessed_counts_to_the_next(past):
    past.round("s1r0", {}, "", taught=("A",))
    past.round("s1r1", {"A": 1.0}, Decision.STOP, taught=("B",))

    _, only = checkpoints(past.journal, "run")

    assert (only.number, only.taught) == (2, {"A", "B"})


def test_evidence_is_read_as_it_was_kept():
    said = dataclasses.replace(
        evidence_of(
            verdict("A", M),
            retention("B", Retention.KEPT, was=1.0, now=0.9),
            waived("C", N, now=0.4),
        ),
        void=(("A", 2),),
    )

    assert GateEvidence.of(json.loads(json.dumps(dataclasses.asdict(said)))) == said
