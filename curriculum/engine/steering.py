"""Kinds of wrong answers in the rows, for who writes the next items. Never those of gate probes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from curriculum.engine.describe import load_domain, settings_of
from curriculum.engine.slips import pair
from curriculum.errors import BadDomain
from curriculum.models import Answer, Run
from distill.adapter import steering
from distill.domains.base import Domain
from distill.examiner import SAMPLE
from distill.identifier.error_types import SENTENCES, ErrorType, count_errors
from distill.records import Split


def to_ask(domain: Domain, skills: Iterable[str], seed: int) -> list[str]:
    """The skills of which kinds of errors leave the writer a choice."""
    return [k for k in skills if steering.leaves_a_choice(domain.problems(k, SAMPLE, seed=seed))]


def errors_of(run: Run, skills: Iterable[str]) -> dict[str, dict[str, int]]:
    """Kinds of the current student's wrong answers to diagnostic probes, counted, by skill.

    Where it was asked fewer of a skill than a gate asks, those of the diagnosis.
    """
    answers = Answer.objects.filter(
        Q(checkpoint__is_current=True) | Q(checkpoint__parent=None),
        checkpoint__run=run,
        probe__split=Split.DIAGNOSE,
        probe__skill__key__in=list(skills),
    ).select_related("probe__skill", "checkpoint")
    said: dict[bool, dict[str, list[Any]]] = {False: {}, True: {}}
    for answer in answers:
        is_now = answer.checkpoint is not None and answer.checkpoint.is_current
        said[is_now].setdefault(answer.probe.skill.key, []).append(pair(answer))
    enough = settings_of(run).probing.gate_probes
    now = {
        k: pairs
        for k, pairs in said[True].items()
        if len(pairs) >= min(enough, len(said[False].get(k, ())))
    }
    return {k: count_errors(pairs) for k, pairs in (said[False] | now).items()}


def planned_aims(run: Run, counts: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """About how many of a round's new items (skill -> n) will be chosen for which kind of error:
    (skill, items, the kind in words), most first. Empty where the student tries the questions:
    then it shows only as they are written; and where the run's domain is not here any more.
    """
    if run.student_tries:
        return []
    try:
        domain, told = load_domain(run.domain), []
    except BadDomain:
        return []
    known = {s.id for s in domain.skills}
    for k, errors in errors_of(run, list(counts)).items():
        if k not in known or not steering.can_aim(errors):
            continue  # some domains take long to draw problems, and people wait for this page
        sample = domain.problems(k, SAMPLE, seed=run.seed)
        shares = steering.shares(steering.kinds(errors, sample), counts[k])
        told += [(k, n, aim_in_words(kind)) for kind, n in shares.items() if n]
    return sorted(told, key=lambda row: (-row[1], row))


def aim_in_words(kind: str) -> str:
    """What is wrong in answers of that kind, in a sentence; unknown kinds as they are."""
    return SENTENCES[ErrorType(kind)] if kind in set(ErrorType) else kind
