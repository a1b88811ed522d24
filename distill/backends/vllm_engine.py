"""The process in which vLLM works for distill/backends/vllm.py: lines of JSON in and out.

Ends when its input does, also in the middle of an answer: so it ends with whoever started it,
however that ended, and what it held on the GPU is free.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import IO, Any

from distill.backends.chat import render_prompt

Line = Mapping[str, Any]


class Refused(Exception):
    """A prompt that this model cannot answer; others it can."""


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    lines: queue.Queue[Line] = queue.Queue()
    threading.Thread(target=_read, args=(sys.stdin, lines), daemon=True).start()
    say(answers, partial(start, lines.get()))
    while True:
        say(answers, partial(answer, lines.get()))


def _read(source: IO[str], lines: queue.Queue[Line]) -> None:
    for line in source:
        lines.put(json.loads(line))
    os._exit(0)  # nobody is left to answer to


def say(answers: IO[str], work: Callable[[], Line]) -> None:
    """Do it, and write down what came of it."""
    try:
        said = work()
    except Refused as exc:
        said = {"refused": str(exc)}
    except Exception as exc:
        said = {"error": f"{type(exc).__name__}: {exc}"}
    answers.write(json.dumps(said) + "\n")
    answers.flush()


_llm: Any = None
_adapters: dict[str, int] = {}  # name -> the number by which vLLM knows it


def start(line: Line) -> Line:
    global _llm
    from vllm import LLM

    _llm = LLM(model=line["model"], **line["options"])
    return {"ready": _llm.model_config.max_model_len}


def answer(line: Line) -> Line:
    """Replies in the order of the prompts: text, tokens of both, and whether it was cut off."""
    from vllm.exceptions import VLLMClientError
    from vllm.lora.request import LoRARequest

    tokenizer, most = _llm.get_tokenizer(), _llm.model_config.max_model_len
    rendered = [render_prompt(tokenizer, p["text"], system=p["system"]) for p in line["prompts"]]
    longest = max(len(ids) for ids in rendered)
    if longest >= most:
        raise Refused(f"it has {longest:,} tokens, and this model reads fewer than {most:,}")
    lora, folder = None, line["adapter"]
    if folder is not None:
        written = os.stat(f"{folder}/adapter_model.safetensors").st_mtime_ns
        name = f"{folder} of {written}"  # one that is trained again in its place is another
        lora = LoRARequest(name, _adapters.setdefault(name, len(_adapters) + 1), folder)
    try:
        outputs = _llm.generate(
            [{"prompt_token_ids": ids} for ids in rendered],
            [sampling(prompt) for prompt in line["prompts"]],
            use_tqdm=False,
            lora_request=lora,
        )
    except (VLLMClientError, ValueError) as exc:
        raise Refused(str(exc).rstrip(".")) from exc
    return {"replies": [_reply(output) for output in outputs]}


def sampling(prompt: Line) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    is_drawn, schema = prompt["temperature"] > 0, prompt["schema"]
    return SamplingParams(
        max_tokens=prompt["max_tokens"],
        temperature=prompt["temperature"],
        seed=prompt["seed"] if is_drawn else None,
        structured_outputs=None if schema is None else StructuredOutputsParams(json=dict(schema)),
    )


def _reply(output: Any) -> tuple[str, int, int, bool]:
    (said,) = output.outputs
    is_cut = said.finish_reason == "length"
    return said.text.strip(), len(output.prompt_token_ids), len(said.token_ids), is_cut


if __name__ == "__main__":
    main()
