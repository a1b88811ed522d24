"""Settings of a run, with units in their names. Defaults are METHOD.md's.

Frozen pydantic models: they validate what comes from a form, a file or the command line, and
turn into JSON for the record. `distill` reads no environment.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
SomeShare = Annotated[float, Field(gt=0.0, le=1.0)]
NotAll = Annotated[float, Field(ge=0.0, lt=1.0)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Thresholds(_Settings):
    """The paper's thresholds (He et al. 2026, Eq. 2-9), and the gate's error rates."""

    gap: Share = 0.3  # τ_gap: deficient above it (Eq. 2)
    dependency: Share = 0.3  # τ_dep: an edge is kept above it (Eq. 3)
    severity_alpha: Share = 0.7  # α: own gap against what the skill blocks (Eq. 4)
    target_share: SomeShare = (
        1.0  # of the deficient skills by severity; 0.25 is the paper's (Eq. 5-6)
    )
    zpd: Share = 0.15  # τ_ZPD: largest step in d = 1 − r between stages (Eq. 8, ours)
    mastery: SomeShare = 0.9  # τ_mastery (Eq. 9)
    mastery_margin_low: SomeShare = 0.08  # a ratio of mastery − this passes with gate_error at most
    mastery_margin_high: Share = 0.05  # a ratio of mastery + this fails with gate_error at most
    gate_error: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    retention: Share = 0.95  # forgotten below this share of what a skill was
    teachable: SomeShare = 0.5  # P_T below it: the teacher cannot teach the skill

    @model_validator(mode="after")
    def _margin_is_below_mastery(self) -> Thresholds:
        if self.mastery_margin_low >= self.mastery:
            raise ValueError("mastery_margin_low has to be smaller than mastery")
        return self


class Probing(_Settings):
    diagnose_probes: Annotated[int, Field(ge=1)] = 64  # per skill
    gate_probes: Annotated[int, Field(ge=1)] = 32  # per skill and look; 21 right in a row suffice
    gate_probes_cap: Annotated[int, Field(ge=1)] = 192  # per skill and checkpoint
    final_probes: Annotated[int, Field(ge=1)] = 64
    batch_size: Annotated[int, Field(ge=1)] = 64
    max_answer_tokens: Annotated[int, Field(ge=1)] = 64


class Budget(_Settings):
    items: Annotated[int, Field(ge=1)] = 3000  # trained on over the whole run, rehearsal included
    items_per_round: Annotated[int, Field(ge=1)] = 400
    rounds_cap: Annotated[int, Field(ge=1)] = 5  # per stage; then a person has to choose
    rehearsal_share: NotAll = 0.25  # ρ: of a round's mixture, from mastered skills


class LoraSettings(_Settings):
    """LoRA (Hu et al. 2021) on all linear layers; AdamW; cosine within each round."""

    rank: Annotated[int, Field(ge=1)] = 16
    alpha: Annotated[int, Field(ge=1)] = 32
    dropout: NotAll = 0.0
    learning_rate: Annotated[float, Field(gt=0)] = 5e-4  # 135M; 1e-4 from 7B up
    warmup_share: NotAll = 0.03
    betas: tuple[NotAll, NotAll] = (0.9, 0.95)
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    batch_size: Annotated[int, Field(ge=1)] = 16  # items a step
    epochs: Annotated[int, Field(ge=1)] = 1
    max_length_tokens: Annotated[int, Field(ge=8)] = 512
    save_every_steps: Annotated[int, Field(ge=1)] = 20


class Sampling(_Settings):
    max_tokens: Annotated[int, Field(ge=1)] = 64
    temperature: Annotated[float, Field(ge=0.0)] = 0.0  # 0: greedy
    seed: int = 0


class Settings(_Settings):
    """Everything that decides what a run does, besides its models, its domain and its seed."""

    thresholds: Thresholds = Thresholds()
    probing: Probing = Probing()
    budget: Budget = Budget()
    lora: LoraSettings = LoraSettings()
