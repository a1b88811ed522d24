"""A comparison's figures as sections of words, a table and a picture: for a page and for docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from distill.comparison.arms import IOA
from distill.comparison.pictures import INK, apart, bars, errors, ink_of
from distill.comparison.results import in_words, signed
from distill.comparison.tuning import means_tried

MAIN = ("composite", "mean", "worst", "transfer", "mastered")
NOT_RUN = {"composite": {"mean": None, "interval": None, "n": 0}}


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    words: str  # what the numbers say, plain text
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    traces: Sequence[dict[str, Any]] = ()  # of Plotly
    layout: Mapping[str, Any] = field(default_factory=dict)


def sections(told: Mapping[str, Any]) -> list[Section]:
    """The parts of a report, those without numbers left out. Pure; `told`: see `results.figures`.

    Every number in a table of it is in `told`.
    """
    found = [_arms(told), _differences(told), ablations(told), curves(told), _skills(told)]
    found += [_items_to_mastery(told), _forgetting(told), _cost(told), _rates(told)]
    return [section for section in found if section is not None and section.rows]


def beside(told: Mapping[str, Any]) -> list[Section]:
    """The parts of a report that stand beside another comparison's, by their size and seeds."""
    about = size_of(told)
    found = [_arms(told), _differences(told), _skills(told), _forgetting(told), _cost(told)]
    return [replace(s, title=f"{about}: {s.title}") for s in found if s is not None and s.rows]


def size_of(told: Mapping[str, Any]) -> str:
    """What a comparison beside others is known by: "3,000 items of 16 skills, seeds 1, 2"."""
    n = len(next(iter(told["items_to_mastery"].values())))  # those taught
    seeds = ("seed " if len(told["seeds"]) == 1 else "seeds ") + ", ".join(map(str, told["seeds"]))
    return f"{told['items']:,} items of {n} skills, {seeds}"


def method_names(told: Mapping[str, Any]) -> list[str]:
    """The arms that are methods; what is less one part of `ioa` has a table of its own."""
    return [name for name in told["arms"] if not name.startswith(f"{IOA}-")]


def _arms(told: Mapping[str, Any]) -> Section:
    names = method_names(told)
    rows = [
        [_seeded(told, name), *(in_words(told["arms"][name][m], m) for m in MAIN)] for name in names
    ]
    traces = [
        bars(m, names, [told["arms"][name][m] for name in names], INK[i])
        for i, m in enumerate(("composite", "mean"))
    ]
    return Section(
        "The arms",
        "Mastery is the student's score over the teacher's on questions that were opened once, at "
        f"the end. {_means(told)} {_composite(told)}",
        ["arm", *MAIN],
        rows,
        traces,
        {"barmode": "group", "yaxis": {"title": {"text": "mastery"}, "range": [0, 1]}},
    )


def _seeded(told: Mapping[str, Any], name: str) -> str:
    """The arm, with the number of its seeds where others have more."""
    n, of = told["arms"][name]["mean"]["n"], len(told["seeds"])
    return name if n == of else f"{name} ({n} of {of} seeds)"


def _means(told: Mapping[str, Any]) -> str:
    n = len(told["seeds"])
    if n == 1:
        return "One seed."
    return f"Means over {n} seeds, with 95 % bootstrap intervals over them."


def _composite(told: Mapping[str, Any]) -> str:
    return f"Composite skills: {', '.join(told['composite']) or 'none of those compared'}."


def _differences(told: Mapping[str, Any]) -> Section | None:
    first = told["against"]
    names = [name for name in method_names(told) if name in told["differences"]]
    rows = [_difference(told, name) for name in names]
    return Section(
        f"{first}, less each other arm",
        f"The difference {first} − arm within each seed, so that what a seed makes easy or hard "
        "for all arms is not in it. An interval that holds 0 tells neither from the other. times: "
        f"the composite of {first} over that of the arm.",
        ["arm", "times", "composite", "mean", "worst", "transfer", "of the composite"],
        rows,
        **apart(told, names),
    )


def _difference(told: Mapping[str, Any], name: str) -> list[str]:
    of = told["differences"][name]
    cells = [signed(of[m]) for m in ("composite", "mean", "worst", "transfer")]
    times = in_words(told["ratios"][name]["composite"], "composite")
    return [name, times, *cells, verdict(of["composite"], told["against"], name)]


def verdict(found: Mapping[str, Any], ours: str, theirs: str) -> str:
    """Who is better by a paired difference, where its interval says so."""
    if found["interval"] is None:
        return "one seed says nothing"
    low, high = found["interval"]
    if low > 0:
        return f"{ours} is better"
    return f"{theirs} is better" if high < 0 else "not told apart"


def ablations(told: Mapping[str, Any]) -> Section | None:
    """What `ioa` loses with each of its parts; None where that was not compared."""
    names = [n for n in told["arms"] if n.startswith(f"{IOA}-") and n in told["differences"]]
    if told["against"] != IOA or not names:
        return None
    own = ("composite", "mean", "kept")
    rows = [
        [name, *(in_words(told["arms"][name][m], m) for m in own), *_difference(told, name)[1:]]
        for name in names
    ]
    whole = [in_words(told["arms"][IOA][m], m) for m in own]
    rows.insert(0, [IOA, *whole, *("–" for _ in _difference(told, names[0])[1:])])
    return Section(
        "What each part is worth",
        f"ioa on the seeds {_listed(told['seeds'])}, and the difference ioa − ioa without one "
        "part, within each seed: above 0, the part helps. kept: see Forgetting. "
        + " ".join(f"{name}: {told['says'][name]}" for name in names),
        [
            *("arm", "its composite", "its mean", "kept", "times"),
            *("composite", "mean", "worst", "transfer", "of the composite"),
        ],
        rows,
        **apart(told, names),
    )  # fmt: skip


def curves(told: Mapping[str, Any]) -> Section | None:
    """Mastery by budget; None where there is but one."""
    budgets = told["budgets"]
    if len(budgets) < 2:
        return None
    names = method_names(told)
    found = {
        name: [of["arms"].get(name, NOT_RUN)["composite"] for of in budgets.values()]
        for name in names
    }
    rows = [[name, *(in_words(f, "composite") for f in of)] for name, of in found.items()]
    sizes = [int(n) for n in budgets]
    traces = []
    for name, of in found.items():
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": sizes,
                "y": [f["mean"] for f in of],
                "error_y": errors(of),
                "line": {"color": ink_of(name)},
            }
        )
    return Section(
        "Learning curves by budget",
        "Composite mastery of students that were each taught with that budget and a schedule for "
        f"it, not of one student on its way. Seeds {_listed(told['seeds'])}.",
        ["arm", *(f"{n} items" for n in budgets)],
        rows,
        traces,
        {
            "xaxis": {"title": {"text": "items"}},
            "yaxis": {"title": {"text": "composite mastery"}, "range": [0, 1]},
        },
    )


def _skills(told: Mapping[str, Any]) -> Section | None:
    names = method_names(told)
    by_arm = told["skills"]
    skills = list(next((by_arm[n] for n in names if by_arm[n]), {}))
    rows = []
    for skill in skills:
        before = next(by_arm[n][skill]["before"]["mean"] for n in names if skill in by_arm[n])
        after = [by_arm[n].get(skill, {}).get("after", {}).get("mean") for n in names]
        rows.append([skill, _share(before), *(_closed(before, a) for a in after)])
    traces = [
        bars(n, skills, [by_arm[n][k]["after"] for k in skills if k in by_arm[n]], ink_of(n))
        for n in names
    ]
    return Section(
        "Gap closed by skill",
        "Mean mastery of each skill, of the student as it came and as each arm left it, and the "
        "share of the gap to the teacher that this closed; below 0 it was widened.",
        ["skill", "before", *names],
        rows,
        traces,
        {"barmode": "group", "yaxis": {"title": {"text": "mastery"}, "range": [0, 1]}},
    )


def _items_to_mastery(told: Mapping[str, Any]) -> Section:
    names = method_names(told)
    by_arm = told["items_to_mastery"]
    skills = list(dict.fromkeys(k for n in names for k in by_arm[n]))
    rows = [[k, *(f"{by_arm[n].get(k) or '–'}" for n in names)] for k in skills]
    bound = told["settings"]["thresholds"]["mastery"]
    return Section(
        "Items to mastery",
        f"The smallest of the budgets compared ({_listed(list(told['budgets']))} items) with which "
        f"the mean mastery of a skill is {bound:g} or more; – where it is with none.",
        ["skill", *names],
        rows,
    )


def _forgetting(told: Mapping[str, Any]) -> Section:
    rows = [
        [name, in_words(of["kept"], "kept"), in_words(of["lost"], "lost")]
        for name, of in told["arms"].items()
    ]
    return Section(
        "Forgetting",
        "kept: of the skills that an arm found mastered on its way (it has to ask, so arms that "
        "never ask have none), the share that still is at the end. lost: the largest drop of any "
        "skill, transfer among them, under the student as it came.",
        ["arm", "kept", "lost"],
        rows,
    )


def _cost(told: Mapping[str, Any]) -> Section:
    names = ["items", "train_tokens", "teacher_tokens", "probes", "train_seconds", "seconds"]
    names += ["items_per_mastered"]
    rows = [[name, *(in_words(of[m], m) for m in names)] for name, of in told["arms"].items()]
    return Section(
        "Cost",
        f"The budget is {told['tokens']:,} training tokens, prompts included; teacher tokens are "
        "those of the items written, each once, so that rehearsal costs none. Probes are answered "
        "by the student and graded by a program: they cost time, and neither training nor teacher "
        "tokens. Seconds are of the machine at hand, with whatever else it did; of a run that was "
        "stopped and gone on with, those of its last call.",
        ["arm", *(n.replace("_", " ") for n in names)],
        rows,
    )


def _rates(told: Mapping[str, Any]) -> Section | None:
    tuned = told.get("tuning")
    rates = told["learning_rates"]
    if not tuned:
        rows = [[name, ", ".join(f"{r:g}" for r in of)] for name, of in rates.items()]
        return Section("Learning rates", "Not tuned: the product's default.", ["arm", "rate"], rows)
    tried = [f"{r:g}" for r in tuned["rates"]]
    rows = [
        [name, ", ".join(f"{r:g}" for r in of), *means_tried(tuned, name)]
        for name, of in rates.items()
    ]
    return Section(
        "Learning rates",
        f"Chosen for each arm by mean mastery on the seeds {_listed(tuned['seeds'])}, of which "
        f"none is reported, with {_listed(tuned['items'])} items: {tuned['command']}",
        ["arm", "rate", *tried],
        rows,
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _closed(before: float | None, after: float | None) -> str:
    """“0.42 (38 %)”: mastery, and the share of what was missing that is there now."""
    if before is None or after is None or before >= 1:
        return _share(after)
    share = f"{(after - before) / (1 - before):.0%}".replace("%", " %").replace("-", "−")
    return f"{after:.2f} ({share})"


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(str(v) for v in values)
