"""The same care for every arm: a learning rate chosen on seeds that are never reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distill.comparison.measures import of_run
from distill.comparison.plan import Plan, composite
from distill.domains.base import Domain


def means_tried(tuned: Mapping[str, Any], arm: str) -> list[str]:
    """Of a tuned.json: the arm's mean over the tuning seeds with each rate; – for none. Pure."""
    by_rate = tuned["tried"].get(arm, {})
    found = [by_rate.get(f"{rate:g}") for rate in tuned["rates"]]
    return [f"{sum(means) / len(means):.3f}" if means else "–" for means in found]


def choose(
    plan: Plan, domain: Domain, results: Sequence[dict[str, Any]], *, command: str
) -> dict[str, Any]:
    """For each arm the rate with the best mean mastery over the tuning seeds; of equals the lower.

    Returns {"chosen": arm -> {"learning_rate", "mean"}, "tried": arm -> rate -> means by seed,
    "seeds", "rates", "items", "command"}. Pure.
    """
    taught = [s.id for s in domain.skills if not s.is_transfer]
    tried: dict[str, dict[str, list[float]]] = {}
    for result in results:
        mean = of_run(result, taught=taught, composite=composite(domain))["mean"]
        of = tried.setdefault(result["arm"], {})
        of.setdefault(f"{result['learning_rate']:g}", []).append(mean or 0.0)
    chosen = {}
    for arm, by_rate in tried.items():
        means = {rate: sum(values) / len(values) for rate, values in by_rate.items()}
        best = min(means, key=lambda rate: (-means[rate], float(rate)))
        chosen[arm] = {"learning_rate": float(best), "mean": means[best]}
    return {
        "command": command,
        "chosen": chosen,
        "tried": tried,
        "seeds": list(plan.seeds),
        "rates": list(plan.rates),
        "items": list(plan.items),
    }
