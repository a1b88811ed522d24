"""The review queue, and what is done to one item of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from curriculum import checks_said, engine
from curriculum.errors import BadModel
from curriculum.htmx import show
from curriculum.models import Item, ReviewAction
from curriculum.review_forms import ActForm, EditForm, RejectForm, VersionForm, WordForm
from curriculum.services import apart, items, undoing
from curriculum.services.matching import Queue
from curriculum.services.undoing import Undone
from curriculum.views.common import attempt, find_stage, first_error, person, reviewer, viewer
from curriculum.views.review_page import (
    PAGE,
    PART,
    context,
    elsewhere,
    go_on,
    may_decide,
    reply,
    told,
)
from curriculum.views.review_reads import act_in_words, objections, whose_verdict

RENDERED_PAGE = "curriculum/rendered.html"
RENDERED = "curriculum/partials/_rendered.html"


@require_GET
@viewer
def stage_review(request: HttpRequest, pk: int) -> HttpResponse:
    """The bare address is each person's own: whose part of the round is open is sent to that."""
    stage = find_stage(pk)
    part = apart.left_for(request.user).filter(stage=stage, round=stage.round)
    is_bare = not request.GET and may_decide(request, stage, Queue.of(stage, request.GET))
    if is_bare and part.exists():
        return redirect(f"{request.path}?only=for-{request.user.pk}")
    return show(request, PAGE, PART, context(request, stage, request.GET))


@require_GET
@viewer
def item_rendered(request: HttpRequest, pk: int) -> HttpResponse:
    """The item in the student's own chat template. On its own address: the first time a
    tokenizer has to be loaded, and nobody shall wait for that before a verdict.
    """
    item = _find(pk)
    shown: dict[str, Any] = {"item": item, "stage": item.stage, "run": item.stage.run}
    try:
        shown["rendered"] = engine.rendered(item)
    except BadModel as exc:
        shown["refused"] = str(exc)
    return show(request, RENDERED_PAGE, RENDERED, shown)


@require_POST
@reviewer
def item_approve(request: HttpRequest, pk: int) -> HttpResponse:
    item = _find(pk)
    form = VersionForm(request.POST)
    notice, status = "Which version was approved could not be read. Look again.", 422
    if form.is_valid():
        notice, status = attempt(
            lambda: items.approve(item, actor=person(request), **form.cleaned_data), "Approved."
        )
    failed = objections(item) if status == 200 else ""
    if failed:
        notice = f"Approved although a check failed. {failed}"
    return go_on(request, item, notice, status, warns=bool(failed))


@require_POST
@reviewer
def item_reject(request: HttpRequest, pk: int) -> HttpResponse:
    item = _find(pk)
    form = RejectForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: items.reject(item, actor=person(request), **said),
            f"Rejected: {said['reason']}.",
        )
    return go_on(request, item, notice, status, reject=form)


@require_POST
@reviewer
def item_edit(request: HttpRequest, pk: int) -> HttpResponse:
    item = _find(pk)
    form = EditForm(request.POST)
    notice, status = first_error(form), 422
    falls = whose_verdict(item, request.user)  # it is gone once the words are saved
    if form.is_valid():
        notice, status = attempt(
            lambda: items.edit(item, actor=person(request), **form.cleaned_data),
            "",
        )
    if status == 200:
        fell = f": {falls} does not stand any more" if falls else ""
        notice = f"Saved as a new version{fell}. {checks_said.outcome(item)}"
    return go_on(request, item, notice, status, edit=form, stays=True, warns=item.is_flagged)


@require_POST
@reviewer
def item_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the item's verdict back; with `act`, that act of the person's on this item."""
    item = _find(pk)
    if "act" in request.POST:
        notice, status, _ = undo_act(request, item.stage_id)
        return go_on(request, item, notice, status, stays=True)
    form = VersionForm(request.POST)
    notice, status = "Which version was decided could not be read. Look again.", 422
    if form.is_valid():
        notice, status = attempt(
            lambda: items.undo(item, actor=person(request), **form.cleaned_data),
            "Undone: it waits for a verdict again.",
        )
    return go_on(request, item, notice, status, stays=True)


@require_POST
@reviewer
def stage_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back an act of the person's, on however many items."""
    stage = find_stage(pk)
    notice, status, action = undo_act(request, pk)
    said = elsewhere(request.POST)
    touched = action.revisions.first() if action is not None and action.n == 1 else None
    if touched is not None:
        said["item"] = str(touched.item_id)
    return reply(request, stage, said, notice, status)


def undo_act(request: HttpRequest, stage: int) -> tuple[str, int, ReviewAction | None]:
    form = ActForm(request.POST)
    if not form.is_valid():
        return "What is to be undone could not be read. Look again.", 422, None
    acts = ReviewAction.objects.select_related("stage__run")
    action = get_object_or_404(acts, pk=form.cleaned_data["act"], stage=stage)
    words = act_in_words(action)  # before it: a tag is gone with its undo
    done: list[Undone] = []
    notice, status = attempt(lambda: done.append(undoing.undo(action, actor=person(request))), "")
    return told(action, words, done[0]) if done else notice, status, action


@require_POST
@reviewer
def item_tag(request: HttpRequest, pk: int) -> HttpResponse:
    return _word(
        request, pk, lambda item, word: items.tag(item, actor=person(request), word=word), "Tagged"
    )


@require_POST
@reviewer
def item_untag(request: HttpRequest, pk: int) -> HttpResponse:
    return _word(
        request,
        pk,
        lambda item, word: items.untag(item, actor=person(request), word=word),
        "Taken off",
    )


def _word(
    request: HttpRequest, pk: int, act: Callable[[Item, str], object], done: str
) -> HttpResponse:
    item = _find(pk)
    form = WordForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        word = form.cleaned_data["word"]
        notice, status = attempt(lambda: act(item, word), f"{done}: {word}.")
    return go_on(request, item, notice, status, stays=True)


def _find(pk: int) -> Item:
    return get_object_or_404(Item.objects.select_related("stage__run", "skill"), pk=pk)
