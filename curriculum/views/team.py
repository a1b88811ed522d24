"""A team at work on one round: the page, and what is done from it and beside an item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap

from curriculum import access, figures
from curriculum.access import Role
from curriculum.htmx import answer, show, wants_partial
from curriculum.models import Item, Sample, Stage
from curriculum.services import apart, guidelines, presence, sampling, teamwork
from curriculum.states import StageStatus, Verdict
from curriculum.team_forms import GuidelineForm, OpinionForm, SampleForm, ShareForm
from curriculum.views import review_page, team_reads
from curriculum.views.common import (
    approver,
    attempt,
    find_stage,
    first_error,
    person,
    reviewer,
    viewer,
)
from curriculum.views.review_reads import Queue

PAGE = "curriculum/team.html"
PART = "curriculum/partials/_team.html"
PRESENCE = "curriculum/partials/_team_presence.html"
SINCE = "curriculum/partials/_team_since.html"
SHOWN = 100  # items to adjudicate


@require_GET
@viewer
def stage_team(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, PAGE, PART, _context(request, find_stage(pk)))


def _context(request: HttpRequest, stage: Stage, **forms: Any) -> dict[str, Any]:
    round_ = stage.round
    here = Item.objects.filter(stage=stage, round=round_)
    rows = team_reads.progress(stage, round_)
    sample, outcome = team_reads.sample(stage, round_)
    n_drawable = sampling.population(stage, round_).count()
    plans = team_reads.plans(n_drawable) if sample is None else []
    guideline = team_reads.guidelines(stage)
    disputed = apart.to_adjudicate(stage, round_)
    enough = dict(plans).get(0.05)
    last = guideline[0] if guideline else None
    return {
        "stage": stage,
        "run": stage.run,
        "is_open": stage.status == StageStatus.REVIEWING and not stage.run.is_over,
        "n_items": here.count(),
        "n_waiting": here.filter(verdict=Verdict.WAITING).count(),
        "n_mine": apart.left_for(request.user).filter(stage=stage, round=round_).count(),
        "looking": team_reads.looking(stage, round_),
        "rows": rows,
        "figure": figures.people(rows) if any(row.decided or row.left for row in rows) else None,
        "agreement": team_reads.agreement(stage, round_),
        "adjudication": disputed.select_related("skill")[:SHOWN],
        "n_disputed": disputed.count(),
        "share": ShareForm(people=_people(stage), initial={"round": round_}),
        "sample": sample,
        "outcome": outcome,
        "n_drawable": n_drawable,
        "plans": plans,
        "draw": SampleForm(initial={"round": round_, "n": enough or max(n_drawable - 1, 0)}),
        "guidelines": guideline,
        "write": GuidelineForm(
            initial={"version": last.version, "text": last.text} if last else {"version": 0}
        ),
        "tab": "team",
        **forms,
    }


def _people(stage: Stage) -> Any:
    return access.people(stage.run, Role.REVIEWER)


@require_POST
@reviewer
def item_look(request: HttpRequest, pk: int) -> HttpResponse:
    """The page's heartbeat: take or renew the lock, and say who else has it."""
    item = _find(pk)
    assert isinstance(request.user, User)
    lock = presence.look(item, person=request.user, take_over="take" in request.POST)
    queue = Queue.of(item.stage, request.POST)
    page = reverse("curriculum:stage-review", args=[item.stage_id])
    if not wants_partial(request):
        return redirect(f"{page}?{queue.query(item=item.pk)}")
    is_mine = lock.person_id == request.user.pk
    context: dict[str, Any] = {
        "item": item,
        "lock": None if is_mine else lock,
        "queue": queue,
    }
    if not is_mine and request.POST.get("seen") == str(lock.person_id):
        # The same person still: only the time, so that it is not read out again.
        return reswap(render(request, SINCE, {**context, "oob": True}), "none")
    context["next_free"] = f"{page}?{queue.query(after=item.pk)}"
    return render(request, PRESENCE, context)


@require_POST
@reviewer
def item_opinion(request: HttpRequest, pk: int) -> HttpResponse:
    return _judge(
        request,
        pk,
        teamwork.give_opinion,
        "Your opinion is kept. It stays hidden until all are in.",
    )


@require_POST
@approver
def item_adjudicate(request: HttpRequest, pk: int) -> HttpResponse:
    return _judge(request, pk, teamwork.adjudicate, "Adjudicated.")


def _judge(request: HttpRequest, pk: int, judge: Callable[..., Item], done: str) -> HttpResponse:
    item = _find(pk)
    form = OpinionForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: judge(
                item,
                actor=person(request),
                version=said["version"],
                verdict=Verdict(said["opinion"]),
                reason=said["reason"],
            ),
            done,
        )
    # The queue goes on as after any verdict.
    return review_page.go_on(request, item, notice, status, opinion=form)


@require_POST
@approver
def stage_share_out(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    form = ShareForm(request.POST, people=_people(stage))
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: teamwork.share_out(
                stage,
                actor=person(request),
                round=said["round"],
                reviewers=list(said["reviewers"]),
                overlap=said["overlap"],
                overlap_share=said["percent"] / 100,
            ),
            "Shared out. Everybody's part is in the table.",
        )
    return _answer(request, stage, notice, status, share=form)


@require_POST
@approver
def stage_sample(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    form = SampleForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: sampling.draw(
                stage,
                actor=person(request),
                round=said["round"],
                n=said["n"],
                tolerance=said["tolerance"] / 100,
            ),
            "Drawn. Look at each of them; the others wait for what they show.",
        )
    return _answer(request, stage, notice, status, draw=form)


@require_POST
@approver
def sample_approve_rest(request: HttpRequest, pk: int) -> HttpResponse:
    sample = get_object_or_404(Sample.objects.select_related("stage__run"), pk=pk)
    done: list[int] = []
    notice, status = attempt(
        lambda: done.append(sampling.approve_rest(sample, actor=person(request))), ""
    )
    if done:
        notice = f"Approved on the sample's evidence: {done[0]}. Your name is on record."
    return _answer(request, sample.stage, notice, status)


@require_POST
@approver
def stage_guideline(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    form = GuidelineForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: guidelines.write(stage.run, actor=person(request), **form.cleaned_data),
            "Saved as a new version.",
        )
    if status == 409:  # what was typed, for the version that is there by now and shown above it
        last = team_reads.guidelines(stage)
        now = last[0].version if last else 0
        form = GuidelineForm({"version": now, "text": form.cleaned_data["text"]})
    return _answer(request, stage, notice, status, write=form)


def _answer(
    request: HttpRequest, stage: Stage, notice: str, status: int, **forms: Any
) -> HttpResponse:
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request, find_stage(stage.pk), **(forms if status >= 400 else {})),
        then=reverse("curriculum:stage-team", args=[stage.pk]),
        notice=notice,
        status=status,
    )


def _find(pk: int) -> Item:
    return get_object_or_404(Item.objects.select_related("stage__run", "skill"), pk=pk)
