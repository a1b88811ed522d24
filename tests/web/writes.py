"""Every address that writes, with a situation in which it may: tests walk this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from curriculum import engine
from curriculum.forms import NUMBERS
from curriculum.models import (
    ApiToken,
    Assignment,
    Invitation,
    Item,
    Membership,
    Opinion,
    Review,
    ReviewAction,
    Run,
    Sample,
    SavedFilter,
    Skill,
    Stage,
    Tag,
)
from curriculum.services import stages, words
from curriculum.services.audit import Actor
from curriculum.states import JobKind, Role
from tests.factories import (
    ApiTokenFactory,
    ApproverFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    PromptTemplateFactory,
    ReviewerFactory,
    RunFactory,
    ScoreFactory,
    SkillFactory,
    StageFactory,
    UserFactory,
    measured_run,
)

HTMX = {"HX-Request": "true"}
Situation = tuple[int, dict[str, Any]]  # of which row, with which form


@dataclass(frozen=True)
class Write:
    """`again`: what the same post gets a second time. `has_entry`: not where nothing of the run's
    is written."""

    name: str
    make: Callable[[], Situation]
    root: str  # id of the fragment that htmx gets
    needs: str = "reviewer"
    again: int = 409
    hand_to: Callable[[int, User], object] | None = None  # makes the row this person's to judge
    has_entry: bool = True

    def __str__(self) -> str:
        return self.name

    def arrange(self, user: User | None = None) -> tuple[str, dict[str, Any]]:
        pk, form = self.make()
        if self.hand_to is not None and user is not None:
            self.hand_to(pk, user)
        return reverse(f"curriculum:{self.name}", args=[pk]), form


def new_run(**changes: Any) -> dict[str, Any]:
    """The form of a new run, filled in."""
    default = engine.default_settings()
    numbers = {name: default[group][key] for name, (group, key) in NUMBERS.items()}
    return {
        "name": "Sums",
        "domain": "foundations",
        "teacher": "procedural",
        "student": "simulated",
        "skills": ["A1", "A2"],
        "autonomy": "every_gate",
        "preset": "standard",
        "seed": "3",
        **numbers,
        **changes,
    }


def diagnosed_run(**traits: Any) -> Any:
    """A run with two deficient skills and their scores: what stages are planned from."""
    run = RunFactory(**{"reviewing_diagnosis": True, **traits})
    base = CheckpointFactory(run=run)
    for key in ("A1", "A2"):
        skill = SkillFactory(run=run, key=key, deficient=True)
        ScoreFactory(skill=skill, mean=1.0, low=0.9, high=1.0)
        ScoreFactory(skill=skill, checkpoint=base, mean=0.2, low=0.1, high=0.3)
    return run


def planned_run() -> Any:
    run = diagnosed_run(reviewing_curriculum=True, reviewing_diagnosis=False)
    StageFactory(run=run, skills=["A1", "A2"])
    StageFactory(run=run, skills=["N1"])
    return run


def _proposed() -> Situation:
    run = measured_run()
    rest = engine.plan_rest(run)
    assert rest is not None
    return run.pk, {"seen": rest.digest}


def _run(**traits: Any) -> Situation:
    run = RunFactory(**traits)
    CheckpointFactory(run=run)
    return run.pk, {}


def _stop() -> Situation:
    return RunFactory(teaching=True).pk, {"reason": "The teacher is wrong."}


def _conclude() -> Situation:
    return StageFactory(mastered=True).run_id, {"reason": "Enough for now."}


def _skill(status: str = "active") -> Situation:
    return SkillFactory(run=RunFactory(reviewing_diagnosis=True), status=status).pk, {}


def _edit_skill() -> Situation:
    pk, _ = _skill()
    return pk, {"title": "Add without carrying", "statement": "Adds two numbers."}


def _new_edge() -> Situation:
    run = RunFactory(reviewing_diagnosis=True)
    for key in ("A1", "A2"):
        SkillFactory(run=run, key=key)
    return run.pk, {"source": "A1", "target": "A2", "reason": "It is the smaller one."}


def _edge(is_active: bool = True) -> Situation:
    edge = PrerequisiteFactory(run=RunFactory(reviewing_diagnosis=True), is_active=is_active)
    return edge.pk, {"reason": "Seen in class."}


def _testable_edge() -> Situation:
    run = RunFactory(reviewing_diagnosis=True)
    source, target = (SkillFactory(run=run, key=key) for key in ("A2", "A3"))
    return PrerequisiteFactory(run=run, source=source, target=target).pk, {"steps": "4"}


def _move_skill() -> Situation:
    run = planned_run()
    return run.pk, {
        "skill": run.skills.get(key="A2").pk,
        "to_stage": run.stages.get(position=2).pk,
    }


def _split() -> Situation:
    run = planned_run()
    return run.stages.get(position=1).pk, {"skills": [run.skills.get(key="A2").pk]}


def _changed_plan() -> Situation:
    pk, form = _split()
    stage = Stage.objects.get(pk=pk)
    stages.split(stage, skills=form["skills"], actor=Actor.worker())
    return stage.run_id, {"entry": Run.objects.get(pk=stage.run_id).audit_sequence}


def _stage(position: int, **form: Any) -> Situation:
    return planned_run().stages.get(position=position).pk, form


def _open() -> Situation:
    return StageFactory().pk, {}


def _train() -> Situation:
    return ItemFactory(approved=True).stage_id, {"round": 0}


def _item(**form: Any) -> Situation:
    return ItemFactory().pk, {"version": 1, **form}


def _decided_item() -> Situation:
    return ItemFactory(approved=True).pk, {"version": 1}


def _all_items() -> Situation:
    return ItemFactory().stage_id, {"round": 0}


def _flagged_items() -> Situation:
    return ItemFactory(flagged=True).stage_id, {"round": 0}


def _act() -> Situation:
    item = ItemFactory()
    action = ReviewAction.objects.create(
        stage=item.stage,
        round=0,
        kind="tagged",
        n=1,
        actor=User.objects.order_by("pk").last(),
        actor_kind="person",
    )
    return item.stage_id, {"act": action.pk}


def _tagged_item() -> Situation:
    item = ItemFactory()
    Tag.objects.create(item=item, word="odd")
    return item.pk, {"version": 1, "word": "odd"}


def _replace() -> Situation:
    item = ItemFactory(skill__key="A1", stage__skills=["A1"])
    said = {"round": 0, "find": "What is", "put": "How much is", "question": "on"}
    return item.stage_id, {**said, "seen": words.digest_of([item])}


def _new_item() -> Situation:
    item = ItemFactory(skill__key="A1", stage__skills=["A1"])
    place = item.stage.stage_skills.get()
    words = {"question": "What is 1 + 1?", "solution": "Answer: 2", "answer": "2"}
    return item.stage_id, {"round": 0, "of_skill": place.skill_id, **words}


def _saved() -> Situation:
    stage, person = ItemFactory().stage, User.objects.last() or ApproverFactory()
    row = SavedFilter.objects.create(run=stage.run, person=person, name="odd", query="tag=odd")
    return stage.pk, {"round": 0, "saved": row.pk}


def _roll_back() -> Situation:
    return StageFactory(reviewing=True).pk, {"round": 0, "reason": "Wrong prompt."}


def _gate(**traits: Any) -> Situation:
    return GateFactory(**traits).pk, {"round": 0, "reason": "Seen and decided."}


def _job(**traits: Any) -> Situation:
    return JobFactory(kind=JobKind.DIAGNOSE, **traits).pk, {}


def _prompt(**form: Any) -> Situation:
    run = RunFactory(teacher="openai:big@http://localhost/v1")
    CheckpointFactory(run=run)
    SkillFactory(run=run, key="A2")
    PromptTemplateFactory(run=run)
    return run.pk, {"name": "decompose", "seen": "1", **form}


def _examples() -> Situation:
    run = RunFactory(teacher="openai:big@http://localhost/v1")
    form = {"question": "What is 57 - 23?", "solution": "57 - 20 = 37\n37 - 3 = 34\nAnswer: 34"}
    return SkillFactory(run=run, key="B2").pk, form


def _tried_examples() -> Situation:
    pk, form = _examples()
    run = Skill.objects.get(pk=pk).run
    run.settings["writing"]["questions_of_domain"] = True
    run.save()
    return pk, form


def _share_out() -> Situation:
    pk = ItemFactory().stage_id
    form = {"round": 0, "reviewers": [ReviewerFactory().pk], "percent": "0", "overlap": "2"}
    return pk, form


def _stage_to_sample() -> Situation:
    stage = StageFactory(reviewing=True)
    ItemFactory.create_batch(9, stage=stage)
    return stage.pk, {"round": 0, "n": "4", "tolerance": "60"}


def _sample() -> Situation:
    """A sample that was looked at, by rows alone: a test may count entries from none."""
    stage = StageFactory(reviewing=True)
    drawn = ItemFactory.create_batch(4, stage=stage, approved=True)
    others = ItemFactory.create_batch(5, stage=stage)
    for item in drawn:
        Review.objects.create(item=item, version=1, verdict="approved", reviewer=ReviewerFactory())
    sample = Sample.objects.create(
        stage=stage,
        round=0,
        seed="0/1/0",
        tolerance=0.6,
        items=[[item.pk, 1] for item in drawn],
        others=[[item.pk, 1] for item in others],
        content_hash="0" * 64,
    )
    return sample.pk, {}


def _opinion() -> Situation:
    item = ItemFactory()
    Assignment.objects.create(item=item, reviewer=ReviewerFactory())
    return item.pk, {"version": 1, "opinion": "approved"}


def _assign(pk: int, user: User) -> None:
    Assignment.objects.create(item=Item.objects.get(pk=pk), reviewer=user)


def _opinions_differ() -> Situation:
    item = ItemFactory()
    for verdict in ("approved", "rejected"):
        reviewer = ReviewerFactory()
        Assignment.objects.create(item=item, reviewer=reviewer)
        Opinion.objects.create(item=item, version=1, reviewer=reviewer, verdict=verdict)
    return item.pk, {"version": 1, "opinion": "rejected", "reason": "A step is missing."}


def _token() -> Situation:
    """Somebody's; `hand_to` makes it the person's own."""
    return ApiTokenFactory().pk, {}


def _own_token(pk: int, user: User) -> None:
    ApiToken.objects.filter(pk=pk).update(user=user)


def _member(**form: Any) -> Situation:
    """A member, by rows alone, of a run with an admin besides."""
    run = RunFactory()
    Membership.objects.create(run=run, user=UserFactory(), role=Role.ADMIN)
    member = Membership.objects.create(run=run, user=UserFactory(), role=Role.VIEWER)
    return member.pk, form


def _new_member() -> Situation:
    return RunFactory().pk, {"user": UserFactory().username, "role": "2"}


def _to_close() -> Situation:
    return Membership.objects.get(pk=_member()[0]).run_id, {"closed": "1"}


def _invited() -> Situation:
    made = Invitation.objects.create(
        run=RunFactory(),
        email="eve@example.org",
        role=Role.REVIEWER,
        token_hash="0" * 64,
        created_by=UserFactory(),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return made.pk, {}


def _admin_by(row: type[Model]) -> Callable[[int, User], object]:
    """Makes a person an admin of the run that the row is of."""

    def make(pk: int, user: User) -> object:
        found = row._default_manager.get(pk=pk)
        run = found if isinstance(found, Run) else found.run  # type: ignore[attr-defined]
        return Membership.objects.create(run=run, user=user, role=Role.ADMIN)

    return make


def _of_admins(
    name: str, make: Callable[[], Situation], row: type[Model], again: int = 409
) -> Write:
    return Write(name, make, "people", needs="approver", again=again, hand_to=_admin_by(row))


WRITES = [
    _of_admins("member-add", _new_member, Run),
    _of_admins("member-change", lambda: _member(role="3", seen="1"), Membership),
    _of_admins("member-remove", lambda: _member(), Membership, again=404),
    _of_admins("run-closed", _to_close, Run),
    _of_admins(
        "run-invite", lambda: (RunFactory().pk, {"email": "eve@example.org", "role": "2"}), Run
    ),
    _of_admins("invitation-withdraw", _invited, Invitation),
    Write("run-diagnose", lambda: _run(), "run-now"),
    Write("run-stop", _stop, "run-now", needs="approver"),
    Write("run-conclude", _conclude, "run-now", needs="approver"),
    Write(
        "run-autonomy",
        lambda: (_run()[0], {"autonomy": "only_gates"}),
        "run-now",
        needs="approver",
        again=200,
    ),
    Write(
        "run-two-people",
        lambda: (_run()[0], {"on": "1"}),
        "run-now",
        needs="approver",
        again=200,
    ),
    Write(
        "run-budget",
        lambda: (_run()[0], {"items": "9000"}),
        "run-now",
        needs="approver",
        again=422,
    ),
    Write("prompt-change", lambda: _prompt(source="Slowly."), "prompts", needs="approver"),
    Write("skill-examples", _examples, "examples", needs="approver", again=422),
    Write("skill-examples-try", _tried_examples, "examples", needs="approver"),
    Write("prompt-roll-back", lambda: _prompt(number="0"), "prompts", needs="approver"),
    Write("prompt-try", lambda: _prompt(source="Slowly."), "prompts", needs="approver"),
    Write("run-archive", lambda: _run(), "run-now"),
    Write("run-sign-diagnosis", lambda: (diagnosed_run().pk, {}), "diagnosis", needs="approver"),
    Write("run-probe", lambda: (diagnosed_run().pk, {"width": "0.1"}), "diagnosis"),
    Write("skill-edit", _edit_skill, "diagnosis", again=422),
    Write("skill-retire", lambda: _skill(), "diagnosis"),
    Write("skill-restore", lambda: _skill("retired"), "diagnosis"),
    Write("edge-add", _new_edge, "graph", again=422),
    Write("edge-refuse", lambda: _edge(), "graph"),
    Write("edge-confirm", lambda: _edge(), "graph", again=200),
    Write("edge-test", _testable_edge, "graph"),
    Write("run-look-back", lambda: (_new_edge()[0], {}), "graph", again=200),
    Write("run-sign-curriculum", lambda: (planned_run().pk, {}), "curriculum", needs="approver"),
    Write("run-replan", lambda: (planned_run().pk, {}), "curriculum", again=200),
    Write("run-go-back", _changed_plan, "curriculum", again=422),
    Write("run-plan-rest", _proposed, "curriculum", needs="approver"),
    Write("run-keep-plan", _proposed, "curriculum", needs="approver"),
    Write("run-back", lambda: (planned_run().pk, {}), "curriculum"),
    Write("run-move-skill", _move_skill, "curriculum", again=422),
    Write("stage-split", _split, "curriculum", again=422),
    Write("stage-merge", lambda: _stage(2), "curriculum", again=404),
    Write("stage-reorder", lambda: _stage(1, to="later"), "curriculum", again=422),
    Write("stage-open", _open, "stage-now"),
    Write("stage-train", _train, "stage-now", needs="approver"),
    Write("item-approve", lambda: _item(), "review"),
    Write("item-reject", lambda: _item(reason="A step is missing."), "review"),
    Write(
        "item-edit",
        lambda: _item(question="What is 2 + 2?", solution="Two more. Answer: 4", answer="4"),
        "review",
        again=422,
    ),
    Write("item-undo", _decided_item, "review"),
    Write("item-tag", lambda: _item(word="odd"), "review", again=200),
    Write("item-untag", _tagged_item, "review"),
    Write("stage-undo", _act, "review"),
    Write("stage-approve-all", _all_items, "review", again=200),
    Write(
        "stage-reject-all",
        lambda: (_all_items()[0], {"round": 0, "reason": "Too easy."}),
        "review",
        again=200,
    ),
    Write(
        "stage-rewrite-all",
        lambda: (_all_items()[0], {"round": 0, "reason": "Too easy."}),
        "review",
        again=200,
    ),
    Write(
        "stage-tag-all", lambda: (_all_items()[0], {"round": 0, "word": "odd"}), "review", again=200
    ),
    Write("stage-replace", _replace, "review", again=422),
    Write("stage-write-item", _new_item, "review", again=200),
    Write(
        "filter-save",
        lambda: (_all_items()[0], {"round": 0, "name": "odd", "tag": "odd"}),
        "review",
        again=200,
        has_entry=False,
    ),
    Write("filter-remove", _saved, "review", has_entry=False),
    Write("stage-reject-flagged", _flagged_items, "review", again=200),
    Write("stage-share-out", _share_out, "team", needs="approver", again=200),
    Write("stage-sample", _stage_to_sample, "team", needs="approver"),
    Write("sample-approve-rest", _sample, "team", needs="approver"),
    Write(
        "stage-guideline",
        lambda: (StageFactory().pk, {"version": 0, "text": "Show every step."}),
        "team",
        needs="approver",
    ),
    Write("item-opinion", _opinion, "review", hand_to=_assign),
    Write("item-adjudicate", _opinions_differ, "review", needs="approver"),
    Write("stage-roll-back", _roll_back, "stage-now", needs="approver"),
    Write("gate-advance", lambda: _gate(mastered=True), "gate", needs="approver"),
    Write("gate-remedy", lambda: _gate(), "gate"),
    Write("gate-waive", lambda: _gate(), "gate", needs="approver"),
    Write("gate-roll-back", lambda: _gate(), "gate", needs="approver"),
    Write("token-revoke", _token, "tokens", hand_to=_own_token),
    Write("job-cancel", lambda: _job(running=True), "jobs"),
    Write("job-retry", lambda: _job(failed=True), "jobs"),
]
