"""The smallest valid rows. Traits name situations; a test says only what it is about."""

from __future__ import annotations

from typing import Any

import factory
from django.contrib.auth.models import Group, User
from django.utils import timezone
from factory.django import DjangoModelFactory

from curriculum import models
from curriculum.models.items import spaced
from curriculum.roles import ADMIN, APPROVER, REVIEWER, VIEWER
from curriculum.states import JobKind, JobStatus, RunStatus, SkillOutcome, StageStatus, Verdict
from distill.settings import Settings


def member_of(name: str) -> factory.PostGeneration:
    return factory.PostGeneration(
        lambda user, create, extracted: user.groups.add(Group.objects.get(name=name))
    )


class UserFactory(DjangoModelFactory):
    """A person who may only log in."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person-{n}")
    first_name = "Ada"
    last_name = factory.Sequence(lambda n: f"No. {n}")


class ViewerFactory(UserFactory):
    role = member_of(VIEWER)


class ReviewerFactory(UserFactory):
    role = member_of(REVIEWER)


class ApproverFactory(UserFactory):
    role = member_of(APPROVER)


class AdminFactory(UserFactory):
    role = member_of(ADMIN)
    is_staff = True


class ApiTokenFactory(DjangoModelFactory):
    """Nobody knows its words; `services.tokens.make` gives some."""

    class Meta:
        model = models.ApiToken

    user = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"token {n}")
    prefix = factory.Sequence(lambda n: f"{n:08x}")
    secret_hash = "0" * 64
    scopes = ["read"]


class RunFactory(DjangoModelFactory):
    class Meta:
        model = models.Run

    class Params:
        diagnosing = factory.Trait(status=RunStatus.DIAGNOSING)
        reviewing_diagnosis = factory.Trait(status=RunStatus.REVIEWING_DIAGNOSIS)
        reviewing_curriculum = factory.Trait(status=RunStatus.REVIEWING_CURRICULUM)
        teaching = factory.Trait(status=RunStatus.TEACHING)
        finished = factory.Trait(status=RunStatus.FINISHED)
        stopped = factory.Trait(status=RunStatus.STOPPED)

    name = factory.Sequence(lambda n: f"Run {n}")
    domain = "foundations"
    teacher = "procedural"
    student = "simulated"
    settings = factory.LazyFunction(lambda: Settings().model_dump(mode="json"))


class SkillFactory(DjangoModelFactory):
    class Meta:
        model = models.Skill

    class Params:
        deficient = factory.Trait(
            is_deficient=True,
            is_teachable=True,
            gap=0.8,
            gap_low=0.7,
            gap_high=0.9,
            severity=0.6,
        )

    run = factory.SubFactory(RunFactory)
    key = factory.Sequence(lambda n: f"K{n}")
    title = factory.LazyAttribute(lambda o: f"skill {o.key}")


class PrerequisiteFactory(DjangoModelFactory):
    """Both skills of one run, unless a test names them."""

    class Meta:
        model = models.Prerequisite

    run = factory.SubFactory(RunFactory)
    source = factory.SubFactory(SkillFactory, run=factory.SelfAttribute("..run"))
    target = factory.SubFactory(SkillFactory, run=factory.SelfAttribute("..run"))


class CheckpointFactory(DjangoModelFactory):
    """The untaught student, and current. With `parent` set: one that was trained."""

    class Meta:
        model = models.Checkpoint

    run = factory.SubFactory(RunFactory)
    is_current = True


class StageFactory(DjangoModelFactory):
    """One skill in it, or those of `skills=["A1", "A2"]`; `skills=[]` for none."""

    class Meta:
        model = models.Stage
        skip_postgeneration_save = True

    class Params:
        writing = factory.Trait(status=StageStatus.WRITING)
        reviewing = factory.Trait(status=StageStatus.REVIEWING)
        training = factory.Trait(status=StageStatus.TRAINING)
        assessing = factory.Trait(status=StageStatus.ASSESSING)
        deciding = factory.Trait(status=StageStatus.DECIDING)
        mastered = factory.Trait(status=StageStatus.MASTERED)
        waived = factory.Trait(status=StageStatus.WAIVED)

    run = factory.SubFactory(RunFactory, teaching=True)
    position = factory.LazyAttribute(lambda o: o.run.stages.count() + 1)
    title = factory.LazyAttribute(lambda o: f"Lesson {o.position}")

    @factory.post_generation
    def skills(self: models.Stage, create: bool, extracted: list[str] | None, **kw: Any) -> None:
        keys = [f"S{self.pk}"] if extracted is None else extracted
        for key in keys:
            skill = self.run.skills.filter(key=key).first()
            StageSkillFactory(stage=self, skill=skill or SkillFactory(run=self.run, key=key))


class StageSkillFactory(DjangoModelFactory):
    class Meta:
        model = models.StageSkill

    stage = factory.SubFactory(StageFactory, skills=[])
    skill = factory.SubFactory(SkillFactory, run=factory.SelfAttribute("..stage.run"))


class ItemFactory(DjangoModelFactory):
    """Of the stage's first skill, in the stage's round, waiting for a verdict."""

    class Meta:
        model = models.Item

    class Params:
        approved = factory.Trait(verdict=Verdict.APPROVED)
        rejected = factory.Trait(verdict=Verdict.REJECTED)
        flagged = factory.Trait(
            is_flagged=True,
            checks=[{"id": "answer", "version": 1, "passed": False, "detail": "It is 3."}],
        )
        leak = factory.Trait(
            is_flagged=True,
            is_leak=True,
            checks=[{"id": "leak", "version": 1, "passed": False, "detail": "It is a probe."}],
        )

    stage = factory.SubFactory(StageFactory, reviewing=True)
    round = factory.SelfAttribute("stage.round")
    skill = factory.LazyAttribute(lambda o: o.stage.stage_skills.first().skill)
    key = factory.Sequence(lambda n: f"item-{n:04}")
    question = factory.Sequence(lambda n: f"What is {n} + 1?")
    answer = factory.LazyAttribute(lambda o: str(int(o.question.split()[2]) + 1))
    solution = factory.LazyAttribute(lambda o: f"Add one more. Answer: {o.answer}")
    checks = factory.LazyFunction(list)
    failed = factory.LazyAttribute(lambda o: spaced(c["id"] for c in o.checks if not c["passed"]))


class CallFactory(DjangoModelFactory):
    """A request for items, of no stage unless a test names one."""

    class Meta:
        model = models.TeacherCall

    run = factory.SubFactory(RunFactory)
    skill = factory.SubFactory(SkillFactory, run=factory.SelfAttribute("..run"))
    key = factory.Sequence(lambda n: f"s1r0-A-{n}")
    purpose = "write"
    teacher = "big"
    prompt = "Write 4 different exercises."
    reply = '{"items": []}'
    prompt_tokens = 7
    reply_tokens = 5


class PromptTemplateFactory(DjangoModelFactory):
    class Meta:
        model = models.PromptTemplate

    run = factory.SubFactory(RunFactory)
    name = "decompose"
    number = 1
    source = "Step by step.\n"


class TallyFactory(DjangoModelFactory):
    class Meta:
        model = models.WritingTally

    stage = factory.SubFactory(StageFactory)
    round = factory.SelfAttribute("stage.round")
    skill = factory.LazyAttribute(lambda o: o.stage.stage_skills.first().skill)
    level = 3


class ProbeFactory(DjangoModelFactory):
    class Meta:
        model = models.Probe

    skill = factory.SubFactory(SkillFactory)
    key = factory.Sequence(lambda n: f"{n:032x}")
    split = "diagnose"
    question = factory.Sequence(lambda n: f"What is {n} + 2?")
    reference = "2"
    grader = "number"


class AnswerFactory(DjangoModelFactory):
    """Of the teacher; with `checkpoint` set, of that student."""

    class Meta:
        model = models.Answer

    probe = factory.SubFactory(ProbeFactory)
    text = "Answer: 2"
    grade = 1.0
    grader = "number@1"


class ScoreFactory(DjangoModelFactory):
    class Meta:
        model = models.Score

    skill = factory.SubFactory(SkillFactory)
    split = "diagnose"
    n = 64
    mean = 0.5
    low = 0.4
    high = 0.6


class SnapshotFactory(DjangoModelFactory):
    class Meta:
        model = models.Snapshot

    stage = factory.SubFactory(StageFactory, training=True)
    round = factory.SelfAttribute("stage.round")
    content_hash = "0" * 64
    n_items = 1


class GateFactory(DjangoModelFactory):
    """A gate to decide; its evidence allows no advance. `mastered`: it does."""

    class Meta:
        model = models.GateRecord

    class Params:
        mastered = factory.Trait(answer=SkillOutcome.MASTERED, allows_advance=True)
        answer = SkillOutcome.NOT_YET

    stage = factory.SubFactory(StageFactory, deciding=True)
    round = factory.SelfAttribute("stage.round")
    checkpoint = factory.LazyAttribute(
        lambda o: (
            o.stage.run.checkpoints.filter(is_current=True).first()
            or CheckpointFactory(run=o.stage.run)
        )
    )
    evidence = factory.LazyAttribute(lambda o: evidence(o.stage, o.answer))
    allows_advance = False


class JobFactory(DjangoModelFactory):
    class Meta:
        model = models.Job

    class Params:
        running = factory.Trait(
            status=JobStatus.RUNNING,
            started_at=factory.LazyFunction(timezone.now),
            heartbeat_at=factory.LazyFunction(timezone.now),
        )
        succeeded = factory.Trait(status=JobStatus.SUCCEEDED)
        failed = factory.Trait(status=JobStatus.FAILED, error="The disk is full.")
        cancelled = factory.Trait(status=JobStatus.CANCELLED)
        lost = factory.Trait(status=JobStatus.LOST)
        writing = factory.Trait(
            kind=JobKind.WRITE,
            stage=factory.SubFactory(
                StageFactory, writing=True, run=factory.SelfAttribute("..run")
            ),
            run=factory.SubFactory(RunFactory, teaching=True),
        )

    run = factory.SubFactory(RunFactory, diagnosing=True)
    kind = JobKind.DIAGNOSE


def evidence(
    stage: models.Stage,
    answer: str = SkillOutcome.MASTERED,
    *,
    retention: dict[str, str] | None = None,
    waived: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What the gate says of a stage: the same answer on each of its skills; `retention` and
    `waived` name others with what it says of them.
    """
    numbers = {"low": 0.8, "high": 1.0, "n": 64}
    keys = stage.stage_skills.values_list("skill__key", flat=True)
    return {
        "stage": [{"skill": key, "answer": str(answer), "ratio": 0.95, **numbers} for key in keys],
        "retention": [
            {"skill": key, "answer": word, "was": 1.0, "now": 0.7, **numbers}
            for key, word in (retention or {}).items()
        ],
        "waived": [
            {"skill": key, "answer": "not_yet", "since": word, "was": 0.8, "now": 0.48, **numbers}
            for key, word in (waived or {}).items()
        ],
    }


def diagnosed_run(**traits: Any) -> models.Run:
    """A run whose two deficient skills were measured: what a plan is made from."""
    run = RunFactory(**{"reviewing_diagnosis": True, **traits})
    base = CheckpointFactory(run=run)
    for key, mean in (("A1", 0.4), ("A2", 0.1)):
        gap = round(1 - mean, 2)
        skill = SkillFactory(
            run=run, key=key, deficient=True, gap=gap, gap_low=gap - 0.1, gap_high=gap
        )
        ScoreFactory(skill=skill, mean=1.0, low=0.9, high=1.0)
        ScoreFactory(skill=skill, checkpoint=base, mean=mean, low=mean / 2, high=mean + 0.1)
    return run


def measured_run(*, now: dict[str, float] | None = None, **traits: Any) -> models.Run:
    """A run that has settled A1, and has measured A2 and A3 since: both, together, are ahead.

    As they were diagnosed they belong together; by now A2 is the easier one.
    """
    run = RunFactory(**{"teaching": True, **traits})
    base = CheckpointFactory(run=run, is_current=False)
    done = CheckpointFactory(run=run, parent=base)
    for key in ("A1", "A2", "A3"):
        skill = SkillFactory(run=run, key=key, deficient=True, gap=1.0, gap_low=0.9, gap_high=1.0)
        ScoreFactory(skill=skill, mean=1.0, low=0.9, high=1.0)
        ScoreFactory(skill=skill, checkpoint=base, mean=0.0, low=0.0, high=0.1)
    StageFactory(run=run, mastered=True, skills=["A1"], difficulty=1.0)
    StageFactory(run=run, skills=["A2", "A3"], difficulty=1.0)
    for key, mean in ({"A2": 0.6, "A3": 0.0} if now is None else now).items():
        skill = run.skills.get(key=key)
        ScoreFactory(skill=skill, checkpoint=done, mean=mean, low=mean, high=mean)
        for number in range(32):
            grade = float(number < 32 * mean)
            probe = ProbeFactory(skill=skill, split="diagnose", question=f"{key}: {number}?")
            AnswerFactory(probe=probe, checkpoint=done, grade=grade)
    return run
