"""Taking back what one press of a button did, to one item or to many; and what came before it.

What somebody has changed since stays as it is, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from curriculum import engine
from curriculum.errors import Overtaken, SomebodyElses
from curriculum.models import AuditEntry, Item, Review, ReviewAction, Revision, Stage, Tag
from curriculum.services import audit
from curriculum.services.audit import Actor, name_of
from curriculum.services.reviewing import Seen, begin, keep_reviews, naming
from curriculum.services.words import Results, Words, require_versions, rewrite, versions
from curriculum.states import ActionKind, Verdict

SHOWN = 3  # names in a sentence
WORDS = (ActionKind.EDITED, ActionKind.REPLACED)
FOR_GOOD = frozenset(  # entries of what a person does in a review and no undo takes back
    {
        "item.opinion",
        "item.untagged",
        "item.written",
        "items.sampled",
        "items.sampled_approved",
        "items.shared_out",
    }
)


@dataclass(frozen=True, slots=True)
class Undone:
    """n: items as they were again. stays: those changed since, by whom (names)."""

    n: int
    stays: int = 0
    by: list[str] = field(default_factory=list)


def last_action(stage: Stage, round: int, user: User | None) -> ReviewAction | None:
    """What the person did last in the round that still stands. One query, by its index."""
    return _standing(stage, round, user).first()


def offered(stage: Stage, round: int, user: User | None) -> ReviewAction | None:
    """`last_action`; None where the last thing they did cannot be undone, since whoever presses
    “Undo” then means that, and no older act. One query.
    """
    entries = AuditEntry.objects.filter(run=stage.run_id, actor=user).order_by("-sequence")
    latest = Subquery(entries.values("action")[:1])
    last = _standing(stage, round, user).annotate(latest=latest).first()
    return None if last is None or last.latest in FOR_GOOD else last


def _standing(stage: Stage, round: int, user: User | None) -> QuerySet[ReviewAction]:
    """The last first; none of nobody."""
    acts = ReviewAction.objects.filter(stage=stage, round=round, undone_at=None)
    return acts.filter(actor=user, actor__isnull=False).order_by("-pk")


def undo(action: ReviewAction, *, actor: Actor) -> Undone:
    """Take an act of this person back. Verdicts: the items wait again. Words: those before, as
    a new version that waits. Tags: gone. Nothing is deleted but the tags.

    Raises `SomebodyElses` for another's act, `Overtaken` for one that was undone already.
    """
    if actor.user is None or action.actor_id != actor.user.pk:
        raise SomebodyElses
    if action.kind not in WORDS:
        return _undo(action, actor)
    begin(action.stage, round=action.round)
    there = versions(action.stage)
    words = _words_before(action)
    # Checked before the run is held, so that workers need not wait for it.
    results = engine.check_items(action.stage, action.round, words)
    return _undo(action, actor, there, words, results)


@transaction.atomic
def _undo(
    action: ReviewAction,
    actor: Actor,
    there: dict[int, int] | None = None,
    words: Words = (),
    results: Results = (),
) -> Undone:
    stage = action.stage
    begin(stage, round=action.round)
    standing = ReviewAction.objects.filter(pk=action.pk, undone_at=None)
    if not standing.update(undone_at=timezone.now()):
        raise Overtaken("This was undone already: the queue")
    last = Review.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if there is not None:
        require_versions(stage, there)
        rewrite(stage, words, actor=actor, action=action, results=results)
        seen: Seen = [(item.pk, item.version) for item, *_ in words]
    elif action.kind == ActionKind.TAGGED:
        seen = _tags_off(action)
    else:
        seen = _verdicts_back(action, actor)
    stays = action.n - len(seen)
    done = Undone(len(seen), stays, _changed_by(action, last) if stays else [])
    audit.write(
        stage.run,
        actor=actor,
        action="items.undone",
        subject=stage,
        was={"act": action.kind, "n": action.n},
        became={"undone": done.n, "stays": done.stays, "changed_by": done.by},
        evidence=naming(action, seen),
    )
    return done


def _verdicts_back(action: ReviewAction, actor: Actor) -> Seen:
    """Reviews nothing came after, of items that are as they left them."""
    standing = action.reviews.standing()
    given = standing.filter(item__version=F("version"), item__verdict=F("verdict"))
    seen = list(given.values_list("item", "version"))
    keep_reviews(
        ((pk, version, "") for pk, version in seen), Verdict.WAITING, actor=actor, action=action
    )
    back = Review.objects.filter(action=action, verdict=Verdict.WAITING)
    meant = Item.objects.filter(pk__in=back.values("item"), verdict=action.kind)
    if meant.update(verdict=Verdict.WAITING) != len(seen):
        raise Overtaken("This queue")
    return seen


def _words_before(action: ReviewAction) -> Words:
    """The words that each version had, where the item waits and reads as the act left it: at once
    after the act, or again, since what came later was undone.
    """
    left = Revision.objects.filter(
        Q(answer=OuterRef("item__answer")) | Q(answer=""),  # older archives kept none
        item=OuterRef("item"),
        version=OuterRef("version") + 1,
        question=OuterRef("item__question"),
        solution=OuterRef("item__solution"),
    )
    changed = action.revisions.filter(
        Q(item__version=F("version") + 1) | Q(Exists(left)), item__verdict=Verdict.WAITING
    ).select_related("item__skill")
    return [(r.item, r.question, r.solution, r.had_answer) for r in changed]


def _tags_off(action: ReviewAction) -> Seen:
    tags = Tag.objects.filter(action=action)
    seen = list(tags.values_list("item", "item__version"))
    tags.delete()
    return seen


def _changed_by(action: ReviewAction, last: int) -> list[str]:
    """Who gave verdicts, or new words, to items of the act after it; `SHOWN` names at most."""
    meant = Q(pk__in=action.reviews.values("item")) | Q(pk__in=action.revisions.values("item"))
    items = Item.objects.filter(meant).order_by()
    since = {"item__in": items.values("pk"), "created_at__gt": action.created_at}
    given = Review.objects.filter(**since, pk__lte=last).exclude(action=action)
    edited = Revision.objects.filter(**since).exclude(action=action)
    people = User.objects.filter(
        pk__in=[
            *given.order_by().values_list("reviewer", flat=True).distinct(),
            *edited.order_by().values_list("actor", flat=True).distinct(),
        ]
    )
    return [name_of(user) for user in people.order_by("pk")[:SHOWN]]
