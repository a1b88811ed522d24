"""Why an item exists and what a checkpoint was made of: told whole, and as W3C PROV-JSON."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version

import pytest
from django.utils import timezone
from prov.model import ProvDocument

from curriculum import engine
from curriculum.engine import made_with
from curriculum.models import Checkpoint, Item, Snapshot, TeacherCall
from curriculum.services import audit, items, stages
from curriculum.services.audit import Actor
from curriculum.views import prov, provenance_reads
from distill.settings import LoraSettings
from tests.factories import (
    AnswerFactory,
    ApproverFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    ProbeFactory,
    RunFactory,
    StageFactory,
)
from tests.web.api_calls import bearer

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def ada():
    return Actor.person(ApproverFactory(first_name="Ada", last_name=""))


@pytest.fixture
def item(ada):
    """An item with all that can stand behind it: by a model, edited, approved, trained on."""
    stage = StageFactory(reviewing=True, skills=["A2"])
    run, skill = stage.run, stage.stage_skills.get().skill
    base = CheckpointFactory(run=run)
    audit.write(
        run,
        actor=ada,
        action="run.reviewing_curriculum",
        subject=run,
        evidence={"skills": {"A2": {"gap": 0.7, "gap_low": 0.6, "gap_high": 0.8, "severity": 0.5}}},
    )
    probe = ProbeFactory(skill=skill, question="What is 3 + 2?", reference="5")
    AnswerFactory(probe=probe, checkpoint=base, text="6", grade=0)
    AnswerFactory(probe=probe, text="5")
    call = TeacherCall.objects.create(
        run=run,
        stage=stage,
        round=0,
        skill=skill,
        key="k",
        purpose="write",
        teacher="openai:big",
        prompt="Write one item.",
        prompt_version="author@3",
        temperature=0.7,
        seed=11,
        max_tokens=900,
        reply=HOSTILE,
    )
    item = ItemFactory(
        stage=stage,
        skill=skill,
        call=call,
        origin="openai:big",
        question="What is 1 + 1?",
        checks=[{"id": "answer", "version": 2, "passed": True, "detail": ""}],
    )
    items.edit(item, actor=ada, version=1, question="What is 2 + 2?", solution="Add two. Answer: 4")
    item.refresh_from_db()
    if item.verdict == "":
        items.approve(item, actor=ada, version=2)
    stages.train(stage, actor=ada, round=0)
    made = Checkpoint(
        run=run, parent=base, stage=stage, round=0, snapshot=Snapshot.objects.get(), folder="x"
    )
    made.content_hash, made.made_with = "c" * 64, {"ioa": "0.1.0", "packages": {"torch": "2"}}
    made.save()
    stage.refresh_from_db()
    stages.trained(stage, actor=Actor.worker(), checkpoint=made)
    GateFactory(
        stage=stage,
        round=0,
        checkpoint=made,
        decision="waive",
        decided_by=ada.user,
        decided_as="person",
        decided_at=timezone.now(),
        reason="Good enough.",
    )
    return Item.objects.select_related("stage__run", "skill", "call").get(pk=item.pk)


@pytest.fixture
def made(item):
    return Checkpoint.objects.select_related("run", "stage", "snapshot__stage").get(
        round=0, folder="x"
    )


def test_an_item_says_the_gap_the_errors_the_request_and_all_that_followed(item):
    said = provenance_reads.of_item(item)

    assert said["skill"]["key"] == "A2"
    assert said["gap"]["measured"]["gap"] == 0.7
    assert said["gap"]["signed"]["by"]["name"] == "Ada"
    wrong = said["wrong_answers"]
    assert (wrong["asked"], wrong["wrong"]) == (1, 1)
    assert (wrong["answers"][0]["text"], wrong["answers"][0]["teacher"]) == ("6", "5")
    assert said["request"]["prompt_version"] == "author@3"
    assert (said["request"]["seed"], said["request"]["reply"]) == (11, HOSTILE)
    assert {check["id"] for check in said["checks"]}
    assert [(v["version"], v["by"]["name"]) for v in said["versions"]] == [
        (1, "openai:big"),
        (2, "Ada"),
    ]
    assert said["versions"][0]["question"] == "What is 1 + 1?"
    assert said["reviews"][-1]["verdict"] == "approved"
    assert said["snapshots"][0]["version"] == 2
    assert [row["name"] for row in said["checkpoints"]] == ["s1r0"]


def test_what_was_measured_after_an_item_was_written_did_not_cause_it(item):
    long_ago = timezone.now() - timedelta(days=9)
    Item.objects.filter(pk=item.pk).update(created_at=long_ago)
    item.refresh_from_db()

    said = provenance_reads.of_item(item)

    assert said["gap"] == {"measured": None, "signed": None, "student": None, "gate_before": None}
    assert said["wrong_answers"]["answers"] == []


def test_an_item_with_nothing_behind_it_is_told_as_well(client, viewer):
    item = ItemFactory()

    page = client.get(f"/items/{item.pk}/provenance/").text

    assert "No request to a language model" in page
    assert "nothing was trained on it" in page


def test_a_checkpoint_says_its_parents_its_snapshot_its_tools_and_who_signed(made):
    said = provenance_reads.of_checkpoint(made)

    assert (said["base_model"], said["name"]) == (made.run.student, "s1r0")
    assert [row["name"] for row in said["parents"]] == ["base"]
    assert said["snapshot"]["content_hash"] == made.snapshot.content_hash
    assert said["made_with"]["packages"] == {"torch": "2"}
    gate = said["gates"][0]
    assert (gate["decision"], gate["by"], gate["reason"]) == (
        "waive",
        {"kind": "person", "id": made.gates.get().decided_by_id, "name": "Ada"},
        "Good enough.",
    )
    assert "stage.frozen" in [entry["action"] for entry in said["decisions"]]


@pytest.mark.parametrize("kind", ["item", "checkpoint"])
def test_the_page_shows_what_models_and_people_said_as_text(client, viewer, item, made, kind):
    url = f"/{kind}s/{item.pk if kind == 'item' else made.pk}/provenance/"

    page = client.get(url)

    assert page.status_code == 200
    assert HOSTILE not in page.text
    assert client.get(url, {"format": "json"}).json()["kind"] == kind
    client.logout()
    assert client.get(url).url == f"/login/?next={url}"


@pytest.mark.parametrize("kind", ["item", "checkpoint"])
def test_programs_are_told_what_the_page_says(client, viewer, item, made, kind):
    at = f"/{kind}s/{item.pk if kind == 'item' else made.pk}/provenance"
    headers = bearer(viewer, "read")

    for form, format in (("plain", "json"), ("prov", "prov")):
        told = client.get(f"/api/v1{at}", {"form": form}, headers=headers).json()
        assert told == client.get(f"{at}/", {"format": format}).json()
        assert told


def test_review_and_the_run_lead_to_it(client, viewer, item, made):
    review = f"/stages/{item.stage_id}/review/?verdict=all&item={item.pk}"

    assert f'"/items/{item.pk}/provenance/"' in client.get(review).text
    run = client.get(f"/runs/{made.run_id}/").text
    assert f'"/checkpoints/{made.pk}/provenance/"' in run


# --- PROV-JSON --------------------------------------------------------------------------------

ENDS = {
    "used": {"prov:activity": "activity", "prov:entity": "entity"},
    "wasGeneratedBy": {"prov:entity": "entity", "prov:activity": "activity"},
    "wasDerivedFrom": {"prov:generatedEntity": "entity", "prov:usedEntity": "entity"},
    "wasAttributedTo": {"prov:entity": "entity", "prov:agent": "agent"},
    "wasAssociatedWith": {"prov:activity": "activity", "prov:agent": "agent"},
}


@pytest.fixture(params=["item", "checkpoint"])
def document(request, item, made, client, viewer):
    pk = item.pk if request.param == "item" else made.pk
    return client.get(f"/{request.param}s/{pk}/provenance/", {"format": "prov"}).json()


def test_each_relation_of_the_prov_document_joins_two_records_that_are_there(document):
    assert set(document) == {"prefix", "entity", "activity", "agent", *ENDS} - (
        {"wasAttributedTo"} - set(document)
    )
    for relation, ends in ENDS.items():
        for record in document.get(relation, {}).values():
            assert record.keys() == ends.keys()
            for end, kind in ends.items():
                assert record[end] in document[kind], (relation, record)


def test_another_implementation_reads_the_prov_document_and_finds_no_fewer_records(document):
    import json

    read = ProvDocument.deserialize(content=json.dumps(document), format="json")

    ours = sum(len(records) for kind, records in document.items() if kind != "prefix")
    assert len(read.get_records()) == ours


def test_a_way_leads_from_the_checkpoint_back_to_the_gap(item):
    document = prov.of_item(provenance_reads.of_item(item))
    sources: dict[str, set[str]] = {}
    for kind, to, back in (
        ("wasDerivedFrom", "prov:generatedEntity", "prov:usedEntity"),
        ("wasGeneratedBy", "prov:entity", "prov:activity"),
        ("used", "prov:activity", "prov:entity"),
    ):
        for record in document[kind].values():
            sources.setdefault(record[to], set()).add(record[back])
    start = next(name for name in document["entity"] if name.endswith(f"checkpoint/{_last(item)}"))
    found, fresh = set(), {start}
    while fresh:
        found |= fresh
        fresh = {back for name in fresh for back in sources.get(name, ())} - found

    assert f"ioa:item/{item.pk}/gap" in found
    assert f"ioa:call/{item.call_id}/prompt" in found


def _last(item):
    return Checkpoint.objects.filter(run=item.stage.run).latest("pk").pk


# --- What is recorded for it ------------------------------------------------------------------


def test_a_training_writes_down_what_it_was_made_with():
    run = RunFactory(seed=5)

    said = made_with.made_with(run, LoraSettings(rank=3, learning_rate=2e-4))

    assert said["packages"]["torch"] == version("torch")
    assert {"transformers", "peft", "trl"} <= said["packages"].keys()
    assert (said["seed"], said["lora"]["rank"], said["lora"]["learning_rate"]) == (5, 3, 2e-4)
    assert said["ioa"] == version("ioa")


def test_the_same_items_in_the_same_order_have_the_same_hash_and_in_another_order_another(
    monkeypatch,
):
    def frozen(order):
        stage = StageFactory(reviewing=True, skills=["A2"])
        for key, n in (("a", 1), ("b", 2), ("c", 3)):
            ItemFactory(stage=stage, key=key, question=f"What is {n} + 1?", approved=True)
        monkeypatch.setattr(
            engine, "mixture", lambda stage, approved: [(approved[i], False) for i in order]
        )
        return stages._freeze(stage, list(stage.items.order_by("key"))).content_hash

    assert frozen([0, 1, 2]) == frozen([0, 1, 2])
    assert frozen([0, 1, 2]) != frozen([2, 1, 0])
    # Kept with snapshots and outside of this program: another recipe would need another name.
    assert frozen([0, 1, 2]).startswith("21c3e3cc414e0007")
