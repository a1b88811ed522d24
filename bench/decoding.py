"""Tokens a second of the product's assessment against bare `generate`, in one run.

    python bench/decoding.py var/models/smollm2-135m --batch 32 --tokens 256

The same questions (of `foundations`), the same batch, greedy, the same numeric type. The ratio
is what counts: machines are noisy. That both answer the same is checked.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import zip_longest
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from distill.backends.base import Prompt
from distill.backends.transformers import TransformersBackend, best_dtype
from distill.domains import load
from distill.records import Split
from distill.settings import Sampling

HOW = " Explain at length, step by step, and check your answer."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=256)
    given = parser.parse_args()
    questions = questions_of(given.batch)
    bare, bare_text = time_bare(given.model, questions, given.tokens)
    ours, our_text = time_ours(given.model, questions, given.tokens)
    same = sum(a == b for a, b in zip(bare_text, our_text, strict=True))
    figures = {
        "model": given.model.name,
        "batch": given.batch,
        "max_tokens": given.tokens,
        "threads": torch.get_num_threads(),
        "bare_tokens_per_second": round(bare, 1),
        "our_tokens_per_second": round(ours, 1),
        "ratio": round(ours / bare, 2),
        "same_answers": f"{same} of {len(questions)}",
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def questions_of(count: int) -> list[str]:
    """The first probes of each skill in turn, so that lengths differ."""
    domain = load("foundations")
    each = -(-count // len(domain.skills))
    asked = [domain.probes(s.id, Split.DIAGNOSE, each, seed=0) for s in domain.skills]
    turns = zip_longest(*asked)  # skills without a probe of this split give none
    return [p.question + HOW for turn in turns for p in turn if p][:count]


def time_bare(folder: Path, questions: list[str], tokens: int) -> tuple[float, list[str]]:
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=best_dtype()).eval()
    rendered = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": q}], tokenize=False, add_generation_prompt=True
        )
        for q in questions
    ]
    started = time.perf_counter()
    inputs = tokenizer(rendered, return_tensors="pt", padding=True, add_special_tokens=False)
    with torch.inference_mode():
        out = model.generate(**inputs, do_sample=False, max_new_tokens=tokens)
    new = out[:, inputs["input_ids"].shape[1] :]
    seconds = time.perf_counter() - started
    texts = [tokenizer.decode(row, skip_special_tokens=True).strip() for row in new]
    return count_tokens(tokenizer, new.tolist()) / seconds, texts


def count_tokens(tokenizer: AutoTokenizer, rows: list[list[int]]) -> int:
    """Those that answer: up to and with the first end of a turn."""
    end = tokenizer.eos_token_id
    return sum(row.index(end) + 1 if end in row else len(row) for row in rows)


def time_ours(folder: Path, questions: list[str], tokens: int) -> tuple[float, list[str]]:
    backend = TransformersBackend(folder, batch_size=len(questions))
    started = time.perf_counter()
    replies = backend.generate([Prompt(q, Sampling(max_tokens=tokens)) for q in questions])
    seconds = time.perf_counter() - started
    return sum(r.reply_tokens for r in replies) / seconds, [r.text for r in replies]


if __name__ == "__main__":
    main()
