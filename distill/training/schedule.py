"""The learning rate over a run: lower in each round, as the budget is spent."""

from __future__ import annotations

import math

from distill.settings import LoraSettings


def cooled(settings: LoraSettings, spent: float) -> LoraSettings:
    """The settings of a round that begins when `spent` (0..1) of the run's budget is.

    The peak of the round's own schedule follows half a cosine over the run, from `learning_rate`
    down to 1 − `cooling` of it; so that rounds one after the other come to what one long training
    comes to. Pure.

    Ours: the paper says nothing of it. Rounds that each begin at the full rate unlearn what the
    last ones taught, and none of them is long enough to settle (docs/decisions/0023).
    """
    left = 0.5 * (1.0 + math.cos(math.pi * min(1.0, max(0.0, spent))))
    peak = settings.learning_rate * (1.0 - settings.cooling * (1.0 - left))
    return settings.model_copy(update={"learning_rate": peak})
