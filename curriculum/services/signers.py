"""The two-person rule: who had a hand in what a stage trains on may not sign its gate.

A person has a hand in a stage who, in its rounds since it was last begun, gave an item the
verdict "approved" that stands (alone, all together or on a sample), spoke for it in an opinion,
wrote, brought in or changed an approved item, left a review to policy, or started a training.
Rehearsed items of earlier stages do not count: their own gate was signed. What policy approves
where it always could is nobody's, so anybody may sign for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, F, Q, QuerySet, Value

from curriculum import access
from curriculum.access import Role
from curriculum.errors import SecondPersonNeeded
from curriculum.models import AuditEntry, Item, Opinion, Review, Revision, Run, Stage
from curriculum.services import apart
from curriculum.services.audit import Actor, name_of
from curriculum.states import StageStatus, Verdict

SHOWN = 3  # names in a sentence


@dataclass(slots=True)
class Part:
    """What one person did in a stage; policy, when `user` is None."""

    user_id: int | None
    user: User | None = None
    approved: int = 0
    opined: int = 0
    edited: int = 0
    written: int = 0
    has_left: bool = False
    has_trained: bool = False

    @property
    def who(self) -> str:
        return "policy" if self.user is None else name_of(self.user)

    @property
    def did(self) -> str:
        """E.g. "approved 12 items and started the training"."""
        parts = []
        if self.approved:
            parts.append(f"approved {_items(self.approved)}")
        if self.opined:
            parts.append(f"spoke for {_items(self.opined)}")
        if self.edited:
            parts.append(f"changed the words of {_items(self.edited)}")
        if self.written:
            parts.append(f"wrote or brought in {_items(self.written)}")
        if self.has_left:
            parts.append("handed policy the review")
        if self.has_trained:
            parts.append("started the training")
        return _listed(parts, "and")


def approvers(run: Run | None) -> QuerySet[User]:
    """Everybody who may sign a gate of the run at all; of a run to come, for None."""
    return access.people(run, Role.APPROVER)


def parts(stages: Sequence[Stage]) -> dict[int, list[Part]]:
    """By stage pk, who did what; people first. Three queries for any number of stages."""
    found = {
        stage: sorted(of.values(), key=lambda part: (part.user_id is None, part.user_id or 0))
        for stage, of in _found(stages).items()
    }
    people = User.objects.in_bulk({p.user_id for of in found.values() for p in of if p.user_id})
    for of in found.values():
        for part in of:
            part.user = people.get(part.user_id) if part.user_id else None
    return found


def part_of(user: User | None, stage: Stage) -> Part | None:
    """What the person did in the stage, if anything. Two queries."""
    return _found([stage])[stage.pk].get(user.pk) if user is not None else None


def barred(user: User | AnonymousUser, stages: Iterable[Stage]) -> set[int]:
    """The pks of those stages whose gates the rule keeps from the person. Two queries, if any."""
    under = [stage for stage in stages if stage.run.two_people]
    return {pk for pk, of in _found(under).items() if user.pk in of} if under else set()


def why_not(user: User, stage: Stage) -> str:
    """In a sentence, why this person may not let the stage pass; empty when they may."""
    if not stage.run.two_people:
        return ""
    taken = _found([stage])[stage.pk]
    part = taken.get(user.pk)
    if part is None:
        return ""
    others = [name_of(other) for other in approvers(stage.run) if other.pk not in taken]
    if not others:
        who = "Nobody else may at the moment: an administrator can make another approver"
    elif len(others) > SHOWN:
        who = f"{', '.join(others[:SHOWN])} and {len(others) - SHOWN} more may"
    else:
        who = f"{_listed(others, 'or')} may"
    return (
        f"You {part.did} of this stage, so under the two-person rule somebody else has to sign. "
        f"{who}."
    )


def require_second(stage: Stage, *, actor: Actor) -> None:
    """Raise `SecondPersonNeeded` where the rule forbids `actor` to let the stage pass. Call it
    where writers of the run stand in line.
    """
    stage.run.refresh_from_db(fields=["two_people"])
    if not stage.run.two_people:
        return
    if actor.user is None:
        raise SecondPersonNeeded("Under the two-person rule a person has to sign the gate.")
    if reason := why_not(actor.user, stage):
        raise SecondPersonNeeded(reason)


def _found(stages: Sequence[Stage]) -> dict[int, dict[int | None, Part]]:
    """stage pk -> user pk -> what they did. Two queries."""
    found: dict[int, dict[int | None, Part]] = {stage.pk: {} for stage in stages}

    def part(stage: int, user: int | None) -> Part:
        return found[stage].setdefault(user, Part(user))

    counted = _verdicts(stages).union(_opinions(stages), _edits(stages), _authors(stages), all=True)
    for pk, user, what, n in counted:
        setattr(part(pk, user), what, n)
    by_subject = {f"stage:{stage.pk}": stage for stage in stages}
    done = AuditEntry.objects.filter(
        Q(action=f"stage.{StageStatus.TRAINING}", subject__in=by_subject)
        | Q(action="run.autonomy", actor__isnull=False),
        run__in={stage.run_id for stage in stages},
        origin_run=None,  # in the log of an imported run a subject has the number it had there
    )
    rows = done.order_by().values_list("action", "subject", "became", "evidence", "actor")
    for action, subject, became, said, user in rows:
        is_left = action == "run.autonomy"
        stage = by_subject.get(said.get("reviewing") if is_left else subject)
        if stage is None or (said if is_left else became)["round"] < stage.first_round:
            continue
        hand = part(stage.pk, user)
        hand.has_left, hand.has_trained = hand.has_left or is_left, hand.has_trained or not is_left
    return found


def _verdicts(stages: Sequence[Stage]) -> QuerySet[Review, Any]:
    """Approvals that stand: nothing came after them. An item's round is closed for review when
    it is trained on, and trains on all that it approved.
    """
    standing = Review.objects.standing().filter(verdict=Verdict.APPROVED)
    return _count(standing, stages, by="reviewer", what="approved")


def _opinions(stages: Sequence[Stage]) -> QuerySet[Opinion, Any]:
    said = apart.opined([stage.pk for stage in stages])
    return _count(said, stages, by="reviewer", what="opined")


def _edits(stages: Sequence[Stage]) -> QuerySet[Revision, Any]:
    return _count(Revision.objects.all(), stages, by="actor", what="edited")


def _authors(stages: Sequence[Stage]) -> QuerySet[Item, Any]:
    of_now = Item.objects.filter(
        stage__in=[stage.pk for stage in stages],
        verdict=Verdict.APPROVED,
        round__gte=F("stage__first_round"),
        author__isnull=False,
    )
    rows = of_now.order_by().annotate(what=Value("written"))
    return rows.values_list("stage", "author", "what").annotate(n=Count("pk"))


def _count(rows: QuerySet[Any], stages: Sequence[Stage], *, by: str, what: str) -> Any:
    of_now = rows.filter(
        item__stage__in=[stage.pk for stage in stages],
        item__verdict=Verdict.APPROVED,
        item__round__gte=F("item__stage__first_round"),
    )
    return (
        of_now.order_by()
        .annotate(what=Value(what))
        .values_list("item__stage", by, "what")
        .annotate(n=Count("item", distinct=True))
    )


def _items(n: int) -> str:
    return "1 item" if n == 1 else f"{n:,} items"


def _listed(words: Sequence[str], last: str) -> str:
    """["a", "b", "c"], "or" -> a, b or c."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
