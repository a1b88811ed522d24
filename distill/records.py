"""The records that cross rooms: frozen, plain, and the same for the browser and for the notebook.

Words: a *skill* is one unit of knowledge, a *probe* a question with a way to grade
the answer, *mastery* the student's score over the teacher's, an *item* one training example.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Split(StrEnum):
    """Three disjoint sets of questions for measuring, and one for teaching."""

    TRAIN = "train"
    DIAGNOSE = "diagnose"  # Eq. 2; wrong answers may be shown to the adapter
    GATE = "gate"  # Eq. 9; never shown to the adapter
    FINAL = "final"  # opened once, for the report


class EvidenceKind(StrEnum):
    DECLARED = "declared"  # the teacher or the domain file says so
    OBSERVED = "observed"  # Eq. 3 over checkpoint history
    TESTED = "tested"  # Skill-it's test
    CONFIRMED = "confirmed"  # a person, with a name and a reason
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Example:
    """A question of a skill, and the way in which its solutions are to be written."""

    question: str
    solution: str  # a step a line, the last line "Answer: X"


@dataclass(frozen=True, slots=True)
class Skill:
    id: str
    title: str
    statement: str  # what a student who has it can do, in one sentence
    area: str = ""
    level: int = 1  # 1 easiest; a tag for people, nothing is computed from it
    prerequisites: tuple[str, ...] = ()
    is_transfer: bool = False  # measured in the report, never trained
    examples: tuple[Example, ...] = ()  # shown to a language model that teaches


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` builds on `source`. `strength` in 0..1 is the best evidence there is."""

    source: str
    target: str
    strength: float = 1.0
    kind: EvidenceKind = EvidenceKind.DECLARED


@dataclass(frozen=True, slots=True)
class Probe:
    id: str  # question_key of the question: the same question has the same id everywhere
    skill: str
    split: Split
    question: str
    reference: str
    grader: str = "number"


@dataclass(frozen=True, slots=True)
class Proposal:
    """How a teacher would split a domain: for a person to read and edit, before it is used.

    Every word is a model's: plain text without control characters, to be escaped where it is
    shown. Ids are letters, digits, "_" and "-". No edge closes a cycle, no question stands twice,
    and every reference is one that its grader accepts; whether it is *right*, nobody has checked.
    """

    id: str
    title: str
    skills: tuple[Skill, ...]
    probes: tuple[Probe, ...]
    notices: tuple[str, ...]  # what was mended, merged or left out, in sentences
    teacher: str  # a backend's name
    prompt_version: int
    asked: int = 1  # how often the teacher was asked
    reply_tokens: int = 0  # of all its replies

    @property
    def edges(self) -> tuple[Edge, ...]:
        return tuple(Edge(source, s.id) for s in self.skills for source in s.prerequisites)


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said to a probe, and what it was worth."""

    probe: str
    text: str
    grade: float  # 0..1
    tokens: int = 0
    error: str = ""  # why a grader failed; such an answer grades 0 and is counted
    is_cut: bool = False  # it ran into the most tokens that it may have


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """Mean grade on `n` probes of a skill, in 0..1, with its 95 % interval.

    `is_exhaustive`: the probes were all the questions there are, so no sampling error remains.
    """

    skill: str
    n: int
    mean: float
    low: float
    high: float
    is_exhaustive: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Eq. 2 for one skill. `gap`, `low`, `high` are None where the teacher cannot teach it."""

    skill: str
    teacher: Score
    student: Score
    gap: float | None  # 1 − P_S/P_T; negative where the student is better
    low: float | None
    high: float | None
    is_deficient: bool
    is_teachable: bool  # P_T ≥ 0.5


@dataclass(frozen=True, slots=True)
class CheckResult:
    id: str  # of a check: see docs/checks.md
    version: int
    passed: bool
    detail: str = ""  # a sentence when it did not pass


@dataclass(frozen=True, slots=True)
class Item:
    """One training example: the words of one user turn and one assistant turn."""

    key: str  # unique within a run: skill, round and question
    skill: str
    question: str
    solution: str  # what the assistant is trained to say
    answer: str  # the bare reference, for checks
    operations: tuple[str, ...] = ()
    level: int = 1
    origin: str = "procedural"
    checks: tuple[CheckResult, ...] = ()
    call: str = ""  # key of the `Call` that wrote it; empty where a program or a person did
    aims: tuple[str, ...] = ()  # kinds of error of this student it was chosen for
    said: str = ""  # what this student said to this very question, wrongly, where it was asked

    @property
    def is_flagged(self) -> bool:
        return any(not check.passed for check in self.checks)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a teacher while items are written, and what came back, word for word."""

    key: str  # unique within a run: the same run and round make the same
    purpose: str  # "write", or "verify": to answer a question that was written
    skill: str
    prompt: str
    reply: str
    prompt_version: str = ""  # of the words it was asked with; empty for a bare question
    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    truncated: bool = False
    seconds: float = 0.0  # since the reply before it: they sum to the time that was waited


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """Skills taught together."""

    skills: tuple[str, ...]
    title: str = ""
    is_bridge: bool = False  # begins with smaller instances of its skills
    difficulty: float = 0.0  # mean of d(k) = 1 − r(k) over its skills when planned


@dataclass(frozen=True, slots=True)
class Curriculum:
    stages: tuple[PlannedStage, ...]
    severity: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()  # what was pulled in, broken or could not be met, in sentences
