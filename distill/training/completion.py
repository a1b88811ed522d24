"""TRL's SFTTrainer with the loss computed only where there is something to learn."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import cross_entropy
from trl import SFTTrainer


class CompletionTrainer(SFTTrainer):  # type: ignore[misc]  # its types are not followed
    """The same loss as SFTTrainer's on completions; the vocabulary only over their positions.

    Without Triton, SFTTrainer scores every position against the whole vocabulary, twice, and
    takes its entropy: for a small model with short answers that is a third of the work. Prompts
    stand in front, so that one cut leaves nearly only completions.
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
        is_trained = (labels != -100).any(dim=0)
        first = int(is_trained.int().argmax())  # of the batch's first trained column
        kept = labels.shape[1] - first
        outputs = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            use_cache=False,
            logits_to_keep=kept + 1,  # the position before a token predicts it
        )
        logits = outputs.logits[:, :-1].float()
        total = cross_entropy(
            logits.reshape(-1, logits.shape[-1]),
            labels[:, first:].reshape(-1),
            ignore_index=-100,
            reduction="sum",
        )
        count = num_items_in_batch if num_items_in_batch is not None else (labels != -100).sum()
        loss = total / count
        return (loss, outputs) if return_outputs else loss
