"""Training tokens a second of the product against a bare PyTorch loop, in one run.

    python bench/training.py var/models/smollm2-135m --items 64 --repeats 3

The same items (of `foundations`), the same LoRA, batches, numeric type and order; both from a model
that lies in memory to an adapter on the disk. The bare loop is what one writes first: the model's
own loss over all positions, AdamW, a cosine. `lean` is the same loop with the product's cut, the
vocabulary scored only where something is learnt. They take turns; medians are told, of the clock
and of this process's CPU, which other work on the machine disturbs less. That all three end with
the same loss is checked.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
import transformers
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy

from distill.backends.chat import Rendered, render_example
from distill.backends.transformers import best_dtype, load_model
from distill.domains import load
from distill.records import Item
from distill.settings import LoraSettings
from distill.training.lora import LoraTrainer

SETTINGS = LoraSettings(average=None)  # the bare loop has one round and a cosine
AGREE_WITHIN = 0.02  # nats: the mean loss of all steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    items = items_of(given.items)
    who: dict[str, Callable[[Path], tuple[float, float]]] = {
        "bare": lambda out: bare(given.model, items, out, is_lean=False),
        "lean": lambda out: bare(given.model, items, out, is_lean=True),
        "product": lambda out: product(given.model, items, out),
    }
    clock: dict[str, list[float]] = {name: [] for name in who}
    cpu: dict[str, list[float]] = {name: [] for name in who}
    losses: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(given.repeats + 1):
            for name, work in who.items():
                began = time.process_time()
                seconds, losses[name] = work(Path(folder) / f"{name}-{turn}")
                if turn:  # the first warms up
                    clock[name].append(seconds)
                    cpu[name].append(time.process_time() - began - LOADED[-1])
    assert max(losses.values()) - min(losses.values()) < AGREE_WITHIN, losses
    tokens = sum(len(r.ids) for r in rendered(given.model, items))
    speed = {name: tokens / statistics.median(of) for name, of in clock.items()}
    worth = {name: tokens / statistics.median(of) for name, of in cpu.items()}
    figures = {
        "title": "Speed of training",
        "command": shlex.join(["python", *sys.argv]),
        "model": given.model.name,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "weights": str(best_dtype()).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "items": given.items,
        "tokens": tokens,
        "repeats": given.repeats,
        **{f"{name}_tokens_per_second": round(v, 1) for name, v in speed.items()},
        "ratio_to_bare": round(speed["product"] / speed["bare"], 2),
        "ratio_to_lean": round(speed["product"] / speed["lean"], 2),
        "ratio_to_bare_by_cpu": round(worth["product"] / worth["bare"], 2),
        "ratio_to_lean_by_cpu": round(worth["product"] / worth["lean"], 2),
        "losses": [f"{name} {loss:.4f}" for name, loss in losses.items()],
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


LOADED: list[float] = []
"""CPU seconds of loading the model, which is not what is measured."""


def items_of(count: int) -> list[Item]:
    """Worked problems of each skill in turn: short ones, as a round has them."""
    domain = load("foundations")
    taught = [s for s in domain.skills if not s.is_transfer]
    each = -(-count // len(taught))
    found = [domain.problems(s.id, each, seed=0) for s in taught]
    turns = [p for turn in zip(*found, strict=True) for p in turn][:count]
    return [Item(p.key, p.skill, p.question, p.worked, p.answer) for p in turns]


def rendered(folder: Path, items: Sequence[Item]) -> list[Rendered]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    most = SETTINGS.max_length_tokens
    return [
        render_example(tokenizer, i.question, i.solution, max_length_tokens=most) for i in items
    ]


def bare(folder: Path, items: Sequence[Item], out: Path, *, is_lean: bool) -> tuple[float, float]:
    """Seconds of training, and the mean loss of its steps."""
    began = time.process_time()
    transformers.set_seed(0)
    model, tokenizer = load_model(folder, trainable=True)
    rows = rendered(folder, items)
    LOADED.append(time.process_time() - began)
    started = time.perf_counter()
    model = get_peft_model(
        model,
        LoraConfig(
            r=SETTINGS.rank,
            lora_alpha=SETTINGS.alpha,
            lora_dropout=SETTINGS.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    model.train()
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        weights,
        lr=SETTINGS.learning_rate,
        betas=SETTINGS.betas,
        weight_decay=SETTINGS.weight_decay,
    )
    size = SETTINGS.batch_size
    batches = [rows[at : at + size] for at in range(0, len(rows), size)]
    schedule = transformers.get_cosine_schedule_with_warmup(
        optimizer, round(SETTINGS.warmup_share * len(batches)), len(batches)
    )
    losses = []
    for batch in batches:
        inputs, labels = padded(batch, tokenizer.pad_token_id, model.device)
        loss = lean_loss(model, inputs, labels) if is_lean else model(**inputs, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, SETTINGS.max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    model.save_pretrained(out)
    return time.perf_counter() - started, statistics.mean(losses)


def padded(batch: Sequence[Rendered], pad: int, device: Any) -> tuple[dict[str, Any], Any]:
    """ids, mask and labels (B, T) int64, padded on the right to the longest."""
    longest = max(len(r.ids) for r in batch)
    ids = [[*r.ids, *[pad] * (longest - len(r.ids))] for r in batch]
    mask = [[1] * len(r.ids) + [0] * (longest - len(r.ids)) for r in batch]
    labels = [
        [-100] * r.n_prompt + list(r.ids[r.n_prompt :]) + [-100] * (longest - len(r.ids))
        for r in batch
    ]
    inputs = {"input_ids": ids, "attention_mask": mask}
    tensors = {k: torch.tensor(v, device=device) for k, v in inputs.items()}
    return tensors, torch.tensor(labels, device=device)


def lean_loss(model: Any, inputs: dict[str, Any], labels: Any) -> Any:
    first = int((labels != -100).any(dim=0).int().argmax())
    logits = model(**inputs, logits_to_keep=labels.shape[1] - first + 1).logits[:, :-1].float()
    return cross_entropy(
        logits.reshape(-1, logits.shape[-1]), labels[:, first:].reshape(-1), ignore_index=-100
    )


def product(folder: Path, items: Sequence[Item], out: Path) -> tuple[float, float]:
    """Seconds as the trainer tells them, the saving included, and its mean loss."""
    losses: list[float] = []
    told: list[float] = []

    def beat(done: int, total: int) -> None:
        told.append(time.perf_counter())

    began = time.process_time()
    load_model(folder, trainable=True)
    rendered(folder, items)
    LOADED.append(time.process_time() - began)
    started = time.process_time()
    result = LoraTrainer(folder).train(
        items,
        parent=None,
        out=out,
        settings=SETTINGS,
        seed=0,
        beat=beat,
        log=lambda step: losses.append(step.loss),
    )
    LOADED[-1] += started - began  # loaded once for the clock, and once more by the trainer
    return result.seconds, statistics.mean(losses)


if __name__ == "__main__":
    main()
