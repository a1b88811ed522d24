"""Time of a layer as torch multiplies it, over that of the same layer prepacked, in one run.

    python bench/linear.py --inputs 1536 --outputs 8960

Rows are what is multiplied at once: one for each answer of a batch, some hundreds for its prompts
or for a step of training. Several layers in turn, as a model's weights do not fit into a cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence

import torch

from distill.backends.hardware import hardware
from distill.backends.prepacked import PrepackedLinear
from distill.backends.transformers import best_dtype

LAYERS = 8
SECONDS = 1.0  # of measuring for each figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1536)
    parser.add_argument("--outputs", type=int, default=8960)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 16, 64, 256, 1024])
    given = parser.parse_args()
    plain = [
        torch.nn.Linear(given.inputs, given.outputs, bias=False, dtype=best_dtype())
        for _ in range(LAYERS)
    ]
    packed = [PrepackedLinear(layer) for layer in plain]
    ratios = {}
    with torch.inference_mode():
        for n_rows in given.rows:
            rows = torch.randn(n_rows, given.inputs, dtype=best_dtype())
            as_torch, as_ours = seconds(plain, rows), seconds(packed, rows)
            ratios[str(n_rows)] = round(as_torch / as_ours, 2)
    figures = {"hardware": hardware(), "threads": torch.get_num_threads(), "times_by_rows": ratios}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def seconds(layers: Sequence[torch.nn.Module], rows: torch.Tensor) -> float:
    """The median over passes through all layers, after one that does not count."""
    passes = []
    end = None
    while end is None or time.monotonic() < end:
        begun = time.monotonic()
        for layer in layers:
            layer(rows)
        now = time.monotonic()
        if end is None:
            end = now + SECONDS
        else:
            passes.append(now - begun)
    return statistics.median(passes)


if __name__ == "__main__":
    main()
