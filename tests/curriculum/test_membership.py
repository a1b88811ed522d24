from __future__ import annotations

import pytest

from curriculum import access
from curriculum.access import Role
from curriculum.errors import CurriculumError, NothingChanged, Overtaken
from curriculum.models import AuditEntry, Membership, Run
from curriculum.services import membership, runs
from curriculum.services.audit import Actor
from curriculum.services.membership import MembershipRefused
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    ReviewerFactory,
    RunFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return Actor.person(AdminFactory())


@pytest.fixture
def run():
    return RunFactory()


def member(run, role, **traits):
    return Membership.objects.create(run=run, user=UserFactory(**traits), role=role)


def made_by(user):
    said = {"domain": "foundations", "teacher": "procedural", "student": "simulated"}
    return runs.create(actor=Actor.person(user), name="Sums", **said)


@pytest.mark.parametrize(
    ("maker", "expected"),
    [(ReviewerFactory, Role.REVIEWER), (ApproverFactory, Role.ADMIN), (AdminFactory, Role.ADMIN)],
)
def test_who_makes_a_run_never_gets_to_sign_by_that_alone(maker, expected):
    user = maker()
    run = made_by(user)

    assert Membership.objects.get().role == expected
    assert AuditEntry.objects.get().became["maker"] == expected.label
    Run.objects.update(is_closed=True)
    run.refresh_from_db()
    assert access.may(user, Role.APPROVER, run) is (expected is Role.ADMIN)


def test_what_a_worker_makes_has_no_member():
    runs.create(
        actor=Actor.command("demo"),
        name="Demo",
        domain="foundations",
        teacher="procedural",
        student="simulated",
    )

    assert not Membership.objects.exists()


def test_each_change_says_who_was_what(run, root):
    eve = UserFactory(username="eve")
    added = membership.add(run, actor=root, user=eve, role=Role.VIEWER)
    membership.change(added, actor=root, role=Role.APPROVER)
    membership.remove(added, actor=root)

    told = [(e.action, e.was, e.became) for e in AuditEntry.objects.order_by("sequence")]
    viewer, approver = ({"user": "eve", "role": role} for role in ("viewer", "approver"))
    assert told == [
        ("member.added", {}, viewer),
        ("member.changed", viewer, approver),
        ("member.removed", approver, {}),
    ]
    assert not Membership.objects.exists()


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (
            lambda m, by: membership.add(m.run, actor=by, user=m.user, role=Role.ADMIN),
            MembershipRefused,
        ),
        (lambda m, by: membership.change(m, actor=by, role=Role.VIEWER), NothingChanged),
    ],
)
def test_what_is_so_already_is_refused_and_leaves_no_trace(run, root, act, error):
    with pytest.raises(error):
        act(member(run, Role.VIEWER), root)

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("act", [membership.change, membership.remove])
def test_a_member_who_was_changed_meanwhile_is_looked_at_again(run, root, act):
    seen = member(run, Role.VIEWER)
    Membership.objects.update(role=Role.REVIEWER)

    with pytest.raises(Overtaken):
        act(seen, actor=root, **({"role": Role.ADMIN} if act is membership.change else {}))

    assert Membership.objects.get().role == Role.REVIEWER
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "act",
    [
        lambda last, by: membership.remove(last, actor=by),
        lambda last, by: membership.change(last, actor=by, role=Role.APPROVER),
    ],
    ids=["removed", "changed"],
)
def test_a_closed_run_keeps_its_last_admin_and_an_open_one_does_not_need_one(run, root, act):
    last = member(run, Role.ADMIN)
    member(run, Role.ADMIN, is_active=False)  # nobody who could let others in
    membership.set_closed(run, actor=root, closed=True)

    with pytest.raises(MembershipRefused, match="one member at least who is an admin"):
        act(last, root)
    assert Membership.objects.get(pk=last.pk).role == Role.ADMIN

    membership.set_closed(run, actor=root, closed=False)
    act(Membership.objects.get(pk=last.pk), root)
    assert not Membership.objects.filter(pk=last.pk, role=Role.ADMIN).exists()


def test_one_of_two_admins_may_go(run, root):
    first, _ = member(run, Role.ADMIN), member(run, Role.ADMIN)
    membership.set_closed(run, actor=root, closed=True)

    membership.remove(first, actor=root)

    assert run.memberships.count() == 1


def test_a_run_without_an_admin_is_not_closed(run, root):
    member(run, Role.APPROVER)

    with pytest.raises(MembershipRefused):
        membership.set_closed(run, actor=root, closed=True)

    assert not Run.objects.get().is_closed
    assert not AuditEntry.objects.exists()


def test_closing_twice_is_refused(run, root):
    member(run, Role.ADMIN)
    membership.set_closed(run, actor=root, closed=True)

    with pytest.raises(Overtaken):
        membership.set_closed(run, actor=root, closed=True)


def test_joining_never_takes_away(run):
    eve = ApproverFactory()
    for role, expected in ((2, 2), (4, 4), (1, 4)):
        membership.join(run, actor=Actor.person(eve), user=eve, role=Role(role), evidence={})
        assert Membership.objects.get().role == expected


def test_of_a_run_made_elsewhere_the_house_keeps_the_record(root):
    run = RunFactory(origin=7)
    one = membership.add(run, actor=root, user=UserFactory(), role=Role.ADMIN)
    membership.set_closed(run, actor=root, closed=True)
    with pytest.raises(CurriculumError):
        membership.remove(one, actor=root)

    entries = AuditEntry.objects.order_by("sequence")
    assert [(e.run, e.action) for e in entries] == [(None, "member.added"), (None, "run.closed")]
    assert {e.subject for e in entries} == {f"run:{run.pk}"}
