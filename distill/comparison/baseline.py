"""One arm that is not the product, on one student: the product's parts in another order."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from distill.adapter.leaks import LeakIndex
from distill.adapter.operations import Operation
from distill.adapter.writing import Order
from distill.allowance import Allowance
from distill.assessment.gate import Was, known_at_start
from distill.authoring import Author
from distill.backends.base import Backend
from distill.comparison.arms import Arm, Known
from distill.diagnosis import BASE, Progress
from distill.domains.base import Domain
from distill.domains.parts import part_of
from distill.errors import BudgetSpent
from distill.examiner import Examiner
from distill.journal import CHECKPOINTS, Journal
from distill.organizer.stages import difficulty, lacking
from distill.records import Gap, Item, Split
from distill.roster import Student, make_room
from distill.settings import Settings
from distill.statistics import in_proportion
from distill.training.schedule import cooled

FEWEST_ROUNDS = 3  # of an arm that works in rounds
MOST_PARTS = 40  # writings of one round, until its tokens are full


class Baseline:
    """One run of an arm in one folder; the same words and seed give the same run.

    Resumable: what its journal holds is not done again. Raises `DistillError` for what a person
    can mend.
    """

    def __init__(
        self,
        arm: Arm,
        domain: Domain,
        student: Student,
        teacher: Backend,
        settings: Settings,
        *,
        seed: int,
        out: Path,
        allowance: Allowance,
        skills: Sequence[str] = (),
        progress: Progress = lambda what, done, total: None,
        against: LeakIndex | None = None,
    ) -> None:
        assert allowance.tokens is not None
        # to begin small, and to try first, by what the student can do, is the product's own
        kept = () if arm.is_bare else settings.writing.operations
        operations = tuple(o for o in kept if o is not Operation.LIMIT_LOAD)
        writing = settings.writing.model_copy(update={"operations": operations, "tried": 0})
        settings = settings.model_copy(update={"writing": writing})
        self._arm = arm
        self._measured, edges = part_of(domain, skills)
        self._taught = [s for s in self._measured if not s.is_transfer]
        inside = {s.id for s in self._taught}
        self._edges = [e for e in edges if {e.source, e.target} <= inside]
        self.journal = Journal(out, resume=True)
        self.journal.begin(
            arm=arm.name,
            domain=f"{domain.id} {domain.version}",
            student=student.name,
            teacher=teacher.name,
            skills=[s.id for s in self._measured],
            seed=seed,
            tokens=allowance.tokens,
            settings=settings.model_dump(mode="json"),
        )
        self._examiner = Examiner(
            domain, student, teacher, settings, seed=seed, journal=self.journal, progress=progress
        )
        self._author = Author(
            domain,
            student,
            teacher,
            settings,
            seed=seed,
            journal=self.journal,
            against=against or LeakIndex(),
        )
        self._student, self._teacher = student, teacher
        self._settings = settings
        self._seed = seed
        self._out = out
        self._allowance = allowance
        self._progress = progress
        self._mastered: dict[str, Was] = {}
        self._adapter: Path | None = None

    def run(self) -> dict[str, Any]:
        """Teach until the tokens are spent; returns a report as `Pipeline.run` does."""
        started = time.monotonic()
        gaps: dict[str, Gap] = {}
        if self._arm.asks_before or self._arm.asks_between:
            gaps = self._diagnose()
        notices: list[str] = []
        for number in count():
            known = self._known(number, gaps)
            weights = self._arm.choose(known)
            if not weights:
                notices.append(f"Round {number} had nothing to teach, and the arm ended there.")
                break
            if not self._teach(known, weights):
                notices.append(f"Nothing more could be written in round {number}.")
                break
            is_next_there = self.journal.has_checkpoint(f"r{number + 1}")  # a call that goes on
            if not is_next_there and self._allowance.is_spent(self.journal.total("tokens")):
                break
        figures = self._finally()
        figures["notices"] = notices
        figures["seconds"] = round(time.monotonic() - started, 1)  # of this call
        return figures

    def _diagnose(self) -> dict[str, Gap]:
        gaps = self._examiner.diagnose([s.id for s in self._taught])
        own = self.journal.grades(BASE, Split.DIAGNOSE)
        self._mastered = known_at_start(gaps, own, self._settings.thresholds)
        return gaps

    def _known(self, number: int, gaps: Mapping[str, Gap]) -> Known:
        """What the arm may know before a round: nothing, the diagnosis, or the student as it is."""
        missing = {k: difficulty(gap) for k, gap in gaps.items()}
        if self._arm.asks_between and self._adapter:
            now, sits = self._examiner.by_now(list(gaps), gaps, self._adapter)
            missing = {k: lacking(gaps[k], now[k]) for k in gaps}
            self._mastered |= {k: was for k, was in sits.items() if k not in self._mastered}
        deficient = frozenset(k for k, gap in gaps.items() if gap.is_deficient)
        return Known(self._taught, self._edges, self._seed, number, missing, deficient)

    def _teach(self, known: Known, weights: Mapping[str, float]) -> bool:
        """One round: write, arrange, train. Whether there was anything to train on."""
        key = f"r{known.round}"
        out = self._out / CHECKPOINTS / key
        if self.journal.has_checkpoint(key):
            self._adapter = out
            return True
        room = self._room(self.journal.total("tokens"))
        items = self._write(key, known, weights, room)
        if not items:
            return False
        used, tokens = self.journal.total("items"), self.journal.total("tokens")
        spent = self._allowance.share_of(self._settings.budget, tokens=tokens, items=used)
        make_room(self._teacher)
        result = self._student.trainer.train(
            self._arm.arrange(items, known),
            parent=self._adapter,
            out=out,
            settings=cooled(self._settings.lora, spent),
            seed=self._seed,
            beat=partial(self._tell, f"{key}: train"),
            log=lambda step: None,
        )
        self.journal.keep_checkpoint(key, len(items), result)
        self._adapter = result.folder
        return True

    def _room(self, used: int) -> int:
        """Tokens of the round: all that are left, or as many as the product's rounds take at most.

        A third of a small budget: in one round an arm that asks between them would never ask.
        """
        left = self._allowance.left(used)
        assert left is not None
        a_round = round(self._settings.budget.items_per_round * self._allowance.per_item)
        a_round = min(a_round, math.ceil((left + used) / FEWEST_ROUNDS))
        # what would be left for a last round of less than half goes into this one
        return left if not self._arm.asks_between or left < 1.5 * a_round else a_round

    def _write(self, key: str, known: Known, weights: Mapping[str, float], room: int) -> list[Item]:
        """Items that fill `room` tokens, in parts: how long they are shows as they come.

        What does not fit is not kept: it would have cost a teacher's tokens for nothing.
        """
        used, items, filled = self.journal.total("tokens"), list[Item](), 0
        for part in range(MOST_PARTS):
            part_key = f"{key}p{part}"
            if not self.journal.is_written(part_key):
                each = filled / len(items) if items else self._allowance.per_item
                n = max(8, round((room - filled) / each * (1.02 if items else 0.5)))
                try:
                    new = self._author.write(
                        part_key,
                        self._orders(known, weights, n),
                        adapter=self._adapter,
                        beat=partial(self._tell, f"{part_key}: write"),
                    )
                except BudgetSpent:  # the teacher's tokens
                    break
                new = self._allowance.fitting(
                    new, used=used, seed=f"{self._seed}:{part_key}", room=room - filled
                )
                self.journal.keep_items(part_key, new)
            new = self.journal.clean_items(of=part_key)
            items += new
            filled = sum(self._allowance.count(i.question, i.solution) for i in items)
            if not new or room - filled < self._allowance.per_item / 2:
                break
        return items

    def _tell(self, what: str, done: int, total: int) -> None:
        self._progress(what, done, total)

    def _orders(self, known: Known, weights: Mapping[str, float], n: int) -> list[Order]:
        """What is wanted of each skill; who never asked the student takes it to know nothing."""
        counts = {k: m for k, m in in_proportion(weights, n).items() if m}
        errors = {}
        if self._arm.asks_between and self._adapter and not self._arm.is_bare:
            errors = self._examiner.errors(counts, self._adapter)
        return [
            Order(k, m, mastery=1.0 - known.lacking.get(k, 1.0), errors=errors.get(k, {}))
            for k, m in counts.items()
        ]

    def _finally(self) -> dict[str, Any]:
        """The figures of `Pipeline.assess_finally`, from the same questions."""
        skills = [s.id for s in self._measured]
        trained = {i.skill for i in self.journal.clean_items()}
        return self._examiner.at_end(
            skills,
            self._adapter,
            taught=[k for k in skills if k in trained],
            mastered=self._mastered,
            stages=[],
        )
