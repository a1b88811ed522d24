"""New words for items: the old ones are kept, the checks run again, and the items wait again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from curriculum import engine
from curriculum.errors import EmptyWords, NothingChanged, Overtaken, WordsTooLong
from curriculum.models import Item, ReviewAction, Revision, Stage
from curriculum.models.items import marks_of
from curriculum.services import audit
from curriculum.services.audit import Actor, canonical
from curriculum.services.matching import Queue
from curriculum.services.reviewing import BATCH, act, begin, naming
from curriculum.states import ActionKind, Verdict

LONGEST = 20_000  # characters of a question or a solution that a replacement may make

Words = Sequence[tuple[Item, str, str, str]]  # item, question, solution, answer
Results = Sequence[list[dict[str, Any]]]  # of `engine.check_items`


@dataclass(frozen=True, slots=True)
class Replacement:
    """Plain text for plain text, in the question, the solution, or both."""

    find: str
    put: str
    match_case: bool = True
    question: bool = True
    solution: bool = True

    def on(self, item: Item) -> tuple[str, str]:
        """(question, solution) as they would be; without spaces at their ends, as an edit has it,
        where something was replaced.
        """
        pattern = re.compile(re.escape(self.find), 0 if self.match_case else re.IGNORECASE)

        def put(text: str, here: bool) -> str:
            replaced, n = pattern.subn(lambda _: self.put, text) if here else (text, 0)
            return replaced.strip() if n else text

        return put(item.question, self.question), put(item.solution, self.solution)


def preview(stage: Stage, queue: Queue, replacement: Replacement) -> Words:
    """The items that match and would change, in the queue's order, with their new words."""
    found = queue.walk(stage).select_related("skill")
    pairs = ((item, replacement.on(item)) for item in found.iterator())
    return [
        (item, *new, item.answer) for item, new in pairs if new != (item.question, item.solution)
    ]


def digest_of(items: Iterable[Item]) -> str:
    """Of what a preview showed: their words, by version, and the verdicts that fall with them."""
    said = sorted([item.pk, item.version, item.verdict] for item in items)
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def replace(
    stage: Stage, *, actor: Actor, queue: Queue, replacement: Replacement, seen: str
) -> tuple[int, int]:
    """Replace words in all that match, as one act. Returns (items, of them now flagged).

    seen: `digest_of` the items of the preview: raises `Overtaken` where others would change now,
    or verdicts would fall that were not there. Raises `NothingChanged` where nothing would.
    """
    begin(stage, round=queue.round)
    there = versions(stage)
    words = preview(stage, queue, replacement)
    if not words:
        raise NothingChanged
    if digest_of(item for item, *_ in words) != seen:
        raise Overtaken("This queue")
    for _, question, solution, _ in words:
        _require_sane(question, solution)
    # Checked before the run is held, so that workers need not wait for it.
    results = engine.check_items(stage, queue.round, words)
    with transaction.atomic():
        begin(stage, round=queue.round)
        require_versions(stage, there)
        action = act(
            stage,
            ActionKind.REPLACED,
            len(words),
            actor=actor,
            round=queue.round,
            where=queue.query(),
        )
        flagged = rewrite(stage, words, actor=actor, action=action, results=results)
        audit.write(
            stage.run,
            actor=actor,
            action="items.replaced",
            subject=stage,
            was={"words": replacement.find},
            became={"words": replacement.put, "n": len(words), "flagged": flagged},
            evidence={
                **naming(action, [(item.pk, item.version) for item, *_ in words]),
                "match_case": replacement.match_case,
                "question": replacement.question,
                "solution": replacement.solution,
            },
        )
    return len(words), flagged


def versions(stage: Stage) -> dict[int, int]:
    """item -> version, of all items of the run: what checks of new words depend on."""
    found = Item.objects.filter(stage__run=stage.run_id).order_by()
    return dict(found.values_list("pk", "version"))


def require_versions(stage: Stage, there: dict[int, int]) -> None:
    """Raises `Overtaken` where items came, or got other words, since they were looked at."""
    if versions(stage) != there:
        raise Overtaken("This queue")


def rewrite(
    stage: Stage,
    words: Words,
    *,
    actor: Actor,
    action: ReviewAction,
    results: Results | None = None,
) -> int:
    """Save a new version of each item, by an UPDATE that names what was seen. Returns how many
    fail a check. Inside the caller's transaction. Needs `item.skill`.

    results: of the checks on the words, where they were made before.
    """
    flagged = 0
    if results is None:
        results = engine.check_items(stage, action.round, words)
    for (item, question, solution, answer), checks in zip(words, results, strict=True):
        marks = marks_of(checks)
        flagged += marks["is_flagged"]
        seen = Item.objects.filter(pk=item.pk, version=item.version, verdict=item.verdict)
        if not seen.update(
            question=question,
            solution=solution,
            answer=answer,
            checks=checks,
            **marks,
            version=item.version + 1,
            verdict=Verdict.WAITING,
        ):
            raise Overtaken("This item")
    Revision.objects.bulk_create(
        (
            Revision(
                item=item,
                version=item.version,
                question=item.question,
                solution=item.solution,
                answer=item.answer,
                actor=actor.user,
                action=action,
            )
            for item, *_ in words
        ),
        batch_size=BATCH,
    )
    return flagged


def _require_sane(question: str, solution: str) -> None:
    for name, text in (("question", question), ("solution", solution)):
        if not text:
            raise EmptyWords(name)
        if len(text) > LONGEST:
            raise WordsTooLong(name, LONGEST)
