"""How good is a model on a benchmark: a score with its interval, and every answer kept as it comes.

assess(backend, load_benchmark(path), out=Path("a.json"), asking=Asking())
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from distill import grading
from distill.backends.base import Backend, Beat, no_beat
from distill.disk import write_beside
from distill.domains.benchmarks import Benchmark
from distill.errors import DistillError, SwitchedOff
from distill.grading import GRADERS, Graders
from distill.identifier.probing import ask, score
from distill.ledger import Ledger
from distill.records import Answer, Probe
from distill.training.folders import MANIFEST

SIDE = ".answers.jsonl"  # beside the figures: every answer, as it came


@dataclass(frozen=True, slots=True)
class Asking:
    """How a benchmark is asked. Greedily: temperature 0."""

    limit: int | None = None  # questions, a fair sample that grows with it; None: all
    batch_size: int = 32
    max_tokens: int = 512  # after which an answer is cut off


def assess(
    backend: Backend,
    benchmark: Benchmark,
    *,
    out: Path,
    asking: Asking,
    graders: Graders = GRADERS,
    judge: str = "",
    about: Mapping[str, Any] | None = None,
    beat: Beat = no_beat,
) -> dict[str, Any]:
    """Ask a model the questions of a benchmark; write the figures to `out` and return them.

    Args:
        backend: who is asked. It is loaded by the caller, or when first asked something.
        out: a JSON file; the answers go beside it, to `out` + `SIDE`, each batch as it comes.
            Called again, nothing is asked that has an answer there.
        graders: `grading.switched_on(...)` for code and for a judge.
        judge: the name of who judges `text` questions; "" means ROUGE.
        about: what else decides the answers, see `which_adapter`; kept, and compared on resuming.
        beat: of the questions that are still to be asked.

    Returns:
        `score` in 0..1, `interval` (95 %), `n`, `skills` (the same for each), `graders` with
        their versions, `errors` (of graders: sentence -> count), `tokens`, `seconds` of asking
        and grading over all calls, `settings`.

    Raises SwitchedOff for questions about code where running it is, DistillError when `out`
    belongs to another assessment, and what the backend and `beat` raise.
    """
    probes = _chosen(benchmark, asking.limit, judge)
    if not getattr(graders["code"], "is_on", True) and any(p.grader == "code" for p in probes):
        raise SwitchedOff
    names = sorted({p.grader for p in probes})
    who = {
        "model": backend.name,
        "data": f"{benchmark.id} {benchmark.version}",
        "max_tokens": asking.max_tokens,
        "judge": judge,
        **(about or {}),
    }
    side = out.with_name(out.name + SIDE)
    ledger = Ledger(side, resume=True)
    _check_same(ledger, side, who)
    _ask_missing(backend, probes, asking, ledger, graders, beat)
    figures = {
        **who,
        **_figures(probes, ledger),
        "graders": {name: grading.version_of(name) for name in names},
        "settings": {**asdict(asking), "temperature": 0.0},
        "questions": len(benchmark.all_probes),
        "repeated": benchmark.repeated,
    }
    write_beside(out, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    return figures


def which_adapter(folder: Path | None) -> dict[str, str]:
    """For `about`: the folder of an adapter, and SHA-256 over its configuration and weights, or
    over its record where it has no weights (simulated). One trained anew in the same place is
    another. Raises DistillError for a folder without either, OSError for what cannot be read.
    """
    if folder is None:
        return {"adapter": ""}
    found = sorted(folder.glob("adapter_*.*")) or [folder / MANIFEST]
    if not found[0].is_file():
        raise DistillError(f"{folder} holds no adapter.")
    content = hashlib.sha256()
    for path in found:
        content.update(path.name.encode())
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return {"adapter": str(folder.resolve()), "adapter_content": content.hexdigest()}


def _chosen(benchmark: Benchmark, limit: int | None, judge: str) -> list[Probe]:
    probes = benchmark.all_probes[:limit]
    if not judge:
        return probes
    return [replace(p, grader="judge") if p.grader == "rouge" else p for p in probes]


def _check_same(ledger: Ledger, side: Path, who: Mapping[str, Any]) -> None:
    was = ledger.add("assessment", "1", **who)
    for name, value in who.items():
        if was.get(name) != value:
            before = was.get(name, "not noted")
            raise DistillError(
                f"{side} holds the answers of another assessment: its {name} was “{before}”, and "
                f"is “{value}” now. Name another file with --out."
            )


def _key(probe: Probe) -> str:
    """A new version of a grader asks again: its grades are others."""
    return f"{probe.id}:{grading.version_of(probe.grader)}"


def _ask_missing(
    backend: Backend,
    probes: Sequence[Probe],
    asking: Asking,
    ledger: Ledger,
    graders: Graders,
    beat: Beat,
) -> None:
    last = time.monotonic()

    def keep(answered: Sequence[tuple[Probe, Answer]]) -> None:
        nonlocal last
        now = time.monotonic()
        for probe, answer in answered:
            ledger.add(
                "answer",
                _key(probe),
                skill=probe.skill,
                text=answer.text,
                grade=answer.grade,
                tokens=answer.tokens,
                error=answer.error,
                is_cut=answer.is_cut,
                seconds=round((now - last) / len(answered), 4),
            )
        last = now

    missing = [p for p in probes if ledger.get("answer", _key(p)) is None]
    if missing:
        ask(
            backend,
            missing,
            batch_size=asking.batch_size,
            max_tokens=asking.max_tokens,
            beat=beat,
            sink=keep,
            graders=graders,
        )


def _figures(probes: Sequence[Probe], ledger: Ledger) -> dict[str, Any]:
    kept = [e for p in probes if (e := ledger.get("answer", _key(p))) is not None]
    by_skill: dict[str, list[float]] = {}
    for entry in kept:
        by_skill.setdefault(entry["skill"], []).append(entry["grade"])
    return {
        **_scored("", [e["grade"] for e in kept]),
        "skills": [{"skill": k, **_scored(k, grades)} for k, grades in sorted(by_skill.items())],
        "errors": dict(Counter(e["error"] for e in kept if e["error"]).most_common()),
        "cut_off": sum(1 for e in kept if e.get("is_cut") and e["grade"] < 1),
        "tokens": sum(e["tokens"] for e in kept),
        "seconds": round(sum(e["seconds"] for e in kept), 1),
    }


def _scored(skill: str, grades: Sequence[float]) -> dict[str, Any]:
    # a benchmark is a sample of what it stands for, also when all of it was asked
    found = score(skill, grades, None)
    return {"score": found.mean, "interval": [found.low, found.high], "n": found.n}
