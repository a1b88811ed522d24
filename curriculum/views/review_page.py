"""The review page as it is now: for the view that shows it, and behind every change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from curriculum.access import Role
from curriculum.htmx import answer
from curriculum.models import Item, ReviewAction, Stage
from curriculum.review_forms import EditForm
from curriculum.services import apart, bulk, sampling, saved, undoing
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from curriculum.services.undoing import Undone
from curriculum.states import ActionKind, StageStatus
from curriculum.views import review_reads, team_reads
from curriculum.views.common import find_stage

PAGE = "curriculum/review.html"
PART = "curriculum/partials/_review.html"
LIST = "list"  # what `view` says where items stand below each other


def may_decide(request: HttpRequest, stage: Stage, queue: Queue) -> bool:
    return (
        stage.status == StageStatus.REVIEWING
        and not stage.run.is_over
        and queue.round == stage.round
        and request.role >= Role.REVIEWER  # type: ignore[attr-defined]
    )


def context(
    request: HttpRequest,
    stage: Stage,
    said: QueryDict,
    *,
    edit: EditForm | None = None,
    reject: forms.Form | None = None,
    opinion: forms.Form | None = None,
    many: forms.Form | None = None,
) -> dict[str, Any]:
    """edit, reject, opinion, many: forms that were refused, with what was wrong."""
    queue = Queue.of(stage, said)
    is_list = said.get("view") == LIST
    page = review_reads.page(stage, queue, said) if is_list and "item" not in said else None
    if page is None:
        item, place = review_reads.pick(stage, queue, said, request.user)
    else:
        item, place = None, {"n": page.paginator.count}
    decides = may_decide(request, stage, queue)
    if edit is None and item is not None and "edit" in said and decides:
        edit = EditForm(
            initial={
                "question": item.question,
                "solution": item.solution,
                "answer": item.answer,
                "version": item.version,
            }
        )
    counts = review_reads.counts(stage, queue.round)
    person: Any = request.user
    alone = apart.one_by_one(stage, queue.round, actor=Actor.person(person)) if decides else set()
    together = bulk.waiting(stage, queue).exclude(pk__in=alone)
    matching = place["n"] if queue.verdict == "waiting" and not alone else together.count()
    approvable = bulk.approvable(stage, queue).exclude(pk__in=alone)
    n_approvable = approvable.count() if decides and matching else 0
    last = undoing.offered(stage, queue.round, person) if decides else None
    counts["flagged"] = (
        review_reads.flagged(stage, queue.round, alone) if alone else counts["flagged"]
    )
    return {
        "stage": stage,
        "run": stage.run,
        "queue": queue,
        "query": queue.query(view=LIST if is_list else ""),
        "list_query": queue.query(view=LIST),
        "is_list": is_list,
        "page": page,
        "alone": alone,
        "counts": counts,
        "item": item,
        "place": place,
        "why": review_reads.why(item) if item else None,
        "history": review_reads.history(item) if item and item.version > 1 else [],
        **review_reads.undoable(last),
        "choices": review_reads.choices(stage, queue.round),
        "saved": saved.filters_of(stage.run, person),
        "rounds": range(stage.round + 1),
        "writing_ended": review_reads.ended_writing(stage),
        **review_reads.rewriting(stage),
        "worn": sampling.worn(stage, queue.round) if decides and not counts["waiting"] else None,
        "n_waiting": matching,
        "n_approvable": n_approvable,
        "n_untold": review_reads.untold(approvable).count() if n_approvable else 0,
        "may_decide": decides,
        "reasons": list(enumerate(settings.IOA_REJECT_REASONS, start=1)),
        "edit": edit,
        "falls": review_reads.whose_verdict(item, person) if edit and item else "",
        "reject": reject,
        "opinion": opinion,
        "many": many,
        "team": team_reads.beside(request.user, item),
        "tab": "review",
    }


def reply(
    request: HttpRequest,
    stage: Stage,
    said: QueryDict,
    notice: str,
    status: int,
    *,
    warns: bool = False,
    **refused: Any,
) -> HttpResponse:
    """The page behind a change; without htmx, a redirect to it."""
    queue = Queue.of(stage, said)
    place = {name: said[name] for name in ("item", "after", "view", "page") if name in said}
    page = reverse("curriculum:stage-review", args=[stage.pk])
    return answer(
        request,
        PAGE,
        PART,
        lambda: context(request, find_stage(stage.pk), said, **refused),
        then=f"{page}?{queue.query(**place)}",
        notice=notice,
        status=status,
        warns=warns,
    )


def go_on(
    request: HttpRequest,
    item: Item,
    notice: str,
    status: int,
    *,
    edit: EditForm | None = None,
    reject: forms.Form | None = None,
    opinion: forms.Form | None = None,
    stays: bool = False,
    warns: bool = False,
) -> HttpResponse:
    """`reply` with the queue behind the item; or the item itself, when it stays or was refused."""
    said = elsewhere(request.POST)
    is_refused = status >= 400
    said["item" if stays or is_refused else "after"] = str(item.pk)
    given: dict[str, Any] = {"edit": edit, "reject": reject, "opinion": opinion}
    refused = given if is_refused else {}
    return reply(request, item.stage, said, notice, status, warns=warns, **refused)


def elsewhere(said: QueryDict) -> QueryDict:
    """What a form says of the queue, and nothing of a place in it."""
    kept = said.copy()
    for name in ("item", "after", "edit"):
        kept.pop(name, None)
    return kept


def told(action: ReviewAction, words: str, done: Undone) -> str:
    """What an undo did, in a sentence or two. words: what the act was."""
    them = "it waits" if done.n == 1 else "they wait"
    again = f"Undone: {words}; {them} for a verdict again."
    if action.kind == ActionKind.TAGGED:
        again = f"Undone: {words}."
    if not done.stays:
        return again
    by = f" by {', '.join(done.by)}" if done.by else ""
    were = "was" if done.stays == 1 else "were"
    stay = "stays" if done.stays == 1 else "stay"
    left = f"{done.stays} of {action.n} {were} changed since{by} and {stay}."
    return f"Undone for {done.n} of {action.n}. {left}" if done.n else f"Nothing undone: {left}"
