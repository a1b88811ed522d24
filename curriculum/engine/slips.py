"""Wrong answers in the rows, by the kind of error that explains them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from curriculum import models
from distill import records
from distill.identifier.error_types import RIGHT, group_errors

CUT_OFF = "Is cut off: it has more tokens than an answer of this run may have."

Pairs = list[tuple[records.Probe, records.Answer]]


def slips(answers: Iterable[models.Answer]) -> dict[int, list[tuple[str, int]]]:
    """Skill pk -> (what is wrong, in a sentence; how often), the most frequent first; before them
    how many were cut off, whichever their kind.

    Needs `answer.probe`. Right answers among them count for nothing.
    """
    by_skill: dict[int, Pairs] = defaultdict(list)
    for answer in answers:
        by_skill[answer.probe.skill_id].append(pair(answer))
    return {pk: [*_cut_off(pairs), *_kinds(pairs)] for pk, pairs in by_skill.items()}


def _kinds(pairs: Pairs) -> list[tuple[str, int]]:
    return [(group.sentence, group.n) for group in group_errors(pairs)]


def _cut_off(pairs: Pairs) -> list[tuple[str, int]]:
    n = sum(answer.is_cut and answer.grade < RIGHT for _, answer in pairs)
    return [(CUT_OFF, n)] if n else []


def pair(answer: models.Answer) -> tuple[records.Probe, records.Answer]:
    """A row as distill knows it. Needs `answer.probe`; the skill is left out."""
    row = answer.probe
    probe = records.Probe(
        row.key, "", records.Split(row.split), row.question, row.reference, row.grader
    )
    said = answer.text, answer.grade, answer.tokens, answer.error
    return probe, records.Answer(row.key, *said, is_cut=answer.is_cut)
