"""A server that fails as servers do, at rates and with a seed that a test chooses.

What goes wrong with a prompt's first, second ... try follows from the seed, the prompt and the
number of the try: the same in every run, whatever is asked at the same time.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.distill.serving import HANG_UP, Asked, Said, Served, completion, serving

TOO_LARGE = 16 * 1024 * 1024 + 1  # bytes: more than any reply may have

FAULTS: dict[str, Any] = {
    "busy": Said({"error": {"message": "slow down"}}, 429),
    "busy for 7 s": Said({"error": {"message": "slow down"}}, 429, {"Retry-After": "7"}),
    "broken": Said("Internal Server Error", 500),
    "hung up": HANG_UP,
    "cut off": Said(completion("never read to its end"), is_cut=True),
    "html": Said("<html><h1>502 Bad Gateway</h1></html>", headers={"Content-Type": "text/html"}),
    "half": Said('{"choices": [{"message": {"role": "assistant", "content": "ha'),
    "garbage": Said(b"\x00\xff\xfe{]"),
    "huge": Said(gzip.compress(b" " * TOO_LARGE, 1), headers={"Content-Encoding": "gzip"}),
    "slow": completion("too late"),  # told when the test is over, see `Faulty.late`
}


def evenly(share: float) -> dict[str, float]:
    """Rates of all faults but answers that come too late, the same for each, that sum up to
    `share`. What is too late depends on a clock, and on what else a machine does."""
    faults = [fault for fault in FAULTS if fault != "slow"]
    return dict.fromkeys(faults, share / len(faults))


class Faulty:
    """Answers with `reply(prompt's text)`, but for the faults; counts both.

    rates: fault -> its share of all tries. revoked_after, gone_after: so many prompts are
    answered; then the key is no longer taken, or the server is gone.
    """

    def __init__(
        self,
        served: Served,
        reply: Callable[[str], str],
        rates: Mapping[str, float],
        *,
        seed: int,
        revoked_after: float,
        gone_after: float,
    ) -> None:
        self.url = served.url
        self.answered: Counter[str] = Counter()  # by prompt
        self.faults: Counter[str] = Counter()  # by fault
        self.late = threading.Event()
        self._served, self._reply, self._rates, self._seed = served, reply, rates, seed
        self._revoked_after, self._gone_after = revoked_after, gone_after
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Any:
        words = asked.words
        with self._lock:
            self._tries[words] += 1
            fault = self._fault(words)
            if self.answered.total() >= self._gone_after:
                fault = "hung up"
                if not self.faults["gone"]:
                    self.faults["gone"] += 1
                    self._served.vanish()
            elif self.answered.total() >= self._revoked_after:
                return Said({"error": {"message": "this key was revoked"}}, 401)
            if fault:
                self.faults[fault] += 1
            else:
                self.answered[words] += 1
        if fault == "slow":
            self.late.wait(60)
        if fault:
            return FAULTS[fault]
        text = self._reply(words)
        tokens = {"prompt_tokens": len(words.split()), "completion_tokens": len(text.split())}
        return completion(text, usage=tokens)

    def _fault(self, words: str) -> str:
        """What goes wrong now; empty when nothing does."""
        said = f"{self._seed} {self._tries[words]} {words}".encode()
        at = int.from_bytes(hashlib.sha256(said).digest()[:8]) / 2**64
        for fault, rate in self._rates.items():
            if at < rate:
                return fault
            at -= rate
        return ""


@contextmanager
def faulty(
    reply: Callable[[str], str],
    rates: Mapping[str, float] | None = None,
    *,
    seed: int = 0,
    revoked_after: float = float("inf"),
    gone_after: float = float("inf"),
) -> Iterator[Faulty]:
    """A server at `.url`, as `Faulty` says; without rates, one that only answers."""
    with serving() as served:
        server = Faulty(
            served,
            reply,
            rates or {},
            seed=seed,
            revoked_after=revoked_after,
            gone_after=gone_after,
        )
        served.answer = server.answer
        try:
            yield server
        finally:
            server.late.set()
