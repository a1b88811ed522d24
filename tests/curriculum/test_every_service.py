"""No write without an entry: each public function of `curriculum.services` is called once."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

import curriculum.services
from curriculum import engine
from curriculum.models import AuditEntry, Item, Run, Skill, Stage
from curriculum.services import (
    audit,
    deciding,
    exchange,
    gates,
    items,
    jobs,
    observing,
    probing,
    runs,
    skills,
    stages,
    trials,
)
from curriculum.services.audit import Actor
from curriculum.states import JobKind, Verdict
from tests.factories import (
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
    diagnosed_run,
    evidence,
)

pytestmark = pytest.mark.django_db

WITHOUT_AN_ENTRY = {
    "audit": "is the log",
    "budget": "only reads",
    "policy": "decides through other services; tests/curriculum/test_policy.py",
    "results": "rows of a job; the move that ends the job is their entry",
    "signers": "only reads",
    "waiting": "only reads",
    "notices": "repeats what the log says; tests/curriculum/test_notices.py",
    "archives": "the log comes along, closed; tests/curriculum/test_archive.py",
    "exchange.try_items": "only reads",
    "plan.make": "part of runs.sign_diagnosis and runs.replan",
    "plan.objections": "only reads",
    "plan.stages_of": "only reads",
    "deciding.require_fitting": "only reads",
    "jobs.beat": "progress is no decision",
    "jobs.require_idle": "only reads",
    "jobs.silent": "only reads",
    "jobs.orphans": "only reads",
    "jobs.requeue_orphans": "changes no row",
    "stages.make_current": "part of stages.trained and stages.roll_back",
}


def run_of(**traits: Any) -> Run:
    return RunFactory(**traits)


def planned() -> Run:
    run = RunFactory(reviewing_curriculum=True)
    StageFactory(run=run, skills=["A1", "A2"])
    StageFactory(run=run, skills=["A3"])
    return run


def decided(service: Callable[..., Any], by: Actor) -> None:
    service(GateFactory(mastered=True), actor=by, round=0, reason="I looked")


def edge() -> Any:
    return PrerequisiteFactory(run=RunFactory(reviewing_diagnosis=True))


def edge_to_test() -> Any:
    run = RunFactory(reviewing_diagnosis=True)
    source, target = (SkillFactory(run=run, key=key) for key in ("A2", "A3"))
    return PrerequisiteFactory(run=run, source=source, target=target)


def assessed(by: Actor) -> None:
    stage = StageFactory(assessing=True)
    CheckpointFactory(run=stage.run)
    stages.assessed(stage, actor=by, evidence=evidence(stage))


def trained(by: Actor) -> None:
    stage = StageFactory(training=True)
    stages.trained(stage, actor=by, checkpoint=CheckpointFactory(run=stage.run))


def swept(by: Actor) -> None:
    JobFactory(running=True, heartbeat_at="2020-01-01T00:00:00Z")
    jobs.sweep()


def reordered(by: Actor) -> None:
    run = planned()
    stages.reorder(run, order=[s.pk for s in run.stages.order_by("-position")], actor=by)


def merged(by: Actor) -> None:
    one, two = planned().stages.all()
    stages.merge(two, into=one, actor=by)


def imported(by: Actor) -> None:
    path = Path(settings.IOA_HOME) / "items.csv"
    path.write_text("question,answer\nWhat is 3 + 4?,7\n")
    columns = {"question": "question", "answer": "answer"}
    stage = StageFactory(reviewing=True, skills=["A1"])
    exchange.import_items(stage, path, columns, actor=by, round=0, name="i.csv", skill="A1")


def split(by: Actor) -> None:
    stage = planned().stages.first()
    stages.split(stage, skills=[Skill.objects.get(key="A2")], actor=by)


def moved(by: Actor) -> None:
    to_stage = planned().stages.last()
    stages.move_skill(Skill.objects.get(key="A2"), to_stage=to_stage, actor=by)


CALLS: dict[str, Callable[[Actor], Any]] = {
    "exchange.import_items": imported,
    "gates.advance": lambda by: decided(gates.advance, by),
    "gates.remedy": lambda by: decided(gates.remedy, by),
    "gates.roll_back": lambda by: decided(gates.roll_back, by),
    "gates.waive": lambda by: decided(gates.waive, by),
    "items.approve": lambda by: items.approve(ItemFactory(), actor=by, version=1),
    "items.approve_all": lambda by: items.approve_all(ItemFactory().stage, actor=by, round=0),
    "items.edit": lambda by: items.edit(
        ItemFactory(skill__key="A1", stage__skills=["A1"]),
        actor=by,
        version=1,
        question="What is 1 + 1?",
        solution="Answer: 2",
    ),
    "items.reject": lambda by: items.reject(ItemFactory(), actor=by, version=1, reason="no"),
    "items.reject_flagged": lambda by: items.reject_flagged(
        ItemFactory(flagged=True).stage, actor=by, round=0
    ),
    "items.undo": lambda by: items.undo(ItemFactory(approved=True), actor=by, version=1),
    "jobs.cancel": lambda by: jobs.cancel(JobFactory(), actor=by),
    "jobs.create": lambda by: jobs.create(run_of(), actor=by, kind=JobKind.DIAGNOSE),
    "jobs.create_aside": lambda by: jobs.create_aside(
        run_of(), actor=by, kind=JobKind.PROBE, asked={}
    ),
    "jobs.fail": lambda by: jobs.fail(JobFactory(running=True), "no"),
    "jobs.lose": lambda by: jobs.lose(JobFactory(running=True).pk, 1),
    "jobs.retry": lambda by: jobs.retry(JobFactory(failed=True), actor=by),
    "jobs.start": lambda by: jobs.start(JobFactory().pk, 1),
    "jobs.succeed": lambda by: jobs.succeed(JobFactory(running=True)),
    "jobs.sweep": swept,
    "observing.look_back": lambda by: observing.look_back(edge().run, actor=by),
    "plan.merge": merged,
    "plan.move_skill": moved,
    "plan.reorder": reordered,
    "plan.split": split,
    "probing.probe_more": lambda by: probing.probe_more(diagnosed_run(), actor=by, width=0.05),
    "probing.probed": lambda by: probing.probed(
        diagnosed_run(), actor=by, diagnosis=engine.Diagnosis([], {"A1": {"severity": 0.5}})
    ),
    "runs.archive": lambda by: runs.archive(run_of(), actor=by),
    "runs.back_to_diagnosis": lambda by: runs.back_to_diagnosis(planned(), actor=by),
    "runs.conclude": lambda by: runs.conclude(run_of(teaching=True), actor=by, reason="enough"),
    "runs.create": lambda by: runs.create(
        actor=by, name="Sums", domain="foundations", teacher="procedural", student="simulated"
    ),
    "runs.diagnose": lambda by: runs.diagnose(run_of(), actor=by),
    "runs.diagnosed": lambda by: runs.diagnosed(run_of(diagnosing=True), actor=by),
    "runs.finish": lambda by: runs.finish(run_of(teaching=True), actor=by, report={}),
    "runs.replan": lambda by: runs.replan(
        diagnosed_run(reviewing_diagnosis=False, reviewing_curriculum=True), actor=by
    ),
    "deciding.set_autonomy": lambda by: deciding.set_autonomy(run_of(), actor=by, autonomy="none"),
    "deciding.set_two_people": lambda by: deciding.set_two_people(run_of(), actor=by, on=True),
    "runs.sign_curriculum": lambda by: runs.sign_curriculum(planned(), actor=by),
    "runs.sign_diagnosis": lambda by: runs.sign_diagnosis(diagnosed_run(), actor=by),
    "runs.stop": lambda by: runs.stop(run_of(), actor=by, reason="enough"),
    "runs.unarchive": lambda by: runs.unarchive(
        run_of(archived_at="2026-01-01T00:00:00Z"), actor=by
    ),
    "skills.add_edge": lambda by: skills.add_edge(
        (e := edge()).run,
        source=e.target,
        target=SkillFactory(run=e.run),
        actor=by,
    ),
    "skills.confirm_edge": lambda by: skills.confirm_edge(edge(), actor=by),
    "skills.edit": lambda by: skills.edit(SkillFactory(), actor=by, title="new", statement=""),
    "skills.refuse_edge": lambda by: skills.refuse_edge(edge(), actor=by, reason="no"),
    "skills.restore": lambda by: skills.restore(SkillFactory(status="retired"), actor=by),
    "skills.retire": lambda by: skills.retire(SkillFactory(), actor=by),
    "stages.assessed": assessed,
    "stages.move": lambda by: stages.move(StageFactory(), "writing", actor=by),
    "stages.open": lambda by: stages.open(StageFactory(), actor=by),
    "stages.roll_back": lambda by: stages.roll_back(
        StageFactory(reviewing=True), actor=by, round=0, reason="no"
    ),
    "stages.submit": lambda by: stages.submit(StageFactory(writing=True), actor=by),
    "stages.train": lambda by: stages.train(
        ItemFactory(verdict=Verdict.APPROVED).stage, actor=by, round=0
    ),
    "stages.trained": trained,
    "trials.begin": lambda by: trials.begin(edge_to_test(), actor=by, steps=2),
    "trials.tested": lambda by: trials.tested(
        edge(), actor=by, found=engine.Tested(0.6, 48, "It holds.")
    ),
}


def public_services() -> set[str]:
    """Names like runs.create of what this package defines and does not hide."""
    found = set()
    for module in pkgutil.iter_modules(curriculum.services.__path__):
        loaded = importlib.import_module(f"curriculum.services.{module.name}")
        for name, thing in inspect.getmembers(loaded, inspect.isfunction):
            if thing.__module__ == loaded.__name__ and not name.startswith("_"):
                found.add(f"{module.name}.{name}")
    return found


def is_excused(name: str) -> bool:
    return name in WITHOUT_AN_ENTRY or name.split(".")[0] in WITHOUT_AN_ENTRY


def test_every_service_is_called_here_or_says_why_not():
    assert {name for name in public_services() if not is_excused(name)} == set(CALLS)


def test_no_excuse_is_left_over():
    modules = {name.split(".")[0] for name in public_services()}

    assert set(WITHOUT_AN_ENTRY) <= public_services() | modules


@pytest.mark.parametrize("name", CALLS)
def test_no_service_writes_without_an_entry(name, approver):
    CALLS[name](approver)

    entries = AuditEntry.objects.all()
    assert entries, f"{name} left no entry"
    for run in Run.objects.filter(audit_sequence__gt=0):
        audit.verify(run)
    for entry in entries:
        assert entry.action in audit.ACTIONS
        assert entry.actor_name


def test_every_action_of_the_log_is_used():
    """What no service writes has no business in the list, but for the statuses a move may give."""
    source = "".join(
        inspect.getsource(importlib.import_module(f"curriculum.services.{module.name}"))
        for module in pkgutil.iter_modules(curriculum.services.__path__)
        if module.name != "audit"
    )
    named = [name for name in audit.ACTIONS if not is_status(name)]

    assert [name for name in named if f'"{name}"' not in source] == []


def is_status(name: str) -> bool:
    noun, status = name.split(".")
    owner = {"run": Run, "stage": Stage, "item": Item, "job": jobs.Job}.get(noun)
    return owner not in (None, Item) and status in dict(owner._meta.get_field("status").choices)
