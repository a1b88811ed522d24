from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.core import mail
from django.utils import timezone

from curriculum.access import Role
from curriculum.models import AuditEntry, Invitation, Membership
from curriculum.services import audit, invitations
from curriculum.services.audit import Actor
from curriculum.services.invitations import InvitationOver
from curriculum.services.membership import MembershipRefused
from tests.factories import AdminFactory, RunFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def by():
    return Actor.person(AdminFactory(first_name="Ada", last_name="Admin"))


@pytest.fixture
def run():
    return RunFactory(name="Fractions")


def invite(run, by, email="eve@example.org", role=Role.REVIEWER):
    return invitations.invite(run, actor=by, email=email, role=role)


def test_whoever_comes_with_the_link_joins_with_the_role(run, by):
    _, word = invite(run, by)
    eve = UserFactory(email="somebody@elsewhere.example")

    invitations.accept(invitations.find(word), user=eve)

    assert Membership.objects.get().user == eve
    assert Membership.objects.get().role == Role.REVIEWER
    joined = AuditEntry.objects.get(action="member.joined")
    assert joined.actor == eve
    assert joined.evidence == {"invited": "eve@example.org", "by": "Ada Admin"}
    audit.verify(run)


@pytest.mark.parametrize(
    ("had", "invited", "has"),
    [(Role.ADMIN, Role.VIEWER, "admin"), (Role.VIEWER, Role.APPROVER, "approver")],
)
def test_the_log_says_the_role_that_a_member_has_in_the_end(run, by, had, invited, has):
    eve = UserFactory(username="eve")
    Membership.objects.create(run=run, user=eve, role=had)
    _, word = invite(run, by, role=invited)

    invitations.accept(invitations.find(word), user=eve)

    joined = AuditEntry.objects.get(action="member.joined")
    assert joined.was == {"user": "eve", "role": had.label}
    assert joined.became == {"user": "eve", "role": has}
    assert Membership.objects.get(user=eve).get_role_display() == has


def test_it_holds_once_also_for_who_found_it_before(run, by):
    _, word = invite(run, by)
    found, late = invitations.find(word), UserFactory()
    invitations.accept(invitations.find(word), user=UserFactory())

    with pytest.raises(InvitationOver):
        invitations.find(word)
    with pytest.raises(InvitationOver):
        invitations.accept(found, user=late)
    assert not Membership.objects.filter(user=late).exists()


def test_the_link_is_nowhere_in_the_database(run, by):
    made, word = invite(run, by)
    secret = word.split(":")[0]

    assert len(secret) >= 43  # 256 bits
    assert secret not in str(list(Invitation.objects.values()))
    assert secret not in str(list(AuditEntry.objects.values()))
    assert made.token_hash != secret


def test_it_ends_when_its_time_is_up_by_the_row_and_by_the_signature(run, by):
    with mock.patch("django.core.signing.time.time", return_value=0):
        old, word = invite(run, by)  # signed long ago
    Invitation.objects.update(expires_at=timezone.now() + timedelta(days=1))
    with pytest.raises(InvitationOver):
        invitations.find(word)

    Invitation.objects.all().update(withdrawn_at=timezone.now())
    _, word = invite(run, by)
    Invitation.objects.update(expires_at=timezone.now())
    with pytest.raises(InvitationOver):
        invitations.find(word)


@pytest.mark.parametrize(
    "forged", ["", "x", "a:b:c", "../admin", "ü", "\x00", "a" * 5000], ids=range(7)
)
def test_what_is_no_link_of_ours_is_turned_away_before_the_table_is_asked(
    forged, django_assert_num_queries
):
    with django_assert_num_queries(0), pytest.raises(InvitationOver):
        invitations.find(forged)


def test_a_withdrawn_one_does_not_hold_and_is_not_withdrawn_twice(run, by):
    made, word = invite(run, by)
    invitations.withdraw(made, actor=by)

    with pytest.raises(InvitationOver):
        invitations.find(word)
    n = AuditEntry.objects.count()
    with pytest.raises(Exception, match="just been changed"):
        invitations.withdraw(made, actor=by)
    assert AuditEntry.objects.count() == n


def test_an_address_is_invited_into_a_run_once_at_a_time(run, by):
    made, _ = invite(run, by)

    with pytest.raises(MembershipRefused, match="invited already"):
        invite(run, by, email="EVE@example.org")
    invite(RunFactory(), by)  # into another one: yes
    invitations.withdraw(made, actor=by)
    invite(run, by)


def test_an_address_with_an_account_is_answered_as_one_without(run, by):
    UserFactory(email="eve@example.org")

    known, unknown = (invite(run, by, f"{who}@example.org")[0] for who in ("eve", "nobody"))

    first, second = AuditEntry.objects.order_by("sequence")
    assert (first.action, set(first.became)) == (second.action, set(second.became))
    assert str(known).replace("eve", "nobody") == str(unknown)


def test_it_is_mailed_where_mail_is_configured(run, by, settings):
    settings.IOA_MAIL, settings.IOA_BASE_URL = True, "https://ioa.example.org"
    made, word = invite(run, by)

    assert invitations.send(made, word)

    [message] = mail.outbox
    assert message.to == ["eve@example.org"]
    assert "Ada Admin" in message.subject
    assert f"https://ioa.example.org/join/{word}/" in message.body


def test_a_server_that_takes_no_mail_holds_up_nothing_and_is_not_told_the_link(
    run, by, settings, caplog
):
    settings.IOA_MAIL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    made, word = invite(run, by)

    assert not invitations.send(made, word)

    assert "was not mailed" in caplog.text
    assert word not in caplog.text


def test_without_mail_nothing_is_sent(run, by):
    assert not invitations.send(*invite(run, by))
    assert mail.outbox == []


def test_a_new_account_is_in_no_group(run, by):
    _, word = invite(run, by)

    user = invitations.accept_as_new(
        invitations.find(word), username="eve", password="correct horse battery"
    )

    assert (user.email, user.groups.count(), user.is_staff) == ("eve@example.org", 0, False)
    assert user.check_password("correct horse battery")
    entry = AuditEntry.objects.get(run=None)
    assert (entry.action, entry.subject) == ("account.added", f"user:{user.pk}")
