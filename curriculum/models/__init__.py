"""Rows and constraints; no decisions. Only `curriculum.services` writes them."""

from curriculum.models.actions import ReviewAction, SavedFilter, Tag
from curriculum.models.audit import AuditEntry, House
from curriculum.models.calls import TeacherCall, WritingTally
from curriculum.models.checkpoints import Checkpoint, Score
from curriculum.models.exchange import Imported, Origin
from curriculum.models.items import Item, Review, Revision, Snapshot, SnapshotItem
from curriculum.models.jobs import Job, TrainingStep
from curriculum.models.notices import Notice
from curriculum.models.people import Invitation, Membership, SignIn
from curriculum.models.probes import Answer, Probe
from curriculum.models.prompts import ExampleTrial, PromptTemplate, PromptTrial
from curriculum.models.runs import Run
from curriculum.models.skills import Evidence, Prerequisite, Skill
from curriculum.models.stages import GateRecord, Stage, StageSkill
from curriculum.models.team import Assignment, Guideline, ItemLock, Opinion, Sample
from curriculum.models.tokens import ApiReply, ApiToken

__all__ = [
    "Answer",
    "ApiReply",
    "ApiToken",
    "Assignment",
    "AuditEntry",
    "Checkpoint",
    "Evidence",
    "ExampleTrial",
    "GateRecord",
    "Guideline",
    "House",
    "Imported",
    "Invitation",
    "Item",
    "ItemLock",
    "Job",
    "Membership",
    "Notice",
    "Opinion",
    "Origin",
    "Prerequisite",
    "Probe",
    "PromptTemplate",
    "PromptTrial",
    "Review",
    "ReviewAction",
    "Revision",
    "Run",
    "Sample",
    "SavedFilter",
    "Score",
    "SignIn",
    "Skill",
    "Snapshot",
    "SnapshotItem",
    "Stage",
    "StageSkill",
    "Tag",
    "TeacherCall",
    "TrainingStep",
    "WritingTally",
]
