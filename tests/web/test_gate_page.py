"""What the gate page says beside the verdicts: rounds, retention over the run, one more round."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from curriculum.models import Origin, SnapshotItem, Stage
from curriculum.services import gates, stages
from curriculum.services.audit import Actor
from curriculum.views import gate_reads, lineage, rounds, stage_reads
from tests.factories import (
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    SnapshotFactory,
    StageFactory,
    evidence,
)

# --- Rounds as drawings ------------------------------------------------------------------------


def round_(number, ratio, decision="remedy", **verdict):
    found = {"skill": "A1", "answer": "not_yet", "low": 0.0, "high": 1.0, **verdict}
    gate = SimpleNamespace(evidence={"stage": [{**found, "ratio": ratio}]}, decision=decision)
    return SimpleNamespace(number=number, gate=gate)


def test_a_panel_draws_ratio_interval_and_threshold_on_one_scale():
    [panel] = rounds.panels([round_(0, 0.9, low=0.5, high=1.0)], 0.9)
    [mark] = panel.marks

    assert mark.y == panel.threshold
    assert (mark.high, mark.low) == (panel.top, (panel.top + panel.bottom) / 2)


def test_a_ratio_above_the_teacher_ends_at_the_top():
    [panel] = rounds.panels([round_(0, 1.3, low=1.1, high=1.5)], 0.9)

    assert panel.marks[0].y == panel.marks[0].high == panel.top


def test_rounds_stand_from_left_to_right_and_a_roll_back_breaks_the_line():
    found = [round_(2, 0.6), round_(1, 0.8, "roll_back"), round_(0, 0.5), round_(4, 0.7)]

    [panel] = rounds.panels(found, 0.9)

    assert [mark.round for mark in panel.marks] == [0, 1, 2, 4]
    assert re.findall("[ML]", panel.path) == ["M", "L", "M", "M"]
    assert [mark.x for mark in panel.marks] == sorted({mark.x for mark in panel.marks})
    assert panel.marks[-1].x < panel.width


@pytest.fixture
def begun_again(approver):
    """Rolled back in round 1, which never came to a gate; round 2 is at the gate."""
    ada = Actor.person(approver)
    stage = StageFactory(deciding=True, skills=["A"])
    stage = gates.remedy(GateFactory(stage=stage), actor=ada, round=0)
    stage.jobs.all().delete()
    stages.roll_back(stage, actor=ada, round=1, reason="Not what we <wanted>")
    Stage.objects.filter(pk=stage.pk).update(status="deciding")
    return GateFactory(stage=Stage.objects.get(pk=stage.pk), round=2).stage


def rows_of(client, stage, page):
    """The table of rounds, in words, a row a round."""
    text = client.get(reverse(f"curriculum:{page}", args=[stage.pk])).text
    table = re.search(r'aria-labelledby="rounds-heading">.*?</section>', text, re.DOTALL)[0]
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]
    return table, [
        " ".join(re.sub(r"<[^>]+>", " ", re.sub("</?bdi>", "", row)).split()) for row in rows
    ]


@pytest.mark.parametrize("page", ["stage-gate", "stage-detail"])
def test_rounds_that_were_rolled_back_say_so_and_who_did_it_and_why(client, begun_again, page):
    table, [last, given_up, first] = rows_of(client, begun_again, page)

    assert last.startswith("2 ")
    assert "rolled back" not in last
    assert given_up.startswith("1 ")
    assert given_up.endswith(" – rolled back by Ada Approver “Not what we &lt;wanted&gt;”")
    assert re.fullmatch("0 .*remedy.* rolled back", first)
    if page == "stage-gate":
        assert "so does the first after a roll-back" in table
        assert "?round=1" not in table


@pytest.mark.parametrize("page", ["stage-gate", "stage-detail"])
def test_so_does_the_round_at_whose_gate_it_was(client, approver, page):
    gate = GateFactory(stage=StageFactory(deciding=True, skills=["A"]))
    gates.roll_back(gate, actor=Actor.person(approver), round=0, reason="It forgot.")

    _, rows = rows_of(client, gate.stage, page)

    assert re.fullmatch("0 .*roll.* by Ada Approver “It forgot.”", rows[-1])


@pytest.mark.parametrize("origin", [None, 7])
def test_in_the_record_of_a_run_made_elsewhere_the_stage_has_another_number(
    client, approver, origin
):
    stage = StageFactory(run__origin=origin, round=1, first_round=1)
    Origin.objects.create(run=stage.run, model="stage", was=999, now=stage.pk)
    stage.run.audit.create(
        origin_run=origin,
        sequence=1,
        at=timezone.now(),
        actor_name="Ada",
        action="stage.planned",
        subject="stage:999",
        subject_name=str(stage),
        was={"status": "reviewing", "round": 0},
        note="It forgot.",
    )

    _, rows = rows_of(client, stage, "stage-detail")

    assert rows[-1].endswith("by Ada “It forgot.”") == (origin is not None)


# --- Retention over the run --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "shade"),
    [(1.2, 0), (1.0, 0), (0.99, 1), (0.95, 1), (0.94, 2), (0.9, 2), (0.8, 4), (0.79, 5), (0, 5)],
)
def test_the_more_is_lost_the_darker_the_cell(kept, shade):
    assert gate_reads.shade(kept) == shade


def test_what_the_current_student_did_not_come_from_was_rolled_back():
    def checkpoint(pk, parent, is_current=False):
        return SimpleNamespace(pk=pk, parent_id=parent, is_current=is_current)

    found = [checkpoint(1, None), checkpoint(2, 1), checkpoint(3, 1), checkpoint(4, 3, True)]

    assert lineage.kept(found) == {1, 3, 4}


@pytest.fixture
def run(db):
    """Stage 1 taught M; stage 2 kept 0.7 of it, was rolled back, and then kept all."""
    first = StageFactory(mastered=True, skills=["M"])
    run = first.run
    base = CheckpointFactory(run=run, is_current=False)
    second = StageFactory(run=run, deciding=True, skills=["A"], round=1, first_round=1)

    def gate(stage, number, parent, **changes):
        made = CheckpointFactory(
            run=run, parent=parent, stage=stage, round=number, is_current=False
        )
        return GateFactory(stage=stage, round=number, checkpoint=made, **changes)

    passed = gate(first, 0, base, mastered=True, decision="advance")
    lossy = evidence(second, "not_yet", retention={"M": "forgotten"})
    gate(second, 0, passed.checkpoint, evidence=lossy, decision="roll_back")
    kept = evidence(second, "not_yet", retention={"M": "kept"})
    kept["retention"][0]["now"] = 1.0
    last = gate(second, 1, passed.checkpoint, evidence=kept)
    last.checkpoint.is_current = True
    last.checkpoint.save()
    return run


def test_a_mastered_skill_has_a_cell_at_every_gate_that_asked_it(run):
    found = gate_reads.retention(run)

    assert [(gate.round, is_undone) for gate, is_undone in found.columns] == [
        (0, False),
        (0, True),
        (1, False),
    ]
    [(key, title, cells)] = found.rows
    assert (key, title) == ("M", "skill M")
    assert [(cell.answer, cell.kept) for cell in cells] == [
        ("mastered", None),
        ("forgotten", 0.7),
        ("kept", 1.0),
    ]


def test_the_map_is_a_table_with_its_figures_in_words(client, viewer, run):
    page = client.get(reverse("curriculum:stage-gate", args=[run.stages.last().pk])).text
    table = re.search(r'<table class="heat">.*?</table>', page, re.DOTALL)[0]

    assert "stage 2, round 1" in table
    assert table.count("rolled back") == 1
    assert re.search(r'class="shade-5"><strong>70%</strong>.*forgotten', table)
    assert re.search(r'class="shade-0"><strong>100%</strong>', table)
    assert "70% of 100%" in table


def test_what_was_waived_and_is_no_worse_does_not_look_as_if_it_sat(db):
    gate = GateFactory()
    gate.evidence = evidence(gate.stage, waived={"W": "kept", "V": "forgotten", "U": "kept"})
    gate.evidence["waived"][-1]["answer"] = "mastered"

    rows = stage_reads.gate_rows(gate)[2]

    assert [(row.answer, row.answer_label) for row in rows] == [
        ("not_yet", "no less since"),
        ("forgotten", "less since"),
        ("mastered", "mastered by now"),
    ]


@pytest.mark.parametrize("is_asked", [True, False])
def test_what_was_waived_stands_apart_and_blocks_nothing(client, viewer, is_asked):
    first = StageFactory(waived=True, skills=["W"])
    stage = StageFactory(run=first.run, deciding=True, skills=["A"])
    said = evidence(stage, "mastered", waived={"W": "forgotten"} if is_asked else {})
    gate = GateFactory(stage=stage, mastered=True, evidence=said)

    page = client.get(reverse("curriculum:stage-gate", args=[stage.pk])).text

    found = re.search(r'aria-labelledby="waived-heading">.*?</section>', page, re.DOTALL)
    assert bool(found) == is_asked
    if found:
        words = re.sub(r"<[^>]+>|\s+", " ", found[0])
        assert re.search(r"W +skill W.* 80%.* 48%.*less since", words)
    assert stage_reads.why_not_advance(gate) == ""
    assert ("less since it was waived" in page) == is_asked
    [kept] = gate_reads.retention(first.run).rows or [("", "", [])]
    assert [cell.kept for cell in kept[2] if cell] == ([pytest.approx(0.6)] if is_asked else [])


# --- One more round ----------------------------------------------------------------------------


@pytest.fixture
def gate(db):
    """Round 0 trained on one item of A; nothing was timed."""
    stage = StageFactory(deciding=True, skills=["A"])
    gate = GateFactory(stage=stage)
    snapshot = SnapshotFactory(stage=stage, round=0, n_items=1)
    item = ItemFactory(stage=stage, round=0, approved=True)
    SnapshotItem.objects.create(snapshot=snapshot, item=item, version=1, position=0)
    return gate


def page_of(client, gate):
    return client.get(reverse("curriculum:stage-gate", args=[gate.stage_id])).text


def test_what_one_more_round_would_be_is_said_before_it_is_asked_for(client, reviewer, gate):
    page = page_of(client, gate)

    assert "100 at most: 100 new, 0 rehearsed" in page  # half of 200: little is missing
    assert 'aria-label="Mixture of one more round, table"' in page
    assert "none: the items come from generators" in page


def test_where_nothing_is_known_nothing_is_guessed(client, reviewer, gate):
    page = page_of(client, gate)

    assert "no round of this run was timed from end to end" in page
    assert '<td role="cell" colspan="2" class="muted">not enough evidence</td>' in page
    assert "Fewer than two skills" in page


@pytest.mark.parametrize("why", ["decided", "cap", "spent"])
def test_a_round_that_is_not_to_be_had_is_not_shown(client, reviewer, gate, why):
    run = gate.stage.run
    if why == "decided":
        gate.decision = "waive"
        gate.save()
    elif why == "cap":
        run.settings["budget"]["rounds_cap"] = 1
    else:
        run.settings["budget"]["items"] = 1
    run.save()

    page = page_of(client, gate)

    assert "Mixture of this round" in page
    assert "One more round <small" not in page


def test_of_a_forgotten_skill_that_is_taught_again_no_gain_is_guessed(client, reviewer, gate):
    gate.evidence = evidence(gate.stage, "not_yet", retention={"M": "forgotten"})
    gate.save()

    found = gate_reads.ahead(gate)

    assert [(gain["key"], gain["now"], gain["guess"]) for gain in found.gains] == [
        ("A", 0.95, None),
        ("M", None, None),
    ]
    assert sum(gain["n"] for gain in found.gains) == found.planned.n_new


def test_a_person_is_told_where_policy_would_ask_for_no_other_round(client, reviewer, gate):
    stage = gate.stage
    StageFactory(run=stage.run)
    assert "policy would decide" not in page_of(client, gate)
    stage.round = 1
    stage.save(update_fields=["round"])
    again = GateFactory(stage=stage, round=1, evidence=gate.evidence)

    page = page_of(client, again)

    assert "changed the ratios it was for by +0.00 in the mean" in page
    assert "policy would decide" in page
