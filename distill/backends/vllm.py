"""A model folder in vLLM, with or without LoRA adapters, in a process of its own.

Why a process: when it ends, all of its memory is free, on every GPU, and it ends with the one that
started it (docs/decisions, "vLLM works in a process of its own"). Imports neither vLLM nor torch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from distill.backends.base import Ability, Prompt, Reply, name_of
from distill.backends.servers import plain
from distill.backends.transformers import check_adapter_folder, check_model_folder
from distill.errors import BackendUnavailable, PromptRefused

PROGRAM = "distill.backends.vllm_engine"
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # that vLLM makes room for
GPU_SHARE = 0.6  # of a GPU's memory: the rest is for a student that is loaded beside it
STOP_SECONDS = 10.0  # to end by itself, before it is killed

# read by vLLM when it is imported; a variable that is set already wins
VARIABLES = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one process; and the same batches in every run
    "VLLM_NO_USAGE_STATS": "1",  # nobody is told what is asked here
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def check_installed() -> None:
    """Raise `BackendUnavailable`, which says how to install it, unless vLLM is. Imports nothing."""
    if find_spec("vllm") is None:
        raise BackendUnavailable(
            "vLLM is not installed. Install it with .venv/bin/pip install -e '.[vllm]' "
            "(docs/running.md says what it needs), or name the model "
            "with transformers: in place of vllm:."
        )


class VllmBackend:
    """A model folder answered for by vLLM, which is started when it is first asked something.

    The chat template is the tokenizer's own, as everywhere. A prompt's schema is kept to by
    guided decoding. Greedy answers are the same in every call with the same batch: caches of
    prefixes, which change their last digits, are off. As deterministic as vLLM's kernels.

    folder: a model; adapter: a LoRA adapter on it. options: of `vllm.LLM`, such as
    `tensor_parallel_size`. python: the interpreter that has vLLM.

    Raises `ModelFolderBroken`; from `generate` also `BackendUnavailable`, where vLLM cannot be
    started or has ended, and `PromptRefused` for a prompt that is too long or a schema that vLLM
    does not know. After each of them it may be asked again.
    """

    abilities = frozenset(Ability)
    at_once = 256  # sequences: fewer leave a GPU idle; what is under way is lost when it is killed

    def __init__(
        self,
        folder: Path,
        *,
        adapter: Path | None = None,
        rank: int = 0,
        python: str = sys.executable,
        **options: Any,
    ) -> None:
        """rank: largest rank of adapters that `with_adapter` will be asked for; 0 for none."""
        check_model_folder(folder)
        if adapter is not None:
            rank = max(rank, _rank(adapter))
        self.name = name_of(folder.name)
        self._adapter = adapter
        self._engine = _Engine(python, folder, rank, options)

    def with_adapter(self, adapter: Path | None) -> VllmBackend:
        """The same model with another adapter, or none: the base is not loaded again.

        What they share is let go of when the last of them is closed. Raises `ModelFolderBroken`,
        or `BackendUnavailable` for an adapter that no room was made for: see `rank`.
        """
        if adapter is not None and (needed := _rank(adapter)) > self._engine.rank:
            raise BackendUnavailable(
                f"The adapter {adapter} has rank {needed}, and {self.name} was started for "
                f"{f'rank {self._engine.rank} at most' if self._engine.rank else 'no adapters'}."
            )
        other = object.__new__(VllmBackend)
        other.name, other._adapter, other._engine = self.name, adapter, self._engine
        return other

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        if not prompts:
            return []
        self._engine.users.add(self)
        return self._engine.ask(prompts, self._adapter)

    def close(self) -> None:
        """Free the memory, unless somebody else answers with the same model."""
        self._engine.users.discard(self)
        if not self._engine.users:
            self._engine.stop()


def _rank(adapter: Path) -> int:
    check_adapter_folder(adapter)
    try:
        rank = int(json.loads((adapter / "adapter_config.json").read_text())["r"])
    except (ValueError, KeyError, TypeError) as exc:
        raise BackendUnavailable(f"The adapter {adapter} does not say its rank: {exc}.") from exc
    if rank > RANKS[-1]:
        raise BackendUnavailable(f"vLLM takes adapters up to rank {RANKS[-1]}, not {rank}.")
    return rank


@dataclass(eq=False)
class _Engine:
    """vLLM in a process: a line of JSON for each batch, and one for its replies."""

    python: str
    folder: Path
    rank: int
    options: Mapping[str, Any]
    users: weakref.WeakSet[VllmBackend] = field(default_factory=weakref.WeakSet)
    _process: subprocess.Popen[str] | None = None
    _said: IO[str] | None = None  # what it writes beside its answers

    def ask(self, prompts: Sequence[Prompt], adapter: Path | None) -> list[Reply]:
        self._start()
        lines = [
            {
                "text": prompt.text,
                "system": prompt.system,
                "schema": None if prompt.schema is None else dict(prompt.schema),
                **prompt.sampling.model_dump(),
            }
            for prompt in prompts
        ]
        answer = self._exchange({"adapter": adapter and str(adapter.absolute()), "prompts": lines})
        return [Reply(*reply) for reply in answer["replies"]]

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(OSError):  # it has ended, with something unsaid
                process.stdin.close()  # which it takes as its end
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self._said is not None:
            self._said.close()
            self._said = None

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.stop()
        if self.python == sys.executable:
            check_installed()
        self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - see stop
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [self.python, "-m", PROGRAM],
            env=VARIABLES | os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            encoding="utf-8",
        )
        room = next((rank for rank in RANKS if rank >= self.rank), RANKS[-1])
        adapters = {"enable_lora": True, "max_lora_rank": room} if self.rank else {}
        options = {
            "gpu_memory_utilization": GPU_SHARE,
            "enable_prefix_caching": False,
            **adapters,
            **self.options,
        }
        self._exchange({"model": str(self.folder.absolute()), "options": options})

    def _exchange(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """Send a line and wait for the one that answers it. Raises what that says."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        is_whole = False
        try:
            process.stdin.write(json.dumps(line) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            is_whole = True
        except (OSError, ValueError) as exc:
            raise BackendUnavailable(self._ended()) from exc
        finally:
            if not is_whole:  # a later answer would be taken for that to a later line
                process.kill()
                self.stop()
        if "refused" in answer:
            raise PromptRefused(f"{self.folder.name} refused a prompt: {plain(answer['refused'])}.")
        if "error" in answer:
            self.stop()
            raise BackendUnavailable(
                f"vLLM cannot go on with {self.folder}: {plain(answer['error'])}. Check the "
                "memory that is free and the options, then try again."
            )
        return answer

    def _ended(self) -> str:
        process, said = self._process, self._said
        assert process is not None
        assert said is not None
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return f"vLLM's process for {self.folder} does not answer. Try again."
        said.seek(0)
        lines = [line for line in said.read().splitlines() if line.strip()]
        quoted = f" Its last words: “{plain(lines[-1])}”." if lines else ""
        return f"vLLM's process for {self.folder} has ended (status {code}).{quoted} Try again."
