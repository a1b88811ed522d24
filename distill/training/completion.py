"""TRL's SFTTrainer with the loss computed only where there is something to learn."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import cross_entropy
from trl import SFTTrainer

from distill.training.packing import can_pack, pack


class CompletionTrainer(SFTTrainer):  # type: ignore[misc]  # its types are not followed
    """The same loss as SFTTrainer's on completions, for less work.

    Without Triton, SFTTrainer scores every position against the whole vocabulary, twice, and
    takes its entropy: for a small model with short answers that is a third of the work. Here only
    what predicts a trained token is scored; and where the model allows it (`can_pack`), a batch
    is one row without padding, its shared beginning computed once.
    """

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Negative log-likelihood of the completions, in nats per token; a float32 scalar.

        inputs: `input_ids`, `attention_mask`, `labels` (B, T) int64, -100 where nothing is
        learnt. Divided by `num_items_in_batch`, the trained tokens of the whole step, where the
        caller counts them; else by those of this batch.
        """
        labels = inputs["labels"]
        packed = None
        if can_pack(model.config, dropout=_dropout(model)):
            packed = pack(inputs["input_ids"], inputs["attention_mask"], labels)
        if packed is not None:
            outputs = model(
                input_ids=packed.ids,
                attention_mask=packed.mask,
                position_ids=packed.positions,
                use_cache=False,
                logits_to_keep=packed.before,
            )
            logits, targets = outputs.logits, packed.targets
        else:
            is_trained = (labels != -100).any(dim=0)
            first = int(is_trained.int().argmax())  # of the batch's first trained column
            kept = labels.shape[1] - first
            outputs = model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                use_cache=False,
                logits_to_keep=kept + 1,  # the position before a token predicts it
            )
            logits, targets = outputs.logits[:, :-1], labels[:, first:]
        total = cross_entropy(
            logits.float().reshape(-1, logits.shape[-1]),
            targets.reshape(-1),
            ignore_index=-100,
            reduction="sum",
        )
        count = num_items_in_batch if num_items_in_batch is not None else (labels != -100).sum()
        loss = total / count
        return (loss, outputs) if return_outputs else loss


def _dropout(model: Any) -> float:
    """Of the LoRA adapter that is trained."""
    config = getattr(model, "peft_config", {}).get("default")
    return float(getattr(config, "lora_dropout", 0.0))
