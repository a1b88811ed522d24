"""A stand-in for vLLM, a package of that name that a process of its own can import.

Tokens are words. It echoes its prompt; it draws by seed, keeps to schemas by heart, knows adapters
by their folder, and fails on words that say so.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

FILES = {
    "vllm/__init__.py": """
import hashlib, json, os, random, sys
from types import SimpleNamespace as Some
from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import SamplingParams

print("printed by a library")


class Tokenizer:
    def __init__(self):
        self.words = []

    def apply_chat_template(self, messages, **options):
        text = " ".join(m["role"] + ": " + m["content"] for m in messages)
        self.words.append(text.split())
        return list(range(len(self.words[-1])))


class LLM:
    def __init__(self, model, max_model_len=100, **options):
        self.model, self.options = model, options
        self.model_config = Some(max_model_len=max_model_len)
        self.tokenizer = Tokenizer()
        if options.get("fail"):
            raise RuntimeError(options["fail"])
        print("started", model, json.dumps(options, sort_keys=True), file=sys.stderr)

    def get_tokenizer(self):
        return self.tokenizer

    def generate(self, prompts, sampling, *, use_tqdm, lora_request):
        words, self.tokenizer.words = self.tokenizer.words[-len(prompts):], []
        return [self.answer(*each, lora_request) for each in zip(words, prompts, sampling)]

    def answer(self, words, prompt, sampling, lora):
        if "die" in words:
            os._exit(7)
        if "explode" in words:
            raise RuntimeError("out of memory\\nand more")
        if "hang" in words:
            print("hanging", os.getpid(), file=sys.stderr, flush=True)
            while True:
                pass
        said = ["You", "say:", *words]
        if "process" in words:
            said = [str(os.getpid())]
        if lora is not None:
            said = [os.path.basename(lora.lora_path), str(lora.lora_int_id), *said]
        if "options" in words:
            said = [json.dumps(self.options, sort_keys=True).replace(" ", "")]
        if sampling.temperature:
            random.Random(sampling.seed).shuffle(said)
        if sampling.structured_outputs is not None:
            if sampling.structured_outputs.json.get("type") != "object":
                raise VLLMValidationError("the schema is not supported.")
            said = ['{"skill":"add","easy":true}']
        cut = said[: sampling.max_tokens]
        reason = "length" if len(cut) < len(said) else "stop"
        one = Some(text=" ".join(cut), token_ids=cut, finish_reason=reason)
        return Some(prompt_token_ids=prompt["prompt_token_ids"], outputs=[one])
""",
    "vllm/exceptions.py": """
class VLLMClientError(Exception):
    pass


class VLLMValidationError(VLLMClientError):
    pass
""",
    "vllm/sampling_params.py": """
from dataclasses import dataclass
from typing import Any


@dataclass
class StructuredOutputsParams:
    json: dict


@dataclass
class SamplingParams:
    max_tokens: int
    temperature: float
    seed: Any
    structured_outputs: Any
""",
    "vllm/lora/__init__.py": "",
    "vllm/lora/request.py": """
from dataclasses import dataclass


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str
""",
}


@contextmanager
def installed(folder: Path):
    """Write the package, where a process started meanwhile finds it; yields the interpreter."""
    for name, source in FILES.items():
        file = folder / "double" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "double"), prepend=os.pathsep)
        yield str(Path(sys.executable).with_name("python3"))  # another name: no vLLM of its own


def model(folder: Path) -> Path:
    """A folder that looks like a model."""
    made = folder / "Some_Model"
    made.mkdir(exist_ok=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (made / name).write_text("{}")
    return made


def adapter(folder: Path, name: str = "adapter", rank: int = 16) -> Path:
    """A folder that looks like an adapter."""
    made = folder / name
    made.mkdir(exist_ok=True)
    (made / "adapter_config.json").write_text(json.dumps({"r": rank}))
    (made / "adapter_model.safetensors").write_text("{}")
    return made
