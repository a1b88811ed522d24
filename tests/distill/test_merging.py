"""A merged model is the base with its adapter, as one folder that anything can load."""

from __future__ import annotations

import pytest

from tests.distill import tiny

pytestmark = pytest.mark.torch


@pytest.fixture
def folders(tmp_path):
    """A tiny base, and an adapter whose weights are not nought."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base, adapter = tiny.make(tmp_path / "base"), tmp_path / "adapter"
    torch.manual_seed(1)
    config = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
    )
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(str(base)), config)
    model.save_pretrained(str(adapter))
    return base, adapter


def logits(model):
    import torch

    with torch.no_grad():
        return model.eval()(torch.arange(4, 20).unsqueeze(0)).logits


def test_it_says_what_base_and_adapter_say_together(folders, tmp_path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from distill.training.merging import merge_adapter

    base, adapter = folders
    merge_adapter(base, adapter, tmp_path / "merged")

    alone = AutoModelForCausalLM.from_pretrained(str(base))
    merged = AutoModelForCausalLM.from_pretrained(str(tmp_path / "merged"))
    before = logits(alone)
    together = logits(PeftModel.from_pretrained(alone, str(adapter)))
    assert torch.allclose(logits(merged), together, atol=1e-4)
    assert not torch.allclose(before, together, atol=1e-2)
    names = {path.name for path in (tmp_path / "merged").iterdir()}
    assert "model.safetensors" in names
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)
    there = AutoTokenizer.from_pretrained(str(tmp_path / "merged"))
    assert there.chat_template == tiny.TEMPLATE


def test_a_folder_that_is_there_is_not_written_over(folders, tmp_path):
    from distill.training.merging import merge_adapter

    base, adapter = folders
    (tmp_path / "merged").mkdir()

    with pytest.raises(FileExistsError):
        merge_adapter(base, adapter, tmp_path / "merged")
