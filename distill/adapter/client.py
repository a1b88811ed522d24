"""What is asked of a teacher while a round is written, and what it has said already."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence

from distill.backends.base import Backend, Prompt, Reply, stream
from distill.errors import BudgetSpent
from distill.records import Call
from distill.settings import Sampling

Wanted = tuple[Call, Prompt]
"""A call without its reply, and the prompt to get it with."""


class TeacherClient:
    """Asks a teacher, keeps every reply as soon as it is there, and asks nothing twice.

    kept: calls of this round that an earlier attempt made, by key. keep: takes a call; what it has
    taken survives a crash. budget: tokens that may still be read and written; None for no bound.

    wanted, answered: how many calls were asked for so far, and have their reply, kept ones too.
    """

    def __init__(
        self,
        teacher: Backend,
        *,
        kept: Mapping[str, Call],
        keep: Callable[[Call], object],
        budget: int | None = None,
    ) -> None:
        self._teacher = teacher
        self._kept = kept
        self._keep = keep
        self._left = budget
        self.wanted = 0
        self.answered = 0

    def ask(self, wanted: Sequence[Wanted], beat: Callable[[], object]) -> list[Call]:
        """The calls with their replies, in the order given.

        Raises what the teacher and `beat` raise, and `BudgetSpent` as soon as the budget is
        spent and something is still to be asked; what came by then is kept.
        """
        self.wanted += len(wanted)
        done: dict[int, Call] = {}
        missing: list[int] = []
        for place, (call, _) in enumerate(wanted):
            kept = self._kept.get(call.key)
            if kept is None:
                missing.append(place)
            else:
                done[place] = kept
        self.answered += len(done)
        if missing:
            self._afford()
        since = time.monotonic()
        for came in stream(self._teacher, [wanted[place][1] for place in missing]):
            now = time.monotonic()
            for i, reply in came:
                call = _answered(wanted[missing[i]][0], reply, (now - since) / len(came))
                self._keep(call)
                done[missing[i]] = call
                if self._left is not None:
                    self._left -= call.prompt_tokens + call.reply_tokens
            since = now
            self.answered += len(came)
            if len(done) < len(wanted):
                self._afford()
            beat()
        return [done[place] for place in range(len(wanted))]

    def _afford(self) -> None:
        if self._left is not None and self._left <= 0:
            raise BudgetSpent(
                "The tokens that the teacher may spend on items are spent. Raise the budget and "
                "retry: what was written so far is kept."
            )


def call_of(
    key: str, purpose: str, skill: str, text: str, sampling: Sampling, version: str = ""
) -> Call:
    """A call that is still to be made: without a reply."""
    return Call(
        key=key,
        purpose=purpose,
        skill=skill,
        prompt=text,
        reply="",
        prompt_version=version,
        temperature=sampling.temperature,
        seed=sampling.seed,
        max_tokens=sampling.max_tokens,
    )


def _answered(call: Call, reply: Reply, seconds: float) -> Call:
    return dataclasses.replace(
        call,
        reply=reply.text,
        prompt_tokens=reply.prompt_tokens,
        reply_tokens=reply.reply_tokens,
        truncated=reply.truncated,
        seconds=round(seconds, 3),
    )
