"""From what a teacher said to a proposal without contradictions: each thing mended is told."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from distill import grading
from distill.domains.base import question_key
from distill.domains.entries import DEALT, LONGEST, deal
from distill.domains.files import FileDomain
from distill.identifier.likeness import is_alike
from distill.identifier.replies import ProbeWords, Said
from distill.organizer.graph import without_cycles
from distill.records import Edge, Probe, Proposal, Skill, Split
from distill.structured import one_line

MOST_SKILLS = 100
MOST_PREREQUISITES = 12  # of one skill
MOST_PROBES = 24  # of one skill
LONGEST_STATEMENT, LONGEST_QUESTION, LONGEST_ANSWER = 400, 2000, 300  # characters

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]+")
_NUMBER = re.compile(r"\d+(?:[.,/]\d+)*")


@dataclass
class _Draft:
    """A skill while it is mended."""

    said: str  # its id in the reply
    title: str
    statement: str
    area: str
    level: int
    names: list[str]  # of prerequisites, in the reply's words
    probes: list[ProbeWords]
    aliases: list[str] = field(default_factory=list)  # what the reply may call it besides
    id: str = ""
    prerequisites: tuple[str, ...] = ()


def propose(
    title: str,
    skills: Sequence[Said],
    *,
    teacher: str,
    prompt_version: int,
    notices: Sequence[str] = (),
    asked: int = 1,
    reply_tokens: int = 0,
) -> Proposal:
    """Return a proposal that a domain file can hold, with a notice for whatever was mended.

    Near-duplicates are merged into the first (`is_alike`), a second skill of the same id gets
    another, prerequisites that are unknown, the skill itself, or the weakest edge of a cycle
    (`without_cycles`) go, and so do probes that stand there twice or whose answer their own
    grader would not accept. Pure, and the same in every process. O(S²) in the skills, at most
    `MOST_SKILLS`.
    """
    told = list(notices)
    if len(skills) > MOST_SKILLS:
        told.append(f"Only the first {MOST_SKILLS} of {len(skills)} skills were taken.")
    drafts = _merged([_draft(said) for said in skills[:MOST_SKILLS]], told)
    _name(drafts, told)
    _resolve(drafts, told)
    probes = _probes(drafts, told)
    return Proposal(
        id=slug(title) or "proposal",
        title=one_line(title, LONGEST["title"]),
        skills=tuple(
            Skill(d.id, d.title, d.statement, d.area, d.level, d.prerequisites) for d in drafts
        ),
        probes=tuple(probes),
        notices=tuple(told),
        teacher=teacher,
        prompt_version=prompt_version,
        asked=asked,
        reply_tokens=reply_tokens,
    )


def as_domain(proposal: Proposal) -> FileDomain:
    """The proposal as a domain that `export` writes.

    Without a version, so that the file's own bytes are it, whatever a person changes. A skill's
    grader is the one that most of its probes name. A skill with too few probes (`unready`) is
    written as well, and `ioa domains check` says on which line some are missing.
    """
    listed: dict[str, list[Probe]] = {skill.id: [] for skill in proposal.skills}
    for probe in proposal.probes:
        listed[probe.skill].append(probe)
    return FileDomain(
        id=proposal.id,
        title=proposal.title,
        version="",
        skills=proposal.skills,
        graders={
            skill: Counter(p.grader for p in probes).most_common(1)[0][0] if probes else "exact"
            for skill, probes in listed.items()
        },
        listed_probes={k: tuple(sorted(v, key=lambda p: p.id)) for k, v in listed.items()},
        listed_problems=dict.fromkeys(listed, ()),
    )


def unready(proposal: Proposal) -> tuple[str, ...]:
    """Skills with fewer probes than one for each measuring split, in the proposal's order."""
    counts = Counter(probe.skill for probe in proposal.probes)
    return tuple(skill.id for skill in proposal.skills if counts[skill.id] < len(DEALT))


def slug(text: str) -> str:
    """Up to 40 letters, digits, "_" and "-" that say a text; "" where none of it can be said.

    >>> slug("../Brüche: addieren")
    'Bruche-addieren'
    """
    plain = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode()
    return _NOT_IN_IDS.sub("-", plain).strip("-")[: LONGEST["id"]].strip("-")


def _draft(said: Said) -> _Draft:
    words = said.skill
    return _Draft(
        said=words.id,
        title=one_line(words.title, LONGEST["title"]),
        statement=one_line(words.statement, LONGEST_STATEMENT),
        area=one_line(words.area, LONGEST["area"]),
        level=words.level,
        names=list(words.prerequisites),
        probes=list(said.probes),
    )


def _merged(drafts: Sequence[_Draft], told: list[str]) -> list[_Draft]:
    kept: list[_Draft] = []
    for draft in drafts:
        twin = next(
            (k for k in kept if is_alike(k.title, k.statement, draft.title, draft.statement)), None
        )
        if twin is None:
            kept.append(draft)
            continue
        twin.aliases += [draft.said, draft.title]
        twin.names += draft.names
        twin.probes += draft.probes
        twin.statement = twin.statement or draft.statement
        twin.area = twin.area or draft.area
        told.append(
            f"“{_short(draft.title)}” says the same as “{_short(twin.title)}” and was merged "
            "into it, with its probes."
        )
    return kept


def _name(drafts: Sequence[_Draft], told: list[str]) -> None:
    """Give each draft an id of its own; the first of two that share one keeps it."""
    taken: set[str] = set()
    for place, draft in enumerate(drafts, start=1):
        wanted = slug(draft.said) or slug(draft.title) or f"S{place}"
        draft.id, n = wanted, 1
        while draft.id in taken:
            n += 1
            draft.id = f"{wanted[: LONGEST['id'] - len(str(n)) - 1]}-{n}"
        if n > 1:
            told.append(
                f"Two skills are called “{wanted}”; “{_short(draft.title)}” became “{draft.id}”."
            )
        taken.add(draft.id)


def _resolve(drafts: Sequence[_Draft], told: list[str]) -> None:
    """Turn names into ids, and leave out what cannot be a prerequisite."""
    known: dict[str, str] = {}
    for rank in range(3):  # a name that two could go by is the one's whose id it is
        for draft in drafts:
            for name in ((draft.said,), (draft.id,), (draft.title, *draft.aliases))[rank]:
                known.setdefault(_folded(name), draft.id)
    edges: list[Edge] = []
    for draft in drafts:
        sources: list[str] = []
        for name in dict.fromkeys(draft.names):
            source = known.get(_folded(name)) if _folded(name) else None
            if source is None:
                told.append(
                    f"“{draft.id}” was to build on “{_short(one_line(name, 160))}”, and there is "
                    "no such skill."
                )
            elif source == draft.id:
                told.append(f"“{draft.id}” was to build on itself.")
            elif source not in sources:
                sources.append(source)
        if len(sources) > MOST_PREREQUISITES:
            told.append(
                f"“{draft.id}” was to build on {len(sources)} skills; the first "
                f"{MOST_PREREQUISITES} were kept."
            )
        edges += [Edge(source, draft.id) for source in sources[:MOST_PREREQUISITES]]
    kept, removed = without_cycles(edges)
    for edge in removed:
        told.append(
            f"“{edge.target}” was to build on “{edge.source}”, which builds on it in turn: left "
            "out, so that one of them can come first."
        )
    for draft in drafts:
        draft.prerequisites = tuple(e.source for e in kept if e.target == draft.id)


def _probes(drafts: Sequence[_Draft], told: list[str]) -> list[Probe]:
    """The usable probes, dealt to the measuring splits skill by skill."""
    asked: dict[str, str] = {}
    found: list[Probe] = []
    for draft in drafts:
        own: list[Probe] = []
        for words in draft.probes[:MOST_PROBES]:
            probe = Probe(
                question_key(words.question),
                draft.id,
                Split.DIAGNOSE,
                words.question,
                words.answer,
                words.grader,
            )
            why = _why_not(probe)
            if not why and probe.id in asked:
                why = f"“{asked[probe.id]}” asks it already"
            if why:
                question = _short(one_line(words.question, 160))
                told.append(f"“{draft.id}”: the probe “{question}” was left out: {why}.")
                continue
            asked[probe.id] = draft.id
            own.append(probe)
        if len(draft.probes) > MOST_PROBES:
            told.append(f"“{draft.id}”: only the first {MOST_PROBES} probes were taken.")
        if len(own) < len(DEALT):
            told.append(
                f"“{draft.id}” has {len(own)} probes that can be used, and needs {len(DEALT)} at "
                "least: write some, or remove the skill."
            )
        splits = deal(probe.id for probe in own)
        found += [replace(probe, split=splits[probe.id]) for probe in own]
    return found


def _why_not(probe: Probe) -> str:
    if len(probe.question) > LONGEST_QUESTION or len(probe.reference) > LONGEST_ANSWER:
        return "it is too long"
    if probe.grader == "number" and len(_NUMBER.findall(probe.reference)) > 1:
        return "its answer is more than one number"
    if grading.grade(probe, f"Answer: {probe.reference}")[0] < 1.0:
        return f"the grader “{probe.grader}” would not accept its own answer"
    return ""


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
