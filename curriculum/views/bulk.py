"""What is done to all items that match the filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import push_url

from curriculum import checks_said
from curriculum.htmx import answer, show, wants_partial
from curriculum.models import Stage
from curriculum.review_forms import ManyForm, RejectManyForm, ReplaceForm, WordManyForm, WriteForm
from curriculum.services import bulk, items, rewriting, words
from curriculum.services.matching import Queue
from curriculum.states import Verdict
from curriculum.views import review_reads
from curriculum.views.common import attempt, find_stage, first_error, person, reviewer, viewer
from curriculum.views.review_page import elsewhere, may_decide, reply
from curriculum.views.review_reads import difference

REPLACE = ("curriculum/replace.html", "curriculum/partials/_replace.html")
WRITE = ("curriculum/write_item.html", "curriculum/partials/_write_item.html")
PLACE = "curriculum/partials/_review_place.html"
SHOWN = 20  # differences in a preview
NONE_LEFT = "Nothing was changed: no item like that waits for you any more."


@require_POST
@reviewer
def stage_approve_all(request: HttpRequest, pk: int) -> HttpResponse:
    return _many(
        request,
        pk,
        ManyForm(request.POST),
        lambda stage, queue, said: bulk.approve_matching(
            stage, actor=person(request), queue=queue, expected=said["expected"]
        ),
        "Approved together: {:,}.",
        _flagged,
    )


@require_POST
@reviewer
def stage_reject_all(request: HttpRequest, pk: int) -> HttpResponse:
    return _refuse(request, pk, bulk.reject_matching, "Rejected together: {:,}.")


@require_POST
@reviewer
def stage_rewrite_all(request: HttpRequest, pk: int) -> HttpResponse:
    return _refuse(
        request,
        pk,
        rewriting.rewrite_matching,
        "Rejected together: {0:,}. {0:,} others are written in their place, and come into this "
        "queue.",
    )


@require_GET
@viewer
def stage_rewriting(request: HttpRequest, pk: int) -> HttpResponse:
    """How far others are that were asked for. Asked every two seconds while they are written."""
    context = {"stage": (stage := find_stage(pk)), **review_reads.rewriting(stage)}
    return render(request, "curriculum/partials/_rewriting.html", context)


@require_POST
@reviewer
def stage_reject_flagged(request: HttpRequest, pk: int) -> HttpResponse:
    return _many(
        request,
        pk,
        ManyForm(request.POST),
        lambda stage, queue, said: bulk.reject_flagged(
            stage, actor=person(request), round=queue.round
        ),
        "Rejected together: {:,}, each for the check that it failed.",
    )


@require_POST
@reviewer
def stage_tag_all(request: HttpRequest, pk: int) -> HttpResponse:
    return _many(
        request,
        pk,
        WordManyForm(request.POST),
        lambda stage, queue, said: bulk.tag_matching(
            stage, actor=person(request), queue=queue, expected=said["expected"], word=said["word"]
        ),
        "Tagged together: {:,}.",
        none="Nothing was changed: every item that matches has this tag.",
    )


def _refuse(request: HttpRequest, pk: int, act: Callable[..., int], done: str) -> HttpResponse:
    return _many(
        request,
        pk,
        RejectManyForm(request.POST),
        lambda stage, queue, said: act(
            stage,
            actor=person(request),
            queue=queue,
            expected=said["expected"],
            reason=said["reason"],
        ),
        done,
    )


def _many(
    request: HttpRequest,
    pk: int,
    form: forms.Form,
    act: Callable[[Stage, Queue, dict[str, Any]], int],
    done: str,
    besides: Callable[[Stage], str] = lambda stage: "",
    *,
    none: str = NONE_LEFT,
) -> HttpResponse:
    stage, n = find_stage(pk), list[int]()
    notice, status = first_error(form), 422
    if "round" in form.errors:
        notice = "Which round was looked at could not be read. Look again."
    if form.is_valid():
        queue = Queue.of(stage, request.POST)
        notice, status = attempt(lambda: n.append(act(stage, queue, form.cleaned_data)), "")
        notice = done.format(n[0]) + besides(stage) if n else notice
    is_none, refused = n == [0], form if status >= 400 else None
    said, notice = elsewhere(request.POST), none if is_none else notice
    return reply(request, stage, said, notice, status, warns=is_none, many=refused)


def _flagged(stage: Stage) -> str:
    waiting = stage.items.filter(round=stage.round, verdict=Verdict.WAITING, is_flagged=True)
    n = waiting.count()
    return f" Still waiting for you, as a check failed: {n:,}." if n else ""


# --- Find and replace ---------------------------------------------------------------------------


@require_GET
@viewer
def stage_replace_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What would change, before anything does."""
    said = request.GET if "find" in request.GET else None
    initial = {"question": True, "solution": True}
    form = ReplaceForm(said, initial=initial)
    return show(request, *REPLACE, _replace(request, find_stage(pk), request.GET, form))


@require_POST
@reviewer
def stage_replace(request: HttpRequest, pk: int) -> HttpResponse:
    stage, form = find_stage(pk), ReplaceForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        done: list[tuple[int, int]] = []
        notice, status = attempt(
            lambda: done.append(
                words.replace(
                    stage,
                    actor=person(request),
                    queue=Queue.of(stage, request.POST),
                    replacement=form.replacement,
                    seen=request.POST.get("seen", ""),
                )
            ),
            "",
        )
        if done:
            n, flagged = done[0]
            notice = f"Replaced in {n:,}: new versions, which wait for a verdict." + (
                f" {flagged:,} of them now fail a check." if flagged else " All pass their checks."
            )
            return reply(request, stage, elsewhere(request.POST), notice, status)
    return answer(
        request,
        *REPLACE,
        lambda: _replace(request, find_stage(pk), request.POST, form),
        then=reverse("curriculum:stage-review", args=[pk]),
        notice=notice,
        status=status,
    )


def _replace(
    request: HttpRequest, stage: Stage, said: QueryDict, form: ReplaceForm
) -> dict[str, Any]:
    queue = Queue.of(stage, said)
    found = words.preview(stage, queue, form.replacement) if form.is_valid() else None
    changed = [item for item, *_ in found or []]
    shown = [
        (item, difference(item.question, question), difference(item.solution, solution))
        for item, question, solution, _ in (found or [])[:SHOWN]
    ]
    return {
        "stage": stage,
        "run": stage.run,
        "queue": queue,
        "query": queue.query(),
        "form": form,
        "found": found,
        "n": len(found or []),
        "n_match": queue.items(stage).count(),
        "shown": shown,
        "falls": review_reads.standing(stage, queue.round, changed, request.user),
        "seen": words.digest_of(changed),
        "may_decide": may_decide(request, stage, queue),
    }


# --- An item by a person ------------------------------------------------------------------------


@require_GET
@viewer
def stage_compose(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    return show(request, *WRITE, _write(request, stage, request.GET, _write_form(stage)))


@require_POST
@reviewer
def stage_write_item(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    form = _write_form(stage, request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = dict(form.cleaned_data)
        skill, queue = said.pop("of_skill"), Queue.of(stage, request.POST)
        made: list[Any] = []
        notice, status = attempt(
            lambda: made.append(
                items.write(stage, actor=person(request), round=queue.round, skill=skill, **said)
            ),
            "",
        )
        if made:
            [item] = made
            notice = f"Written: it waits for a verdict. {checks_said.outcome(item)}"
            place = elsewhere(request.POST)
            place["item"] = str(item.pk)
            response = reply(request, stage, place, notice, status, warns=item.is_flagged)
            return _moved(request, response, stage, queue.query(item=item.pk))
    return answer(
        request,
        *WRITE,
        lambda: _write(request, find_stage(pk), request.POST, form),
        then=reverse("curriculum:stage-review", args=[pk]),
        notice=notice,
        status=status,
    )


def _moved(request: HttpRequest, response: HttpResponse, stage: Stage, query: str) -> HttpResponse:
    """The fragment is another page than the one it goes into: its address, title and breadcrumb."""
    if not wants_partial(request):
        return response
    response.write(render_to_string(PLACE, {"stage": stage, "run": stage.run}, request))
    return push_url(response, f"{reverse('curriculum:stage-review', args=[stage.pk])}?{query}")


def _write_form(stage: Stage, said: QueryDict | None = None) -> WriteForm:
    skills = list(stage.stage_skills.values_list("skill", flat=True))
    return WriteForm(said, skills=skills)


def _write(request: HttpRequest, stage: Stage, said: QueryDict, form: WriteForm) -> dict[str, Any]:
    queue = Queue.of(stage, said)
    return {
        "stage": stage,
        "run": stage.run,
        "queue": queue,
        "query": queue.query(),
        "form": form,
        "may_decide": may_decide(request, stage, queue),
    }
