"""Which prompts a local model answers together. Pure; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from distill.backends.base import Prompt
from distill.backends.chat import common_prefix
from distill.settings import Sampling

MIN_OWN_TOKENS = 64  # a skill's prompts that share so many more than all do are batched apart
MAX_BATCH_TOKENS = 64 * 1024  # of prompts and replies: some 3 GB of a small student's cache


def batches(
    prompts: Sequence[Prompt], encoded: Sequence[Sequence[int]], size: int
) -> Iterator[list[int]]:
    """Indices of prompts that are drawn alike, of similar length, a batch at a time.

    encoded: the token ids of each. size: prompts in a batch at most; fewer where prompts and
    replies could come to more than `MAX_BATCH_TOKENS`. Skills whose prompts begin alike for long,
    as where each shows its skill's examples, are batched apart, so that the beginning is run once.

    A batch is one stream of draws, from the seed of its first prompt: seeds do not part it.
    """
    by_sampling: dict[Sampling, list[int]] = {}
    for i, prompt in enumerate(prompts):
        alike = prompt.sampling.model_copy(update={"seed": 0})
        by_sampling.setdefault(alike, []).append(i)
    for sampling, drawn_alike in by_sampling.items():
        for indices in _by_beginning(drawn_alike, prompts, encoded):
            batch: list[int] = []
            for i in sorted(indices, key=lambda i: (len(encoded[i]), i)):
                tokens = (len(batch) + 1) * (len(encoded[i]) + sampling.max_tokens)
                if batch and (len(batch) == size or tokens > MAX_BATCH_TOKENS):
                    yield batch
                    batch = []
                batch.append(i)
            yield batch


def _by_beginning(
    indices: Sequence[int], prompts: Sequence[Prompt], encoded: Sequence[Sequence[int]]
) -> list[list[int]]:
    """The indices in groups that are not mixed: skills with a long beginning of their own, and all
    others together. Never an empty group.
    """
    by_skill: dict[str, list[int]] = {}
    for i in indices:
        by_skill.setdefault(prompts[i].skill, []).append(i)
    of_all = common_prefix([encoded[i] for i in indices])
    apart: list[list[int]] = []
    others: list[int] = []
    for of_skill in by_skill.values():
        own = common_prefix([encoded[i] for i in of_skill]) - of_all
        if len(of_skill) > 1 and own >= MIN_OWN_TOKENS:
            apart.append(of_skill)
        else:
            others += of_skill
    return [*apart, others] if others else apart
