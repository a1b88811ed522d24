"""How items of a run are to be judged, in the team's words; every version is kept."""

from __future__ import annotations

from django.db import transaction

from curriculum.errors import EmptyWords, NothingChanged, Overtaken
from curriculum.models import Guideline, Run
from curriculum.services import audit
from curriculum.services.audit import Actor


@transaction.atomic
def write(run: Run, *, actor: Actor, version: int, text: str) -> Guideline:
    """Replace the version a person has looked at; 0 where there was none."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise EmptyWords("guideline")
    audit.require_going(run)
    entry = {"version": version + 1, "text": text}
    audit.write(run, actor=actor, action="guideline.written", subject=run, became=entry)
    last = Guideline.objects.filter(run=run).order_by("-version").first()
    if (last.version if last else 0) != version:
        raise Overtaken("This guideline")
    if last and last.text == text:
        raise NothingChanged
    return Guideline.objects.create(run=run, author=actor.user, **entry)
