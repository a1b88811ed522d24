"""A base model with an adapter merged into its weights: one folder, as any tool loads it."""

from __future__ import annotations

from pathlib import Path

from distill.disk import full_disk_told


def merge_adapter(base: Path, adapter: Path, out: Path) -> None:
    """Write `base` with `adapter` merged in to the new folder `out`: safetensors and tokenizer.

    Weights keep the type they are loaded in. Deterministic on one machine. Raises FileExistsError
    where `out` is there, OutOfSpace on a full disk; then no half of a folder stays behind.
    Source: PEFT's `merge_and_unload`, which adds scale x B x A to each weight.
    """
    import shutil

    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if out.exists():
        raise FileExistsError(f"{out} is there already.")
    partial = out.with_name(out.name + ".partial")
    model = AutoModelForCausalLM.from_pretrained(str(base), local_files_only=True)
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    try:
        with full_disk_told(out):
            merged.save_pretrained(str(partial), safe_serialization=True)
            AutoTokenizer.from_pretrained(str(base), local_files_only=True).save_pretrained(
                str(partial)
            )
            partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
