"""Rows and constraints; no decisions. Only `curriculum.services` writes them."""

from curriculum.models.audit import AuditEntry
from curriculum.models.calls import TeacherCall
from curriculum.models.checkpoints import Checkpoint, Score
from curriculum.models.exchange import Imported, Origin
from curriculum.models.items import Item, Review, Revision, Snapshot, SnapshotItem
from curriculum.models.jobs import Job, TrainingStep
from curriculum.models.notices import Notice
from curriculum.models.probes import Answer, Probe
from curriculum.models.runs import Run
from curriculum.models.skills import Evidence, Prerequisite, Skill
from curriculum.models.stages import GateRecord, Stage, StageSkill

__all__ = [
    "Answer",
    "AuditEntry",
    "Checkpoint",
    "Evidence",
    "GateRecord",
    "Imported",
    "Item",
    "Job",
    "Notice",
    "Origin",
    "Prerequisite",
    "Probe",
    "Review",
    "Revision",
    "Run",
    "Score",
    "Skill",
    "Snapshot",
    "SnapshotItem",
    "Stage",
    "StageSkill",
    "TeacherCall",
    "TrainingStep",
]
