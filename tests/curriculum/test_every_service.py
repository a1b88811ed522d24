"""No write without an entry: each public function of `curriculum.services` is called once."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

import curriculum.services
from curriculum import engine
from curriculum.models import (
    Assignment,
    AuditEntry,
    Invitation,
    Item,
    Job,
    Membership,
    Run,
    SignIn,
    Skill,
    Stage,
)
from curriculum.services import (
    accounts,
    anchors,
    audit,
    budget,
    bulk,
    chain,
    deciding,
    domains,
    exchange,
    gates,
    guidelines,
    invitations,
    items,
    jobs,
    membership,
    observing,
    probing,
    prompts,
    replanning,
    rewriting,
    runs,
    sampling,
    sign_ins,
    skills,
    stages,
    teamwork,
    tokens,
    trials,
    undoing,
    words,
)
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from curriculum.states import JobKind, Role, Verdict
from tests.factories import (
    ApiTokenFactory,
    CallFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    ReviewerFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
    UserFactory,
    ViewerFactory,
    diagnosed_run,
    evidence,
    measured_run,
)

pytestmark = pytest.mark.django_db

WITHOUT_AN_ENTRY = {
    "domains.look": "keeps nothing",
    "domains.require_free": "only looks",
    "runs.may_conclude": "only reads",
    "rewriting.items_of": "only reads",
    "rewriting.last_of": "only reads",
    "apart": "only reads",
    "audit": "is the log",
    "budget.items_spent": "only reads",
    "budget.require_items": "only reads",
    "budget.rounds_cap": "only reads",
    "prompts.as_rows": "only reads",
    "prompts.current_number": "only reads",
    "prompts.find_version": "only reads",
    "prompts.require_name": "only looks at a name",
    "stages.stand_on": "part of gates.remedy and gates.waive, with their action",
    "prompts.source_of": "only reads",
    "chain": "only reads",
    "anchors.objection": "only reads",
    "anchors.owner_of": "only reads",
    "anchors.parse": "only reads",
    "anchors.post": "sends them; anchors.record says so",
    "anchors.take": "only reads",
    "policy": "decides through other services; tests/curriculum/test_policy.py",
    "replies": "what a write was answered; the write has its entry",
    "results": "rows of a job; the move that ends the job is their entry",
    "signers": "only reads",
    "waiting": "only reads",
    "reviewing": "part of every service that changes items",
    "saved": "one person's own shortcuts: nothing of the run reads them",
    "bulk.approvable": "only reads",
    "bulk.tag": "part of bulk.tag_matching and items.tag",
    "bulk.waiting": "only reads",
    "undoing.last_action": "only reads",
    "undoing.offered": "only reads",
    "words.digest_of": "only reads",
    "words.preview": "only reads",
    "words.versions": "only reads",
    "words.require_versions": "only reads",
    "words.rewrite": "part of items.edit, words.replace and undoing.undo",
    "notices": "repeats what the log says; tests/curriculum/test_notices.py",
    "invitations.find": "only reads",
    "invitations.link": "only computes",
    "invitations.pending": "only reads",
    "invitations.send": "sends what invitations.invite has recorded",
    "membership.begin": "part of runs.create and archives.import_archive",
    "membership.record": "writes the entry of the others",
    "sign_ins.connect": "only connects signals",
    "sign_ins.of": "only reads",
    "sign_ins.seen": "when a session was used is no decision; tests/web/test_sign_ins.py",
    "presence": "who looks at what is no decision; tests/curriculum/test_presence.py",
    "items.last_review": "only reads",
    "sampling.outcome": "only reads",
    "sampling.worn": "only reads",
    "sampling.plan": "only reads",
    "sampling.population": "only reads",
    "settling": "part of teamwork and sampling, with their action",
    "tokens.find": "only reads",
    "tokens.used": "that somebody asks is no decision",
    "teamwork.deal": "only computes",
    "teamwork.round_half_up": "only computes",
    "teamwork.seed_of": "only reads",
    "archives": "the log comes along, closed; tests/curriculum/test_archive.py",
    "exchange.try_items": "only reads",
    "plan.make": "part of runs.sign_diagnosis and runs.replan",
    "plan.objections": "only reads",
    "plan.replace_rest": "part of replanning.accept",
    "planned.digest": "only reads",
    "planned.require_seen": "only reads",
    "planned.stages_of": "only reads",
    "planned.title_of": "only reads",
    "replanning.proposal": "only reads",
    "replanning.is_changed_by_hand": "only reads",
    "deciding.require_fitting": "only reads",
    "jobs.beat": "progress is no decision",
    "jobs.speak_for": "that one lives is no decision",
    "jobs.require_idle": "only reads",
    "jobs.active": "only reads",
    "jobs.silent": "only reads",
    "jobs.orphans": "only reads",
    "jobs.requeue_orphans": "changes no row",
    "stages.make_current": "part of stages.trained and stages.roll_back",
    "outcomes.note": "part of stages.assessed and stages.stand_on",
    "outcomes.note_retention": "part of stages.roll_back, and of outcomes.note",
}


def rewrite_job() -> Any:
    stage = StageFactory(reviewing=True)
    asked = {"stage": stage.pk, "round": 0, "batch": 1, "items": {}, "reason": "no"}
    return JobFactory(run=stage.run, kind=JobKind.REWRITE, asked=asked)


def run_of(**traits: Any) -> Run:
    return RunFactory(**traits)


def planned() -> Run:
    run = RunFactory(reviewing_curriculum=True)
    StageFactory(run=run, skills=["A1", "A2"])
    StageFactory(run=run, skills=["A3"])
    return run


def about_the_rest(service: Callable[..., Any], by: Actor) -> None:
    run = measured_run()
    rest = replanning.proposal(run)
    assert rest is not None
    service(run, actor=by, seen=rest.digest)


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


def taken_back(by: Actor) -> None:
    run = planned()
    stages.reorder(run, order=[s.pk for s in run.stages.order_by("-position")], actor=by)
    stages.go_back(run, entry=Run.objects.get(pk=run.pk).audit_sequence, actor=by)


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


def domain_file() -> Path:
    path = Path(settings.IOA_HOME) / "mine.yaml"
    probes = [{"question": f"Say {n}.", "reference": str(n)} for n in (1, 2, 3)]
    path.write_text(json.dumps({"skills": [{"id": "H1", "probes": probes}]}))
    return path


def split(by: Actor) -> None:
    stage = planned().stages.first()
    stages.split(stage, skills=[Skill.objects.get(key="A2")], actor=by)


def moved(by: Actor) -> None:
    to_stage = planned().stages.last()
    stages.move_skill(Skill.objects.get(key="A2"), to_stage=to_stage, actor=by)


def run_in_words() -> Run:
    return run_of(teacher="openai:big@http://localhost/v1")


def prompt_changed(by: Actor) -> Run:
    run = run_in_words()
    prompts.change(run, actor=by, name="decompose", source="Step by step.", seen=0)
    return run


def prompt_tried(by: Actor) -> None:
    run = run_in_words()
    call = CallFactory(run=run)
    job = JobFactory(run=run, kind=JobKind.TRY, asked={"name": "items"})
    prompts.tried(job, actor=by, tried=engine.TriedPrompt(call.key, [], []))


def shown_skill() -> tuple[Skill, list[dict[str, str]]]:
    """A skill whose questions the domain puts to a model, and examples of it."""
    skill = SkillFactory(run=run_in_words(), key="B2")
    skill.run.settings["writing"]["questions_of_domain"] = True
    skill.run.save()
    example = {"question": "What is 57 - 23?", "solution": "57 - 20 = 37\n37 - 3 = 34\nAnswer: 34"}
    return skill, [example]


def begin_examples_trial(by: Actor) -> Job:
    skill, examples = shown_skill()
    return prompts.begin_examples_trial(skill, actor=by, examples=examples)


def examples_tried(by: Actor) -> None:
    skill, examples = shown_skill()
    asked = {"skill": skill.key, "examples": examples}
    job = JobFactory(run=skill.run, kind=JobKind.EXAMPLES, asked=asked)
    prompts.tried_examples(job, actor=by, answers=[])


def for_opinions(by: Actor) -> Item:
    """An item that `by` and a second person are to give their opinions on."""
    item = ItemFactory()
    for reviewer in (by.user, ReviewerFactory()):
        Assignment.objects.create(item=item, reviewer=reviewer)
    return item


def adjudicated(by: Actor) -> None:
    item = for_opinions(by)
    for place, verdict in zip(item.assignments.all(), Verdict.values[1:], strict=True):
        actor = Actor.person(place.reviewer)
        teamwork.give_opinion(item, actor=actor, version=1, verdict=Verdict(verdict), reason="so")
    teamwork.adjudicate(item, actor=by, version=1, verdict=Verdict.APPROVED, reason="fine")


def sampled(by: Actor) -> Any:
    stage = StageFactory(reviewing=True)
    ItemFactory.create_batch(9, stage=stage)
    return sampling.draw(stage, actor=by, round=0, n=4, tolerance=0.6)


def sampled_approved(by: Actor) -> None:
    sample = sampled(by)
    for pk, version in sample.items:
        items.approve(Item.objects.get(pk=pk), actor=by, version=version)
    sampling.approve_rest(sample, actor=by)


def foundations_item() -> Item:
    """Of a skill that has a grader."""
    return ItemFactory(skill__key="A1", stage__skills=["A1"])


def untagged(by: Actor) -> None:
    item = ItemFactory()
    items.tag(item, actor=by, word="odd")
    items.untag(item, actor=by, word="odd")


def undone(by: Actor) -> None:
    item = items.approve(ItemFactory(), actor=by, version=1)
    undoing.undo(item.stage.actions.get(), actor=by)


def replaced(by: Actor) -> None:
    item = foundations_item()
    what = words.Replacement("What is", "How much is")
    words.replace(
        item.stage, actor=by, queue=Queue(0), replacement=what, seen=words.digest_of([item])
    )


def a_member(run: Run | None = None, role: Role = Role.VIEWER) -> Membership:
    return Membership.objects.create(run=run or RunFactory(), user=UserFactory(), role=role)


def invited(by: Actor) -> Invitation:
    made, _ = invitations.invite(RunFactory(), actor=by, email="a@example.org", role=Role.VIEWER)
    return made


def two_sessions(user: User) -> SignIn:
    for _ in range(2):
        Client().force_login(user)
    return sign_ins.of(user)[0]


CALLS: dict[str, Callable[[Actor], Any]] = {
    "accounts.added": lambda by: accounts.added(UserFactory(), actor=by),
    "accounts.changed": lambda by: accounts.changed(ViewerFactory(), actor=by, fields=["Groups"]),
    "accounts.deleted": lambda by: accounts.deleted(UserFactory(), actor=by),
    "anchors.record": lambda by: anchors.record([], actor=by, to="file heads.jsonl"),
    "domains.add": lambda by: domains.add(domain_file(), actor=by, name="mine"),
    "exchange.import_items": imported,
    "gates.advance": lambda by: decided(gates.advance, by),
    "gates.remedy": lambda by: decided(gates.remedy, by),
    "gates.roll_back": lambda by: decided(gates.roll_back, by),
    "gates.start_over": lambda by: gates.start_over(
        StageFactory(reviewing=True), actor=by, round=0, reason="no"
    ),
    "gates.waive": lambda by: decided(gates.waive, by),
    "guidelines.write": lambda by: guidelines.write(run_of(), actor=by, version=0, text="So."),
    "bulk.approve_all": lambda by: bulk.approve_all(ItemFactory().stage, actor=by, round=0),
    "bulk.approve_matching": lambda by: bulk.approve_matching(
        ItemFactory().stage, actor=by, queue=Queue(0)
    ),
    "bulk.reject_flagged": lambda by: bulk.reject_flagged(
        ItemFactory(flagged=True).stage, actor=by, round=0
    ),
    "bulk.reject_matching": lambda by: bulk.reject_matching(
        ItemFactory().stage, actor=by, queue=Queue(0), reason="no"
    ),
    "rewriting.rewrite_matching": lambda by: rewriting.rewrite_matching(
        ItemFactory().stage, actor=by, queue=Queue(0), reason="no"
    ),
    "rewriting.written": lambda by: rewriting.written(rewrite_job(), actor=by),
    "bulk.tag_matching": lambda by: bulk.tag_matching(
        ItemFactory().stage, actor=by, queue=Queue(0), word="odd"
    ),
    "invitations.accept": lambda by: invitations.accept(invited(by), user=UserFactory()),
    "invitations.accept_as_new": lambda by: invitations.accept_as_new(
        invited(by), username="ada", password="correct horse battery"
    ),
    "invitations.invite": invited,
    "invitations.withdraw": lambda by: invitations.withdraw(invited(by), actor=by),
    "items.approve": lambda by: items.approve(ItemFactory(), actor=by, version=1),
    "items.edit": lambda by: items.edit(
        ItemFactory(skill__key="A1", stage__skills=["A1"]),
        actor=by,
        version=1,
        question="What is 1 + 1?",
        solution="Answer: 2",
    ),
    "items.reject": lambda by: items.reject(ItemFactory(), actor=by, version=1, reason="no"),
    "items.tag": lambda by: items.tag(ItemFactory(), actor=by, word="odd"),
    "items.undo": lambda by: items.undo(ItemFactory(approved=True), actor=by, version=1),
    "items.untag": untagged,
    "items.write": lambda by: items.write(
        (item := foundations_item()).stage,
        actor=by,
        round=0,
        skill=item.skill,
        question="What is 1 + 1?",
        solution="Answer: 2",
        answer="2",
    ),
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
    "membership.add": lambda by: membership.add(
        run_of(), actor=by, user=UserFactory(), role=Role.REVIEWER
    ),
    "membership.change": lambda by: membership.change(a_member(), actor=by, role=Role.ADMIN),
    "membership.join": lambda by: membership.join(
        run_of(), actor=by, user=UserFactory(), role=Role.VIEWER, evidence={}
    ),
    "membership.remove": lambda by: membership.remove(a_member(), actor=by),
    "membership.set_closed": lambda by: membership.set_closed(
        a_member(role=Role.ADMIN).run, actor=by, closed=True
    ),
    "observing.look_back": lambda by: observing.look_back(edge().run, actor=by),
    "plan.merge": merged,
    "plan.move_skill": moved,
    "plan.reorder": reordered,
    "plan.go_back": taken_back,
    "plan.split": split,
    "probing.probe_more": lambda by: probing.probe_more(diagnosed_run(), actor=by, width=0.05),
    "probing.probed": lambda by: probing.probed(
        diagnosed_run(), actor=by, diagnosis=engine.Diagnosis([], {"A1": {"severity": 0.5}})
    ),
    "replanning.accept": lambda by: about_the_rest(replanning.accept, by),
    "replanning.keep": lambda by: about_the_rest(replanning.keep, by),
    "prompts.begin_trial": lambda by: prompts.begin_trial(
        (skill := SkillFactory(run=run_in_words())).run,
        actor=by,
        name="decompose",
        source="Step by step.",
        skill=skill,
    ),
    "prompts.begin_examples_trial": begin_examples_trial,
    "prompts.change": prompt_changed,
    "prompts.show_examples": lambda by: prompts.show_examples(
        SkillFactory(run=run_in_words(), key="B2"),
        actor=by,
        examples=[{"question": "What is 57 - 23?", "solution": "50 - 20 = 30\nAnswer: 34"}],
    ),
    "prompts.roll_back": lambda by: prompts.roll_back(
        prompt_changed(by), actor=by, name="decompose", number=0, seen=1
    ),
    "prompts.tried": prompt_tried,
    "prompts.tried_examples": examples_tried,
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
    "budget.raise_to": lambda by: budget.raise_to(run_of(), actor=by, items=9000),
    "deciding.set_autonomy": lambda by: deciding.set_autonomy(run_of(), actor=by, autonomy="none"),
    "deciding.set_two_people": lambda by: deciding.set_two_people(run_of(), actor=by, on=True),
    "runs.sign_curriculum": lambda by: runs.sign_curriculum(planned(), actor=by),
    "runs.sign_diagnosis": lambda by: runs.sign_diagnosis(diagnosed_run(), actor=by),
    "runs.stop": lambda by: runs.stop(run_of(), actor=by, reason="enough"),
    "runs.unarchive": lambda by: runs.unarchive(
        run_of(archived_at="2026-01-01T00:00:00Z"), actor=by
    ),
    "sampling.approve_rest": sampled_approved,
    "sampling.draw": sampled,
    "sign_ins.end": lambda by: sign_ins.end(by.user, pk=two_sessions(by.user).pk),
    "sign_ins.end_others": lambda by: sign_ins.end_others(
        by.user, but=two_sessions(by.user).session_key
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
    "teamwork.adjudicate": adjudicated,
    "teamwork.give_opinion": lambda by: teamwork.give_opinion(
        for_opinions(by), actor=by, version=1, verdict=Verdict.APPROVED
    ),
    "teamwork.share_out": lambda by: teamwork.share_out(
        ItemFactory().stage, actor=by, round=0, reviewers=[by.user]
    ),
    "tokens.make": lambda by: tokens.make(UserFactory(), actor=by, name="ci", scopes=["read"]),
    "tokens.revoke": lambda by: tokens.revoke(ApiTokenFactory(), actor=by),
    "trials.begin": lambda by: trials.begin(edge_to_test(), actor=by, steps=2),
    "trials.tested": lambda by: trials.tested(
        edge(), actor=by, found=engine.Tested(0.6, 48, "It holds.")
    ),
    "undoing.undo": undone,
    "words.replace": replaced,
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
    audit.verify(chain.house())
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
