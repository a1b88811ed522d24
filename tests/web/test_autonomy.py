from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.models import Item
from curriculum.states import Autonomy
from tests.factories import GateFactory, ItemFactory, RunFactory, StageFactory

pytestmark = pytest.mark.django_db


def page(client, run):
    return client.get(run.get_absolute_url()).text


def test_who_changes_who_decides_is_told_before_what_policy_would_do_at_once(client, approver):
    stage = StageFactory(reviewing=True)
    ItemFactory.create_batch(3, stage=stage)
    ItemFactory(stage=stage, verdict="approved")
    deciding = StageFactory(deciding=True)
    GateFactory(stage=deciding)

    assert "In stage 1 3 items wait for a verdict." in page(client, stage.run)
    assert 'hx-confirm="Change who decides? In stage 1 3 items' in page(client, stage.run)
    assert "The gate of stage 1 is decided by policy at once" in page(client, deciding.run)
    assert "signed by policy at once" in page(client, RunFactory(reviewing_diagnosis=True))
    assert "hx-confirm" not in page(client, RunFactory())


def test_what_policy_did_at_once_is_said(client, approver):
    stage = StageFactory(reviewing=True)
    ItemFactory.create_batch(2, stage=stage)
    address = reverse("curriculum:run-autonomy", args=[stage.run_id])

    response = client.post(address, {"autonomy": Autonomy.ONLY_GATES}, follow=True)

    assert "Policy decided at once: " in response.text
    assert Item.objects.filter(verdict="approved").count() == 2

    again = client.post(address, {"autonomy": Autonomy.EVERY_GATE}, follow=True)

    assert "Policy decided at once" not in again.text
