from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from curriculum import access
from curriculum.access import Role
from curriculum.models import Membership, Run
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    ReviewerFactory,
    RunFactory,
    UserFactory,
    ViewerFactory,
)

pytestmark = pytest.mark.django_db
GROUPS = {
    None: UserFactory,
    Role.VIEWER: ViewerFactory,
    Role.REVIEWER: ReviewerFactory,
    Role.APPROVER: ApproverFactory,
    Role.ADMIN: AdminFactory,
}
OWN = [None, *Role]


def member(user, run, role):
    if role is not None:
        Membership.objects.create(user=user, run=run, role=role)
    return user


def counts(house, own, is_closed):
    """What docs/people.md says, once more."""
    if house is Role.ADMIN:
        return Role.ADMIN
    if is_closed:
        return own
    return max((role for role in (house, own) if role is not None), default=None)


@pytest.mark.parametrize("is_closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("house", GROUPS)
def test_everything_that_asks_gets_the_same_answer(house, own, is_closed):
    run, other = RunFactory(is_closed=is_closed), RunFactory(is_closed=True)
    user = member(GROUPS[house](), run, own)
    expected = counts(house, own, is_closed)
    is_seen = expected is not None

    assert access.role_in(user, run) is expected
    assert access.roles_in(user, [run, other])[run.pk] is expected
    assert (run in access.visible_runs(user)) is is_seen
    assert [access.known_role(user, r) for r in access.with_roles(user, Run.objects.all())] == (
        ([expected] if is_seen else []) + ([Role.ADMIN] if house is Role.ADMIN else [])
    )
    for role in Role:
        may = is_seen and expected >= role
        assert access.may(user, role, run) is may
        assert (user in access.people(run, role)) is may
        in_house = house is not None and house >= role
        assert access.may(user, role, None) is in_house
        assert (user in access.people(None, role)) is in_house


def test_a_membership_never_takes_away_in_an_open_run():
    run = RunFactory()

    assert access.role_in(member(ApproverFactory(), run, Role.VIEWER), run) is Role.APPROVER


def test_who_is_not_signed_in_or_not_active_has_no_role_anywhere():
    run = RunFactory()
    gone = member(AdminFactory(is_active=False), run, Role.ADMIN)

    for user in (AnonymousUser(), gone):
        assert access.role_in(user, run) is None
        assert not access.visible_runs(user).exists()
        assert not access.with_roles(user, Run.objects.all()).exists()
    assert not access.people(run, Role.VIEWER).exists()


def test_a_superuser_without_groups_is_an_administrator():
    root = UserFactory(is_superuser=True)

    assert access.role_in(root, RunFactory(is_closed=True)) is Role.ADMIN
    assert root in access.people(None, Role.ADMIN)


def test_a_permission_that_was_given_alone_counts_as_its_group_does():
    user = UserFactory()
    user.user_permissions.add(Permission.objects.get(codename="approve_run"))
    user = User.objects.get(pk=user.pk)

    assert access.house_role(user) is Role.APPROVER
    assert user in access.people(RunFactory(), Role.REVIEWER)


def test_roles_are_the_groups_by_name_and_in_order():
    assert [role.label for role in Role] == ["viewer", "reviewer", "approver", "admin"]
    assert {role.label for role in Role} == set(Group.objects.values_list("name", flat=True))


def test_many_runs_cost_as_much_as_one(django_assert_num_queries):
    user = UserFactory()
    runs = [RunFactory(is_closed=True) for _ in range(5)]
    access.house_role(user)  # permissions are asked for once

    with django_assert_num_queries(1):
        access.roles_in(user, runs)
    with django_assert_num_queries(1):
        [access.known_role(user, run) for run in access.with_roles(user, Run.objects.all())]
