"""From a quantised GGUF file to a model folder that everything loads."""

from __future__ import annotations

from pathlib import Path

from distill.errors import FetchFailed


def convert(gguf: Path, folder: Path) -> None:
    """Write the model of a GGUF file to `folder`: bfloat16 safetensors, tokenizer, template.

    Dequantised in float32. transformers refuses to save a model that it loaded from GGUF, so
    the weights are copied into a fresh one of the same shape. Raises FetchFailed when some are
    missing or not finite.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    loaded = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    weights = {name: tensor.to(torch.bfloat16) for name, tensor in loaded.state_dict().items()}
    if broken := [name for name, tensor in weights.items() if not tensor.isfinite().all()]:
        raise FetchFailed(f"{gguf.name} holds numbers that are not finite: {broken[0]}.")
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    fresh = type(loaded)(config).to(torch.bfloat16)
    missing = fresh.load_state_dict(weights, strict=False).missing_keys
    if missing := [name for name in missing if "lm_head" not in name]:  # tied to the embedding
        raise FetchFailed(f"{gguf.name} lacks weights: {missing[0]} and {len(missing) - 1} more.")
    fresh.tie_weights()
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
