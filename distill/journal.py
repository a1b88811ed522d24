"""A run's ledger in the words of the method: answers, items, checkpoints, decisions."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from distill.assessment.gate import Grades
from distill.backends.base import Reply
from distill.differing import changes, filled
from distill.domains.base import question_key
from distill.errors import DistillError
from distill.ledger import Ledger
from distill.records import Answer, Call, CheckResult, Curriculum, Item, PlannedStage, Probe, Split
from distill.settings import BEFORE, as_kept
from distill.training.base import TrainingResult
from distill.verdicts import GateEvidence

LEDGER = "ledger.jsonl"
AGAIN = "+"  # behind the key of a round whose items are written again
CHECKPOINTS = "checkpoints"  # folder beside a journal: one for each round that was trained
_OF_ANSWER = tuple(field.name for field in dataclasses.fields(Answer))


class Journal:
    """Typed reading and writing of a ledger. Everything is kept by its natural key."""

    def __init__(self, folder: Path, *, resume: bool, name: str = LEDGER) -> None:
        self._where = folder if name == LEDGER else folder / name
        self._ledger = Ledger(folder / name, resume=resume)

    def begin(self, **what: Any) -> None:
        """Keep what this run is; raises `DistillError` if the folder holds another one.

        A setting that a version before did not have counts as what that version did.
        """
        was = self._ledger.add("run", "1", **what)
        usual = {"settings": as_kept(BEFORE).model_dump(mode="json")}
        for name, value in what.items():
            kept = was.get(name)
            if filled(kept, value, usual.get(name)) != value:
                raise DistillError(
                    f"{self._where} holds another run: {changes(name, kept, value)} now. Continue "
                    "with what it was, or name another place."
                )

    def identity(self) -> dict[str, Any]:
        """What `begin` kept; empty if this is no run yet."""
        return self._ledger.get("run", "1") or {}

    def keep_answers(self, who: str, answered: Sequence[tuple[Probe, Answer]]) -> None:
        self._keep_said("answer", who, answered)

    def _keep_said(self, kind: str, who: str, answered: Sequence[tuple[Probe, Answer]]) -> None:
        for probe, answer in answered:
            asked = {"skill": probe.skill, "split": probe.split, "question": probe.question}
            said = dataclasses.asdict(answer)
            self._ledger.add(kind, f"{who}:{probe.id}", who=who, **asked, **said)

    def has_answer(self, who: str, probe: Probe) -> bool:
        return self._ledger.get("answer", f"{who}:{probe.id}") is not None

    def answer(self, who: str, probe: Probe) -> Answer | None:
        return self._said("answer", who, probe)

    def _said(self, kind: str, who: str, probe: Probe) -> Answer | None:
        e = self._ledger.get(kind, f"{who}:{probe.id}")
        # ledgers of earlier versions do not say what was cut off
        return None if e is None else Answer(**{k: e[k] for k in _OF_ANSWER if k in e})

    def keep_tried(self, who: str, answered: Sequence[tuple[Probe, Answer]]) -> None:
        """Answers to questions that were drawn for items: no probes, and so no leaks."""
        self._keep_said("tried", who, answered)

    def tried(self, who: str, probe: Probe) -> Answer | None:
        return self._said("tried", who, probe)

    def replies(self, who: str) -> dict[str, Reply]:
        """Question -> what `who` said; the tokens of both stand together."""
        entries = (e for e in self._ledger.all("answer") if e["who"] == who)
        return {e["question"]: Reply(e["text"], 0, e["tokens"]) for e in entries}

    def grades(self, who: str, split: Split) -> Grades:
        found: Grades = {}
        for e in self._ledger.all("answer"):
            if e["who"] == who and e["split"] == split:
                found.setdefault(e["skill"], {})[e["probe"]] = e["grade"]
        return found

    def seen_at_gates(self, *, before: str) -> dict[str, set[str]]:
        """skill -> gate probes that the checkpoints before this one were asked.

        Not those after it: a run that goes on looks at its gates again, and asks nothing anew.
        """
        earlier = set(takewhile(lambda key: key != before, self.checkpoints()))
        found: dict[str, set[str]] = {}
        for e in self._ledger.all("answer"):
            if e["split"] == Split.GATE and e["who"] in earlier:
                found.setdefault(e["skill"], set()).add(e["probe"])
        return found

    def probe_keys(self) -> set[str]:
        return {e["probe"] for e in self._ledger.all("answer")}

    def probe_questions(self) -> list[str]:
        """What was asked of anybody so far, each question once."""
        # ledgers of earlier versions do not have the words
        asked = (e.get("question", "") for e in self._ledger.all("answer"))
        return list(dict.fromkeys(filter(None, asked)))

    def count_answers(self) -> int:
        return sum(1 for _ in self._ledger.all("answer"))

    def keep_items(self, round_key: str, items: Sequence[Item]) -> None:
        """Keep all items of a round; the closing entry says that the round is complete."""
        for item in items:
            values = dataclasses.asdict(item)
            values["item_key"] = values.pop("key")
            self._ledger.add("item", item.key, round=round_key, **values)
        self._ledger.add("written", round_key, n=len(items))

    def is_written(self, round_key: str) -> bool:
        return self._ledger.get("written", round_key) is not None

    def to_write(self, round_key: str) -> str:
        """The key to write a round's items under; empty when it has some that passed.

        Where none passed it is another, for other draws: with the calls that are kept, and the
        same seeds, the same items would come of it.
        """
        passed = {e["round"] for e in self._ledger.all("item") if not _item(e).is_flagged}
        while self.is_written(round_key):
            if round_key in passed:
                return ""
            round_key += AGAIN
        return round_key

    def clean_items(self, *, of: str = "", except_of: str = "") -> list[Item]:
        """Items that passed all checks, of one round or of all but one."""
        items = [
            _item(e)
            for e in self._ledger.all("item")
            if (not of or _round(e) == of) and _round(e) != except_of
        ]
        return [i for i in items if not i.is_flagged]

    def why_none_is_clean(self, of: str) -> str:
        """Of a round without an item that passed: a sentence with the checks that failed."""
        items = [_item(e) for e in self._ledger.all("item") if _round(e) == of]
        if not items:
            return (
                "All that the teacher wrote for this round could not be read as items, or repeated "
                "earlier ones. With --resume it is asked again."
            )
        failed = Counter(c.id for item in items for c in item.checks if not c.passed)
        told = ", ".join(f"{check} ({n})" for check, n in failed.most_common())
        return (
            f"None of the {len(items)} of this round passed its checks: {told}. "
            "With --resume others are written."
        )

    def questions(self, *, except_of: str) -> list[str]:
        """The question of every item so far, but for those of one round."""
        round_key = except_of.rstrip(AGAIN)
        return [e["question"] for e in self._ledger.all("item") if _round(e) != round_key]

    def trained(self) -> set[str]:
        """Question keys of every item that may have been trained on: none is a fair probe."""
        return {question_key(item.question) for item in self.clean_items()}

    def keep_call(self, round_key: str, call: Call) -> None:
        values = dataclasses.asdict(call)
        self._ledger.add("call", values.pop("key"), round=round_key, **values)

    def calls(self, round_key: str) -> dict[str, Call]:
        """What the teacher was asked while the round was written, by key."""
        return {e["key"]: _call(e) for e in self._ledger.all("call") if e["round"] == round_key}

    def tokens_of_calls(self) -> int:
        """What the teacher has read and written for items, over the whole run."""
        return sum(e["prompt_tokens"] + e["reply_tokens"] for e in self._ledger.all("call"))

    def keep_checkpoint(self, key: str, n_items: int, result: TrainingResult) -> None:
        self._ledger.add(
            "checkpoint",
            key,
            items=n_items,
            tokens=result.tokens,
            seconds=result.seconds,
            content_hash=result.content_hash,
        )

    def has_checkpoint(self, key: str) -> bool:
        return self._ledger.get("checkpoint", key) is not None

    def checkpoints(self) -> list[str]:
        """Keys of the rounds that were trained, in their order."""
        return [e["key"] for e in self._ledger.all("checkpoint")]

    def total(self, field: str, through: int | None = None) -> int:
        """Sum of "items" or "tokens" over all checkpoints, or those of the first stages."""
        made = self._ledger.all("checkpoint")
        if through is None:
            return sum(e[field] for e in made)
        return sum(e[field] for e in made if int(e["key"][1:].partition("r")[0]) <= through)

    def seconds_of_training(self) -> float:
        return sum(float(e["seconds"]) for e in self._ledger.all("checkpoint"))

    def spent(self, teacher: str) -> dict[str, int]:
        """What the run has cost so far; `teacher` is who answers for the teacher."""
        answers = list(self._ledger.all("answer"))
        return {
            "items": self.total("items"),
            "train_tokens": self.total("tokens"),
            "teacher_tokens": sum(e["tokens"] for e in answers if e["who"] == teacher)
            + self.tokens_of_calls(),
            "probes": len(answers) + sum(1 for _ in self._ledger.all("tried")),
            "audit_entries": len(self.gates()),
        }

    def decision(self, key: str) -> str | None:
        entry = self._ledger.get("decision", key)
        return None if entry is None else str(entry["decision"])

    def keep_decision(self, key: str, decision: str, evidence: GateEvidence, spent: bool) -> None:
        seen = dataclasses.asdict(evidence)
        self._ledger.add("decision", key, decision=decision, evidence=seen, is_spent=spent)

    def was_spent(self, key: str) -> bool | None:
        """Whether the budget was when this was decided; None where a version before decided."""
        return (self._ledger.get("decision", key) or {}).get("is_spent")

    def gates(self, prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
        """What was decided at each gate of these rounds, and its evidence as plain JSON."""
        found = (e for e in self._ledger.all("decision") if e["key"].startswith(prefix))
        return [(str(e["decision"]), e["evidence"]) for e in found]

    def keep_curriculum(self, values: dict[str, Any]) -> None:
        self._ledger.add("curriculum", "1", **values)

    def keep_rest(self, n_settled: int, curriculum: Curriculum, **evidence: Any) -> None:
        """Keep the curriculum as it was planned after so many stages, and on what evidence."""
        values = dataclasses.asdict(curriculum)
        self._ledger.add("replan", str(n_settled), **values, **evidence)

    def rest(self, n_settled: int) -> tuple[Curriculum, dict[str, Any]] | None:
        """What `keep_rest` kept, with the evidence; None where the plan was not looked at."""
        entry = self._ledger.get("replan", str(n_settled))
        if entry is None:
            return None
        stages = (PlannedStage(**{**s, "skills": tuple(s["skills"])}) for s in entry["stages"])
        severity, notices = entry["severity"], tuple(entry["notices"])
        return Curriculum(tuple(stages), severity, notices), entry

    def has_begun(self, position: int) -> bool:
        """Whether any item was written for the stage."""
        return any(e["round"].startswith(f"s{position}r") for e in self._ledger.all("item"))


def _call(entry: dict[str, Any]) -> Call:
    return Call(**{f.name: entry[f.name] for f in dataclasses.fields(Call)})


def _round(entry: dict[str, Any]) -> str:
    return str(entry["round"]).rstrip(AGAIN)


def _item(entry: dict[str, Any]) -> Item:
    values = {f.name: entry[f.name] for f in dataclasses.fields(Item) if f.name in entry}
    values |= {
        "key": entry["item_key"],
        "operations": tuple(entry["operations"]),
        "aims": tuple(entry.get("aims", ())),  # folders of earlier versions have none
        "checks": tuple(CheckResult(**c) for c in entry["checks"]),
    }
    return Item(**values)
