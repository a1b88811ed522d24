from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import engine
from curriculum.forms import EditForm, RejectForm, RoundForm, VersionForm
from curriculum.htmx import answer, show
from curriculum.models import Item, Stage
from curriculum.services import apart, items
from curriculum.states import StageStatus, Verdict
from curriculum.views import review_reads, team_reads
from curriculum.views.common import attempt, find_stage, first_error, person, reviewer
from curriculum.views.review_reads import Queue

PAGE = "curriculum/review.html"
PART = "curriculum/partials/_review.html"
RENDERED_PAGE = "curriculum/rendered.html"
RENDERED = "curriculum/partials/_rendered.html"


@require_GET
@login_required
def stage_review(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, PAGE, PART, _context(request, find_stage(pk), request.GET))


def _context(
    request: HttpRequest,
    stage: Stage,
    said: QueryDict,
    *,
    edit: EditForm | None = None,
    reject: RejectForm | None = None,
) -> dict[str, Any]:
    queue = Queue.of(stage, said)
    item, place = review_reads.pick(stage, queue, said, request.user)
    may_decide = (
        stage.status == StageStatus.REVIEWING
        and queue.round == stage.round
        and request.user.has_perm("curriculum.review_run")
    )
    alone = apart.one_by_one(stage, queue.round, actor=person(request))
    clean = queue.items(stage).filter(verdict=Verdict.WAITING, is_flagged=False)
    matching = clean.exclude(pk__in=alone).count()
    if edit is None and item is not None and "edit" in said and may_decide:
        edit = EditForm(
            initial={"question": item.question, "solution": item.solution, "version": item.version}
        )
    skills = stage.stage_skills.select_related("skill").order_by("pk")
    return {
        "stage": stage,
        "run": stage.run,
        "queue": queue,
        "query": queue.query(),
        "counts": review_reads.counts(stage, queue.round),
        "item": item,
        "place": place,
        "why": review_reads.why(item) if item else None,
        "history": review_reads.history(item) if item and item.version > 1 else [],
        "last": review_reads.last_verdict(stage, queue, request.user.pk or 0),
        "skills": [row.skill for row in skills],
        "verdicts": review_reads.VERDICTS,
        "flags": review_reads.FLAGS,
        "rounds": range(stage.round + 1),
        "n_flagged": review_reads.flagged(stage, queue.round, alone),
        "n_matching": matching if queue.verdict in ("waiting", "all") else 0,
        "may_decide": may_decide,
        "edit": edit,
        "reject": reject,
        "team": team_reads.beside(request.user, item),
        "tab": "review",
    }


@require_GET
@login_required
def item_rendered(request: HttpRequest, pk: int) -> HttpResponse:
    """The item in the student's own chat template. On its own address: the first time a
    tokenizer has to be loaded, and nobody shall wait for that before a verdict.
    """
    item = _find(pk)
    context = {"item": item, "stage": item.stage, "run": item.stage.run}
    return show(request, RENDERED_PAGE, RENDERED, {**context, "rendered": engine.rendered(item)})


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
    return _answer(request, item, notice, status)


@require_POST
@reviewer
def item_reject(request: HttpRequest, pk: int) -> HttpResponse:
    item = _find(pk)
    form = RejectForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: items.reject(item, actor=person(request), **form.cleaned_data), "Rejected."
        )
    return _answer(request, item, notice, status, reject=form)


@require_POST
@reviewer
def item_edit(request: HttpRequest, pk: int) -> HttpResponse:
    item = _find(pk)
    form = EditForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: items.edit(item, actor=person(request), **form.cleaned_data),
            "Saved as a new version. Its checks ran again.",
        )
    return _answer(request, item, notice, status, edit=form, stays=True)


@require_POST
@reviewer
def item_undo(request: HttpRequest, pk: int) -> HttpResponse:
    item = _find(pk)
    form = VersionForm(request.POST)
    notice, status = "Which version was decided could not be read. Look again.", 422
    if form.is_valid():
        notice, status = attempt(
            lambda: items.undo(item, actor=person(request), **form.cleaned_data),
            "Undone: it waits for a verdict again.",
        )
    return _answer(request, item, notice, status, stays=True)


@require_POST
@reviewer
def stage_approve_all(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    form = RoundForm(request.POST)
    notice, status = "Which round was looked at could not be read. Look again.", 422
    if form.is_valid():
        skill = None
        if key := request.POST.get("skill"):
            skill = get_object_or_404(stage.run.skills, key=key)
        done: list[int] = []
        notice, status = attempt(
            lambda: done.append(
                items.approve_all(
                    stage, actor=person(request), round=form.cleaned_data["round"], skill=skill
                )
            ),
            "",
        )
        if status == 200:
            notice = f"Approved together: {done[0]}. Flagged ones still wait for you."
    return _reply(request, stage, request.POST, notice, status)


@require_POST
@reviewer
def stage_reject_flagged(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    form = RoundForm(request.POST)
    notice, status = "Which round was looked at could not be read. Look again.", 422
    if form.is_valid():
        done: list[int] = []
        notice, status = attempt(
            lambda: done.append(
                items.reject_flagged(stage, actor=person(request), **form.cleaned_data)
            ),
            "",
        )
        if status == 200:
            notice = f"Rejected together: {done[0]}, each for the check that it failed."
    return _reply(request, stage, request.POST, notice, status)


def _find(pk: int) -> Item:
    return get_object_or_404(Item.objects.select_related("stage__run", "skill"), pk=pk)


def _answer(
    request: HttpRequest,
    item: Item,
    notice: str,
    status: int,
    *,
    edit: EditForm | None = None,
    reject: RejectForm | None = None,
    stays: bool = False,
) -> HttpResponse:
    """The queue behind the item; or the item itself, when it stays or was refused."""
    said = request.POST.copy()
    for name in ("item", "after", "edit"):
        said.pop(name, None)
    is_refused = status >= 400
    said["item" if stays or is_refused else "after"] = str(item.pk)
    forms = {"edit": edit, "reject": reject} if is_refused else {}
    return _reply(request, item.stage, said, notice, status, **forms)


def _reply(
    request: HttpRequest, stage: Stage, said: QueryDict, notice: str, status: int, **forms: Any
) -> HttpResponse:
    queue = Queue.of(stage, said)
    place = {name: said[name] for name in ("item", "after") if name in said}
    page = reverse("curriculum:stage-review", args=[stage.pk])
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request, find_stage(stage.pk), said, **forms),
        then=f"{page}?{queue.query(**place)}",
        notice=notice,
        status=status,
    )
