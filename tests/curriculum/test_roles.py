from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection

from curriculum import roles
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    ReviewerFactory,
    UserFactory,
    ViewerFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("who", "sees", "reviews", "approves", "manages_people"),
    [
        (UserFactory, False, False, False, False),
        (ViewerFactory, True, False, False, False),
        (ReviewerFactory, True, True, False, False),
        (ApproverFactory, True, True, True, False),
        (AdminFactory, True, True, True, True),
    ],
)
def test_each_group_may_do_what_its_name_says(who, sees, reviews, approves, manages_people):
    user = who()

    assert user.has_perm("curriculum.view_run") is sees
    assert user.has_perm("curriculum.review_run") is reviews
    assert user.has_perm("curriculum.add_run") is reviews
    assert user.has_perm("curriculum.approve_run") is approves
    assert user.has_perm("auth.change_user") is manages_people


def test_nobody_is_given_a_row_to_change_or_delete_past_the_services():
    given = Permission.objects.filter(group__isnull=False, content_type__app_label="curriculum")

    assert not given.filter(codename__startswith="delete_").exists()
    assert not given.filter(codename__startswith="change_").exists()


def test_making_the_groups_again_keeps_what_an_administrator_gave():
    viewer = Group.objects.get(name=roles.VIEWER)
    extra = Permission.objects.get(codename="approve_run")
    viewer.permissions.add(extra)

    roles.make_groups(apps.get_app_config("curriculum"))

    assert extra in viewer.permissions.all()
    assert Group.objects.count() == len(roles.PERMISSIONS)


def test_who_could_read_before_reading_took_a_role_still_can():
    step = import_module("curriculum.migrations.0021_who_was_let_in_stays")
    alone, gone = UserFactory(), UserFactory(is_active=False)
    reviewer, root = ReviewerFactory(), UserFactory(is_superuser=True)

    step.to_viewers(apps, connection.schema_editor())

    assert list(Group.objects.get(name=roles.VIEWER).user_set.all()) == [alone]
    assert not gone.groups.exists()
    assert reviewer.groups.count() == 1
    assert not root.groups.exists()
