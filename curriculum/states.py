"""Statuses, and the tables of moves: nothing else decides what may follow what.

Only `services.runs`, `services.stages` and `services.jobs` write a status, each through its own
guarded `_move`. docs/states.md draws the three tables.
"""

from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices


class RunStatus(TextChoices):
    DRAFT = "draft", "draft"
    DIAGNOSING = "diagnosing", "diagnosing"
    REVIEWING_DIAGNOSIS = "reviewing_diagnosis", "reviewing diagnosis"
    REVIEWING_CURRICULUM = "reviewing_curriculum", "reviewing curriculum"
    TEACHING = "teaching", "teaching"
    FINISHED = "finished", "finished"
    STOPPED = "stopped", "stopped"


R = RunStatus
ENDED = (R.FINISHED, R.STOPPED)
RUN_MOVES: dict[R, frozenset[R]] = {
    R.DRAFT: frozenset({R.DIAGNOSING, R.STOPPED}),
    R.DIAGNOSING: frozenset({R.REVIEWING_DIAGNOSIS, R.STOPPED}),
    R.REVIEWING_DIAGNOSIS: frozenset({R.REVIEWING_CURRICULUM, R.DIAGNOSING, R.STOPPED}),
    R.REVIEWING_CURRICULUM: frozenset({R.TEACHING, R.REVIEWING_DIAGNOSIS, R.STOPPED}),
    R.TEACHING: frozenset({R.FINISHED, R.STOPPED}),
    R.FINISHED: frozenset(),  # final: the report stands
    R.STOPPED: frozenset(),
}


class StageStatus(TextChoices):
    PLANNED = "planned", "planned"
    WRITING = "writing", "writing items"
    REVIEWING = "reviewing", "in review"
    TRAINING = "training", "training"
    ASSESSING = "assessing", "assessing"
    DECIDING = "deciding", "at the gate"
    MASTERED = "mastered", "mastered"
    WAIVED = "waived", "waived"


S = StageStatus
STAGE_MOVES: dict[S, frozenset[S]] = {
    S.PLANNED: frozenset({S.WRITING}),
    S.WRITING: frozenset({S.REVIEWING, S.PLANNED}),
    S.REVIEWING: frozenset({S.TRAINING, S.PLANNED}),
    S.TRAINING: frozenset({S.ASSESSING, S.PLANNED}),
    S.ASSESSING: frozenset({S.DECIDING, S.PLANNED}),
    S.DECIDING: frozenset({S.MASTERED, S.WRITING, S.WAIVED, S.PLANNED}),
    S.MASTERED: frozenset(),  # final: later stages build on it
    S.WAIVED: frozenset(),
}
SETTLED = frozenset({S.MASTERED, S.WAIVED})  # the next stage may start
AT_WORK = frozenset({S.WRITING, S.TRAINING, S.ASSESSING})  # a worker's job moves it on


class JobStatus(TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    LOST = "lost", "lost"


J = JobStatus
JOB_MOVES: dict[J, frozenset[J]] = {
    J.QUEUED: frozenset({J.RUNNING, J.CANCELLED, J.LOST}),
    J.RUNNING: frozenset({J.SUCCEEDED, J.FAILED, J.CANCELLED, J.LOST}),
    J.SUCCEEDED: frozenset(),
    J.FAILED: frozenset({J.QUEUED}),
    J.CANCELLED: frozenset({J.QUEUED}),
    J.LOST: frozenset({J.QUEUED}),
}


class JobKind(TextChoices):
    DIAGNOSE = "diagnose", "diagnose"  # probe teacher and student on every skill
    PROBE = "probe", "probe more"  # the same, on skills whose gap is not known well enough
    TRIAL = "trial", "test a prerequisite"  # by throw-away trainings
    TRY = "try", "try a template"  # a few items that nobody is trained on
    EXAMPLES = "examples", "try examples"  # a few questions, answered with them and without
    WRITE = "write", "write items"
    REWRITE = "rewrite", "write others"  # in place of items that were refused together
    TRAIN = "train", "train"
    ASSESS = "assess", "assess"
    REPORT = "report", "report"  # final probes


# asked for by people; the run does not wait for them
ASIDE = frozenset({JobKind.PROBE, JobKind.TRIAL, JobKind.TRY, JobKind.EXAMPLES, JobKind.REWRITE})


class Autonomy(TextChoices):
    EVERY_GATE = "every_gate", "a person decides everything"
    ONLY_GATES = "only_gates", "clean items approve themselves, people decide at gates"
    NONE = "none", "autopilot: policy decides, and it is written down as policy"


class Channel(TextChoices):
    MAIL = "mail", "e-mail"
    WEBHOOK = "webhook", "webhook"


class NoticeStatus(TextChoices):
    WAITING = "waiting", "waiting"  # to be sent, or to be tried again
    SENT = "sent", "sent"
    OUTDATED = "outdated", "outdated"  # the run moved on before it could be sent
    FAILED = "failed", "failed"  # tried often enough


class Verdict(TextChoices):
    WAITING = "", "waiting"
    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"


# What addresses, forms, commands and the API call verdicts: as people read them. None: whichever.
VERDICTS: dict[str, Verdict | None] = {str(v.label): v for v in Verdict} | {"all": None}


class ActionKind(TextChoices):
    """What one press of a button did to one item, or to all that match a filter."""

    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"
    EDITED = "edited", "edited"
    REPLACED = "replaced", "replaced words in"
    TAGGED = "tagged", "tagged"


class SkillStatus(TextChoices):
    ACTIVE = "active", "active"
    RETIRED = "retired", "retired"


class SkillOutcome(TextChoices):
    """Where one skill of a stage stands."""

    OPEN = "", "not yet taught"
    MASTERED = "mastered", "mastered"
    NOT_YET = "not_yet", "not yet"
    UNCLEAR = "unclear", "unclear"
    FORGOTTEN = "forgotten", "forgotten"
    WAIVED = "waived", "waived"


# What was decided at a gate, as pages tell it.
DECIDED = {
    "": "to decide",
    "advance": "advanced",
    "remedy": "remedy",
    "waive": "waived",
    "roll_back": "rolled back",
}


class ActorKind(TextChoices):
    PERSON = "person", "person"
    POLICY = "policy", "policy"  # the run's autonomy decided
    WORKER = "worker", "worker"


class Role(IntegerChoices):
    """What a person may do; each may all that the ones before it may. See `curriculum.access`."""

    VIEWER = 1, "viewer"
    REVIEWER = 2, "reviewer"
    APPROVER = 3, "approver"
    ADMIN = 4, "admin"
