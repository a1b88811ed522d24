"""Which student came from which: the drawing on the run's page, and the table beside it."""

from __future__ import annotations

import re

import pytest

from curriculum.views import reads
from tests.factories import ApproverFactory, CheckpointFactory, GateFactory, StageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    """base → s1r0 (advanced) → s2r0 → s2r1, both rolled back; then s1r0 → s2r2, now."""
    first = StageFactory(mastered=True, skills=["A"])
    run = first.run
    second = StageFactory(run=run, deciding=True, skills=["B"], round=2, first_round=2)
    made = [CheckpointFactory(run=run, is_current=False)]
    ada = ApproverFactory(first_name="Ada", last_name="")
    for stage, number, parent, decision in (
        (first, 0, 0, "advance"),
        (second, 0, 1, "remedy"),
        (second, 1, 2, "roll_back"),
        (second, 2, 1, ""),
    ):
        made.append(
            CheckpointFactory(
                run=run,
                parent=made[parent],
                stage=stage,
                round=number,
                is_current=decision == "",
            )
        )
        by = {"decided_by": ada, "decided_as": "person"} if number else {"decided_as": "policy"}
        GateFactory(
            stage=stage,
            round=number,
            checkpoint=made[-1],
            decision=decision,
            **(by if decision else {}),
        )
    return run


def test_each_student_stands_behind_the_one_it_came_from(run):
    nodes = reads.checkpoints(run).nodes

    assert [(node.name, node.parent) for node in nodes] == [
        ("base", ""),
        ("s1r0", "base"),
        ("s2r0", "s1r0"),
        ("s2r1", "s2r0"),
        ("s2r2", "s1r0"),
    ]
    x = {node.name: node.x for node in nodes}
    assert all(x[node.parent] < node.x for node in nodes if node.parent)


def test_what_was_rolled_back_is_kept_beside_the_way_to_the_student(run):
    tree = reads.checkpoints(run)
    states = {node.name: node.state for node in tree.nodes}
    y = {node.name: node.y for node in tree.nodes}

    assert [name for name, state in states.items() if state == "undone"] == ["s2r0", "s2r1"]
    assert states["s2r2"] == "current"
    assert y["base"] == y["s1r0"] == y["s2r2"] < y["s2r0"] == y["s2r1"]
    assert [line.is_kept for line in tree.lines] == [True, False, False, True]


def test_no_two_boxes_share_a_place_and_all_fit_the_drawing(run):
    second = run.stages.get(position=2)
    parent = run.checkpoints.get(stage__position=1)
    for number in (3, 4):  # rolled back before their gate
        CheckpointFactory(run=run, parent=parent, stage=second, round=number, is_current=False)

    tree = reads.checkpoints(run)

    places = {(node.x, node.y) for node in tree.nodes}
    assert len(places) == len(tree.nodes) == 7
    assert max(x for x, _ in places) + tree.box_width <= tree.width
    assert max(y for _, y in places) + tree.box_height <= tree.height


def test_each_decision_says_who_took_it(run):
    told = {node.name: (node.decision, node.by) for node in reads.checkpoints(run).nodes}

    assert told == {
        "base": ("as it came", ""),
        "s1r0": ("advanced", "policy"),
        "s2r0": ("remedy", "policy"),
        "s2r1": ("rolled back", "Ada"),
        "s2r2": ("to decide", ""),
    }


def test_the_table_says_what_is_drawn_and_links_to_each_gate(client, viewer, run):
    page = client.get(run.get_absolute_url()).text
    drawing = re.search(r'<svg class="graph lineage" width.*?</svg>', page, re.DOTALL)[0]
    table = re.search(r'aria-label="Checkpoints, table">.*?</table>', page, re.DOTALL)[0]

    gates = [f"/stages/{gate.stage_id}/gate/?round={gate.round}" for gate in _gates(run)]
    assert re.findall(r'href="([^"]*)"', drawing) == gates
    links = re.findall(r'href="([^"]*)"', table)
    assert [link for link in links if "/gate/" in link] == gates
    made_of = [f"/checkpoints/{each.pk}/provenance/" for each in run.checkpoints.order_by("pk")]
    assert [link for link in links if "/gate/" not in link] == made_of
    assert table.count('<span class="tag">rolled back</span>') == 2
    assert drawing.count("is-undone") == 2


def test_a_run_that_has_taught_nothing_shows_no_lineage(client, viewer):
    run = CheckpointFactory().run

    assert "checkpoints-heading" not in client.get(run.get_absolute_url()).text


def _gates(run):
    return sorted(
        (gate for stage in run.stages.all() for gate in stage.gates.all()),
        key=lambda gate: gate.checkpoint_id,
    )
