"""Items from a file into the round that is in review: all of them, or none."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction

from curriculum import engine
from curriculum.errors import CurriculumError, Overtaken, WrongMoment
from curriculum.exports.mapping import FIELDS, words_of
from curriculum.exports.tabular import records
from curriculum.models import Item, Skill, Stage
from curriculum.services import audit
from curriculum.services.audit import Actor, require
from curriculum.states import RunStatus, SkillStatus, StageStatus

SHOWN_MOST = 50  # faults
SAVED_AT_ONCE = 500


class ImportRefused(CurriculumError):
    http_status = 422


@dataclass
class Found:
    """What a file holds, before or after it is imported."""

    n: int = 0
    flagged: int = 0
    leaks: int = 0
    by_skill: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)  # the first ones, each with its line
    n_faults: int = 0

    @property
    def skills(self) -> list[tuple[str, int]]:
        return sorted(self.by_skill.items())

    def fault(self, place: str, words: str) -> None:
        self.n_faults += 1
        if len(self.faults) < SHOWN_MOST:
            self.faults.append(f"{place}: {words}.")


def try_items(
    stage: Stage, path: Path, columns: Mapping[str, str], *, skill: str = ""
) -> tuple[Found, list[Item]]:
    """What an import would do, and its first items: everything but writing. Raises `BadFile`."""
    found = Found()
    items = _items(stage, path, columns, skill, found)
    first = list(islice(items, 3))
    for _ in items:
        pass
    return found, first


def import_items(
    stage: Stage,
    path: Path,
    columns: Mapping[str, str],
    *,
    actor: Actor,
    round: int,
    name: str,
    skill: str = "",
) -> Found:
    """Save the file's items in the round that a person has looked at. They wait for a verdict.

    columns: field of an item -> column of the file; see `exports.mapping`. Raises
    `ImportRefused` where any row is wrong: then nothing is saved. Two at once stand in line.
    """
    found = Found()
    # Read and checked before the run is held, so that workers need not wait for it.
    items = list(_items(stage, path, columns, skill, found))
    if found.n_faults:
        rows = "1 row is" if found.n_faults == 1 else f"{found.n_faults} rows are"
        raise ImportRefused(f"Nothing was imported: {rows} wrong. {found.faults[0]}")
    if not found.n:
        raise ImportRefused("Nothing was imported: the file has no rows.")
    evidence = {
        "round": round,
        "file": name[:200],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "columns": dict(columns),
        "skills": dict(found.by_skill),
        "flagged": found.flagged,
        "leaks": found.leaks,
    }
    _save(stage, items, actor=actor, round=round, evidence=evidence)
    return found


@transaction.atomic
def _save(
    stage: Stage, items: list[Item], *, actor: Actor, round: int, evidence: dict[str, Any]
) -> None:
    require(stage.run, RunStatus.TEACHING, what="Items can be imported")
    now = Stage.objects.get(pk=stage.pk)
    if now.round != round:
        raise Overtaken("This stage")
    if now.status != StageStatus.REVIEWING:
        status = now.get_status_display()
        raise WrongMoment("Items can be imported", "stage is “in review”", status)
    there = set(now.items.filter(round=round).values_list("key", flat=True))
    if any(item.key in there for item in items):
        raise ImportRefused("Nothing was imported: somebody else has just imported the same.")
    for item in items:
        item.author = actor.user
    Item.objects.bulk_create(items, batch_size=SAVED_AT_ONCE)
    audit.write(
        now.run,
        actor=actor,
        action="items.imported",
        subject=now,
        became={"n": len(items)},
        evidence=evidence,
    )


def _items(
    stage: Stage, path: Path, columns: Mapping[str, str], skill: str, found: Found
) -> Iterator[Item]:
    """Items one after another, counted in `found`, where faults are told."""
    if unknown := columns.keys() - FIELDS.keys():
        raise ImportRefused(f"An item has no field “{min(unknown)}”.")
    taught = Skill.objects.filter(stage_skills__stage=stage, status=SkillStatus.ACTIVE)
    skills = {s.key: s for s in taught}
    there = dict(stage.items.filter(round=stage.round).values_list("key", "pk"))
    places: dict[str, str] = {}
    importer = engine.Importer(stage)
    for place, record in records(path):
        words = record if isinstance(record, str) else words_of(record, columns, skill=skill)
        if isinstance(words, str):
            found.fault(place, words)
            continue
        if words.skill not in skills:
            named = f"the skill “{words.skill[:40]}”" if words.skill else "no skill"
            known = ", ".join(sorted(skills))
            found.fault(place, f"it names {named}, and this stage teaches {known}")
            continue
        try:
            item = importer.item(
                skills[words.skill],
                question=words.question,
                solution=words.solution,
                answer=words.answer,
                level=words.level,
            )
        except ValueError as exc:
            found.fault(place, str(exc))
            continue
        if item.key in places:
            found.fault(place, f"it asks the same as {places[item.key]}")
            continue
        if item.key in there:
            found.fault(place, "its question was imported into this round before")
            continue
        places[item.key] = place
        found.n += 1
        found.flagged += item.is_flagged
        found.leaks += item.is_leak
        found.by_skill[words.skill] += 1
        yield item
