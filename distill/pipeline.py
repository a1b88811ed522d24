"""The loop of docs/method.md without a database: diagnose, organise, and teach stage by stage.

Everything done is a line in `ledger.jsonl`, so that a run that was killed continues where it
was and does nothing twice. The browser runs the same loop over rows (curriculum.engine); both
call the same functions for everything that is computed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from distill import report
from distill.adapter.leaks import LeakIndex
from distill.adapter.writing import Order
from distill.allowance import Allowance
from distill.assessment.gate import known_at_start
from distill.authoring import Author
from distill.backends.base import Backend
from distill.decisions import STOPPED, AtGate, Decide, Decision, autopilot, ended, let_pass, stalls
from distill.diagnosis import BASE, Progress
from distill.domains.base import Domain
from distill.domains.parts import part_of
from distill.errors import BudgetSpent, NothingToTrain
from distill.examiner import Examiner
from distill.journal import CHECKPOINTS, Journal
from distill.organizer import mixture
from distill.organizer.footing import footing, gained
from distill.passed import Passed
from distill.planner import Planner
from distill.records import Curriculum, Gap, Item, PlannedStage, Score, Split
from distill.roster import Student, make_room
from distill.settings import Settings
from distill.training.schedule import cooled
from distill.verdicts import GateEvidence

Need = Mapping[str, float]  # skill -> what it lacks, 0..1


class Pipeline:
    """One run in one folder. `run()` does all of it; the steps are there for notebooks.

    The same domain, student, settings and seed give the same run, as far as the student's
    hardware computes the same twice. Raises `DistillError` for what a person can mend.
    """

    def __init__(
        self,
        domain: Domain,
        student: Student,
        teacher: Backend,
        settings: Settings,
        *,
        seed: int,
        out: Path,
        skills: Sequence[str] = (),
        decide: Decide = autopilot,
        progress: Progress = lambda what, done, total: None,
        resume: bool = False,
        against: LeakIndex | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        self.skills, self.edges = part_of(domain, skills)
        self.journal = Journal(out, resume=resume)
        self.journal.begin(
            domain=f"{domain.id} {domain.version}",
            student=student.name,
            teacher=teacher.name,
            skills=[s.id for s in self.skills],
            seed=seed,
            # the budget may be raised when a run is continued; all else would change its past
            settings=settings.model_dump(
                mode="json", exclude={"budget": True, "writing": {"teacher_tokens": True}}
            ),
        )
        self._examiner = Examiner(
            domain, student, teacher, settings, seed=seed, journal=self.journal, progress=progress
        )
        self._planner = Planner(self.skills, self.edges, settings, self.journal, self._examiner)
        self._author = Author(
            domain,
            student,
            teacher,
            settings,
            seed=seed,
            journal=self.journal,
            against=against or LeakIndex(),
        )
        self._student = student
        self._teacher = teacher
        self._settings = settings
        self._allowance = allowance or Allowance()
        self._seed = seed
        self._out = out
        self._decide = decide
        self._progress = progress
        self._passed = Passed()
        self._adapter: Path | None = None

    def run(self) -> dict[str, Any]:
        """Diagnose, plan, teach; the report, in report.json too, tells what was left out."""
        started = time.monotonic()
        gaps = self.diagnose()
        curriculum = self.organise(gaps)
        position, untaught = 0, []
        while position < len(curriculum.stages):
            stage, position = curriculum.stages[position], position + 1
            try:
                later = [list(s.skills) for s in curriculum.stages[position:]]
                decision = self.teach(stage, position, gaps, later)
                why = STOPPED if decision is Decision.STOP else ""
            except BudgetSpent as exc:
                why = str(exc)
            if why:
                n = len(self.journal.gates(f"s{position}r"))
                untaught.append(ended(curriculum.stages[position - 1 :], position, n, why))
                break
            if decision is Decision.WAIVE and self._is_spent(through=position):
                untaught.append(let_pass(stage, position, is_last=not later))
            curriculum, sits = self._planner.rest(curriculum, position, gaps, self._adapter)
            self._passed.mastered |= sits
        figures = self.assess_finally(curriculum)
        seconds = round(time.monotonic() - started, 1)  # of this call
        figures |= {"notices": [*curriculum.notices, *untaught], "seconds": seconds}
        report.write(self._out / "report.json", figures)
        return figures

    def diagnose(self) -> dict[str, Gap]:
        """Probe teacher and student on every skill (Eq. 2)."""
        gaps = self._examiner.diagnose([s.id for s in self.skills])
        own = self.journal.grades(BASE, Split.DIAGNOSE)
        taught = {s.id: gaps[s.id] for s in self.skills if not s.is_transfer}
        self._passed.mastered = known_at_start(taught, own, self._settings.thresholds)
        return gaps

    def organise(self, gaps: Mapping[str, Gap]) -> Curriculum:
        """Target skills in stages (Eq. 4-8)."""
        return self._planner.organise(gaps)

    def teach(
        self,
        stage: PlannedStage,
        position: int,
        gaps: Mapping[str, Gap],
        later: Sequence[Sequence[str]] = (),
    ) -> Decision:
        """The rounds of one stage, until somebody lets it pass. Returns the last decision.

        later: the skills of the stages behind it. They get their share of the budget; and of them,
        as of waived ones, every round teaches some beside (`preview_weight`).
        """
        waiting = self._planner.lacking([k for stage in later for k in stage], gaps)
        need, lost = self._examiner.lacking(stage.skills, gaps, self._adapter), dict[str, float]()
        passed, known = self._passed, self._passed.known
        small = set(stage.skills) if stage.is_bridge else set()
        rounds: list[GateEvidence] = []
        found: list[dict[str, Score]] = []  # what was scored in each
        while True:
            round = len(rounds)
            key = f"s{position}r{round}"
            beside = passed.beside(stage.skills) | waiting
            pool = [i for i in self.journal.clean_items(except_of=key) if i.skill in known]
            has, left = {i.skill for i in pool}, sum(waiting.values())
            share = mixture.rehearsal_share(self._settings.budget, need, beside, has)
            try:
                self._write(key, need, beside, small=small, share=share, waiting=left)
            except BudgetSpent:
                if rounds:  # what its gates have shown stands, as if it had been waived there
                    best = footing(rounds).at
                    passed.settle(rounds[best], found[best], is_waived=True)
                    passed.skills |= set(stage.skills)
                raise
            self._train(key, pool, lost, share)
            evidence, scores = self._examiner.at_gate(
                key, stage.skills, gaps, passed, self._adapter
            )
            rounds.append(evidence)
            least = self._settings.budget.least_gain
            stalled = stalls(gained(rounds), least=least, others_wait=bool(later))
            at = AtGate(stage, position, round, evidence, self._may(round), stalled)
            decision = self._decided(key, at)
            found.append(scores)
            stands = footing(rounds)
            if decision is not Decision.ADVANCE:
                self._adapter = self._folder(f"s{position}r{stands.at}")
                evidence, scores = rounds[stands.at], found[stands.at]
            if self._settings.probing.ask_others:
                passed.look_back(evidence, gaps)
            if decision is not Decision.REMEDY:
                passed.settle(evidence, scores, is_waived=decision is not Decision.ADVANCE)
                passed.skills |= set(stage.skills)
                return decision
            need, lost = stands.need, stands.lost
            known = passed.known | stands.sits
            if self._settings.probing.ask_others:
                now = self._examiner.lacking(sorted(waiting), gaps, self._adapter)
                waiting = {k: now[k] for k in waiting}  # in the order in which they come
            small = mixture.bridged(rounds)

    def assess_finally(self, curriculum: Curriculum) -> dict[str, Any]:
        """Open the `final` probes, once, for the student before and after, and the teacher."""
        stages = [
            report.stage(s.skills, self.journal.gates(f"s{i}r"))
            for i, s in enumerate(curriculum.stages, 1)
        ]
        return self._examiner.at_end(
            [s.id for s in self.skills],
            self._adapter,
            taught=sorted({i.skill for i in self.journal.clean_items()}),
            mastered=self._passed.mastered,
            stages=stages,
        )

    def _write(
        self, key: str, need: Need, beside: Need, *, small: Set[str], share: float, waiting: float
    ) -> None:
        attempt = self.journal.to_write(key)
        if not attempt:
            return
        used, tokens = self.journal.total("items"), self.journal.total("tokens")
        budget = self._allowance.within(self._settings.budget, tokens=tokens, items=used)
        n = mixture.room_for_new(
            budget, need, used=used, share=share, beside=beside, waiting=waiting
        )
        counts = mixture.dealt(need, beside, n, budget)
        errors = self._errors(k for k in counts if k in need)
        lacks = {**beside, **need}
        items = self._author.write(
            attempt,
            [
                Order(k, count, 1.0 - lacks[k], k in small, errors.get(k, {}))
                for k, count in counts.items()
            ],
            adapter=self._adapter,
            beat=lambda done, total: self._progress(f"{key}: write", done, total),
        )
        fitting = self._allowance.fitting(items, used=tokens, seed=key)
        if any(not i.is_flagged for i in items) and all(i.is_flagged for i in fitting):
            raise BudgetSpent("No item is short enough for the training tokens that are left.")
        self.journal.keep_items(attempt, fitting)

    def _errors(self, skills: Iterable[str]) -> Mapping[str, Mapping[str, int]]:
        return self._examiner.errors(skills, self._adapter)

    def _train(
        self, key: str, pool: Sequence[Item], lost: Mapping[str, float], share: float
    ) -> None:
        out = self._folder(key)
        if self.journal.has_checkpoint(key):
            self._adapter = out
            return
        if not (new := self.journal.clean_items(of=key)):  # nothing to rehearse beside
            raise NothingToTrain(self.journal.why_none_is_clean(key))
        items = mixture.mix(new, pool, lost=lost, share=share, seed=f"{self._seed}:{key}")
        used, tokens = self.journal.total("items"), self.journal.total("tokens")
        items = self._allowance.fitting(items, used=tokens, seed=key)
        spent = self._allowance.share_of(self._settings.budget, tokens=tokens, items=used)
        make_room(self._teacher)
        result = self._student.trainer.train(
            items,
            parent=self._adapter,
            out=out,
            settings=cooled(self._settings.lora, spent),
            seed=self._seed,
            beat=lambda done, total: self._progress(f"{key}: train", done, total),
            log=lambda step: None,
        )
        self.journal.keep_checkpoint(key, len(items), result)
        self._adapter = result.folder

    def _folder(self, key: str) -> Path:
        return self._out / CHECKPOINTS / key

    def _may(self, round: int) -> bool:
        return not self._is_spent() and round + 1 < self._settings.budget.rounds_cap

    def _is_spent(self, through: int | None = None) -> bool:
        """Of all, or by the end of that stage: what was decided then is told as it was then."""
        if through is not None:
            last = f"s{through}r{len(self.journal.gates(f's{through}r')) - 1}"
            if (kept := self.journal.was_spent(last)) is not None:
                return kept  # of the budget as it was: it may be a larger one by now
        is_spent = self._allowance.is_spent(self.journal.total("tokens", through))
        return is_spent or self.journal.total("items", through) >= self._settings.budget.items

    def _decided(self, key: str, gate: AtGate) -> Decision:
        decision = self.journal.decision(key)
        if decision is None:
            decision = self._decide(gate)
            gate.check(decision)
            self.journal.keep_decision(key, decision, gate.evidence, self._is_spent())
        return Decision(decision)
