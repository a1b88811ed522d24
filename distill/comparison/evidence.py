"""docs/evidence.json and docs/evidence.md, from comparisons and the figures of benchmarks.

python -m distill.comparison.evidence COMPARED [[+]MORE ...] [RUN[#TEACHER] ...] docs [SPEED.json …]

COMPARED: a folder of `ioa compare`, or one that holds evidence.json already. MORE: such a folder
with `ioa` and ablations, or of the same skills with several budgets, or of other skills or another
budget, which is told beside it as a comparison of its own; or one that holds evidence.json, of
which comes what is not named: those comparisons, the runs, the benchmarks. With + before it a
folder is a part of what is told of the same skills: other seeds, arms or budgets of it, run apart.
RUN: a folder of `ioa distil`. It keeps the name of its teacher alone, so TEACHER says where that
was: var/taught#transformers:qwen2.5-coder-1.5b.
SPEED.json: what bench/training.py and bench/assessment.py print. With docs alone the page is
written again from docs/evidence.json.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distill.comparison.parts import joined
from distill.comparison.results import FIGURES, made_with
from distill.comparison.sections import Section, ablations, beside, curves, sections
from distill.disk import write_beside
from distill.errors import DistillError
from distill.settings import Settings, as_kept

JSON, PAGE = "evidence.json", "evidence.md"
CURVES, OTHERS, ABLATED, TAUGHT, SPEED = "curves", "others", "ablated", "taught", "speed"
KEPT = (CURVES, OTHERS, ABLATED, TAUGHT, SPEED)
PART = "+"
SAME = ("student", "domain", "teacher")
SAME_SIZE = ("items", "tokens", "composite")

REPORTED = (
    *("skills", "retained_before", "retained", "retained_interval", "forgotten"),
    *("items", "train_tokens", "teacher_tokens", "probes", "seconds"),
)
"""What of a run's report is told."""

OPTIONS = {
    "--probes": ("probing", "final_probes"),
    "--items-per-round": ("budget", "items_per_round"),
}
"""Of `ioa compare`, and the settings that they change."""

HEAD = """\
# Evidence

Does teaching by a curriculum beat the same tokens spent otherwise? This page is made by
`python -m distill.comparison.evidence` from [evidence.json](evidence.json); a test says when they
differ. Every number comes from the command above its table, on {about}.

{arms}

Fairness. All arms have the same student, teacher, trainer, checks and final questions, and the same
number of training tokens, the last item or hundredth aside; no arm has more teacher tokens than
that. What ioa asks the student before and between its rounds costs time and no tokens; arms that
do not ask have no use for it. Worked steps are in every arm but those called bare.
Few seeds make bootstrap intervals too narrow: five hold the true mean some 85 times in 100, three
75. An arm that wins on a seed is not a win.
"""


def markdown(told: Mapping[str, Any]) -> str:
    """The page, from what evidence.json holds. Pure."""
    seeds = ", ".join(str(s) for s in told["seeds"])
    about = f"{told['student']}, {told['domain']}, teacher {told['teacher']}, seeds {seeds}"
    arms = "\n".join(f"- **{_plain(k)}**: {_plain(v)}" for k, v in told["says"].items())
    parts = [HEAD.format(about=_plain(about), arms=arms)]
    parts += [_compared_section(section, told) for section in sections(told)]
    if (by_budget := told.get(CURVES)) and (section := curves(by_budget)):
        parts.append(_compared_section(section, by_budget))
    for other in told.get(OTHERS, ()):
        parts += [_compared_section(section, other) for section in beside(other)]
    if apart := told.get(ABLATED):
        section = ablations(apart)
        parts += [_compared_section(section, apart)] if section else []
    parts += [_taught(run) for run in told.get(TAUGHT, ())]
    parts += [_speed(figures) for figures in told.get(SPEED, ())]
    parts.append(f"Made with {_plain(made_with(told))}.\n")
    if apart:
        parts.append(f"The ablations: {_plain(made_with(apart))}.\n")
    for other in told.get(OTHERS, ()):
        parts.append(f"{other['items']:,} items: {_plain(made_with(other))}.\n")
    return "\n".join(parts)


def gather(sources: Sequence[str], speeds: Sequence[Path]) -> dict[str, Any]:
    """What evidence.json is to hold: the figures of comparisons, of runs and of benchmarks.

    sources: folders, as on the command line; the first is a comparison's. Raises `DistillError`
    where what is told beside it, or joined to it, is of something else.
    """
    pieces = [name[1:] for name in sources if name.startswith(PART)]
    sources = [name for name in sources if not name.startswith(PART)]
    compared = {name: found for name in sources if (found := _compared(Path(name))) is not None}
    runs = [name for name in sources if name not in compared]
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
        told[OTHERS] = others
    for name in pieces:
        told = _with_part(told, name)
    if runs:
        told[TAUGHT] = [run_told(run) for run in runs]
    if speeds:
        told[SPEED] = [json.loads(path.read_text()) for path in speeds]
    return told


def _with_part(told: dict[str, Any], name: str) -> dict[str, Any]:
    """`told` with the comparison that the folder is a part of made larger by it."""
    more = _compared(Path(name))
    if more is None:
        raise DistillError(f"{name} holds no comparison.")
    if _are_skills(told, more):
        return joined(told, more, name)
    others = list(told.get(OTHERS, ()))
    for i, other in enumerate(others):
        if _are_skills(other, more):
            others[i] = joined(other, more, name)
            return told | {OTHERS: others}
    raise DistillError(f"Nothing that is told is of the skills of {name}.")


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


def _compared(folder: Path) -> dict[str, Any] | None:
    for name in (FIGURES, JSON):
        if (folder / name).is_file():
            found: dict[str, Any] = json.loads((folder / name).read_text())
            return found
    return None


def run_told(said: str) -> dict[str, Any]:
    """Of a folder of `ioa distil`: what it came to, and the command and settings that made it.

    said: the folder, and behind # its teacher as the command takes it.
    """
    name, _, teacher = said.partition("#")
    folder = Path(name)
    report = json.loads((folder / "report.json").read_text())
    with (folder / "ledger.jsonl").open(encoding="utf-8") as lines:
        run = json.loads(next(lines))
    settings = _changed(report["settings"], Settings().model_dump(mode="json"))
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
    }


def _changed(settings: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """What of nested settings is not as usual."""
    return {
        k: _changed(v, usual[k]) if isinstance(v, Mapping) else v
        for k, v in settings.items()
        if v != usual[k]
    }


def _taught(run: Mapping[str, Any]) -> str:
    head = ["skill", "before", "after", "teacher", "retained", "questions"]
    rows = [
        [
            row["id"],
            f"{row['before']:.2f}",
            _between(row["after"], row["after_interval"]),
            f"{row['teacher']:.2f}",
            f"{row['after'] / row['teacher']:.2f}" if row["teacher"] else "–",
            str(row["n"]),
        ]
        for row in run["skills"]
    ]
    said = f", where settings.json holds {json.dumps(run['settings'])}" if run["settings"] else ""
    kept = _between(run["retained"], run["retained_interval"])
    words = (
        f"One run{said}. {run['student']} keeps {kept} of what {run['teacher']} can do of the "
        f"skills taught, in the mean, where it had {run['retained_before']:.2f} before; forgotten: "
        f"{', '.join(run['forgotten']) or 'nothing'}. {run['items']:,} items, "
        f"{run['train_tokens']:,} training tokens, {run['teacher_tokens']:,} tokens of the "
        "teacher's, its answers to probes among them. Intervals are of questions, not of runs."
    )
    title = f"{run['student']}, taught by {run['teacher']}"
    return _section(Section(title, words, head, rows), run["command"])


def _between(value: float, interval: Sequence[float] | None) -> str:
    return f"{value:.2f}" + (f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else "")


def _compared_section(section: Section, told: Mapping[str, Any]) -> str:
    """With the command that does it again *now*: settings that were other then are named."""
    usual = Settings().model_dump(mode="json")
    then = _changed(as_kept(told["settings"]).model_dump(mode="json"), usual)
    for option, (group, name) in OPTIONS.items():
        if option in told["command"].split():
            then.get(group, {}).pop(name, None)
    then = {group: values for group, values in then.items() if values}
    command = str(told["command"])
    if not then:
        return _section(section, command)
    if "--settings" not in command.split():
        command += " --settings settings.json"
    words = f"{section.words} settings.json holds {json.dumps(then)}."
    return _section(dataclasses.replace(section, words=words), command)


def _section(section: Section, command: str) -> str:
    rule = ["---", *["---:"] * (len(section.head) - 1)]
    rows = [section.head, rule, *section.rows]
    table = "\n".join("| " + " | ".join(_plain(c) for c in row) + " |" for row in rows)
    return f"## {section.title}\n\n    {command}\n\n{_plain(section.words)}\n\n{table}\n"


def _speed(figures: Mapping[str, Any]) -> str:
    rows = [(k.replace("_", " "), v) for k, v in figures.items() if k not in ("title", "command")]
    table = "\n".join(f"| {_plain(k)} | {_plain(_said(v))} |" for k, v in rows)
    head = f"## {figures['title']}\n\n    {figures['command']}\n\n"
    return f"{head}| | |\n| --- | ---: |\n{table}\n"


def _said(value: Any) -> str:
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)


def _plain(text: str) -> str:
    """Text that Markdown takes for text in a table."""
    for mark in ("\\", "|", "`", "*", "_", "<", "["):
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


def main(words: Sequence[str]) -> None:
    *sources, docs = [w for w in words if not w.endswith(".json")]
    speeds = [Path(w) for w in words if w.endswith(".json")]
    if sources:
        told = gather(sources, speeds)
        write_beside(Path(docs) / JSON, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    write_beside(Path(docs) / PAGE, markdown(json.loads((Path(docs) / JSON).read_text())))


if __name__ == "__main__":
    main(sys.argv[1:])
