"""The log of a run made elsewhere leads to the rows of here, whatever numbers they had there."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from curriculum.exports import archive
from curriculum.models import AuditEntry, Item, Origin, ReviewAction
from curriculum.services import archives, audit, bulk, items
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from curriculum.views import audit_reads, example_reads, stage_reads
from tests.factories import (
    ApproverFactory,
    CheckpointFactory,
    ItemFactory,
    RunFactory,
    StageFactory,
)
from tests.web.api_calls import bearer

pytestmark = pytest.mark.django_db


def another_run():
    """One row of each kind that the log names: every number of later ones is greater by one."""
    stage = StageFactory(reviewing=True, skills=["A1"])
    ItemFactory(stage=stage)
    bulk.approve_matching(stage, actor=Actor.worker(), queue=Queue(0))
    CheckpointFactory(run=stage.run)


def made_there():
    """Ada acts on what comes first, and Carol on the second of its kind."""
    ada, carol = (Actor.person(ApproverFactory(first_name=n, last_name="")) for n in ("Ada", "Cy"))
    run = RunFactory(name="Elsewhere", teaching=True)
    base = CheckpointFactory(run=run)
    first = StageFactory(run=run, reviewing=True, skills=["A1"])
    second = StageFactory(run=run, skills=["M1"])
    merged = StageFactory(run=run, skills=[])
    one, other = ItemFactory.create_batch(2, stage=first)
    bulk.approve_matching(first, actor=ada, queue=Queue(0))
    items.edit(other, actor=ada, version=1, question="What is 1 + 1?", solution="Answer: 2")
    bulk.reject_matching(first, actor=carol, queue=Queue(0), reason="No sum.")

    def note(actor, action, subject, **said):
        return audit.write(run, actor=actor, action=action, subject=subject, **said)

    note(ada, "stage.merged", merged)
    merged.delete()
    for actor, stage in ((ada, first), (carol, second)):
        CheckpointFactory(run=run, parent=base, stage=stage, round=0, is_current=False)
        note(actor, "stage.training", stage, became={"status": "training", "round": 0})
        note(actor, "stage.planned", stage, was={"status": "deciding", "round": 0}, note="Again.")
        note(actor, "skill.examples", stage.stage_skills.get().skill)
    run.refresh_from_db()
    return run


@pytest.fixture
def run(settings, tmp_path):
    """Brought in to where each of its rows gets the number that the next of its kind had there."""
    settings.IOA_HOME = tmp_path
    out = io.BytesIO()
    with transaction.atomic():
        another_run()
        archive.write(made_there(), out)
        transaction.set_rollback(True)
    another_run()
    another_run()
    run = archives.import_archive(out, actor=Actor.worker(), name="run.ioa.zip")
    for model, n in (("stage", 2), ("item", 2), ("skill", 2), ("reviewaction", 3)):
        numbers = list(Origin.objects.filter(run=run, model=model).values_list("was", "now"))
        assert len(numbers) == n
        assert all(now == was for (_, now), (was, _) in pairwise(numbers))
    return run


@pytest.fixture
def there(run):
    """Its rows as they are here, by the order in which they were made."""
    return SimpleNamespace(
        stages=list(run.stages.order_by("pk")),
        items=list(Item.objects.filter(stage__run=run).order_by("pk")),
        checkpoints=list(run.checkpoints.exclude(stage=None).order_by("pk")),
    )


def written_here(run, subject):
    """What no service does yet: an entry with the numbers of here in such a log."""
    return run.audit.create(
        sequence=run.audit_sequence + 1,
        at=timezone.now(),
        actor_kind="worker",
        actor_name="worker",
        action="stage.split",
        subject=f"{subject._meta.model_name}:{subject.pk}",
        subject_name="a row",
    )


def entry_of(run, action, name=""):
    return run.audit.filter(action=action, actor_name__startswith=name).get()


def said_of(client, entry):
    """What the page says that the entry is about."""
    page = client.get(f"/runs/{entry.run_id}/audit/").text
    shown = re.search(rf'<li id="entry-{entry.sequence}".*?</li>', page, re.DOTALL)[0]
    return re.search(r"<dt>About</dt><dd>(.*?)</dd>", shown)[1]


def found(client, run, about):
    page = client.get(f"/runs/{run.pk}/audit/", {"about": about}).text
    return [int(n) for n in re.findall(r'<li id="entry-(\d+)"', page)]


# --- The log's page ------------------------------------------------------------------------------


def test_an_entry_leads_to_its_row_of_here_and_says_its_number_of_there(client, viewer, run, there):
    edited, row = entry_of(run, "item.edited"), there.items[1]

    says = said_of(client, edited)

    assert f'<a href="/items/{row.pk}/provenance/">item:{row.pk}</a>' in says
    assert f"({edited.subject} where the run was made)" in says
    assert f'?about=item%3A{row.pk}">all about it' in says
    assert edited.subject == f"item:{there.items[0].pk}"  # the number of another row here
    assert "What is 1 + 1?" in client.get(f"/items/{row.pk}/provenance/").text


@pytest.mark.parametrize("n", [0, 1])
def test_so_does_one_about_a_stage(client, viewer, run, there, n):
    stage = there.stages[n]

    says = said_of(client, entry_of(run, "stage.training", ("Ada", "Cy")[n]))

    assert f'<a href="/stages/{stage.pk}/">stage:{stage.pk}</a>' in says


def test_an_entry_about_what_is_not_here_has_no_link(client, viewer, run, there):
    entry = entry_of(run, "stage.merged")

    says = said_of(client, entry)

    assert "<a" not in says
    assert f"({entry.subject} where the run was made)" in says
    assert entry.subject == f"stage:{there.stages[1].pk}"
    assert entry.sequence not in found(client, run, entry.subject)


def test_the_api_gives_both_numbers(client, viewer, run, there):
    edited, merged = entry_of(run, "item.edited"), entry_of(run, "stage.merged")

    said = client.get(f"/api/v1/runs/{run.pk}/audit?limit=100", headers=bearer(viewer, "read"))

    told = {entry["sequence"]: entry for entry in said.json()["items"]}
    assert told[edited.sequence]["about"] == f"item:{there.items[1].pk}"
    assert told[edited.sequence]["subject"] == edited.subject != f"item:{there.items[1].pk}"
    assert told[merged.sequence]["about"] == ""


def test_what_was_written_here_has_the_numbers_of_here(client, viewer, run, there):
    entry = written_here(run, there.items[0])

    says = said_of(client, entry)

    assert f'<a href="/items/{there.items[0].pk}/provenance/">item:{there.items[0].pk}</a>' in says
    assert "where the run was made" not in says


def test_all_about_a_row_is_what_was_written_there_and_here(client, viewer, run, there):
    one, other = there.items
    actions = ("items.approved", "item.edited", "items.rejected")
    both, edited, rejected = [entry_of(run, action) for action in actions]
    here = written_here(run, other)

    entries = [here, rejected, edited, both]
    assert found(client, run, f"item:{other.pk}") == [entry.sequence for entry in entries]
    assert found(client, run, f"item:{one.pk}") == [both.sequence]
    act = ReviewAction.objects.get(pk=rejected.evidence["action"])
    assert (act.stage.run, act.kind) == (run, "edited")  # the number of another act here


def test_a_number_of_another_run_finds_nothing(client, viewer, run):
    theirs = Item.objects.exclude(stage__run=run).earliest("pk")

    assert found(client, run, f"item:{theirs.pk}") == []


def test_where_rows_lead_costs_two_queries_a_page(run, django_assert_num_queries):
    with django_assert_num_queries(3):
        page = audit_reads.page(run, audit_reads.Filter(), QueryDict())

    assert len({row.about for row in page.rows}) > 4


# --- What else is read from it -------------------------------------------------------------------


@pytest.mark.parametrize(("n", "who"), [(0, "Ada"), (1, "Cy")])
def test_a_checkpoint_names_who_signed_for_it(client, viewer, there, n, who):
    checkpoint, headers = there.checkpoints[n], bearer(viewer, "read")

    asked = f"/api/v1/checkpoints/{checkpoint.pk}/provenance"
    plain = client.get(asked, headers=headers).json()
    as_prov = client.get(asked, {"form": "prov"}, headers=headers).json()
    page = client.get(f"/checkpoints/{checkpoint.pk}/provenance/").text

    told = [(entry["action"], entry["by"]["name"]) for entry in plain["decisions"]]
    assert told == [("stage.training", who), ("stage.planned", who)]
    agents = {key: agent["prov:label"] for key, agent in as_prov["agent"].items()}
    signed = as_prov["wasAssociatedWith"].values()
    assert [agents[each["prov:agent"]] for each in signed] == [who]
    assert f"stage: training, {who}, " in page


@pytest.mark.parametrize(("n", "who"), [(0, "Ada"), (1, "Cy")])
def test_examples_name_who_changed_them(there, n, who):
    skill = there.stages[n].stage_skills.get().skill

    assert [entry.actor_name for entry in example_reads.history(skill)] == [who]


@pytest.mark.parametrize(("n", "who"), [(0, "Ada"), (1, "Cy")])
def test_a_round_that_was_rolled_back_says_by_whom(there, n, who):
    stage = there.stages[n]
    stage.round, stage.first_round, stage.title = 1, 1, "It has another title by now"

    rows = stage_reads.rounds(stage)

    assert [row.ended.actor_name if row.ended else "" for row in rows] == ["", who]
    assert AuditEntry.objects.filter(run=stage.run, action="stage.planned").count() == 2
