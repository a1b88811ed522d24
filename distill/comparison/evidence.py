"""docs/evidence.json and docs/evidence.md, from comparisons and the figures of benchmarks.

python -m distill.comparison.evidence COMPARED [[+]MORE ...] [RUN[#TEACHER] ...] docs [SPEED.json …]

COMPARED: a folder of `ioa compare`, or one that holds evidence.json already. MORE: such a folder
with `ioa` and ablations, or of the same skills with several budgets, or of other skills or another
budget, which is told beside it as a comparison of its own; or one that holds evidence.json, of
which comes what is not named: those comparisons, the runs, the benchmarks. With + before it a
folder is a part of what is told of the same skills: other seeds, arms or budgets of it, run apart.
RUN: a folder of `ioa distil`, told beside those that are told already, or in place of one by the
same command. It keeps the name of its teacher alone, so TEACHER says where that
was: var/taught#transformers:qwen2.5-coder-1.5b.
SPEED.json: what bench/training.py and bench/assessment.py print; or a tuned.json, which is told as
what was tried, where the comparison has not taken its rates from it. With docs alone the page is
written again from docs/evidence.json. Its pictures are drawn by `distill.comparison.drawing`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distill.adapter.operations import Operation
from distill.comparison.document import ABLATED, CURVES, OTHERS, SPEED, TAUGHT, TRIED, markdown
from distill.comparison.parts import joined
from distill.comparison.program import Misused, run
from distill.comparison.results import FIGURES
from distill.comparison.sections import ablations
from distill.differing import changed
from distill.disk import write_beside
from distill.errors import DistillError
from distill.settings import Settings, as_kept

JSON, PAGE = "evidence.json", "evidence.md"
KEPT = (CURVES, OTHERS, ABLATED, TRIED, TAUGHT, SPEED)
PART = "+"
SAME = ("student", "domain", "teacher")
SAME_SIZE = ("items", "tokens", "composite")

REPORTED = (
    *("skills", "retained_before", "retained", "retained_interval", "forgotten"),
    *("items", "train_tokens", "teacher_tokens", "probes", "seconds"),
)
"""What of a run's report is told."""


def gather(sources: Sequence[str], speeds: Sequence[Path]) -> dict[str, Any]:
    """What evidence.json is to hold: the figures of comparisons, of runs and of benchmarks.

    sources: folders, as on the command line; the first is a comparison's. Raises `DistillError`
    where what is told beside it, or joined to it, is of something else.
    """
    pieces = [name[1:] for name in sources if name.startswith(PART)]
    sources = [name for name in sources if not name.startswith(PART)]
    compared = {name: found for name in sources if (found := _compared(Path(name))) is not None}
    runs = [name for name in sources if name not in compared]
    if not sources:
        raise DistillError("No comparison is named.")
    if sources[0] not in compared:
        raise DistillError(f"{sources[0]} holds no comparison.")
    told, others = compared.pop(sources[0]), list[dict[str, Any]]()
    for name, other in compared.items():
        if not (Path(name) / FIGURES).is_file():
            told = {k: other[k] for k in KEPT if k in other} | told
        elif ablations(other) is None and len(other["budgets"]) > 1 and _are_skills(told, other):
            _check_same(told, other, name, SAME)
            told[CURVES] = other
        elif _are_skills(told, other) and told["items"] == other["items"]:
            told[ABLATED] = _apart(told, other, name)
        else:
            _check_same(told, other, name, SAME)
            others.append(other)
    if others:
        again = [(other["items"], other["seeds"]) for other in others]
        kept = [o for o in told.get(OTHERS, ()) if (o["items"], o["seeds"]) not in again]
        told[OTHERS] = [*kept, *others]
    for name in pieces:
        told = _with_part(told, name)
    if runs:
        fresh = [run_told(run) for run in runs]
        renewed = {run["command"] for run in fresh}
        told[TAUGHT] = [*(r for r in told.get(TAUGHT, ()) if r["command"] not in renewed), *fresh]
    read = [_figures(path) for path in speeds]
    if figures := [each for each in read if TRIED not in each]:
        told[SPEED] = figures
    for each in read:
        if TRIED in each:
            told[TRIED] = each
    return told


def _with_part(told: dict[str, Any], name: str) -> dict[str, Any]:
    """`told` with the comparison that the folder is a part of made larger by it."""
    more = _compared(Path(name))
    if more is None:
        raise DistillError(f"{name} holds no comparison.")
    if _are_skills(told, more):
        return joined(told, more, name)
    others = list(told.get(OTHERS, ()))
    places = [i for i, other in enumerate(others) if _are_skills(other, more)]
    if not places:
        raise DistillError(f"Nothing that is told is of the skills of {name}.")
    # of several the one that was run with its settings; else the first says what is other
    i = next((i for i in places if others[i]["settings"] == more["settings"]), places[0])
    others[i] = joined(others[i], more, name)
    return told | {OTHERS: others}


def _apart(told: Mapping[str, Any], other: dict[str, Any], name: str) -> dict[str, Any]:
    """`other`, beside what is told: its arms were not run with those, perhaps on another machine,
    where the same seed may give another run; so neither is ever paired with the other's.
    """
    _check_same(told, other, name, SAME + SAME_SIZE)
    if ablations(other) is None:
        raise DistillError(f"{name} does not compare ioa with ioa less one of its parts.")
    return other


def _check_same(
    told: Mapping[str, Any], other: Mapping[str, Any], name: str, keys: Sequence[str]
) -> None:
    for key in keys:
        if told[key] != other[key]:
            raise DistillError(
                f"{name} is of something else: its {key} is {other[key]}, not {told[key]}."
            )


def _are_skills(told: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both are of the same skills."""
    here, there = ({k for of in each["skills"].values() for k in of} for each in (told, other))
    return here == there


def _figures(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise DistillError(f"{path} cannot be read: {exc}.") from exc
    if not isinstance(found, dict):
        raise DistillError(f"{path} holds no figures.")
    return found


def _compared(folder: Path) -> dict[str, Any] | None:
    for name in (FIGURES, JSON):
        if (folder / name).is_file():
            return _figures(folder / name)
    return None


def run_told(said: str) -> dict[str, Any]:
    """Of a folder of `ioa distil`: what it came to, and the command and settings that made it.

    said: the folder, and behind # its teacher as the command takes it.
    """
    name, _, teacher = said.partition("#")
    folder = Path(name)
    report = json.loads((folder / "report.json").read_text())
    with (folder / "ledger.jsonl").open(encoding="utf-8") as lines:
        run, *entries = map(json.loads, lines)
    items = [e for e in entries if e["kind"] == "item"]
    written = [item for item in items if item.get("call")]
    checks = [c for item in items for c in item["checks"]]
    then = as_kept(report["settings"]).model_dump(mode="json")
    settings = changed(then, Settings().model_dump(mode="json"))
    settings.get("budget", {}).pop("items", None)
    settings = {group: values for group, values in settings.items() if values}
    words = {
        "domain": run["domain"].split()[0],
        "student": run["student"],
        "teacher": teacher or run["teacher"],
        "skills": ",".join(run["skills"]),
        "items": report["settings"]["budget"]["items"],
        "seed": run["seed"],
        **({"settings": "settings.json"} if settings else {}),
        "out": f"var/{folder.name}",
    }
    return {
        "command": "ioa distil " + " ".join(f"--{k} {v}" for k, v in words.items()),
        "settings": settings,
        **{k: run[k] for k in ("student", "teacher", "domain", "seed")},
        **{k: report[k] for k in REPORTED},
        "checks": {c["id"]: c["version"] for c in checks},
        "by_model": len(written),
        "as_examples": sum(Operation.ONE_FORMAT in item["operations"] for item in written),
    }


def main(words: Sequence[str]) -> None:
    """Raises `DistillError`; of its kinds `Misused` where no folder to write to is named."""
    folders = [w for w in words if not w.endswith(".json")]
    if not folders or any(w.startswith("-") for w in words):
        raise Misused
    *sources, docs = folders
    speeds = [Path(w) for w in words if w.endswith(".json")]
    if sources:
        told = gather(sources, speeds)
        write_beside(Path(docs) / JSON, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    write_beside(Path(docs) / PAGE, markdown(json.loads((Path(docs) / JSON).read_text())))


if __name__ == "__main__":
    sys.exit(run(main, sys.argv[1:], __doc__))
