"""Provenance as W3C PROV-JSON (Huynh et al., "The PROV-JSON Serialization", W3C submission 2013).

Pure: from what `provenance_reads` gives. Names are of the prefix `ioa`, e.g. ioa:item/12/v1.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

NAMESPACE = "urn:ioa:"
Json = dict[str, Any]


class Document:
    """Collects records by kind. A name that is given twice is the same thing."""

    def __init__(self) -> None:
        self._records: dict[str, Json] = defaultdict(dict)

    def entity(self, name: str, label: str, **attributes: Any) -> str:
        return self._thing("entity", name, label, attributes)

    def activity(self, name: str, label: str, *, end: str = "", **attributes: Any) -> str:
        return self._thing("activity", name, label, {**attributes, "prov:endTime": end or None})

    def agent(self, who: Json) -> str:
        """A person, or a program: a teacher, a rule of policy, a worker."""
        is_person = who["kind"] == "person"
        name = f"person/{who['id']}" if who["id"] else f"{who['kind']}/{who['name']}"
        kind = {"$": "prov:Person" if is_person else "prov:SoftwareAgent", "type": QNAME}
        return self._thing("agent", name, who["name"], {"prov:type": kind})

    def relate(self, relation: str, **ends: str) -> None:
        """E.g. used: activity, entity. The names of the ends are those of PROV-JSON."""
        records = self._records[relation]
        said = {f"prov:{end}": name for end, name in ends.items() if name}
        if said not in records.values():
            records[f"_:{relation}{len(records) + 1}"] = said

    def json(self) -> Json:
        return {"prefix": {"ioa": NAMESPACE}, **{kind: r for kind, r in self._records.items() if r}}

    def _thing(self, kind: str, name: str, label: str, attributes: Json) -> str:
        key = f"ioa:{_local(name)}"
        said = {k: v for k, v in attributes.items() if v not in (None, "", [], {})}
        ours = {k if ":" in k else f"ioa:{k}": _value(v) for k, v in said.items()}
        self._records[kind].setdefault(key, {"prov:label": label, **ours})
        return key


QNAME = "prov:QUALIFIED_NAME"


def of_item(said: Json) -> Json:
    document = Document()
    item, skill = f"item/{said['id']}", said["skill"]
    gap = document.entity(
        f"{item}/gap",
        f"gap in {skill['key']} {skill['title']}",
        **(said["gap"]["measured"] or {}),
    )
    writing = document.activity(f"{item}/writing", "an item is written", end=said["written_at"])
    document.relate("used", activity=writing, entity=gap)
    wrong = said["wrong_answers"]
    for answer in wrong["answers"]:
        name = document.entity(
            f"answer/{answer['id']}",
            "a wrong answer",
            question=answer["question"],
            text=answer["text"],
            grade=answer["grade"],
        )
        student = document.entity(f"checkpoint/{wrong['checkpoint']}", "the student that answered")
        document.relate("wasDerivedFrom", generatedEntity=name, usedEntity=student)
        document.relate("wasDerivedFrom", generatedEntity=gap, usedEntity=name)
    if signed := said["gap"]["signed"]:
        document.relate("wasAttributedTo", entity=gap, agent=document.agent(signed["by"]))
    request = said["request"]
    if request:
        prompt = document.entity(
            f"call/{request['id']}/prompt",
            "the request to the teacher",
            text=request["prompt"],
            version=request["prompt_version"],
            temperature=request["temperature"],
            seed=request["seed"],
            max_tokens=request["max_tokens"],
        )
        reply = document.entity(
            f"call/{request['id']}/reply", "the teacher's reply", text=request["reply"]
        )
        document.relate("used", activity=writing, entity=prompt)
        document.relate("wasGeneratedBy", entity=reply, activity=writing)
        document.relate("wasDerivedFrom", generatedEntity=reply, usedEntity=prompt)
    versions: dict[int, str] = {}
    for row in said["versions"]:
        number = row["version"]
        name = document.entity(
            f"{item}/v{number}",
            f"version {number} of item {said['id']}",
            question=row["question"],
            solution=row["solution"],
        )
        by = document.agent(row["by"])
        made = writing
        if versions:
            made = document.activity(f"{item}/edit/{number}", "a person edits", end=row["at"])
            before = list(versions.values())[-1]
            document.relate("used", activity=made, entity=before)
            document.relate("wasDerivedFrom", generatedEntity=name, usedEntity=before)
        elif request:
            document.relate("wasDerivedFrom", generatedEntity=name, usedEntity=reply)
        document.relate("wasGeneratedBy", entity=name, activity=made)
        document.relate("wasAssociatedWith", activity=made, agent=by)
        document.relate("wasAttributedTo", entity=name, agent=by)
        versions[number] = name
    for review in said["reviews"]:
        name = document.activity(
            f"review/{review['id']}",
            f"review: {review['verdict']}",
            end=review["at"],
            reason=review["reason"],
        )
        if review["version"] in versions:
            document.relate("used", activity=name, entity=versions[review["version"]])
        document.relate("wasAssociatedWith", activity=name, agent=document.agent(review["by"]))
    for row in said["snapshots"]:
        name = _snapshot(document, row)
        if row["version"] in versions:
            used = versions[row["version"]]
            document.relate("wasDerivedFrom", generatedEntity=name, usedEntity=used)
    for row in said["checkpoints"]:
        _training(document, row)
    return document.json()


def of_checkpoint(said: Json) -> Json:
    document = Document()
    base = document.entity(f"model/{said['base_model']}", said["base_model"])
    if said["snapshot"]:
        _snapshot(document, said["snapshot"])
    for row in [said, *said["parents"]]:
        name, _ = _training(document, row, settings=said["made_with"] if row is said else None)
        if row["parent"] is None:
            document.relate("wasDerivedFrom", generatedEntity=name, usedEntity=base)
    own = _name(said)
    for gate in said["gates"]:
        evidence = document.entity(
            f"gate/{gate['id']}/evidence", "what the gate measured", evidence=gate["evidence"]
        )
        document.relate("wasDerivedFrom", generatedEntity=evidence, usedEntity=own)
        if gate["by"]:
            decision = document.activity(
                f"gate/{gate['id']}/decision",
                f"decision: {gate['decision']}",
                end=gate["at"] or "",
                reason=gate["reason"],
            )
            document.relate("used", activity=decision, entity=evidence)
            by = document.agent(gate["by"])
            document.relate("wasAssociatedWith", activity=decision, agent=by)
    for entry in said["decisions"]:
        if entry["action"] == "stage.training":
            by = document.agent(entry["by"])
            document.relate("wasAssociatedWith", activity=f"{own}/training", agent=by)
    return document.json()


def _training(document: Document, row: Json, settings: Json | None = None) -> tuple[str, str]:
    """A checkpoint and the training that made it; the base was not trained."""
    name = _name(row)
    document.entity(
        f"checkpoint/{row['id']}", f"checkpoint {row['name']}", sha256=row["content_hash"]
    )
    if row["parent"] is None:
        return name, ""
    training = document.activity(
        f"checkpoint/{row['id']}/training",
        f"training of {row['name']}",
        end=row["made_at"],
        made_with=settings,
    )
    parent = document.entity(f"checkpoint/{row['parent']}", f"checkpoint {row['parent']}")
    document.relate("wasGeneratedBy", entity=name, activity=training)
    document.relate("used", activity=training, entity=parent)
    document.relate("wasDerivedFrom", generatedEntity=name, usedEntity=parent)
    if row["snapshot_id"]:
        snapshot = document.entity(
            f"snapshot/{row['snapshot_id']}", "frozen items", sha256=row["snapshot_hash"]
        )
        document.relate("used", activity=training, entity=snapshot)
        document.relate("wasDerivedFrom", generatedEntity=name, usedEntity=snapshot)
    return name, training


def _snapshot(document: Document, row: Json) -> str:
    return document.entity(
        f"snapshot/{row['id']}", f"{row['items']} frozen items", sha256=row["content_hash"]
    )


def _name(row: Json) -> str:
    return f"ioa:checkpoint/{row['id']}"


def _local(name: str) -> str:
    """What may stand in the local part of a qualified name: other signs become their number."""
    return "".join(
        c if c.isascii() and (c.isalnum() or c in "/-._") else f"_{ord(c):x}_" for c in name
    )


def _value(value: Any) -> Any:
    """A value that PROV-JSON knows: text, number, truth, or one with its type."""
    if isinstance(value, dict) and "$" in value:
        return value
    if isinstance(value, str | bool | int | float):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
