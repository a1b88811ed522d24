"""After each stage the rest is planned again from what was measured since, never what is begun."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill import roster
from distill.assessment.gate import Was, known_by_now
from distill.backends.simulated import SimulatedTrainer
from distill.organizer.graph import without_cycles
from distill.organizer.replanning import RULE, is_same, replan
from distill.organizer.stages import lacking, plan
from distill.records import Edge
from distill.settings import Budget, Probing, Thresholds
from tests.distill.samples import Numbered, RuleStudent, gap_of, skill_of
from tests.distill.test_organizer import NAMES, any_edges, planned, ratios
from tests.distill.test_pipeline import SMALL, entries, pipeline, without_time

USUAL = Thresholds()
SKILLS = [skill_of(k) for k in NAMES]
shares = st.integers(0, 20).map(lambda i: i / 20)
measured = st.dictionaries(st.sampled_from(NAMES), shares, min_size=1)
places = st.integers(0, 9)


def again(curriculum, n, gaps, edges, now, sits=frozenset()):
    return replan(curriculum, n, SKILLS, edges, gaps, USUAL, now=now, sits=sits)


def skills_of(stages):
    return [k for stage in stages for k in stage.skills]


# --- what is planned ------------------------------------------------------------------------


@given(ratios, any_edges, places, measured)
def test_what_is_settled_stays_and_the_rest_keeps_every_edge_in_order(ratios, edges, n, now):
    curriculum, gaps = planned(ratios, edges)
    sits = {k for k, share in now.items() if share >= 0.9}

    found = again(curriculum, n, gaps, edges, now, sits)

    n = min(n, len(curriculum.stages))
    assert found.stages[:n] == curriculum.stages[:n]
    rest = skills_of(curriculum.stages[n:])
    assert sorted(skills_of(found.stages[n:])) == sorted(set(rest) - sits)
    place = {k: i for i, stage in enumerate(found.stages) for k in stage.skills}
    for edge in without_cycles(edges)[0]:
        if edge.source in place and edge.target in place:
            assert place[edge.source] < place[edge.target]


@given(ratios, any_edges, places, measured)
def test_planning_the_rest_twice_changes_nothing_more(ratios, edges, n, now):
    curriculum, gaps = planned(ratios, edges)
    sits = {k for k, share in now.items() if share >= 0.9}

    once = again(curriculum, n, gaps, edges, now, sits)

    assert again(once, n, gaps, edges, now, sits) == once


@given(ratios, any_edges, places)
def test_nothing_measured_or_the_same_as_before_is_the_same_plan(ratios, edges, n):
    curriculum, gaps = planned(ratios, edges)
    as_before = {k: gap.student.mean for k, gap in gaps.items()}

    assert again(curriculum, n, gaps, edges, {}) == curriculum
    same = again(curriculum, n, gaps, edges, as_before)
    assert is_same(same.stages, curriculum.stages)
    assert same == curriculum


@given(ratios, any_edges, places, measured, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_changes_nothing(ratios, edges, n, now, rng):
    curriculum, gaps = planned(ratios, edges)
    mixed = list(now.items())
    rng.shuffle(mixed)

    assert again(curriculum, n, dict(reversed(gaps.items())), edges, dict(mixed)) == again(
        curriculum, n, gaps, edges, now
    )


def two_and_three():
    """A, then B and C, which are equally hard; both build on A."""
    edges = [Edge("A", "B"), Edge("A", "C")]
    gaps = {"A": gap_of("A", 0.1), "B": gap_of("B", 0.0), "C": gap_of("C", 0.0)}
    skills = [skill_of(k) for k in "ABC"]
    curriculum = plan(skills, edges, gaps, dict.fromkeys("ABC", 0.5), USUAL)
    assert [s.skills for s in curriculum.stages] == [("A",), ("B", "C")]
    return curriculum, skills, edges, gaps


def test_a_skill_that_came_along_is_taught_before_one_that_did_not():
    curriculum, skills, edges, gaps = two_and_three()

    found = replan(curriculum, 1, skills, edges, gaps, USUAL, now={"B": 0.6, "C": 0.0})

    assert [s.skills for s in found.stages] == [("A",), ("B",), ("C",)]
    assert found.stages[1].difficulty == pytest.approx(lacking(gaps["B"], 0.6)) == 0.4
    assert found.stages[2].is_bridge
    assert [n for n in found.notices if "bridge" in n] == [
        "C: a step of 0.60 in difficulty, over the bound of 0.15; "
        "it begins with smaller instances, as a bridge."
    ]


def test_a_bridge_that_is_none_any_more_is_no_longer_told():
    curriculum, skills, edges, gaps = two_and_three()
    split = replan(curriculum, 1, skills, edges, gaps, USUAL, now={"B": 0.6, "C": 0.0})

    found = replan(split, 1, skills, edges, gaps, USUAL, now={"B": 0.6, "C": 0.55})

    assert [s.skills for s in found.stages] == [("A",), ("B", "C")]
    assert found.notices == curriculum.notices


def test_a_skill_that_sits_by_now_leaves_the_plan_and_a_notice_says_so():
    curriculum, skills, edges, gaps = two_and_three()

    found = replan(curriculum, 1, skills, edges, gaps, USUAL, now={"B": 0.97, "C": 0.0}, sits={"B"})

    assert [s.skills for s in found.stages] == [("A",), ("C",)]
    assert "B leaves the plan: the student gets 97% of its probes right by now" in found.notices[0]


def test_what_sits_is_judged_as_at_a_gate():
    gaps = {k: gap_of(k, 0.1) for k in "ABC"} | {"D": gap_of("D", 0.1, p_teacher=0.4)}
    right = {str(i): 1.0 for i in range(32)}
    answered = {
        "A": right,
        "B": dict(list(right.items())[:4]),  # all right, but too few to tell
        "C": right | dict.fromkeys(map(str, range(8)), 0.0),
        "D": right,
    }

    assert known_by_now(gaps, answered, USUAL) == {"A": Was(1.0, 32)}


# --- in a run -------------------------------------------------------------------------------


def chain(tmp_path, is_right, **more):
    """A, B on it, C on that, D on that, with a student that answers by (skill, taught items)."""
    domain = Numbered((skill_of("A"), skill_of("B", "A"), skill_of("C", "B"), skill_of("D", "C")))
    student = roster.Student(
        "rule",
        lambda adapter: RuleStudent(lambda p: is_right(p.skill, adapter.name if adapter else "")),
        SimulatedTrainer(),
    )
    settings = SMALL.model_copy(update={"probing": Probing(), "budget": Budget(items_per_skill=20)})
    return pipeline(
        tmp_path,
        **{"domain": domain, "skills": [], "student": student, "settings": settings} | more,
    )


def with_b_for_nothing(skill, adapter):
    return bool(adapter) and (skill in "AB" or adapter[:2] >= {"C": "s2", "D": "s3"}[skill])


def replans(out):
    return [e for e in entries(out) if e["kind"] == "replan"]


def test_a_run_plans_the_rest_by_policy_and_says_on_what(tmp_path):
    figures = chain(tmp_path, with_b_for_nothing).run()

    assert [s["skills"] for s in figures["stages"]] == [["A"], ["C"], ["D"]]
    first, second = replans(tmp_path)
    assert (first["key"], first["decided_as"], first["rule"]) == ("1", "policy", RULE)
    assert first["measured"] == {"B": 1.0, "C": 0.0, "D": 0.0}
    assert first["left"] == {"B": {"mean": 1.0, "n": 32, "is_exhaustive": False}}
    assert second["measured"] == {"D": 0.0}
    assert any(n.startswith("B leaves the plan") for n in figures["notices"])


def test_what_left_the_plan_is_asked_for_at_every_gate_after_it(tmp_path):
    chain(tmp_path, with_b_for_nothing).run()

    gates = {e["key"]: e["evidence"] for e in entries(tmp_path) if e["kind"] == "decision"}
    assert [sorted(v["skill"] for v in gates[k]["retention"]) for k in ("s2r0", "s3r0")] == [
        ["A", "B"],
        ["A", "B", "C"],
    ]
    rows = json.loads((tmp_path / "report.json").read_text())["skills"]
    assert {r["id"]: (r["taught"], r["mastered"]) for r in rows}["B"] == (True, True)


def test_a_run_ends_when_nothing_is_left_to_teach(tmp_path):
    figures = chain(tmp_path, lambda skill, adapter: bool(adapter)).run()

    assert [s["skills"] for s in figures["stages"]] == [["A"]]
    assert figures["retained"] == 1.0


def test_a_folder_of_a_version_that_never_planned_again_goes_on_as_it_was(tmp_path):
    """Its second stage has begun as it stood; what comes after that is planned again."""
    killed = chain(tmp_path, with_b_for_nothing)
    killed._planner.rest = lambda curriculum, *_: (curriculum, {})  # as it was then
    write = killed._write

    def die(key, *args, **more):
        if key == "s2r1":
            raise KeyboardInterrupt
        write(key, *args, **more)

    killed._write = die
    killed._decide = lambda gate: "remedy" if gate.position == 2 else "advance"
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    was = entries(tmp_path)
    assert not replans(tmp_path)

    figures = chain(tmp_path, with_b_for_nothing, resume=True).run()

    assert entries(tmp_path)[: len(was)] == was
    assert [s["skills"] for s in figures["stages"]] == [["A"], ["B"], ["D"]]
    assert [(e["key"], list(e["left"])) for e in replans(tmp_path)] == [("2", ["C"])]


def test_the_rest_is_not_measured_when_no_items_are_left_to_teach_it(tmp_path):
    few = SMALL.model_copy(update={"probing": Probing(), "budget": Budget(items=20)})

    figures = chain(tmp_path, with_b_for_nothing, settings=few).run()
    again = chain(tmp_path, with_b_for_nothing, settings=few, resume=True).run()

    assert not replans(tmp_path)
    assert "Stage 2 (Skill B) was not taught." in figures["notices"][-1]
    assert without_time(again) == without_time(figures)


def test_a_run_that_planned_again_is_continued_with_that_plan(tmp_path):
    figures = chain(tmp_path, with_b_for_nothing).run()
    before = entries(tmp_path)

    again = chain(tmp_path, with_b_for_nothing, resume=True).run()

    assert without_time(again) == without_time(figures)
    assert entries(tmp_path) == before
