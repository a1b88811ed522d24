"""Items that people bring: made whole, and checked as those that a teacher wrote."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from curriculum.engine.checking import fits_check, leak_check
from curriculum.engine.describe import load_domain, storable
from curriculum.models import Item, Skill, Stage
from curriculum.models.items import IMPORTED, marks_of
from distill import records
from distill.adapter.checks import Belongs, Check, NotDuplicate, check, standard_checks
from distill.adapter.vouching import of_person
from distill.domains import question_key
from distill.domains.base import FULL_LEVEL
from distill.grading.base import marked_answer


class Importer:
    """Makes unsaved items of one round, and remembers the questions that it has seen."""

    def __init__(self, stage: Stage) -> None:
        run = stage.run
        self._stage, self._domain = stage, load_domain(run.domain)
        asked = Item.objects.filter(stage__run=run).values_list("question", flat=True)
        self._duplicate = NotDuplicate(others=asked.iterator())
        self._leak, self._fits = leak_check(run), fits_check(run)
        self._of_skill: dict[str, Sequence[Check]] = {}

    def item(self, skill: Skill, *, question: str, solution: str, answer: str, level: int) -> Item:
        """The item with its checks. Where a solution does not say which its answer is, that is
        added; where there is no solution, it is the answer alone. Raises ValueError, with the
        sentence, for an item without an answer or without words.
        """
        question, solution, answer = (storable(w) for w in (question, solution, answer))
        if not question:
            raise ValueError("there is no question")
        answer = answer or (marked_answer(solution) or "").strip()
        if not answer:
            raise ValueError(
                "there is no answer: give a column for it, or end each solution in “Answer: …”"
            )
        if not 1 <= level <= FULL_LEVEL:
            raise ValueError(f"the level is {level}, and may be 1 to {FULL_LEVEL}")
        if not solution:
            solution = f"Answer: {answer}"
        elif marked_answer(solution) is None:
            solution += ("\n" if "\n" in solution else " ") + f"Answer: {answer}"
        key = f"{IMPORTED}-{question_key(question)}"
        made = records.Item(key, skill.key, question, solution, answer, (), level, IMPORTED)
        checks = [dataclasses.asdict(c) for c in check(made, self._checks(made))]
        return Item(
            stage=self._stage,
            round=self._stage.round,
            skill=skill,
            key=key,
            question=question,
            solution=solution,
            answer=answer,
            operations=[],
            level=level,
            origin=IMPORTED,
            checks=checks,
            **marks_of(checks),
        )

    def _checks(self, made: records.Item) -> Iterator[Check]:
        return of_person(self._standard(made.skill), made, self._domain.grader(made.skill))

    def _standard(self, skill: str) -> Sequence[Check]:
        if skill not in self._of_skill:
            self._of_skill[skill] = standard_checks(
                self._domain.grader(skill),
                duplicate=self._duplicate,
                leak=self._leak,
                fits=self._fits,
                belongs=Belongs(self._domain),
            )
        return self._of_skill[skill]
