"""Who may do what, where: the one place that decides it. docs/people.md says it for people.

A person has a role in the installation, by their groups, and may have another in a run, as its
member. In an *open* run the higher one counts: a membership adds, and never takes away. In a
*closed* run only the membership counts. An administrator of the installation is one everywhere.
Who has no role in a run does not see that it exists.

Groups stand for permissions here, as an administrator may give these one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import OuterRef, Q, QuerySet, Subquery

from curriculum.models import Membership, Run
from curriculum.states import Role

__all__ = ["Role", "may", "people", "role_in", "roles_in", "visible_runs"]

Person = User | AnonymousUser
PERMISSIONS: Mapping[Role, str] = {
    Role.VIEWER: "curriculum.view_run",
    Role.REVIEWER: "curriculum.review_run",
    Role.APPROVER: "curriculum.approve_run",
    Role.ADMIN: "auth.change_user",  # who may put themselves into any group
}
_BACKEND = "django.contrib.auth.backends.ModelBackend"  # which of several knows permissions


def house_role(user: Person) -> Role | None:
    """The role in the installation: the highest whose permission they have. Two queries once."""
    return next((role for role in reversed(Role) if user.has_perm(PERMISSIONS[role])), None)


def role_in(user: Person, run: Run) -> Role | None:
    """The role that counts in this run; None for who may not know of it. One query."""
    return roles_in(user, [run])[run.pk]


def roles_in(user: Person, runs: Iterable[Run]) -> dict[int, Role | None]:
    """By run pk, the role that counts there. One query."""
    runs, house = list(runs), house_role(user)
    if house is Role.ADMIN or not user.is_active:
        return dict.fromkeys((run.pk for run in runs), house)
    mine = Membership.objects.filter(user=user.pk, run__in=[run.pk for run in runs])
    own = dict(mine.order_by().values_list("run", "role"))
    return {run.pk: _counts(house, own.get(run.pk), run.is_closed) for run in runs}


def may(user: Person, role: Role, run: Run | None) -> bool:
    """Whether they have this role, or a higher one, in the run; in the installation for None."""
    has = house_role(user) if run is None else role_in(user, run)
    return has is not None and has >= role


def visible_runs(user: Person) -> QuerySet[Run]:
    """The runs in which they have a role."""
    house = house_role(user)
    if house is Role.ADMIN:
        return Run.objects.all()
    if not user.is_active:
        return Run.objects.none()
    mine = Q(pk__in=Membership.objects.filter(user=user.pk).values("run"))
    return Run.objects.filter(mine if house is None else mine | Q(is_closed=False))


def with_roles(user: Person, runs: QuerySet[Run]) -> QuerySet[Run]:
    """Those of `runs` that they see, each with what `known_role` needs: no query more."""
    own = Membership.objects.filter(user=user.pk, run=OuterRef("pk")).values("role")
    seen = runs.filter(pk__in=visible_runs(user).values("pk"))
    return seen.annotate(own_role=Subquery(own))


def known_role(user: Person, run: Run) -> Role:
    """The role in a run that came by `with_roles` for the same person. No query."""
    house, own = house_role(user), getattr(run, "own_role")  # noqa: B009 (an annotation)
    role = house if house is Role.ADMIN else _counts(house, own, run.is_closed)
    assert role is not None, "with_roles brings runs that are seen"
    return role


def people(run: Run | None, role: Role) -> QuerySet[User]:
    """Everybody who has this role, or a higher one, in the run; in the installation for None."""
    everywhere = Role.ADMIN if run is not None and run.is_closed else role
    found = Q()
    for each in Role:
        if each >= everywhere:
            able = User.objects.with_perm(PERMISSIONS[each], backend=_BACKEND)
            found |= Q(pk__in=able.values("pk"))
    if run is not None:
        members = Membership.objects.filter(run=run, role__gte=role)
        found |= Q(pk__in=members.values("user"))
    return User.objects.filter(found, is_active=True).order_by("pk")


def _counts(house: Role | None, own: int | None, is_closed: bool) -> Role | None:
    roles = [Role(own)] if own else []
    if house is not None and not is_closed:
        roles.append(house)
    return max(roles, default=None)
