"""The checks on items whose words a person has changed, or has written."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from curriculum.engine.describe import load_domain
from curriculum.engine.items import record
from curriculum.models import Item, Probe, Stage
from distill.adapter.checks import AnswerVerified, NotDuplicate, NotLeak, Parses, check
from distill.domains import question_key


def check_items(
    stage: Stage, round: int, words: Sequence[tuple[Item, str, str]]
) -> list[list[dict[str, Any]]]:
    """Results of all checks on items of one round with these words instead of their own.

    words: (item, question, solution), an item once; it may be one that is not saved yet. They
    are duplicates of each other as well as of the items that stay. Reads the round's questions
    once, whatever the number of items. Returns the results in the order of `words`.
    """
    domain = load_domain(stage.run.domain)
    probes = set(Probe.objects.filter(skill__run=stage.run_id).values_list("key", flat=True))
    changed = {item.pk for item, _, _ in words}
    there = Item.objects.filter(stage=stage, round=round).values_list("pk", "question")
    asked = Counter(question_key(q) for pk, q in there.iterator() if pk not in changed)
    keys = [question_key(question) for _, question, _ in words]
    asked.update(keys)
    found = []
    for (item, question, solution), key in zip(words, keys, strict=True):
        checks = (
            Parses(),
            AnswerVerified(domain.grader(item.skill.key)),
            NotDuplicate([key] if asked[key] > 1 else []),
            NotLeak(probes),
        )
        edited = dataclasses.replace(record(item), question=question, solution=solution)
        found.append([dataclasses.asdict(result) for result in check(edited, checks)])
    return found
