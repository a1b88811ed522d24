"""Filters that a person keeps under a name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from curriculum.numbers import number
from curriculum.review_forms import FilterNameForm
from curriculum.services import saved
from curriculum.services.matching import Queue
from curriculum.views.common import find_stage, first_error, reviewer
from curriculum.views.review_page import elsewhere, reply


@require_POST
@reviewer
def filter_save(request: HttpRequest, pk: int) -> HttpResponse:
    stage, form = find_stage(pk), FilterNameForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        name, queue = form.cleaned_data["name"], Queue.of(stage, request.POST)
        # Without the round: it is for all stages and rounds of the run.
        query = urlencode([pair for pair in queue.fields if pair[0] != "round"])
        person: Any = request.user
        notice, status = f"Filter saved as “{name}”.", 200
        if not saved.save(stage.run, person=person, name=name, query=query):
            notice, status = f"You have {saved.MOST} filters here: remove one first.", 422
    return reply(request, stage, elsewhere(request.POST), notice, status)


@require_POST
@reviewer
def filter_remove(request: HttpRequest, pk: int) -> HttpResponse:
    stage, given = find_stage(pk), number(request.POST.get("saved"))
    person: Any = request.user
    notice, status = "That filter is not there any more.", 409
    if given is not None and saved.remove(stage.run, person=person, pk=given):
        notice, status = "Filter removed.", 200
    return reply(request, stage, elsewhere(request.POST), notice, status)
