"""What evidence.json holds as a page in Markdown: tables, their commands, and pictures."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from distill.adapter.checks import Belongs, Fits, NotDuplicate, NotLeak, Template
from distill.comparison.goals import goals, named
from distill.comparison.parts import settings_of
from distill.comparison.results import made_with
from distill.comparison.sections import Section, ablations, beside, curves, sections, size_of
from distill.comparison.tuning import means_tried
from distill.differing import changed
from distill.settings import Settings

FOLDER = "evidence"  # of the pictures, beside the page
CURVES, OTHERS, ABLATED, TAUGHT, SPEED = "curves", "others", "ablated", "taught", "speed"
TRIED = "tried"  # what `ioa compare --tune` wrote, where nothing was chosen by it

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
    parts = [HEAD.format(about=_plain(about), arms=arms), _goals(told)]
    parts += [_compared_section(section, of) for section, of in compared(told)]
    if tried := told.get(TRIED):
        parts.append(_tried(tried))
    parts += [_taught(run) for run in told.get(TAUGHT, ())]
    parts += [_speed(figures) for figures in told.get(SPEED, ())]
    parts.append(f"Made with {_plain(made_with(told))}.\n")
    if apart := told.get(ABLATED):
        parts.append(f"The ablations: {_plain(made_with(apart))}.\n")
    for other in told.get(OTHERS, ()):
        parts.append(f"{size_of(other)}: {_plain(made_with(other))}.\n")
    return "\n".join(parts)


def _goals(told: Mapping[str, Any]) -> str:
    of = [told, *told.get(OTHERS, ())]
    section = goals(of, list(told.get(TAUGHT, ())), list(told.get(SPEED, ())))
    return f"## {section.title}\n\n{_plain(section.words)}\n\n{_table(section, '---')}\n"


def compared(told: Mapping[str, Any]) -> list[tuple[Section, Mapping[str, Any]]]:
    """The sections of all comparisons, each with the comparison that it is of. Pure."""
    found: list[tuple[Section, Mapping[str, Any]]] = [(s, told) for s in sections(told)]
    if (by_budget := told.get(CURVES)) and (section := curves(by_budget)):
        found.append((section, by_budget))
    for other in told.get(OTHERS, ()):
        found += [(s, other) for s in beside(other)]
    if (apart := told.get(ABLATED)) and (section := ablations(apart)):
        found.append((section, apart))
    return found


def name_of(section: Section) -> str:
    """The file of a section's picture: its title, and a digest of all that is drawn. Pure."""
    drawn = json.dumps([section.traces, section.layout], sort_keys=True)
    words = "".join(c if c.isalnum() else " " for c in section.title.lower()).split()
    return f"{'-'.join(words)}-{hashlib.sha256(drawn.encode()).hexdigest()[:10]}.svg"


def _tried(tuned: Mapping[str, Any]) -> str:
    seeds = ", ".join(map(str, tuned["seeds"]))
    budgets = ", ".join(map(str, tuned["items"]))
    words = (
        "Mean mastery of the skills taught by each arm with each rate, one run a seed, on seeds of "
        f"which none is reported ({seeds}), with {budgets} items. The rates above were not chosen "
        "by it."
    )
    head = ["arm", *(f"{rate:g}" for rate in tuned["rates"])]
    rows = [[name, *means_tried(tuned, name)] for name in tuned["tried"]]
    return _section(Section("Learning rates tried", words, head, rows), str(tuned["command"]))


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
        f"{_shown(run)}{_checked_otherwise(run.get('checks', {}))}"
    )
    return _section(Section(named(run), words, head, rows), run["command"])


def _shown(run: Mapping[str, Any]) -> str:
    """A sentence on the examples of how solutions are to be written (decision 35)."""
    if n := run.get("as_examples"):
        return f" {n:,} of {run['by_model']:,} solutions are written as the skill's examples are."
    if run.get("by_model") == 0:
        return ""  # by a program
    return (
        " Its teacher was shown no examples; today it is, unless writing.operations is without "
        "one_format."
    )


def _checked_otherwise(versions: Mapping[str, int]) -> str:
    """A sentence on the checks that have another version today; empty where none has."""
    now = {each.id: each.version for each in (Fits, Template, Belongs, NotDuplicate, NotLeak)}
    older = [k for k in sorted(versions.keys() & now.keys()) if versions[k] != now[k]]
    if not older:
        return ""
    were = ", ".join(f"{k} {versions[k]} (now {now[k]})" for k in older)
    return f" Its items were checked by {were}: the command comes to other items today."


def _between(value: float, interval: Sequence[float] | None) -> str:
    return f"{value:.2f}" + (f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else "")


def _compared_section(section: Section, told: Mapping[str, Any]) -> str:
    """With the command that does it again *now*: settings that were other then are named."""
    usual = Settings().model_dump(mode="json")
    then = changed(settings_of(told).model_dump(mode="json"), usual)
    for option, (group, name) in OPTIONS.items():
        if option in told["command"].split():
            then.get(group, {}).pop(name, None)
    if _bounds_nothing(told, then.get("budget", {}), usual["budget"]):
        then["budget"].pop("broad_skills")
    then = {group: values for group, values in then.items() if values}
    command = str(told["command"])
    if not then:
        return _section(section, command)
    if "--settings" not in command.split():
        command += " --settings settings.json"
    words = f"{section.words} settings.json holds {json.dumps(then)}."
    return _section(dataclasses.replace(section, words=words), command)


def _bounds_nothing(
    told: Mapping[str, Any], then: Mapping[str, Any], usual: Mapping[str, Any]
) -> bool:
    """Whether both `broad_skills` bound nothing of so few skills: `mixture.rehearsal_share`."""
    n = len(next(iter(told["items_to_mastery"].values()), ()))
    key = "broad_skills"
    return key in then and all(b[key] is None or b[key] >= n for b in (then, usual))


def _section(section: Section, command: str) -> str:
    picture = (
        f"![{_plain(section.title)}]({FOLDER}/{name_of(section)})\n\n" if section.traces else ""
    )
    words = _plain(section.words)
    return f"## {section.title}\n\n    {command}\n\n{words}\n\n{picture}{_table(section)}\n"


def _table(section: Section, numbers: str = "---:") -> str:
    """numbers: the rule of what is not the first column."""
    rule = ["---", *[numbers] * (len(section.head) - 1)]
    rows = [section.head, rule, *section.rows]
    return "\n".join("| " + " | ".join(_plain(c) for c in row) + " |" for row in rows)


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
