"""Who belongs to a run, and whether it is for them only. `curriculum.access` says what that means.

The entries stand in the run's log; of a run that was made elsewhere, whose log is closed, in the
house's.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from curriculum import access
from curriculum.access import Role
from curriculum.errors import CurriculumError, NothingChanged, Overtaken
from curriculum.models import Membership, Run
from curriculum.services import audit
from curriculum.services.audit import Actor, name_of


class MembershipRefused(CurriculumError):
    http_status = 409


def begin(run: Run, *, actor: Actor) -> Role | None:
    """Make who makes a run a member of it: its admin, where they are an approver anyway; else
    with the role they have. Returns the role, for the entry of what made the run.
    """
    if actor.user is None or (has := access.house_role(actor.user)) is None:
        return None
    role = Role.ADMIN if has >= Role.APPROVER else has
    Membership.objects.create(run=run, user=actor.user, role=role)
    return role


@transaction.atomic
def add(run: Run, *, actor: Actor, user: User, role: Role) -> Membership:
    record(run, actor=actor, action="member.added", became=_told(user, role))
    member, is_new = Membership.objects.get_or_create(run=run, user=user, defaults={"role": role})
    if not is_new:
        raise MembershipRefused(f"{name_of(user)} is a member already. Change the role instead.")
    return member


@transaction.atomic
def join(run: Run, *, actor: Actor, user: User, role: Role, evidence: dict[str, Any]) -> Membership:
    """A member by invitation. Who is one already keeps the higher role."""
    there = Membership.objects.filter(run=run, user=user).first()
    was = Role(there.role) if there else None
    became = max(role, was) if was else role
    record(
        run,
        actor=actor,
        action="member.joined",
        was=_told(user, was) if was else None,
        became=_told(user, became),
        evidence=evidence,
    )
    if there is None:
        there, is_new = Membership.objects.get_or_create(
            run=run, user=user, defaults={"role": role}
        )
        if not is_new:
            raise Overtaken("This member")
    elif not Membership.objects.filter(pk=there.pk, role=there.role).update(role=became):
        raise Overtaken("This member")
    there.refresh_from_db()
    return there


@transaction.atomic
def change(member: Membership, *, actor: Actor, role: Role) -> Membership:
    """Give the member another role, if they still have the one that the caller saw."""
    was = Role(member.role)
    if was == role:
        raise NothingChanged(f"{name_of(member.user)} is {role.label} already")
    record(
        member.run,
        actor=actor,
        action="member.changed",
        was=_told(member.user, was),
        became=_told(member.user, role),
    )
    if not Membership.objects.filter(pk=member.pk, role=was).update(role=role):
        raise Overtaken("This member")
    _require_admin(member.run)
    member.refresh_from_db()
    return member


@transaction.atomic
def remove(member: Membership, *, actor: Actor) -> None:
    """End the membership. What they did stays theirs, and items that wait for them stay so."""
    was = Role(member.role)
    record(member.run, actor=actor, action="member.removed", was=_told(member.user, was))
    if not Membership.objects.filter(pk=member.pk, role=was).delete()[0]:
        raise Overtaken("This member")
    _require_admin(member.run)


@transaction.atomic
def set_closed(run: Run, *, actor: Actor, closed: bool) -> Run:
    """Make the run one for its members only, or open to everybody with a role again."""
    if closed:
        record(run, actor=actor, action="run.closed")
    else:
        record(run, actor=actor, action="run.opened")
    if not Run.objects.filter(pk=run.pk, is_closed=not closed).update(is_closed=closed):
        raise Overtaken("This run")
    run.refresh_from_db()
    _require_admin(run)
    return run


def record(run: Run, *, actor: Actor, action: str, **told: Any) -> None:
    """Write the entry first: it puts the writers of the run in a line."""
    if run.origin is None:
        audit.write(run, actor=actor, action=action, subject=run, **told)
    else:
        audit.write_house(actor=actor, action=action, subject=run, **told)


def _require_admin(run: Run) -> None:
    """A closed run keeps somebody who can let others in."""
    is_closed = Run.objects.values_list("is_closed", flat=True).get(pk=run.pk)
    if is_closed and not run.memberships.filter(role=Role.ADMIN, user__is_active=True).exists():
        raise MembershipRefused(
            "A run for its members only needs one member at least who is an admin. "
            "Make another one first."
        )


def _told(user: User, role: Role) -> dict[str, str]:
    return {"user": user.get_username(), "role": role.label}
