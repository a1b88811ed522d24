"""Rows and constraints; no decisions. Only `curriculum.services` writes them."""

from curriculum.models.actions import ReviewAction, SavedFilter, Tag
from curriculum.models.audit import AuditEntry
from curriculum.models.checkpoints import Checkpoint, Score
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
    "Item",
    "Job",
    "Notice",
    "Prerequisite",
    "Probe",
    "Review",
    "ReviewAction",
    "Revision",
    "Run",
    "SavedFilter",
    "Score",
    "Skill",
    "Snapshot",
    "SnapshotItem",
    "Stage",
    "StageSkill",
    "Tag",
    "TrainingStep",
]
