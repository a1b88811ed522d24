"""What has changed from one plan to another, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Plan = Sequence[Mapping[str, Any]]
"""Stages as the record has them, in order: {"title", "skills": [key, …]}."""

Skills = frozenset[str]


def differences(before: Plan, after: Plan) -> list[str]:
    """One sentence a change; [] when both teach the same together in the same order.

    Stages have no names of their own on record, so that they are known by their skills: those
    that were split or merged whole first, then each by the stage it shares most with. Numbers
    are places: of stages that were in the plan before, of those that are in it now. A stage that
    only moved up because of another is not told.
    """
    old = [frozenset(stage["skills"]) for stage in before]
    new = [frozenset(stage["skills"]) for stage in after]
    if not old:
        return [f"planned: {_count(len(new))}"] if new else []
    if not new:
        return ["all stages are given up"]
    told: list[str] = []
    placed: set[int] = set()  # stages whose place now a sentence has told
    now = _split(list(enumerate(old)), new, told, placed)
    now = _merge(now, new, told, placed)
    pairs = _pairs([skills for _, skills in now], new)
    told += _moved(now, new, pairs)
    told += _reordered(now, new, {i: j for i, j in pairs.items() if j not in placed})
    return told


def _split(
    old: list[tuple[int, Skills]], new: Sequence[Skills], told: list[str], placed: set[int]
) -> list[tuple[int, Skills]]:
    """The stages, each with its place before, with those that were split as their parts."""
    there = {skills for _, skills in old}
    found: list[tuple[int, Skills]] = []
    for at, skills in old:
        parts = [i for i, part in enumerate(new) if part < skills and part not in there]
        if skills not in new and len(parts) > 1 and _make_up(skills, [new[i] for i in parts]):
            each = _list([f"{_keys(new[i])} in stage {i + 1}" for i in parts])
            told.append(f"stage {at + 1} is split: {each}")
            found += [(at, new[i]) for i in parts]
            placed.update(parts)
        else:
            found.append((at, skills))
    return found


def _merge(
    now: list[tuple[int, Skills]], new: Sequence[Skills], told: list[str], placed: set[int]
) -> list[tuple[int, Skills]]:
    """The stages, with those that were merged as one, in the place of the first."""
    for i, whole in enumerate(new):
        pieces = [(at, s) for at, s in now if s < whole and s not in new]
        if whole in {skills for _, skills in now} or len(pieces) < 2:
            continue
        if _make_up(whole, [skills for _, skills in pieces]):
            places = _list([str(at + 1) for at, _ in pieces])
            told.append(f"stages {places} are merged: {_keys(whole)} in stage {i + 1}")
            placed.add(i)
            first = now.index(pieces[0])
            now = [
                (at, whole) if n == first else (at, skills)
                for n, (at, skills) in enumerate(now)
                if n == first or (at, skills) not in pieces
            ]
    return now


def _make_up(whole: Skills, parts: Sequence[Skills]) -> bool:
    return frozenset().union(*parts) == whole and sum(map(len, parts)) == len(whole)


def _pairs(now: Sequence[Skills], new: Sequence[Skills]) -> dict[int, int]:
    """Which stage became which: by the share of skills in common, then the nearest place."""
    ranked = sorted(
        (-len(a & b) / len(a | b), abs(i - j), i, j)
        for i, a in enumerate(now)
        for j, b in enumerate(new)
        if a & b
    )
    pairs: dict[int, int] = {}
    for _, _, i, j in ranked:
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def _moved(
    now: Sequence[tuple[int, Skills]], new: Sequence[Skills], pairs: Mapping[int, int]
) -> list[str]:
    told = []
    left: dict[str, list[int]] = {}
    come: dict[str, list[int]] = {}
    for i, (at, skills) in enumerate(now):
        stays = new[pairs[i]] if i in pairs else frozenset()
        for key in skills - stays:
            left.setdefault(key, []).append(at + 1)
    became = {j: i for i, j in pairs.items()}
    for j, skills in enumerate(new):
        had = now[became[j]][1] if j in became else frozenset()
        for key in skills - had:
            come.setdefault(key, []).append(j + 1)
    for key in sorted(left.keys() | come.keys()):
        sources, targets = left.get(key, []), come.get(key, [])
        told += [
            f"{key} moved from stage {source} to stage {target}"
            for source, target in zip(sources, targets, strict=False)
        ]
        told += [f"{key} is taken out of stage {n}" for n in sources[len(targets) :]]
        told += [f"{key} is put in stage {n}" for n in targets[len(sources) :]]
    return told


def _reordered(
    now: Sequence[tuple[int, Skills]], new: Sequence[Skills], pairs: Mapping[int, int]
) -> list[str]:
    """The fewest stages that have changed places with the others, with where they are now."""
    kept = set(_rising([pairs[i] for i in range(len(now)) if i in pairs]))
    return [
        f"stage {now[i][0] + 1} ({_keys(new[j])}) is now stage {j + 1}"
        for i, j in sorted(pairs.items())
        if j not in kept
    ]


def _rising(numbers: Sequence[int]) -> list[int]:
    """The longest run of numbers, not next to each other, that rises; the first of such."""
    best: list[list[int]] = []
    for n in numbers:
        ends = [run for run in best if run[-1] < n]
        best.append([*max(ends, key=len, default=[]), n])
    return max(best, key=len, default=[])


def _keys(skills: Skills) -> str:
    return ", ".join(sorted(skills))


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _count(n: int) -> str:
    return f"{n} stage{'' if n == 1 else 's'}"
