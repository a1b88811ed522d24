"""Settings of a run, with units in their names. Decisions say where they are not the paper's.

Frozen pydantic models: they validate what comes from a form, a file or the command line, and
turn into JSON for the record. `distill` reads no environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from distill.adapter.operations import Operation

Share = Annotated[float, Field(ge=0.0, le=1.0)]
SomeShare = Annotated[float, Field(gt=0.0, le=1.0)]
NotAll = Annotated[float, Field(ge=0.0, lt=1.0)]
MOST = 1_000_000_000  # of anything that is counted: more is a slip of the keys
Count = Annotated[int, Field(ge=1, le=MOST)]
NotNegative = Annotated[float, Field(ge=0.0)]

KEPT = object()
"""Context of a validation of what a run kept: it is read as it was read then."""
FLAG = "true or false"


@cache
def _wanted(kind: Any) -> str:
    """What a setting of this type has to be; "" where that is no number and no flag. Pure."""
    kinds = _kinds(kind)
    words = {bool: FLAG, int: "a whole number", float: "a number"}
    said = next((name for base, name in words.items() if base in kinds), "")
    return f"{said} or null" if said and NoneType in kinds else said


def _kinds(kind: Any) -> set[Any]:
    return set().union(*map(_kinds, parts)) if (parts := get_args(kind)) else {kind}


class _Settings(BaseModel):
    # the strings under the fields are their descriptions: in forms, and in docs/settings.md
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_kind(cls, value: object, info: ValidationInfo) -> object:
        # pydantic takes true for 1 and "20" for 20: {"average": false} would mean γ = 0
        kind: Any = cls.model_fields[str(info.field_name)].annotation
        wanted = _wanted(kind)
        wrong = (str,) if wanted == FLAG else (str, bool)
        for part in value if isinstance(value, list | tuple) else (value,):
            if wanted and info.context is not KEPT and isinstance(part, wrong):
                given = "text" if isinstance(part, str) else str(part).lower()
                raise PydanticCustomError("kind", f"input should be {wanted}, not {given}")
        return value


class Thresholds(_Settings):
    """The paper's thresholds (He et al. 2026, Eq. 2-9), and the gate's error rates."""

    gap: Share = 0.3
    """τ_gap: a skill is deficient when its gap is above it (Eq. 2)."""
    dependency: Share = 0.3
    """τ_dep: an edge that was observed or tested is kept above it (Eq. 3)."""
    severity_alpha: Share = 0.7
    """α: weight of the own gap against what the skill blocks (Eq. 4)."""
    target_share: SomeShare = 1.0
    """Share of the deficient skills that is taught, by severity; the paper's is 0.25 (Eq. 5-6)."""
    zpd: Share = 0.15
    """τ_ZPD: largest step in difficulty d = 1 − r from one stage to the next (Eq. 8, ours)."""
    mastery: SomeShare = 0.9
    """τ_mastery: the ratio r = P_S/P_T from which a skill is mastered (Eq. 9)."""
    mastery_margin_low: SomeShare = 0.08
    """A student whose true ratio is this far below τ_mastery passes with `gate_error` at most."""
    mastery_margin_high: Share = 0.05
    """A student whose true ratio is this far above τ_mastery fails with `gate_error` at most."""
    gate_error: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    """Error rate of the gate's test at both margins."""
    retention: Share = 0.95
    """A mastered skill is forgotten below this share of what it was."""
    teachable: SomeShare = 0.5
    """P_T below it: the teacher cannot teach the skill."""

    @model_validator(mode="after")
    def _margin_is_below_mastery(self) -> Thresholds:
        if self.mastery_margin_low >= self.mastery:
            raise ValueError("mastery_margin_low has to be smaller than mastery")
        return self


class Probing(_Settings):
    """How many questions are asked, and how."""

    diagnose_probes: Count = 64
    """Probes per skill for the diagnosis."""
    gate_probes: Count = 32
    """Probes per skill and look at a gate; 21 right in a row suffice."""
    gate_probes_cap: Count = 192
    """Probes per skill and checkpoint at most; what is unclear then counts as not yet. As many as
    a perfect teacher takes: see `gate_probes_stretch`."""
    gate_probes_stretch: Annotated[float, Field(ge=1.0)] = 4.0
    """Of a skill that its teacher gets wrong at times each answer says less, so that more are
    asked until as much is known: times `gate_probes_cap` at most."""
    ask_others: bool = True
    """Every gate asks what is not its own and is not mastered as well: one look of each skill that
    an earlier stage left by a waiver, and what waits as much as it needs. Nothing is held back by
    it, people see what became of it, and new items are dealt by it."""
    final_probes: Count = 64
    """Probes per skill for the report."""
    batch_size: Count = 64
    """Probes asked at once; after each batch the answers are kept."""
    max_answer_tokens: Count = 96
    """Tokens after which an answer is cut off; longer solutions are not trained on."""
    teacher_answer_tokens: Count | None = 512
    """Of the teacher: a language model thinks aloud, and what is cut off counts as wrong; none: as
    the student."""

    def limit(self, *, is_teacher: bool) -> int:
        """Tokens after which an answer is cut off."""
        if is_teacher and self.teacher_answer_tokens is not None:
            return self.teacher_answer_tokens
        return self.max_answer_tokens


class Budget(_Settings):
    """What a run may spend."""

    items: Count = 3000
    """Items trained on over the whole run, rehearsal included."""
    items_per_round: Count = 400
    """Items trained on in one round, rehearsal included."""
    items_per_skill: Count = 200
    """New items of one skill in one round; down to half as many where less than half is missing."""
    rounds_cap: Count = 5
    """Rounds per stage; then a person has to choose."""
    fair_shares: bool = True
    """A round takes no more of what is left than its share of what all skills still lack; but a
    sixth where others are taught beside its own, and 32 items a skill, it may always take."""
    least_gain: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.05
    """What a remedy has to raise the ratios it is for, in the mean, before autopilot asks for
    another while other stages wait; -1: it always goes on to the cap."""
    rehearsal_weight: Share = 0.5
    """What a skill that was taught before weighs in a round, where one of the stage weighs 1."""
    rehearsal_share: NotAll = 0.6
    """ρ: share of a round's mixture that repeats earlier items, at most."""
    broad_skills: Count | None = 8
    """A round that teaches so many skills is broad by itself, and repeats no more than
    `broad_share`; one that teaches fewer may repeat as many skills as it is short of that number.
    Nor do skills of other stages weigh more in a round than so many of its own. None: no round
    counts as broad."""
    broad_share: NotAll = 0.3
    """ρ of a round that is broad by itself, at most."""
    preview_weight: Share = 0.5
    """What a skill of a later stage, or one that was waived, weighs in a round's new items, where
    one of the stage weighs 1, the next ones first (`broad_skills`); 0: a stage is taught alone."""

    @model_validator(mode="before")
    @classmethod
    def _without_what_was_replaced(cls, said: object) -> object:
        # a run of a version before `preview_weight` is still read: decisions/0022
        if isinstance(said, dict) and "frontier_share" in said:
            kept = {k: v for k, v in said.items() if k != "frontier_share"}
            return {"preview_weight": 0.0} | kept
        return said


class Writing(_Settings):
    """How a language model writes items. Of a procedural teacher the first two count."""

    operations: tuple[Operation, ...] = tuple(Operation)
    """The adapter's operations, each of which can be left out."""
    tried: Annotated[int, Field(ge=0, le=20)] = 0
    """Questions of the domain drawn for each item wanted, which the student tries itself until half
    of the items are ones that it gets wrong; below 2, none is tried. Costs time, and no tokens."""
    questions_of_domain: bool = False
    """Where the domain has questions to teach with, the teacher writes none: it works those out."""
    items_per_request: Count = 4
    """J: items that one request asks for."""
    requests_cap: Annotated[float, Field(ge=1.0)] = 3.0
    """Items asked for at most, over items wanted; what is missing then is shown, but flagged."""
    agreement: Annotated[int, Field(ge=1, le=15)] = 3
    """Independent answers of the teacher to a question that no program can work out."""
    mends: bool = True
    """Ask a question whose solution is wrong as often once more, and take a right answer for it."""
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] = 0.7
    """Of the teacher, when it writes and when it answers what it has written."""
    max_reply_tokens: Annotated[int, Field(ge=64, le=MOST)] = 1024
    """Tokens after which a reply with items is cut off; those that are whole are kept."""
    max_answer_tokens: Annotated[int, Field(ge=16, le=MOST)] = 256
    """Tokens after which one of the independent answers is cut off."""
    shown: Annotated[int, Field(ge=0, le=20)] = 4
    """Wrong answers, and approved, refused and changed items, that a request shows of each."""
    teacher_tokens: Count | None = None
    """Tokens that the teacher may read and write for items, over the whole run; none: no bound."""


class LoraSettings(_Settings):
    """LoRA (Hu et al. 2021) on all linear layers; AdamW; a learning rate that is lower in each
    round, and an average of the weights along the way."""

    rank: Count = 16
    """Rank r of the two small matrices."""
    alpha: Count = 32
    """Their product is scaled by alpha/rank."""
    dropout: NotAll = 0.0
    """Share of a layer's inputs that the adapter leaves out at random."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Peak of the schedule: 1e-3 for 135M parameters, 1e-4 from 7B up."""
    cooling: NotAll = 0.9
    """How far the peak falls from the run's first round to the end of its budget; 0: not at all."""
    average: NotNegative | None = 3.0
    """γ: what is asked, kept and delivered is an average of the weights after each step since the
    run began, where step t weighs as t^γ, and a round goes on where the weights were, at its peak
    rate throughout; none: every round has an optimiser and a falling rate of its own, and its last
    weights count."""
    warmup_share: NotAll = 0.1
    """Share of a round's steps in which the learning rate rises; with an average in the run's first
    round alone."""
    decay_share: SomeShare = 1.0
    """Without an average: share of the other steps, the last ones, in which the rate falls to
    nothing, along a cosine; it stays at its peak before."""
    betas: tuple[NotAll, NotAll] = (0.9, 0.95)
    """AdamW's two rates of forgetting."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """AdamW's decay of the adapter's weights."""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """Gradients are clipped to this norm."""
    batch_size: Count = 4
    """Items a step. A round has a few hundred items: larger batches leave it too few steps."""
    epochs: Count = 1
    """How often a round goes through its items."""
    max_length_tokens: Annotated[int, Field(ge=8, le=MOST)] = 512
    """Tokens of an item, template included; longer answers are cut off."""
    save_every_steps: Count = 20
    """Steps between two states from which a training can be continued."""


class Sampling(_Settings):
    """How one answer is drawn."""

    max_tokens: Count = 64
    """Tokens after which it is cut off."""
    temperature: Annotated[float, Field(ge=0.0)] = 0.0
    """0: always the likeliest token."""
    seed: int = 0
    """Of the draw, where the temperature is above 0."""


class Settings(_Settings):
    """Everything that decides what a run does, besides its models, its domain and its seed."""

    thresholds: Thresholds = Thresholds()
    probing: Probing = Probing()
    budget: Budget = Budget()
    writing: Writing = Writing()
    lora: LoraSettings = LoraSettings()


BEFORE: Mapping[str, Mapping[str, Any]] = {
    "probing": {"teacher_answer_tokens": None, "ask_others": False, "gate_probes_stretch": 1.0},
    "budget": {"broad_skills": None},
    "lora": {"average": None},
}
"""What versions did that did not have a setting, where its default is something else."""


def faults(exc: ValidationError) -> str:
    """What is wrong with settings, each with its name, in one line. Pure."""
    return "; ".join(map(_fault, exc.errors()))


def _fault(wrong: ErrorDetails) -> str:
    is_none = wrong["type"] == "model_type"  # pydantic's words name a class of ours
    said = "input should be a JSON object, {…}" if is_none else wrong["msg"].lower()
    return f"{'.'.join(map(str, wrong['loc']))}: {said}".removeprefix(": ")


def as_kept(kept: Mapping[str, Any]) -> Settings:
    """The settings of a run, as it keeps them. What its version did not have counts as what that
    version did. Raises pydantic's `ValidationError`.
    """
    groups = {k: v for k, v in kept.items() if isinstance(v, Mapping)}
    return Settings.model_validate(
        {**kept, **{name: {**BEFORE.get(name, {}), **values} for name, values in groups.items()}},
        context=KEPT,
    )
