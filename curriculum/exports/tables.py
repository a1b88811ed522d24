"""What a run consists of: its tables in the order in which rows may refer to earlier ones, and how
a row is a line of JSON. Used for writing an archive and for reading it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import models as fields
from django.db.models import Model, OuterRef, QuerySet, Subquery

from curriculum import models
from curriculum.exports.shapes import fits
from curriculum.models import Origin, Run
from curriculum.models.team import told

ROWS_AT_ONCE = 500
PERSON = "user"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one model. `left_out`: columns that mean nothing elsewhere; `late`: references to
    rows of a later table, which are filled in when that is there.
    """

    model: type[Model]
    of_run: str  # how a row is found from its run
    left_out: tuple[str, ...] = ()
    late: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.model._meta.model_name)

    @property
    def columns(self) -> list[fields.Field[Any, Any]]:
        """All but the number, the run and what is left out, by name."""
        found = [
            f
            for f in self.model._meta.concrete_fields
            if not f.primary_key and f.related_model is not Run and f.name not in self.left_out
        ]
        return sorted(found, key=lambda f: f.name)

    @property
    def references(self) -> list[fields.Field[Any, Any]]:
        return [f for f in self.columns if f.is_relation]


TABLES = (
    Table(models.Skill, "run"),
    Table(models.Prerequisite, "run"),
    Table(models.Evidence, "prerequisite__run"),
    Table(models.Stage, "run", late=("started_from",)),
    Table(models.StageSkill, "stage__run"),
    Table(models.Probe, "skill__run"),
    Table(models.TeacherCall, "run"),
    Table(models.WritingTally, "stage__run"),
    Table(models.PromptTemplate, "run"),
    Table(models.Guideline, "run"),
    Table(models.Item, "stage__run"),
    Table(models.ReviewAction, "stage__run"),
    Table(models.Revision, "item__stage__run"),
    Table(models.Review, "item__stage__run"),
    Table(models.Tag, "item__stage__run"),
    Table(models.Assignment, "item__stage__run"),
    Table(models.Opinion, "item__stage__run"),
    Table(models.Snapshot, "stage__run"),
    Table(models.SnapshotItem, "snapshot__stage__run"),
    Table(models.Checkpoint, "run"),
    Table(models.Score, "skill__run"),
    Table(models.Answer, "probe__skill__run", left_out=("reused_from",)),  # of another run
    Table(models.GateRecord, "stage__run"),
    Table(models.Job, "run"),
    Table(models.PromptTrial, "job__run"),
    Table(models.ExampleTrial, "job__run"),
    Table(models.TrainingStep, "job__run"),
    Table(models.AuditEntry, "run", left_out=("origin_run", "origin_actor")),
)
RUN = Table(Run, "pk", left_out=("origin", "is_closed"))  # who may see it is said where it is


def target(field: fields.Field[Any, Any]) -> str:
    """The name under which `Origin` knows the rows that a reference is to."""
    model = field.related_model
    return PERSON if model is User else str(model._meta.model_name)  # type: ignore[union-attr]


def lines_of(table: Table, run: Run) -> Iterator[dict[str, Any]]:
    """The rows of a run's table, by number, each as plain JSON: the same here and wherever the
    run is imported. References are numbers, those of the installation where the run was made.
    """
    rows: QuerySet[Any] = table.model._default_manager.filter(**{table.of_run: run.pk})
    if table.model is models.Opinion:  # whoever may read the archive may not know the others
        rows = told(rows)
    numbers = {"pk": table.name} | {f.attname: target(f) for f in table.references}
    plain = [f for f in table.columns if not f.is_relation]
    names = [f.attname for f in plain]
    if run.origin is None or table is RUN:
        numbered = list(numbers)
    else:
        was = {f"was_{name}": _was(run, model, name) for name, model in numbers.items()}
        rows, numbered = rows.annotate(**was), list(was)
    if table is RUN:
        numbered = ["pk", "created_by"] if run.origin is None else ["origin", "was_created_by"]
        rows = rows.annotate(was_created_by=_was(run, PERSON, "created_by"))
    ordered = rows.order_by("pk").values_list(*numbered, *names)
    keys = ["number", *(f.name for f in table.references)]
    for values in ordered.iterator(chunk_size=ROWS_AT_ONCE):
        row = dict(zip(keys, values[: len(keys)], strict=True))
        for field, value in zip(plain, values[len(keys) :], strict=True):
            row[field.name] = written(field, value)
        if table.model is models.Checkpoint:
            row["folder"] = row["folder"].removeprefix(f"runs/{run.pk}/")
        yield row


def _was(run: Run, model: str, column: str) -> Subquery:
    known = Origin.objects.filter(run=run.pk, model=model, now=OuterRef(column))
    return Subquery(known.values("was")[:1])


def written(field: fields.Field[Any, Any], value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return whole(value) if isinstance(field, fields.JSONField) else value


def whole(content: Any) -> Any:
    """Whole floats as integers, as a jsonb column may give them back: one spelling everywhere."""
    if isinstance(content, dict):
        return {key: whole(value) for key, value in content.items()}
    if isinstance(content, list):
        return [whole(value) for value in content]
    if isinstance(content, float) and content.is_integer():
        return int(content)
    return content


def line(row: dict[str, Any]) -> bytes:
    """One line of JSON Lines with one spelling."""
    text = json.dumps(
        row, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return text.encode() + b"\n"


def read(field: fields.Field[Any, Any], value: Any) -> Any:
    """The value for a row, from its JSON. Raises ValueError with what is wrong."""
    if value is None:
        if not field.null:
            raise ValueError(f"“{field.name}” is missing")
        return None
    kind = field.get_internal_type()
    if kind == "JSONField":
        if not fits(f"{field.model._meta.model_name}.{field.name}", value):
            raise ValueError(f"“{field.name}” is not what it has to be")
        return value
    if kind == "BooleanField":
        is_right = isinstance(value, bool)
    elif kind == "FloatField":
        is_right = type(value) in (int, float) and abs(value) <= sys.float_info.max
    elif kind.endswith("IntegerField"):
        is_right = type(value) is int
    else:
        is_right = isinstance(value, str) and is_text(value)
    if not is_right:
        raise ValueError(f"“{field.name}” is not what it has to be")
    made = field.to_python(value)
    if kind == "DateTimeField" and (made is None or made.tzinfo is None):
        raise ValueError(f"“{field.name}” is no time with its zone")
    field.run_validators(made)
    if field.choices and made not in dict(field.flatchoices) and not (field.blank and made == ""):
        raise ValueError(f"“{field.name}” may not be “{str(made)[:40]}”")
    return made


def is_text(words: str) -> bool:
    """Whether every database can keep it: no NUL, no half characters."""
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in words
