"""A model on a server that speaks OpenAI's chat completions: theirs, vLLM, llama.cpp, Ollama ...

A server is not trusted: what it says is read with a schema and cut off where it is too long, and
what is quoted of it never holds the key. Redirects are not followed: a key goes nowhere else.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

import httpx2

from distill.backends import completions
from distill.backends.base import Ability, Prompt, Reply, name_of
from distill.backends.completions import Passing, Refused, without_key
from distill.backends.servers import Server, checked_key, plain
from distill.errors import BackendError, BackendUnavailable, PromptRefused

CAP_BYTES = 16 * 1024 * 1024  # of one reply, unpacked
CONNECT_SECONDS = 20.0

T = TypeVar("T")
Arrived = Callable[[int, Reply], object]  # the place of a prompt, and its reply


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one prompt is tried. Defaults leave a worker time to say that it lives."""

    tries: int = 6
    timeout_seconds: float = 300.0  # of one try, from the first byte sent to the last received
    in_all_seconds: float = 480.0  # of all tries, the waits between them included
    first_wait_seconds: float = 1.0  # doubled from try to try, and shortened at random
    longest_wait_seconds: float = 60.0  # where the server names no time


class OpenAIBackend:
    """A model on a server, asked `concurrency` prompts at a time.

    What passes (no connection, no answer in time, an answer that is no completion, statuses 408,
    409, 425, 429 and 5xx) is tried again after a growing, random wait, or after the time that the
    server names in Retry-After. A prompt's schema is sent along; a server that refuses it is
    asked without, which is remembered, and so it is with `temperature`, `seed`, and `max_tokens`
    where `max_completion_tokens` is wanted. Without its temperature a greedy answer may be drawn.

    Raises `BackendUnavailable` and `PromptRefused`, both with `.replies`: when one prompt of a
    batch has failed for good, those under way are waited for and no other is begun.

    Tokens are what the server says, or else a quarter of the characters. As deterministic as the
    server. Works inside a running event loop as well, such as a notebook's.
    """

    # what else a server does is its own affair: see Ability
    abilities = frozenset({Ability.COUNTS, Ability.LIMITS, Ability.SYSTEM, Ability.REOPENS})

    def __init__(
        self,
        server: Server,
        key: str = "",
        *,
        concurrency: int = 8,
        patience: Patience = Patience(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,  # in 0..1
        now: Callable[[], float] = time.time,  # for a Retry-After that names a date
    ) -> None:
        self.name = name_of(server.model)
        self._server = server
        self.at_once = concurrency
        self._key = checked_key(key, server.key_name)
        self._patience = patience
        self._sleep, self._jitter, self._now = sleep, jitter, now
        self._without: frozenset[str] = frozenset()  # fields that this server does not take
        self._runner: asyncio.Runner | None = None
        self._client: httpx2.AsyncClient | None = None

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        return self._run(self._answer_all(prompts)) if prompts else []

    def stream(
        self, prompts: Sequence[Prompt], *, batch: int | None = None
    ) -> Iterator[list[tuple[int, Reply]]]:
        """[(place, reply)] of each prompt as soon as it is there, whatever `batch`: the server has
        `at_once` of them at any time. See `base.stream`.

        The server works on in a thread of its own while a reply is looked at; a caller that stops
        reading gives up what is under way.
        """
        arrived: SimpleQueue[tuple[int, Reply] | None] = SimpleQueue()

        async def answering() -> None:
            task = asyncio.current_task()
            assert task is not None
            going.append((asyncio.get_running_loop(), task))
            try:
                await self._answer_all(prompts, lambda i, reply: arrived.put((i, reply)))
            finally:
                arrived.put(None)

        going: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
        with ThreadPoolExecutor(1) as thread:
            work = thread.submit(self._run, answering())
            is_read = False
            try:
                while (came := arrived.get()) is not None:
                    yield [came]
                is_read = True
            finally:
                if not is_read and going:  # the caller reads no further, or was interrupted
                    loop, task = going[0]
                    loop.call_soon_threadsafe(task.cancel)
            work.result()

    def close(self) -> None:
        if self._client is not None:
            self._run(self._client.aclose())
            self._client = None
        if self._runner is not None:
            _away_from_a_loop(self._runner.close)
            self._runner = None

    # --- all prompts ---------------------------------------------------------------------

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it in a loop of our own, which keeps connections open from call to call."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        runner = self._runner
        return _away_from_a_loop(lambda: runner.run(coroutine))

    async def _answer_all(
        self, prompts: Sequence[Prompt], arrived: Arrived = lambda place, reply: None
    ) -> list[Reply]:
        batch = _Batch(asyncio.Semaphore(self.at_once), arrived)
        tasks = [asyncio.create_task(self._answer(i, p, batch)) for i, p in enumerate(prompts)]
        try:
            _, going = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in going - batch.under_way:
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)
        finally:
            for task in tasks:
                task.cancel()
        failed = [t for t in tasks if not t.cancelled() and t.exception() is not None]
        if failed:
            error = failed[0].exception()
            assert error is not None
            if isinstance(error, BackendError):
                error.replies = [
                    None if t.cancelled() or t in failed else t.result() for t in tasks
                ]
            raise error
        return [reply for task in tasks if (reply := task.result()) is not None]

    # --- one prompt ----------------------------------------------------------------------

    async def _answer(self, place: int, prompt: Prompt, batch: _Batch) -> Reply | None:
        """The reply; None when the batch is over before there is one."""
        async with batch.turn:
            try:
                reply = await self._try(prompt, batch)
                if reply is not None:
                    batch.arrived(place, reply)
                return reply
            except Exception:
                batch.is_over = True  # before the next in line has its turn
                raise

    async def _try(self, prompt: Prompt, batch: _Batch) -> Reply | None:
        clock = asyncio.get_running_loop().time
        until = clock() + self._patience.in_all_seconds
        without = self._without
        failures = 0
        while not batch.is_over:
            sent = completions.request(self._server.model, prompt, without)
            try:
                with batch.asking():
                    reply = completions.reply(await self._ask(sent, until - clock()), prompt)
            except Refused as exc:
                odd = completions.culprit(sent, exc.said)
                if odd is None:
                    raise PromptRefused(exc.sentence) from exc
                without |= {odd}
            except Passing as exc:
                if batch.is_over:
                    return None
                failures += 1
                wait = self._wait(failures, exc.retry_after)
                if failures >= self._patience.tries or clock() + wait >= until:
                    raise BackendUnavailable(self._gave_up(exc, failures, wait)) from exc
                await self._sleep(wait)
            else:
                self._without |= without
                return reply
        return None

    async def _ask(self, body: Mapping[str, Any], seconds: float) -> bytes:
        """One try: a completion, as it came. Raises `Passing`, `Refused`, or what is final."""
        seconds = min(seconds, self._patience.timeout_seconds)
        try:
            async with asyncio.timeout(seconds):
                status, headers, raw = await self._post(body)
        except TimeoutError as exc:
            raise Passing(f"gave no whole answer within {seconds:,.0f} seconds") from exc
        except httpx2.HTTPError as exc:
            what = plain(without_key(f"{type(exc).__name__}: {exc}", self._key))
            raise Passing(f"could not be reached, or broke off ({what})") from exc
        if status == 200:
            return raw
        retry_after = headers.get("retry-after")
        raise completions.error(
            self._server, status, raw, retry_after, key=self._key, now=self._now()
        )

    async def _post(self, body: Mapping[str, Any]) -> tuple[int, httpx2.Headers, bytes]:
        if self._client is None:
            limits = httpx2.Limits(max_connections=self.at_once)
            timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS)  # the whole has its own
            has_tls = self._server.url.startswith("https:")  # to get it ready takes half a second
            self._client = httpx2.AsyncClient(timeout=timeout, limits=limits, verify=has_tls)
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        url = f"{self._server.url}/chat/completions"
        raw = bytearray()
        async with self._client.stream("POST", url, json=body, headers=headers) as response:
            async for chunk in response.aiter_bytes():
                raw += chunk
                if len(raw) > CAP_BYTES:
                    raise Passing(f"sent more than {CAP_BYTES:,} bytes")
            return response.status_code, response.headers, bytes(raw)

    # --- what went wrong -----------------------------------------------------------------

    def _wait(self, failures: int, retry_after: float | None) -> float:
        """Seconds: what the server names and up to one more, or a share of a doubling time."""
        patience = self._patience
        if retry_after is not None:
            return retry_after + self._jitter()
        grown = patience.first_wait_seconds * 2.0 ** (failures - 1)
        return min(grown, patience.longest_wait_seconds) * (0.5 + 0.5 * self._jitter())

    def _gave_up(self, exc: Passing, failures: int, wait: float) -> str:
        times = "once" if failures == 1 else f"{failures} times"
        asks = "" if exc.retry_after is None else f" It asks to wait {wait:,.0f} seconds."
        return (
            f"{self._server.host} was asked {times}, and the last time it {exc.what}.{exc.quoted}"
            f"{asks} Try again later, or check the server."
        )


@dataclass
class _Batch:
    """What the tasks of one call share."""

    turn: asyncio.Semaphore
    arrived: Arrived
    under_way: set[asyncio.Task[Any]] = field(default_factory=set)  # a server works for them
    is_over: bool = False

    @contextmanager
    def asking(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self.under_way.add(task)
        try:
            yield
        finally:
            self.under_way.discard(task)


def _away_from_a_loop(work: Callable[[], T]) -> T:
    """Do it here, or in another thread where a loop of somebody else's runs in this one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
