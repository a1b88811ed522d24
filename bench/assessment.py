"""Tokens a second of the product's assessment against bare batched `generate`, and against vLLM.

    python bench/assessment.py var/models/smollm2-135m --probes 64 --batch 32 --repeats 3

The same probes (of `foundations`), the same batches, greedy, the same numeric type; both from a
model in memory. The product grades what comes, too. They take turns; medians are told, of the clock
and of this process's CPU, which other work on the machine disturbs less. How many answers are the
same word for word is counted. `--vllm` asks vLLM as well, where it is installed; `--adapter` a
checkpoint of a run, whose answers are short.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from bench.decoding import count_tokens
from distill.backends.base import Backend
from distill.backends.transformers import TransformersBackend, best_dtype, load_model
from distill.domains import load
from distill.identifier.probing import ask
from distill.records import Probe, Split

Answered = tuple[int, list[str]]
"""Tokens of the answers, and the answers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--probes", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--vllm", action="store_true")
    given = parser.parse_args()
    probes = probes_of(given.probes)
    ours = TransformersBackend(given.model, adapter=given.adapter, batch_size=given.batch)
    who: dict[str, Callable[[], Answered]] = {
        "bare": bare(given.model, given.adapter, probes, given.batch, given.tokens),
        "product": product(ours, probes, given.batch, given.tokens),
    }
    if given.vllm:
        from distill.backends.vllm import VllmBackend

        served = VllmBackend(given.model, adapter=given.adapter)
        who["vllm"] = product(served, probes, len(probes), given.tokens)
    rates, worth, said = take_turns(who, given.repeats)
    same = sum(a == b for a, b in zip(said["bare"], said["product"], strict=True))
    figures = {
        "title": "Speed of assessment",
        "command": shlex.join(["python", *sys.argv]),
        "model": given.model.name,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "weights": str(best_dtype()).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "probes": len(probes),
        "batch": given.batch,
        "max_tokens": given.tokens,
        "repeats": given.repeats,
        **{f"{name}_tokens_per_second": round(v, 1) for name, v in rates.items()},
        "ratio_to_bare": round(rates["product"] / rates["bare"], 2),
        "ratio_to_bare_by_cpu": round(worth["product"] / worth["bare"], 2),
        "same_answers": f"{same} of {len(probes)}",
    }
    if "vllm" in rates:
        figures["ratio_to_vllm"] = round(rates["product"] / rates["vllm"], 2)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def take_turns(
    who: dict[str, Callable[[], Answered]], repeats: int
) -> tuple[dict[str, float], dict[str, float], dict[str, list[str]]]:
    """Median tokens a second by the clock and by CPU, and the answers; the first turn warms up."""
    rates: dict[str, list[float]] = {name: [] for name in who}
    worth: dict[str, list[float]] = {name: [] for name in who}
    said: dict[str, list[str]] = {}
    for turn in range(repeats + 1):
        for name, work in who.items():
            started, began = time.perf_counter(), time.process_time()
            tokens, said[name] = work()
            if turn:
                rates[name].append(tokens / (time.perf_counter() - started))
                worth[name].append(tokens / (time.process_time() - began))

    def medians(found: dict[str, list[float]]) -> dict[str, float]:
        return {name: statistics.median(values) for name, values in found.items()}

    return medians(rates), medians(worth), said


def probes_of(count: int) -> list[Probe]:
    """The first probes of each skill in turn, so that lengths differ."""
    domain = load("foundations")
    each = -(-count // len(domain.skills))
    asked = [domain.probes(s.id, Split.DIAGNOSE, each, seed=0) for s in domain.skills]
    return [p for turn in zip_longest(*asked) for p in turn if p][:count]


def bare(
    folder: Path, adapter: Path | None, probes: Sequence[Probe], batch: int, tokens: int
) -> Callable[[], Answered]:
    model: Any
    tokenizer: Any
    model, tokenizer = load_model(folder, adapter)
    if adapter is not None:
        model = model.merge_and_unload()
    tokenizer.padding_side = "left"
    rendered = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": p.question}], tokenize=False, add_generation_prompt=True
        )
        for p in probes
    ]

    def work() -> Answered:
        count, texts = 0, list[str]()
        for at in range(0, len(rendered), batch):
            inputs = tokenizer(
                rendered[at : at + batch],
                return_tensors="pt",
                padding=True,
                add_special_tokens=False,
            ).to(model.device)
            with torch.inference_mode():
                out = model.generate(**inputs, do_sample=False, max_new_tokens=tokens)
            new = out[:, inputs["input_ids"].shape[1] :]
            count += count_tokens(tokenizer, new.tolist())
            texts += [tokenizer.decode(row, skip_special_tokens=True).strip() for row in new]
        return count, texts

    return work


def product(
    backend: Backend, probes: Sequence[Probe], batch: int, tokens: int
) -> Callable[[], Answered]:
    """As a run asks: `ask`, with the grading; prompts' tokens are taken out of what it counts."""
    counted: dict[str, int] = {}

    class Counted:
        name = backend.name

        def generate(self, prompts: Any) -> Any:
            replies = backend.generate(prompts)
            counted.update((p.text, r.reply_tokens) for p, r in zip(prompts, replies, strict=True))
            return replies

        def close(self) -> None:
            backend.close()

    def work() -> Answered:
        answers = ask(Counted(), probes, batch_size=batch, max_tokens=tokens)
        return sum(counted[p.question] for p in probes), [a.text for a in answers]

    return work


if __name__ == "__main__":
    main()
