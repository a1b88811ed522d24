"""An archive, which viewers may read, does not tell what is hidden on the pages."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.db import transaction

from curriculum.exports import archive
from curriculum.models import Assignment, Opinion
from curriculum.services import archives, audit, runs, teamwork
from curriculum.services.audit import Actor
from curriculum.states import Verdict
from tests.factories import ApproverFactory, ItemFactory, ReviewerFactory, StageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return ReviewerFactory.create_batch(2)


@pytest.fixture
def item(team):
    item = ItemFactory(stage=StageFactory(reviewing=True))
    for who in team:
        Assignment.objects.create(item=item, reviewer=who)
    return item


def say(item, who, verdict, reason=""):
    actor = Actor.person(who)
    teamwork.give_opinion(item, actor=actor, version=1, verdict=verdict, reason=reason)


def archived(run):
    out = io.BytesIO()
    archive.write(run, out)
    return out.getvalue()


def opinions(whole):
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        return [json.loads(line)["reason"] for line in opened.read("opinion.jsonl").splitlines()]


def test_an_opinion_leaves_with_the_run_when_the_others_are_in(item, team):
    first, second = team
    say(item, first, Verdict.REJECTED, "Two answers fit.")

    early = archived(item.stage.run)
    say(item, second, Verdict.APPROVED)
    late = archived(item.stage.run)

    assert opinions(early) == []
    assert sorted(opinions(late)) == ["", "Two answers fit."]


def test_an_archive_without_hidden_opinions_comes_in_whole_and_goes_out_the_same(
    item, team, settings, tmp_path
):
    settings.IOA_HOME = tmp_path
    with transaction.atomic():
        say(item, team[0], Verdict.REJECTED, "Two answers fit.")
        early = archived(item.stage.run)
        transaction.set_rollback(True)  # so that it is not here already

    actor = Actor.command("import_archive")
    run = archives.import_archive(io.BytesIO(early), actor=actor, name="run.ioa.zip")

    audit.verify(run)
    assert run.audit.filter(action="item.opinion").count() == 1
    assert not Opinion.objects.filter(item__stage__run=run).exists()
    assert archived(run) == early


def test_when_nobody_can_give_one_any_more_none_is_hidden(item, team):
    say(item, team[0], Verdict.REJECTED, "Two answers fit.")

    runs.stop(item.stage.run, actor=Actor.person(ApproverFactory()), reason="Seen it.")

    assert opinions(archived(item.stage.run)) == ["Two answers fit."]
