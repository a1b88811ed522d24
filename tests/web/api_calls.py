"""Every operation of the API, with a situation in which it works: tests walk this table."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from curriculum.access import Role
from curriculum.api.gates import hash_of
from curriculum.api.root import as_text
from curriculum.models import ReviewAction, Tag
from curriculum.services import tokens
from curriculum.services.audit import Actor
from curriculum.services.tokens import SCOPES
from tests.factories import (
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
    diagnosed_run,
)
from tests.web import api_words as told
from tests.web.api_words import EXAMPLE, Situation
from tests.web.writes import planned_run

API = "/api/v1"
DOCUMENT = json.loads(as_text())
RUN = {"name": "Sums", "domain": "foundations", "teacher": "procedural", "student": "simulated"}


@dataclass(frozen=True)
class Call:
    """`needs`: the role in the run. `has_run`: who may not see the run gets 404. `of_house`: who
    has no role in the installation gets 403.
    """

    name: str
    make: Callable[[], Situation]
    needs: Role = Role.VIEWER
    has_run: bool = True
    is_list: bool = False
    of_house: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def where(self) -> tuple[str, str, dict[str, Any]]:
        """Method, path and what the document says."""
        for path, operations in DOCUMENT["paths"].items():
            for method, operation in operations.items():
                if operation["operationId"] == self.name:
                    return method, path, operation
        raise AssertionError(f"{self.name} is not in the document")

    @property
    def writes(self) -> bool:
        return self.where[0] != "get"

    @property
    def scope(self) -> str:
        return str(self.where[2]["x-scope"])

    def arrange(self) -> Callable[..., Any]:
        """Make the rows; what is given sends the request, as often as it is called."""
        method, path, _ = self.where
        numbers, said = self.make()

        def send(client: Client, **headers: str) -> Any:
            body: Any = said
            options: dict[str, Any] = {}
            if said is not None and "file" not in said:
                body, options = json.dumps(said), {"content_type": "application/json"}
            elif said is not None:
                form = {"as": "items.jsonl", **said}
                name, content = form.pop("as"), said["file"].encode()
                body = {**form, "file": SimpleUploadedFile(name, content)}
            return getattr(client, method)(path.format(**numbers), body, headers=headers, **options)

        return send


def token_of(user: Any, *scopes: str) -> str:
    """The words of a new token of theirs, with these scopes, or all."""
    name = uuid.uuid4().hex
    _, words = tokens.make(
        user, actor=Actor.person(user), name=name, scopes=scopes or tuple(SCOPES)
    )
    return words


def bearer(user: Any, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(user, *scopes)}"}


def _run(said: dict[str, Any] | None = None, **traits: Any) -> Situation:
    run = RunFactory(**traits)
    CheckpointFactory(run=run)
    return {"run_id": run.pk}, said


def _stage(said: dict[str, Any] | None = None, **traits: Any) -> Situation:
    return {"stage_id": StageFactory(**traits).pk}, said


def _items(said: dict[str, Any] | None = None, **traits: Any) -> Situation:
    return {"stage_id": ItemFactory(**traits).stage_id}, said


def _item(said: dict[str, Any] | None = None, **traits: Any) -> Situation:
    return {"item_id": ItemFactory(**traits).pk}, said


def _sum(said: dict[str, Any]) -> Situation:
    return _item(said, skill__key="A1", stage__skills=["A1"])


def _tagged() -> Situation:
    item = ItemFactory()
    action = ReviewAction.objects.create(stage=item.stage, round=0, kind="tagged", n=1)
    Tag.objects.create(item=item, word="odd", action=action)
    return {"item_id": item.pk}, {"word": "odd"}


def _new_item() -> Situation:
    said = {"round": 0, "skill": "A1", "question": "What is 1 + 1?", "solution": "Answer: 2"}
    return _stage({**said, "answer": "2"}, reviewing=True, skills=["A1"])


def _file() -> Situation:
    line = json.dumps({"question": "What is 3 + 4?", "answer": "7"})
    return _stage({"file": line, "round": 0, "skill": "A1"}, reviewing=True, skills=["A1"])


def _on_diagnosis(said: dict[str, Any] | None = None) -> Situation:
    return {"run_id": diagnosed_run().pk}, said


def _skill(said: dict[str, Any], **traits: Any) -> Situation:
    run = RunFactory(reviewing_diagnosis=True)
    return {"skill_id": SkillFactory(run=run, **traits).pk}, said


def _edge(said: dict[str, Any]) -> Situation:
    run = RunFactory(reviewing_diagnosis=True)
    return {"prerequisite_id": PrerequisiteFactory(run=run).pk}, said


def _move() -> Situation:
    run = planned_run()
    last = run.stages.last()
    return {"run_id": run.pk}, {"skill": "A2", "stage_id": last.pk}


def _order() -> Situation:
    run = planned_run()
    order = list(run.stages.values_list("pk", flat=True))
    return {"run_id": run.pk}, {"stages": order[::-1]}


def _split() -> Situation:
    return {"stage_id": planned_run().stages.first().pk}, {"skills": ["A2"]}


def _merge() -> Situation:
    first, last = planned_run().stages.all()
    return {"stage_id": last.pk}, {"into": first.pk}


def _domain() -> Situation:
    probes = [{"question": f"Half of {2 * n}?", "reference": str(n)} for n in range(1, 5)]
    skill = {"id": "H1", "title": "Halve", "probes": probes}
    whole = {"title": "Halves", "skills": [skill]}
    return {}, {"file": json.dumps(whole), "as": "halves.yaml", "name": f"h{uuid.uuid4().hex[:9]}"}


def gate_to_decide(decision: str, **traits: Any) -> Situation:
    gate = GateFactory(**traits)
    said = {"decision": decision, "evidence_hash": hash_of(gate), "reason": "Seen."}
    return {"gate_id": gate.pk}, said


def _job(**traits: Any) -> Situation:
    return {"job_id": JobFactory(**traits).pk}, None


def _checkpoint() -> Situation:
    return {"checkpoint_id": CheckpointFactory().pk}, None


CALLS = [
    Call("me", lambda: ({}, None), has_run=False),
    Call("list_policies", lambda: ({}, None), has_run=False),
    Call("list_domains", lambda: ({}, None), has_run=False, of_house=True),
    Call("add_domain", _domain, Role.APPROVER, has_run=False),
    # runs
    Call("list_runs", lambda: ({}, None), has_run=False, is_list=True),
    Call("create_run", lambda: ({}, RUN), Role.REVIEWER, has_run=False),
    Call("get_run", _run),
    Call("diagnose_run", _run, Role.REVIEWER),
    Call("sign_diagnosis", lambda: ({"run_id": diagnosed_run().pk}, {}), Role.APPROVER),
    Call("sign_curriculum", lambda: ({"run_id": planned_run().pk}, {}), Role.APPROVER),
    Call("set_autonomy", lambda: _run({"autonomy": "only_gates"}), Role.APPROVER),
    Call("set_two_people", lambda: _run({"on": True}), Role.APPROVER),
    Call(
        "conclude_run",
        lambda: ({"run_id": StageFactory(mastered=True).run_id}, {"reason": "enough"}),
        Role.APPROVER,
    ),
    Call("stop_run", lambda: _run({"reason": "enough"}), Role.APPROVER),
    Call("archive_run", _run, Role.REVIEWER),
    Call("unarchive_run", lambda: _run(archived_at="2026-01-01T00:00:00Z"), Role.REVIEWER),
    Call("list_skills", _run, is_list=True),
    Call("list_prerequisites", _run, is_list=True),
    Call("list_stages", _run),
    # what is changed before it is taught
    Call("raise_budget", lambda: _run({"items": 5000}), Role.APPROVER),
    Call("probe_more", lambda: _on_diagnosis({"width": 0.05, "skills": ["A2"]}), Role.REVIEWER),
    Call("reopen_diagnosis", lambda: ({"run_id": planned_run().pk}, None), Role.REVIEWER),
    Call("edit_skill", lambda: _skill({"title": "Halve"}), Role.REVIEWER),
    Call("retire_skill", lambda: _skill({"note": "Too easy."}), Role.REVIEWER),
    Call("restore_skill", lambda: _skill({}, status="retired"), Role.REVIEWER),
    # what a teacher is asked with
    Call("get_examples", told.shown),
    Call("set_examples", lambda: told.shown({"examples": [EXAMPLE]}), Role.APPROVER),
    Call("try_examples", lambda: told.shown({}), Role.APPROVER),
    Call("tried_examples", told.tried),
    Call("get_prompts", told.template),
    Call("get_prompt_version", lambda: told.template(number=1)),
    Call("change_prompt", lambda: told.template({"source": "Slow.", "seen": 1}), Role.APPROVER),
    Call("roll_back_prompt", lambda: told.template({"number": 0, "seen": 1}), Role.APPROVER),
    Call("try_prompt", lambda: told.template({}), Role.APPROVER),
    Call("tried_prompt", told.tried_template),
    # what builds on what, and when it is taught
    Call(
        "add_prerequisite",
        lambda: _on_diagnosis({"source": "A1", "target": "A2", "reason": "It carries."}),
        Role.REVIEWER,
    ),
    Call("confirm_prerequisite", lambda: _edge({}), Role.REVIEWER),
    Call("refuse_prerequisite", lambda: _edge({"reason": "Not so."}), Role.REVIEWER),
    Call("replan_run", lambda: ({"run_id": planned_run().pk}, None), Role.REVIEWER),
    Call("move_skill", _move, Role.REVIEWER),
    Call("reorder_stages", _order, Role.REVIEWER),
    Call("split_stage", _split, Role.REVIEWER),
    Call("merge_stage", _merge, Role.REVIEWER),
    # stages
    Call("get_stage", _stage),
    Call("open_stage", _stage, Role.REVIEWER),
    Call("train_stage", lambda: _items({"round": 0}, approved=True), Role.APPROVER),
    Call(
        "roll_back_stage",
        lambda: _stage({"round": 0, "reason": "Wrong prompt."}, reviewing=True),
        Role.APPROVER,
    ),
    # items
    Call("list_items", _items, is_list=True),
    Call("write_item", _new_item, Role.REVIEWER),
    Call("get_item", _item),
    Call("edit_item", lambda: _sum({"question": "What is 2 + 2?"}), Role.REVIEWER),
    Call("approve_item", lambda: _item({"version": 1}), Role.REVIEWER),
    Call("reject_item", lambda: _item({"version": 1, "reason": "no"}), Role.REVIEWER),
    Call("undo_item", lambda: _item({"version": 1}, approved=True), Role.REVIEWER),
    Call("tag_item", lambda: _item({"word": "Odd  one"}), Role.REVIEWER),
    Call("untag_item", _tagged, Role.REVIEWER),
    Call("approve_all", lambda: _items({"round": 0}), Role.REVIEWER),
    Call("reject_all", lambda: _items({"round": 0, "reason": "no"}), Role.REVIEWER),
    Call("reject_flagged", lambda: _items({"round": 0}, flagged=True), Role.REVIEWER),
    # gates
    Call("list_gates", lambda: ({"stage_id": GateFactory().stage_id}, None)),
    Call("get_gate", lambda: ({"gate_id": GateFactory().pk}, None)),
    Call("decide_gate", lambda: gate_to_decide("waive"), Role.APPROVER),
    # jobs
    Call("list_jobs", lambda: ({}, None), has_run=False, is_list=True),
    Call("get_job", _job),
    Call("cancel_job", lambda: _job(running=True), Role.REVIEWER),
    Call("retry_job", lambda: _job(failed=True), Role.REVIEWER),
    # records
    Call("list_checkpoints", _run, is_list=True),
    Call("get_checkpoint", _checkpoint),
    Call("get_checkpoint_provenance", _checkpoint),
    Call("get_item_provenance", _item),
    Call("list_scores", _run, is_list=True),
    Call("list_audit", _run, is_list=True),
    Call("verify_audit", _run),
    Call("list_house_audit", lambda: ({}, None), Role.ADMIN, has_run=False, is_list=True),
    Call("verify_house_audit", lambda: ({}, None), Role.ADMIN, has_run=False),
    # out and in
    Call("export_items", _run),
    Call("export_audit", _run),
    Call("import_items", _file, Role.REVIEWER),
]
# Only who did something may undo it: tests/web/test_api_items.py.
ELSEWHERE = {"undo_act"}
