"""Inviting people into a run: a link that holds once, and for a week.

The link holds a random secret, signed with its time; the table holds the secret's hash. So whoever
reads the table cannot join, and who guesses is turned away before the table is asked. Nothing in
here asks whether an address has an account, so that nobody can find out by inviting it.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from curriculum.access import Role
from curriculum.errors import Overtaken
from curriculum.models import Invitation, Run
from curriculum.services import accounts, membership
from curriculum.services.audit import Actor, name_of
from curriculum.services.membership import MembershipRefused

logger = logging.getLogger(__name__)

HOLDS = timedelta(days=7)
_SIGNER = signing.TimestampSigner(salt="curriculum.invitation")


class InvitationOver(MembershipRefused):
    http_status = 404

    def __init__(self) -> None:
        super().__init__(
            "This invitation does not hold: it was used or withdrawn, or it is older than "
            f"{HOLDS.days} days. Ask who sent it for another one."
        )


@transaction.atomic
def invite(run: Run, *, actor: Actor, email: str, role: Role) -> tuple[Invitation, str]:
    """Returns the invitation, and the word of its link, which cannot be had a second time."""
    assert actor.user is not None, "people invite people"
    now, secret = timezone.now(), secrets.token_urlsafe(32)
    expires = now + HOLDS
    membership.record(
        run,
        actor=actor,
        action="member.invited",
        became={"email": email, "role": role.label, "until": expires},
    )
    if _open(run).filter(email__iexact=email).exists():
        raise MembershipRefused(
            f"{email} is invited already. Withdraw that invitation for a new link."
        )
    made = Invitation.objects.create(
        run=run,
        email=email,
        role=role,
        token_hash=_hash(secret),
        created_by=actor.user,
        expires_at=expires,
    )
    return made, _SIGNER.sign(secret)


@transaction.atomic
def withdraw(invitation: Invitation, *, actor: Actor) -> Invitation:
    told = {"email": invitation.email, "role": invitation.get_role_display()}
    membership.record(invitation.run, actor=actor, action="invitation.withdrawn", was=told)
    if not _end(invitation, withdrawn_at=timezone.now()):
        raise Overtaken("This invitation")
    return invitation


def find(word: str) -> Invitation:
    """The invitation of a link. Raises `InvitationOver` for every reason, which tells none."""
    try:
        secret = _SIGNER.unsign(word, max_age=HOLDS)
    except signing.BadSignature:
        raise InvitationOver from None
    found = Invitation.objects.select_related("run", "created_by")
    made = found.filter(token_hash=_hash(secret)).first()
    if made is None or made not in _open(made.run):
        raise InvitationOver
    return made


@transaction.atomic
def accept(invitation: Invitation, *, user: User) -> Invitation:
    """Make who came with the link a member. The link is used up by that."""
    membership.join(
        invitation.run,
        actor=Actor.person(user),
        user=user,
        role=Role(invitation.role),
        evidence={"invited": invitation.email, "by": name_of(invitation.created_by)},
    )
    if not _end(invitation, accepted_at=timezone.now(), accepted_by=user):
        raise InvitationOver  # somebody was faster with the same link
    return invitation


@transaction.atomic
def accept_as_new(invitation: Invitation, *, username: str, password: str) -> User:
    """Make an account for who came with the link, with no group, and make them a member."""
    user = User.objects.create_user(username, email=invitation.email, password=password)
    accept(invitation, user=user)
    accounts.added(user, actor=Actor.person(user))
    return user


def pending(run: Run) -> list[Invitation]:
    return list(_open(run).select_related("created_by"))


def link(word: str) -> str:
    return settings.IOA_BASE_URL + reverse("curriculum:invitation-join", args=[word])


def send(invitation: Invitation, word: str) -> bool:
    """Mail the link, where e-mail is configured. Whether it was sent; what fails is logged."""
    if not settings.IOA_MAIL:
        return False
    by, run = name_of(invitation.created_by), invitation.run
    message = EmailMessage(
        subject=" ".join(f"IOA: {by} invites you to “{run.name}”".split()),
        body=(
            f"{by} invites you to the run “{run.name}” as {invitation.get_role_display()}.\n\n"
            f"{link(word)}\n\n"
            f"The link holds once, and until {invitation.expires_at:%Y-%m-%d %H:%M} UTC. If you "
            "did not expect it, do nothing.\n"
        ),
        to=[invitation.email],
    )
    try:
        message.send()
    except Exception:  # whatever somebody else's server does: the link can be handed over
        logger.exception("invitation %s was not mailed", invitation.pk)
        return False
    return True


def _open(run: Run) -> QuerySet[Invitation]:
    held = Invitation.objects.filter(run=run, accepted_at=None, withdrawn_at=None)
    return held.filter(expires_at__gt=timezone.now())


def _end(invitation: Invitation, **changes: object) -> bool:
    """Whether it still held: a link is used once."""
    is_ended = _open(invitation.run).filter(pk=invitation.pk).update(**changes) == 1
    invitation.refresh_from_db()
    return is_ended


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
