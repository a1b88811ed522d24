"""LoRA on approved items, by TRL's SFTTrainer. Imports torch when used.

Loss on the assistant's tokens only; items in the order given (the snapshot decides the order,
nothing shuffles it again).
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.backends.base import Beat
from distill.backends.chat import render_example
from distill.backends.transformers import hand_back_memory
from distill.disk import full_disk_told
from distill.errors import NothingToTrain, OutOfSpace, TrainingError
from distill.records import Item
from distill.settings import LoraSettings
from distill.training.base import Log, StepLog, TrainingResult
from distill.training.folders import (
    INPUTS,
    fingerprint,
    goes_on,
    is_of,
    last_state,
    read_result,
    write_manifest,
)

if TYPE_CHECKING:
    from datasets import Dataset


class LoraTrainer:
    """Trains LoRA adapters on one base model folder.

    Deterministic in (items, parent, settings, seed) on the same machine and thread count.

    Source: Hu et al., "LoRA", 2021; docs/method.md. Ours: an adapter is carried from
    round to round, with a fresh optimiser and a fresh schedule in each; or, with `average`, with
    the optimiser's state, and what is kept is an average along the path
    (`distill.training.moving`).
    """

    def __init__(self, base: Path, *, system: str = "") -> None:
        self._base = base
        self._system = system

    def train(
        self,
        items: Sequence[Item],
        *,
        parent: Path | None,
        out: Path,
        settings: LoraSettings,
        seed: int,
        beat: Beat,
        log: Log,
    ) -> TrainingResult:
        """See `Trainer.train`. Raises `TrainingError`, `OutOfSpace`, or what `beat` raises.

        On a full disk nothing of this training is left, so that there is room for what stands.
        """
        if not items:
            raise NothingToTrain
        inputs = fingerprint(items, parent, settings, seed)
        if done := read_result(out):
            if not is_of(out, inputs):
                raise TrainingError(f"{out} holds what another training made. Move it away first.")
            return done
        work = out.with_name(out.name + ".partial")
        if not is_of(work, inputs):
            shutil.rmtree(work, ignore_errors=True)
        try:
            with full_disk_told(work):
                if read_result(work) is None:
                    work.mkdir(parents=True, exist_ok=True)
                    (work / INPUTS).write_text(inputs)
                    try:
                        result = self._train(items, parent, work, settings, seed, beat, log)
                    finally:
                        hand_back_memory()
                    write_manifest(work, result)
        except OutOfSpace:
            shutil.rmtree(work, ignore_errors=True)
            raise
        shutil.rmtree(work / "steps", ignore_errors=True)
        work.rename(out)
        finished = read_result(out)
        assert finished is not None
        return finished

    def _train(
        self,
        items: Sequence[Item],
        parent: Path | None,
        work: Path,
        settings: LoraSettings,
        seed: int,
        beat: Beat,
        log: Log,
    ) -> dict[str, Any]:
        import torch
        import transformers
        from peft import LoraConfig

        from distill.backends.transformers import load_model
        from distill.training.completion import CompletionTrainer
        from distill.training.moving import Averaging

        is_going_on = goes_on(parent, settings)
        transformers.set_seed(seed)
        model, tokenizer = load_model(self._base, parent, trainable=True)
        dataset, n_tokens = self._dataset(items, tokenizer, settings)
        started = time.monotonic()
        trainer = CompletionTrainer(
            model=model,
            args=_arguments(
                work / "steps",
                settings,
                seed,
                n_items=len(items),
                is_going_on=is_going_on,
                uses_cpu=not torch.cuda.is_available(),
            ),
            train_dataset=dataset,
            processing_class=tokenizer,
            peft_config=None
            if parent
            else LoraConfig(
                r=settings.rank,
                lora_alpha=settings.alpha,
                lora_dropout=settings.dropout,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            ),
            callbacks=[_callback(beat, log, n_tokens * settings.epochs)],
        )
        trainer.remove_callback(transformers.PrinterCallback)  # `log` tells instead
        averaging = None
        if settings.average is not None:
            averaging = Averaging(settings.average, parent if is_going_on else None)
            trainer.add_callback(averaging)
        outcome = trainer.train(
            resume_from_checkpoint=last_state(work / "steps", is_averaged=averaging is not None)
        )
        if averaging is not None:
            averaging.leave(work, trainer.optimizer)
        trainer.model.save_pretrained(str(work))  # `save_model` would add a pickle
        return {
            "steps": int(outcome.global_step),
            "tokens": n_tokens * settings.epochs,
            "seconds": time.monotonic() - started,
            "final_loss": _last_loss(trainer.state.log_history),
        }

    def _dataset(
        self, items: Sequence[Item], tokenizer: Any, settings: LoraSettings
    ) -> tuple[Dataset, int]:
        """Token ids and completion masks, in the items' order, and how many tokens they hold."""
        import datasets

        datasets.disable_progress_bars()  # `beat` tells
        rows = [
            render_example(
                tokenizer,
                item.question,
                item.solution,
                system=self._system,
                max_length_tokens=settings.max_length_tokens,
            )
            for item in items
        ]
        for item, row in zip(items, rows, strict=True):
            if row.n_prompt == len(row.ids):
                raise TrainingError(
                    f"The question “{item.question[:40]}…” alone takes max_length_tokens "
                    f"({settings.max_length_tokens}). Reject the item, or raise the setting."
                )
        dataset = datasets.Dataset.from_dict(
            {
                "input_ids": [list(r.ids) for r in rows],
                "completion_mask": [
                    [0] * r.n_prompt + [1] * (len(r.ids) - r.n_prompt) for r in rows
                ],
            }
        )
        return dataset, sum(len(r.ids) for r in rows)


def _last_loss(history: Sequence[Mapping[str, float]]) -> float:
    """Of the last step, nats a token: the end of the curve, whatever a kill had cut it into."""
    return [float(entry["loss"]) for entry in history if "loss" in entry][-1]


def _arguments(
    folder: Path,
    settings: LoraSettings,
    seed: int,
    *,
    n_items: int,
    is_going_on: bool,
    uses_cpu: bool,
) -> Any:
    from trl import SFTConfig

    n_steps = math.ceil(n_items / settings.batch_size) * settings.epochs
    # the first step of a rise is at nought: of a single one nothing would be learnt
    rising = 0.0 if is_going_on or n_steps == 1 else settings.warmup_share
    n_falling = 0  # an average settles without a falling rate
    if settings.average is None:
        n_rising = math.ceil(rising * n_steps)  # as the trainer counts a share
        n_falling = max(1, round(settings.decay_share * (n_steps - n_rising)))
    arguments = SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=settings.batch_size,
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": n_falling, "decay_type": "cosine"},
        warmup_steps=rising,  # a share of all steps, as it is below 1
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        completion_only_loss=True,
        max_length=settings.max_length_tokens,
        train_sampling_strategy="sequential",  # the snapshot's order is the order
        shuffle_dataset=False,
        gradient_checkpointing=False,  # the models are small; it costs a third of the speed
        bf16=False,  # the weights already are in the best type: distill.backends.transformers
        use_cpu=uses_cpu,
        logging_steps=1,
        save_strategy="steps",
        save_steps=settings.save_every_steps,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        seed=seed,
        data_seed=seed,
        dataloader_pin_memory=False,
    )
    _on_one_device(arguments)
    return arguments


def _on_one_device(arguments: Any) -> None:
    """Where several GPUs are seen, the trainer would put a copy of the model on each and give each
    a batch of its own: other steps than were counted, and a model that `CompletionTrainer` cannot
    pack for.
    """
    assert arguments.device is not None  # found now, and the GPUs counted
    arguments._n_gpu = min(arguments._n_gpu, 1)


def _callback(beat: Beat, log: Log, n_tokens: int) -> Any:
    from transformers import TrainerCallback

    class Telling(TrainerCallback):  # type: ignore[misc]  # its types are not followed
        """Tells about each step; what `beat` raises ends the training."""

        def __init__(self) -> None:
            self._begun: tuple[float, int] | None = None

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if self._begun is None:
                self._begun = (time.monotonic(), state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            beat(state.global_step, state.max_steps)

        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any
        ) -> None:
            if "loss" not in logs or self._begun is None:
                return
            # since the beginning: one step may be of long items, and the last one of few
            since, step = self._begun
            share = (state.global_step - step) / max(state.max_steps, 1)
            seconds = max(time.monotonic() - since, 1e-9)
            log(
                StepLog(
                    step=state.global_step,
                    loss=float(logs["loss"]),
                    learning_rate=float(logs.get("learning_rate", 0.0)),
                    tokens_per_second=n_tokens * share / seconds,
                )
            )

    return Telling()
