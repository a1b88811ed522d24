"""Wrong answers in the rows, by the kind of error that explains them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from curriculum import models
from distill import records
from distill.identifier.error_types import group_errors


def slips(answers: Iterable[models.Answer]) -> dict[int, list[tuple[str, int]]]:
    """Skill pk -> (what is wrong, in a sentence; how often), the most frequent first.

    Needs `answer.probe`. Right answers among them count for nothing.
    """
    by_skill: dict[int, list[tuple[records.Probe, records.Answer]]] = defaultdict(list)
    for answer in answers:
        by_skill[answer.probe.skill_id].append(pair(answer))
    return {
        pk: [(group.sentence, group.n) for group in group_errors(pairs)]
        for pk, pairs in by_skill.items()
    }


def pair(answer: models.Answer) -> tuple[records.Probe, records.Answer]:
    """A row as distill knows it. Needs `answer.probe`; the skill is left out."""
    row = answer.probe
    probe = records.Probe(
        row.key, "", records.Split(row.split), row.question, row.reference, row.grader
    )
    return probe, records.Answer(row.key, answer.text, answer.grade, answer.tokens, answer.error)
