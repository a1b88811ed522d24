"""The report's headline: what is kept of the teacher, and how sure that is."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from curriculum.services import bulk, items
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from tests.factories import (
    ApproverFactory,
    CheckpointFactory,
    ItemFactory,
    RunFactory,
    ScoreFactory,
    StageFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            {"retained": 0.968, "retained_interval": [0.934, 0.986]},
            "The student keeps 97% of its teacher on the skills that were taught; "
            "with 95% confidence 93% to 99%.",
        ),
        (
            {"retained": 0.968, "retained_interval": [0.968, 0.968]},
            "The student keeps 97% of its teacher on the skills that were taught, "
            "on all the questions there are.",
        ),
        (  # of an earlier version
            {"retained": 0.968},
            "The student keeps 97% of its teacher on the skills that were taught.",
        ),
        (
            {"retained": None, "retained_interval": None},
            "Measured once, at the end, on questions that nobody has seen before.",
        ),
    ],
)
@pytest.mark.usefixtures("viewer")
def test_what_is_kept_is_told_with_its_interval(client, report, expected):
    run = RunFactory(report=report)

    page = client.get(reverse("curriculum:run-report", args=[run.pk])).content.decode()

    (lede,) = re.findall(r'<p class="lede">(.+?)</p>', page)
    assert re.sub("<[^>]+>", "", lede) == expected


def test_what_people_did_is_counted_by_acts_and_of_acts_on_many_it_says_how_many(client, viewer):
    ada = Actor.person(ApproverFactory(first_name="Ada"))
    stage = StageFactory(reviewing=True, skills=["A1"])
    skill = stage.run.skills.get()
    base = CheckpointFactory(run=stage.run, is_current=False)
    for checkpoint in (None, base, CheckpointFactory(run=stage.run, parent=base, is_current=True)):
        ScoreFactory(skill=skill, split="final", checkpoint=checkpoint)
    alone, *_ = (ItemFactory(stage=stage) for _ in range(4))
    items.approve(alone, actor=ada, version=alone.version)
    bulk.approve_matching(stage, actor=ada, queue=Queue(0))

    page = client.get(reverse("curriculum:run-report", args=[stage.run.pk])).text

    said = " ".join(re.sub("<[^>]+>", " ", page).split())
    assert "an act on many items counts once" in said
    assert "item approved 1 items approved together 1 with 3 items" in said
