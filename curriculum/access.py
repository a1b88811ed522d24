"""Who may do what where. Pages and the API ask here, and nowhere else.

Of today's rights, which are those of the whole installation: a person has the same role in
every run.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import IntegerChoices, QuerySet

from curriculum.models import Run


class Role(IntegerChoices):
    """Each may what those before it may."""

    VIEWER = 1, "viewer"
    REVIEWER = 2, "reviewer"
    APPROVER = 3, "approver"
    ADMIN = 4, "admin"


_BY: tuple[tuple[Role, str], ...] = (
    (Role.ADMIN, "auth.change_user"),
    (Role.APPROVER, "curriculum.approve_run"),
    (Role.REVIEWER, "curriculum.review_run"),
    (Role.VIEWER, "curriculum.view_run"),
)


def role_in(user: User | AnonymousUser, run: Run) -> Role | None:
    """The person's role in the run; None for who may not know of it."""
    return _house_role(user)


def may(user: User | AnonymousUser, role: Role, run: Run | None) -> bool:
    """Whether they have this role, or a higher one, in the run; in the installation for None."""
    found = _house_role(user) if run is None else role_in(user, run)
    return found is not None and found >= role


def visible_runs(user: User | AnonymousUser) -> QuerySet[Run]:
    """The runs in which they have a role."""
    return Run.objects.none() if _house_role(user) is None else Run.objects.all()


def _house_role(user: User | AnonymousUser) -> Role | None:
    if not user.is_active:
        return None
    return next((role for role, permission in _BY if user.has_perm(permission)), None)
