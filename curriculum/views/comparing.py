"""Several runs side by side: what was set otherwise, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from curriculum import access, engine, figures
from curriculum.forms import NUMBERS, RunForm
from curriculum.htmx import show
from curriculum.models import Run, Score, Skill
from curriculum.numbers import number
from curriculum.views.common import anybody

PAGE = "curriculum/compare.html"
PART = "curriculum/partials/_compare.html"
MOST = 6  # runs beside each other: as many as a window holds, and as there are marks for
NAMED = 40  # letters of a run's name in a picture
OFFERED = 200  # runs to choose from, the newest first
ON_FORM = {f"{group}.{key}": name for name, (group, key) in NUMBERS.items()} | {
    "writing.questions_of_domain": "questions_of_domain",
    "writing.tried": "tries_first",
}  # setting -> field


@dataclass(frozen=True, slots=True)
class Column:
    """A run, and what came of it: `report` is empty before its end."""

    run: Run
    without: str  # the query of the page without it

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = self.run.report
        return report

    @property
    def counts(self) -> dict[str, int | None]:
        """What it took, by its name on the page; None before its end, or where an earlier version
        did not say.
        """
        stages = self.report.get("stages")
        of_stages: dict[str, int | None] = dict.fromkeys(["Stages", "Stages waived", "Rounds"])
        if stages:
            of_stages = {
                "Stages": len(stages),
                "Stages waived": sum(stage.get("status") == "waived" for stage in stages),
                "Rounds": sum(stage.get("rounds", 0) for stage in stages),
            }
        return of_stages | {
            "Items trained on": self.report.get("items"),
            "Tokens trained on": self.report.get("train_tokens"),
            "Teacher tokens": self.report.get("teacher_tokens"),
            "Answers graded": self.report.get("probes"),
        }


@dataclass(frozen=True, slots=True)
class Cell:
    """A skill in a run; None where it was not asked at the end."""

    before: Score | None
    now: Score | None


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    title: str
    is_transfer: bool
    cells: list[Cell]

    @property
    def apart(self) -> dict[str, Any] | None:
        """By how much the second of two runs is better, with its interval."""
        if len(self.cells) != 2 or any(cell.now is None for cell in self.cells):
            return None
        first, second = (cell.now for cell in self.cells)
        assert first is not None
        assert second is not None
        interval = engine.difference(second, first)
        return {
            "mean": second.mean - first.mean,
            "low": interval.low,
            "high": interval.high,
            "is_told": interval.low > 0 or interval.high < 0,
        }


@require_GET
@anybody
def run_compare(request: HttpRequest) -> HttpResponse:
    seen = access.visible_runs(request.user)
    runs = _chosen(seen.in_bulk(wanted := _wanted(request.GET.getlist("run"))), wanted)
    rows = skill_rows(runs)
    measured = [row for row in rows if any(cell.now for cell in row.cells)]
    names = _names(runs)
    offered = seen.exclude(report={}).exclude(pk__in=[run.pk for run in runs])
    if runs:
        offered = offered.filter(domain=runs[0].domain)
    columns = [Column(run, _query(r for r in runs if r != run)) for run in runs]
    context = {
        "columns": columns,
        "counts": _across(columns),
        "names": names,
        "rows": rows,
        "figure": figures.compared(measured, names) if measured else None,
        "set_otherwise": set_otherwise(runs),
        "domains": len({run.domain for run in runs}),
        "offered": offered.filter(archived_at=None).only("name", "created_at")[:OFFERED],
        "is_full": len(runs) >= MOST,
        "most": MOST,
    }
    return show(request, PAGE, PART, context)


def _across(columns: Sequence[Column]) -> list[tuple[str, list[int | None]]]:
    counts = [each.counts for each in columns]
    return [(name, [each[name] for each in counts]) for name in (counts[0] if counts else ())]


def _wanted(said: Sequence[str]) -> list[int]:
    """The first that are numbers, each once."""
    return list(dict.fromkeys(n for each in said if (n := number(each)) is not None))[:MOST]


def _chosen(found: Mapping[int, Run], wanted: Sequence[int]) -> list[Run]:
    return [found[pk] for pk in wanted if pk in found]


def _query(runs: Iterable[Run]) -> str:
    return urlencode([("run", run.pk) for run in runs])


def _names(runs: Sequence[Run]) -> list[str]:
    """What a picture calls them: short, with their number where two would have one name."""
    names = [shorten(run.name, NAMED, placeholder="…") or run.name[:NAMED] for run in runs]
    return [
        f"{name} (run {run.pk})" if names.count(name) > 1 else name
        for name, run in zip(names, runs, strict=True)
    ]


def skill_rows(runs: Sequence[Run]) -> list[Row]:
    """Skills by key, in the order of the first run that has them, transfer last. Two queries."""
    skills: dict[str, dict[int, Skill]] = {}
    for skill in Skill.objects.filter(run__in=runs):
        skills.setdefault(skill.key, {})[skill.run_id] = skill
    known = Q(checkpoint__parent=None) | Q(checkpoint__is_current=True)
    scores = Score.objects.filter(
        known, skill__run__in=runs, split="final", checkpoint__isnull=False
    ).select_related("checkpoint")
    before, now = {}, {}
    for score in scores:
        assert score.checkpoint is not None
        if score.checkpoint.parent_id is None:
            before[score.skill_id] = score
        if score.checkpoint.is_current:
            now[score.skill_id] = score
    order = {run.pk: n for n, run in enumerate(runs)}
    rows = []
    for key, by_run in skills.items():
        pks = [by_run[run.pk].pk if run.pk in by_run else 0 for run in runs]
        first = min(by_run.values(), key=lambda skill: order[skill.run_id])
        cells = [Cell(before.get(pk), now.get(pk)) for pk in pks]
        if any(cell.before or cell.now for cell in cells):
            place = (first.is_transfer, order[first.run_id], first.pk)
            rows.append((place, Row(key, first.title, first.is_transfer, cells)))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


@dataclass(frozen=True, slots=True)
class Choice:
    """What people chose differently: a value a run. `label` as the form *New run* says it; what it
    does not ask for is called as in docs/settings.md.
    """

    label: str
    key: str  # of a setting that has another label: its name in docs/settings.md
    values: list[Any]


def set_otherwise(runs: Sequence[Run]) -> list[Choice]:
    """What differs between these runs. Pure."""
    told = [
        {
            "Domain": run.domain,
            "Skills": ", ".join(run.skill_filter) or "all",
            "Teacher": run.teacher,
            "Student": run.student,
            "Seed": run.seed,
            "Who decides": run.get_autonomy_display(),
            "Version": run.version or "–",
            **_flat(run.settings),
        }
        for run in runs
    ]
    names = dict.fromkeys(name for each in told for name in each)
    rows = [(name, [each.get(name, "–") for each in told]) for name in names]
    return [_choice(name, values) for name, values in rows if any(v != values[0] for v in values)]


def _choice(name: str, values: list[Any]) -> Choice:
    if name not in ON_FORM:
        return Choice(name, "", values)
    return Choice(str(RunForm.base_fields[ON_FORM[name]].label), name, values)


def _flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """{"budget": {"items": 3}} -> {"budget.items": 3}"""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{name}.")
        else:
            flat[above + name] = value
    return flat
