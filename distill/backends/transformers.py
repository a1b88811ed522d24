"""A local model through transformers, with an adapter or without: batched, left-padded.

The only backend that imports torch, and only when it is made.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.backends.base import Ability, Prompt, Reply, name_of
from distill.backends.batching import batches
from distill.backends.chat import common_prefix, render_prompt
from distill.errors import BackendUnavailable, ModelFolderBroken
from distill.settings import Sampling
from distill.students import STUDENTS

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MIN_SHARED_TOKENS = 8  # below it, running the prefix apart costs more than it saves
STEPS = 32  # tokens after which rows that have ended leave the batch


def check_model_folder(folder: Path) -> None:
    """Raise `ModelFolderBroken`, with a sentence, unless `folder` looks like a model.

    Cheap: reads names and one small file, no weights.
    """
    if not folder.is_dir():
        raise ModelFolderBroken(f"There is no model folder {folder}. {_instead(folder.name)}")
    if not (folder / "config.json").is_file():
        raise ModelFolderBroken(f"{folder} has no config.json, so it is no model folder.")
    try:
        json.loads((folder / "config.json").read_text())
    except ValueError as exc:
        raise ModelFolderBroken(f"{folder}/config.json is not JSON: {exc}.") from exc
    if not list(folder.glob("*.safetensors")):
        raise ModelFolderBroken(
            f"{folder} has no weights (*.safetensors). Fetch the model again; "
            "pickled weights (*.bin) are not loaded."
        )
    if not list(folder.glob("tokenizer*")):
        raise ModelFolderBroken(f"{folder} has no tokenizer.")


def _instead(name: str) -> str:
    if name in STUDENTS:
        return f"`manage.py get_student` fetches {name} into IOA_HOME/models."
    return "Put one there, with config.json, *.safetensors and a tokenizer, or name another."


def check_adapter_folder(folder: Path) -> None:
    """Raise `ModelFolderBroken` unless `folder` holds a LoRA adapter in safetensors."""
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise ModelFolderBroken(
                f"{folder} has no {name}, so it is no adapter that can be loaded; pickled "
                "adapters (*.bin) are not."
            )


def best_dtype() -> torch.dtype:
    """bfloat16 where the hardware computes in it, else float32.

    A CPU or GPU without bfloat16 instructions emulates it, several times slower than float32.
    """
    import torch

    if torch.cuda.is_available():
        has_it = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if has_it else torch.float32
    # torch's own switch for mkldnn's bfloat16 kernels also says yes to AVX512 without bf16
    flags = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if flags else torch.float32


def hand_back_memory() -> None:
    """Give the system what was freed: C's library keeps it, in pieces that nothing fits into.

    Caches of ever other sizes leave some 100 MB a look, and gigabytes over a run. A C library that
    has no such call keeps what it keeps. A trainer and its model refer to each other, and torch
    keeps what a GPU has freed; vLLM, a process beside this one, begins only where that is free.
    """
    import torch

    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def load_model(
    folder: Path, adapter: Path | None = None, *, trainable: bool = False
) -> tuple[PreTrainedModel | Any, PreTrainedTokenizerBase]:
    """Load a base model, an adapter on it if one is given, and its tokenizer.

    Returns the model in `best_dtype` on the GPU if there is one, in evaluation mode unless
    `trainable`. Raises `ModelFolderBroken` or `BackendUnavailable`.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    from distill.backends import decoding

    logging.disable_progress_bar()  # it would run through the caller's own
    check_model_folder(folder)
    if adapter is not None:
        check_adapter_folder(adapter)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(folder), local_files_only=True, dtype=best_dtype(), use_safetensors=True
        )
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable)
    except (OSError, ValueError, RuntimeError, SafetensorError) as exc:
        raise BackendUnavailable(f"The model in {folder} cannot be loaded: {exc}") from exc
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if torch.cuda.is_available():
        model = model.to("cuda")
    decoding.score_rows_together(model)
    if not trainable:
        model.eval()
    return model, tokenizer


class TransformersBackend:
    """A model folder, with or without a LoRA adapter, answering in this process.

    Greedy answers (temperature 0) are the same in every call with the same batches. The tokens
    that all prompts of a batch share, such as a template's system turn, are run once; a row that
    has ended soon leaves its batch. What is answered together: `distill.backends.batching`.
    """

    abilities = frozenset(Ability) - {Ability.FORMS, Ability.REOPENS}

    def __init__(
        self, folder: Path, *, adapter: Path | None = None, batch_size: int = 64, system: str = ""
    ) -> None:
        self.name = name_of(folder.name)
        self._batch_size = batch_size
        self._system = system
        from distill.backends import decoding, prepacked

        self._model, self._tokenizer = load_model(folder, adapter)
        if adapter is not None:
            # unmerged, the small matrices take a third of the time of every token
            self._model = self._model.merge_and_unload()
        decoding.quicken(self._model)
        prepacked.prepack(self._model)
        ends = self._model.generation_config.eos_token_id  # one, several or none
        # a folder may ask for penalties and cuts, which would change even the likeliest token
        self._model.generation_config = type(self._model.generation_config)(eos_token_id=ends)
        self._ends = {self._tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
        self._ends -= {None}

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        replies = {place: reply for came in self._as_they_end(prompts) for place, reply in came}
        return [replies[place] for place in range(len(prompts))]

    def stream(
        self, prompts: Sequence[Prompt], *, batch: int | None = None
    ) -> Iterator[list[tuple[int, Reply]]]:
        """[(place, reply)] of what has ended, after every `STEPS` tokens: see `base.stream`. Where
        temperatures are above 0, who reads draws nothing from torch meanwhile.
        """
        step = len(prompts) if batch is None else batch
        for start in range(0, len(prompts), step):
            for came in self._as_they_end(prompts[start : start + step]):
                yield [(start + place, reply) for place, reply in came]

    def _as_they_end(self, prompts: Sequence[Prompt]) -> Iterator[list[tuple[int, Reply]]]:
        if prompts and self._model is None:
            raise BackendUnavailable(f"The model {self.name} has been closed. Load it again.")
        encoded = [
            render_prompt(self._tokenizer, p.text, system=p.system or self._system) for p in prompts
        ]
        for batch in batches(prompts, encoded, self._batch_size):
            rows = [encoded[i] for i in batch]
            for ended in self._generate_batch(rows, prompts[batch[0]].sampling):
                yield [
                    (i := batch[row], self._reply(encoded[i], ids, prompts[i].sampling))
                    for row, ids in ended
                ]

    def _generate_batch(
        self, rows: list[list[int]], sampling: Sampling
    ) -> Iterator[list[tuple[int, list[int]]]]:
        """rows: B lists of token ids. Yields (row, its new token ids without padding) of those
        that have ended, after every `STEPS` tokens; each row once.
        """
        import torch

        from distill.backends import decoding

        device = self._model.device
        shared = common_prefix(rows) if len(rows) > 1 else 0
        if shared < MIN_SHARED_TOKENS:
            shared = 0
        longest = max(len(r) for r in rows)
        pad = self._tokenizer.pad_token_id
        # padding stands between the shared prefix and the rest, so that the prefix's keys and
        # values, computed once, fit every row; the mask hides it and positions skip it
        padded = [r[:shared] + [pad] * (longest - len(r)) + r[shared:] for r in rows]
        seen = [[1] * shared + [0] * (longest - len(r)) + [1] * (len(r) - shared) for r in rows]
        ids = torch.tensor(padded, device=device)
        mask = torch.tensor(seen, device=device)
        ends = torch.tensor(sorted(self._ends), dtype=torch.long, device=device)
        options: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            torch.manual_seed(sampling.seed)
            options = {"do_sample": True, "temperature": sampling.temperature, "top_k": 0}
        cache = decoding.new_cache(self._model)
        replies: list[list[int]] = [[] for _ in rows]
        going = list(range(len(rows)))
        if shared:
            with torch.inference_mode():
                prefix = torch.tensor([rows[0][:shared]], device=device)
                self._model(input_ids=prefix, past_key_values=cache, use_cache=True)
                cache.batch_repeat_interleave(len(rows))
        for done in range(0, sampling.max_tokens, STEPS):
            with torch.inference_mode():  # no further: whoever reads may be training
                out = self._model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    past_key_values=cache,
                    **options,
                    max_new_tokens=min(STEPS, sampling.max_tokens - done),
                    pad_token_id=pad,
                    eos_token_id=ends.tolist() or None,
                )
                new = out[:, ids.shape[1] :]
                for row, tokens in zip(going, new.tolist(), strict=True):
                    replies[row] += tokens
                stays = (~torch.isin(new, ends).any(dim=1)).nonzero().flatten()
                if done + STEPS >= sampling.max_tokens:
                    stays = stays[:0]
                stay = [going[i] for i in stays.tolist()]
                if stay:
                    ids = out[stays]
                    mask = torch.cat([mask, torch.ones_like(new)], dim=1)[stays]
                    if len(stays) < len(out):
                        cache.batch_select_indices(stays)
            ended = set(going) - set(stay)
            going = stay
            yield [(row, self._until_end(replies[row])) for row in sorted(ended)]
            if not going:
                return

    def _until_end(self, ids: list[int]) -> list[int]:
        end = next((at for at, id in enumerate(ids) if id in self._ends), len(ids))
        return ids[: end + 1]

    def _reply(self, prompt: Sequence[int], ids: list[int], sampling: Sampling) -> Reply:
        text = self._tokenizer.decode(ids, skip_special_tokens=True)
        is_cut = len(ids) >= sampling.max_tokens and ids[-1] not in self._ends
        return Reply(text.strip(), len(prompt), len(ids), is_cut)

    def close(self) -> None:
        self._model = None
        hand_back_memory()
