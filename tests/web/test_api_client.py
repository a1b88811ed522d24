"""The client, over a socket, against the whole application: a small run from draft to report."""

from __future__ import annotations

import json
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections

from curriculum.models import AuditEntry, Run
from curriculum.services import audit, tokens
from curriculum.services.audit import Actor
from curriculum.services.tokens import SCOPES
from distill.remote import ApiError, Client, NotInTime
from tests.curriculum import small
from tests.curriculum.test_domains import YAML as HALVES
from tests.factories import ApproverFactory, PrerequisiteFactory, diagnosed_run
from tests.web.writes import planned_run

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class Silent(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(kept_open):
    """The application on a port. Its thread shares the connection of the test, in turn."""
    ours = connections["default"]
    server = make_server("127.0.0.1", 0, get_wsgi_application(), WSGIServer, Silent)

    def serve():
        connections["default"] = ours
        server.serve_forever(poll_interval=0.02)

    ours.inc_thread_sharing()
    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    ours.dec_thread_sharing()


@pytest.fixture
def ada(db):
    return ApproverFactory(first_name="Ada", last_name="")


@pytest.fixture
def ioa(served, ada, settings, tmp_path):
    settings.IOA_HOME = tmp_path
    _, words = tokens.make(ada, actor=Actor.person(ada), name="ci-bot", scopes=SCOPES)
    with Client(served, words, tries=1) as client:
        yield client


def work(run):
    """As a worker would, until nothing is queued."""
    while Run.objects.get(pk=run["id"]).jobs.filter(status="queued").exists():
        small.work(Run.objects.get(pk=run["id"]))


def draft(ioa):
    chosen = {
        "budget": {"items_per_round": small.ITEMS},
        "lora": {"batch_size": 4},
        "probing": dict.fromkeys(
            ("diagnose_probes", "gate_probes", "gate_probes_cap", "final_probes"), small.PROBES
        ),
    }
    return ioa.create_run(
        name="Sums",
        domain="foundations",
        teacher="procedural",
        student="simulated",
        skills=["A2"],
        settings=chosen,
    )


def test_a_whole_run_by_the_client(ioa, ada, tmp_path):
    run = draft(ioa)
    assert [found["id"] for found in ioa.runs()] == [run["id"]]
    ioa.act(run["id"], "diagnose")
    [job] = ioa.jobs(run=run["id"])
    with pytest.raises(NotInTime, match="queued after 0 s"):
        ioa.wait(job["id"], seconds=0)
    work(run)
    assert ioa.wait(job["id"], seconds=5)["status"] == "succeeded"
    ioa.act(run["id"], "sign-diagnosis", note="as expected")
    ioa.act(run["id"], "sign-curriculum")
    [stage] = ioa.stages(run["id"])
    ioa.open_stage(stage["id"])
    work(run)

    first, *_ = waiting = list(ioa.items(stage["id"], verdict="waiting", limit=5))
    assert len(waiting) == len({item["id"] for item in waiting})
    _, etag = ioa.item(first["id"])
    changed, new = ioa.edit(first["id"], etag=etag, solution=first["solution"] + " Done.")
    assert (changed["version"], new != etag) == (2, True)
    with pytest.raises(ApiError, match="changed since") as lost:
        ioa.edit(first["id"], etag=etag, solution="Answer: 1")
    assert lost.value.status == 412
    ioa.reject(first["id"], version=2, reason="unclear")
    act = ioa.approve_all(stage["id"], round=0, checks="passed")
    assert act["n"] > 0
    for item in ioa.items(stage["id"], verdict="waiting"):
        ioa.reject(item["id"], version=item["version"], reason="flagged")
    ioa.train(stage["id"], round=0)
    work(run)

    gate = ioa.gate(stage["id"])
    decision = "advance" if gate["allows_advance"] else "waive"
    decided = ioa.decide(gate, decision, reason="good enough")
    assert (decided["decision"], decided["decided_by"]) == (decision, "Ada")
    with pytest.raises(ApiError, match="has been decided") as late:
        ioa.decide(gate, "waive", reason="again")
    assert (late.value.status, late.value.problem["now"]["decision"]) == (409, decision)
    work(run)

    assert ioa.run(run["id"])["status"] == "finished"
    n = ioa.export_items(run["id"], tmp_path / "items.jsonl")
    lines = (tmp_path / "items.jsonl").read_text().splitlines()
    assert n == (tmp_path / "items.jsonl").stat().st_size
    assert len(lines) == act["n"]
    assert json.loads(lines[0])["messages"][0]["role"] == "user"
    assert ioa.verify_audit(run["id"])["is_whole"]
    assert [path.name for path in tmp_path.glob("*.part")] == []
    theirs = AuditEntry.objects.filter(run=run["id"], actor=ada)
    assert {entry.actor_name for entry in theirs} == {"Ada (by token ci-bot)"}
    assert all(entry.request_id for entry in theirs)
    audit.verify(Run.objects.get(pk=run["id"]))


def test_items_of_a_file_come_in_once_however_often_it_is_sent(ioa, tmp_path, ada):
    stage = small.reviewing(Actor.person(ada))
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps({"question": "What is 41 + 27?", "answer": "68"}) + "\n")

    found = ioa.import_items(stage.pk, file, round=0, skill="A2")

    assert found["n"] == 1
    with pytest.raises(ApiError, match="imported into this round before"):
        ioa.import_items(stage.pk, file, round=0, skill="A2")


def test_a_refused_export_leaves_no_file(ioa, tmp_path):
    with pytest.raises(ApiError, match="no such run"):
        ioa.export_items(12345, tmp_path / "items.jsonl")

    assert list(tmp_path.glob("*items*")) == []


def test_a_run_is_changed_before_it_is_taught(ioa):
    run = diagnosed_run()
    edge = ioa.post(f"/runs/{run.pk}/prerequisites", {"source": "A1", "target": "A2"})

    with pytest.raises(ApiError, match="A2 → A1"):
        ioa.post(f"/runs/{run.pk}/prerequisites", {"source": "A2", "target": "A1"})
    refused = ioa.post(f"/prerequisites/{edge['id']}/refuse", {"reason": "No carry in it."})
    with pytest.raises(ApiError, match="This run has no skill “Z9”"):
        ioa.post(f"/runs/{run.pk}/probe", {"width": 0.1, "skills": ["Z9"]})
    richer = ioa.act(run.pk, "budget", items=5000)

    assert (edge["is_active"], refused["is_active"]) == (True, False)
    assert richer["audit_sequence"] == run.audit_sequence + 3
    assert ioa.run(run.pk)["settings"]["budget"]["items"] == 5000


def test_words_of_a_skill_that_are_not_said_stay(ioa):
    skill = diagnosed_run().skills.first()
    skill.statement = "Adds two numbers of one digit."
    skill.save()

    titled = ioa.post(f"/skills/{skill.pk}/edit", {"title": "Sums"})
    emptied = ioa.post(f"/skills/{skill.pk}/edit", {"statement": ""})

    assert (titled["title"], titled["statement"]) == ("Sums", "Adds two numbers of one digit.")
    assert (emptied["title"], emptied["statement"]) == ("Sums", "")


def test_stages_are_split_and_a_move_against_a_prerequisite_is_refused(ioa):
    run = planned_run()
    first = run.stages.first()
    PrerequisiteFactory(run=run, source=run.skills.get(key="A1"), target=run.skills.get(key="A2"))

    split = ioa.post(f"/stages/{first.pk}/split", {"skills": ["A2"]})
    said = {"stages": [each["id"] for each in reversed(split)]}
    with pytest.raises(ApiError) as refused:
        ioa.post(f"/runs/{run.pk}/reorder", said)

    assert [[s["skill"] for s in each["skills"]] for each in split] == [["A1"], ["A2"], ["N1"]]
    assert refused.value.status == 422
    assert [s["id"] for s in ioa.stages(run.pk)] == [s["id"] for s in split]


def test_a_domain_file_is_kept_once_and_can_be_made_a_run_of(ioa, tmp_path, settings):
    settings.IOA_HOME = tmp_path / "home"
    file = tmp_path / "mine.yaml"
    item = '    items: [{question: "What is half of 10?", answer: 5}]\n'
    file.write_text(HALVES + item)

    made = ioa.add_domain(file, name="halves")
    with pytest.raises(ApiError, match="There is a domain halves.yaml already"):
        ioa.add_domain(file, name="halves")

    assert (made["name"], made["faults"]) == ("domains/halves.yaml", [])
    assert [skill["key"] for skill in made["skills"]] == ["H1"]
    assert made in ioa.domains()
    said = {"teacher": "procedural", "student": "simulated"}
    assert ioa.create_run(name="Halves", domain=made["name"], **said)["status"] == "draft"
