from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from curriculum import models
from curriculum.admin import LISTED
from curriculum.services import audit
from curriculum.services.audit import Actor
from tests.factories import GateFactory, ItemFactory, JobFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client):
    user = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


@pytest.mark.parametrize("model", LISTED, ids=lambda model: model.__name__)
def test_even_a_superuser_only_reads(model, root, rf):
    request = rf.get("/")
    request.user = root
    page = admin.site._registry[model]

    assert page.has_view_permission(request)
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)


@pytest.mark.parametrize(
    "row",
    [
        lambda: ItemFactory(),
        lambda: GateFactory(),
        lambda: JobFactory(),
        lambda: audit.write(
            run := JobFactory().run, actor=Actor.worker(), action="run.created", subject=run
        ),
    ],
    ids=["item", "gate", "job", "audit"],
)
def test_rows_are_shown_and_a_post_changes_nothing(client, root, row):
    shown = row()
    name = shown._meta.model_name

    assert client.get(reverse(f"admin:curriculum_{name}_changelist")).status_code == 200
    url = reverse(f"admin:curriculum_{name}_change", args=[shown.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {}).status_code == 403
    assert (
        client.post(reverse(f"admin:curriculum_{name}_delete", args=[shown.pk])).status_code == 403
    )


def test_a_list_costs_the_same_for_one_row_and_for_many(
    client, root, django_assert_max_num_queries
):
    for _ in range(5):
        ItemFactory()

    with django_assert_max_num_queries(8):
        client.get(reverse("admin:curriculum_item_changelist"))


def test_what_people_decide_on_is_listed():
    assert {models.Run, models.Stage, models.Item, models.AuditEntry} <= set(LISTED)
