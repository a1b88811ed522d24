from __future__ import annotations

import json

import pytest

from curriculum.errors import (
    BadDomain,
    BadModel,
    BadSettings,
    EmptyWords,
)
from curriculum.models import AuditEntry, Checkpoint, Evidence, Job, Run
from curriculum.services import runs
from curriculum.states import RunStatus

pytestmark = pytest.mark.django_db
GIVEN = {
    "name": "Sums",
    "domain": "foundations",
    "teacher": "procedural",
    "student": "simulated",
    "skills": ["A1", "A2", "A3"],
}


def test_a_new_run_holds_the_domain_and_the_untaught_student(approver):
    run = runs.create(actor=approver, **GIVEN, seed=7)

    assert (run.status, run.seed, run.created_by) == (RunStatus.DRAFT, 7, approver.user)
    assert [skill.key for skill in run.skills.all()] == ["A1", "A2", "A3"]
    assert {str(edge) for edge in run.prerequisites.all()} == {"A1 → A2", "A2 → A3"}
    assert set(Evidence.objects.values_list("kind", "strength")) == {("declared", 1.0)}
    base = Checkpoint.objects.get()
    assert (base.is_current, base.parent, base.folder) == (True, None, "")
    assert AuditEntry.objects.get().became["skills"] == ["A1", "A2", "A3"]
    assert not Job.objects.exists()


def test_settings_of_a_run_are_complete_and_keep_what_was_chosen(approver):
    chosen = {"budget": {"items": 120, "rounds_cap": 2}}

    run = runs.create(actor=approver, **GIVEN, settings=chosen)

    assert run.settings["budget"]["items"] == 120
    assert run.settings["thresholds"]["mastery"] == 0.9


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"name": "  "}, EmptyWords, "name may not be empty"),
        ({"domain": "no-such-domain"}, BadDomain, "no-such-domain"),
        ({"skills": ["A1", "Z9"]}, BadDomain, "Z9"),
        ({"student": "no-such-student"}, BadModel, "no-such-student"),
        ({"student": "../../etc"}, BadModel, "not a model"),
        ({"teacher": "no-such-teacher"}, BadModel, "no-such-teacher"),
        ({"settings": {"thresholds": {"mastery": 3}}}, BadSettings, "mastery"),
        ({"settings": {"budgets": {}}}, BadSettings, "budgets"),
        ({"autonomy": "some"}, BadSettings, "every_gate"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence_and_leaves_nothing(
    approver, changes, error, words
):
    with pytest.raises(error, match=words) as caught:
        runs.create(actor=approver, **{**GIVEN, **changes})

    assert caught.value.http_status == 422
    assert str(caught.value).endswith(".")
    assert not Run.objects.exists()


def test_a_teacher_that_has_nothing_to_write_from_is_refused_at_once(approver, settings, tmp_path):
    settings.IOA_HOME = tmp_path
    (tmp_path / "domains").mkdir()
    probes = [
        {"skill": skill, "split": split, "question": f"{skill} {split}?", "reference": "1"}
        for skill in ("B", "C")
        for split in ("diagnose", "gate", "final")
    ]
    item = {"skill": "B", "question": "B?", "answer": "1"}
    lines = [{"domain": "few", "title": "Few"}, {"id": "B"}, {"id": "C"}, *probes, item]
    words = "".join(f"{json.dumps(line)}\n" for line in lines)
    (tmp_path / "domains" / "few.jsonl").write_text(words)
    given = GIVEN | {"domain": "domains/few.jsonl"}

    with pytest.raises(BadModel, match="Nothing can be written for C: "):
        runs.create(actor=approver, **given | {"skills": ["B", "C"]})
    assert not Run.objects.exists()
    runs.create(actor=approver, **given | {"skills": ["B"]})
