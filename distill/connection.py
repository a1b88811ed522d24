"""How the client of an installation sends a request, again where that is safe, and is refused."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from distill.errors import DistillError

Json = dict[str, Any]
AGAIN = frozenset({429, 502, 503, 504})  # statuses that may be another at the next try
MOST_WAIT_SECONDS = 60.0


class ApiError(DistillError):
    """The server refused. `status` is HTTP's, `code` a word for programs, `problem` all it said
    (RFC 9457); the text is its sentence. `status` 0: it could not be reached.
    """

    def __init__(self, status: int, says: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(says)
        self.status, self.problem = status, dict(problem or {})
        self.code = str(self.problem.get("code", ""))
        self.request_id = str(self.problem.get("request_id", ""))


class Connection:
    """One person's token at one installation. Not for several threads at once.

    base_url: where it is, without /api. timeout_seconds: of each request. tries: how often a
    request is sent at most; only what is safe to repeat is: reads, and writes under one
    Idempotency-Key. Waits 1, 2, 4 … seconds between tries, or what Retry-After says.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_seconds: float = 30.0,
        tries: int = 4,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx2.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}", "User-Agent": "ioa-client"},
            timeout=timeout_seconds,
            transport=transport,
        )
        self._tries, self._sleep = max(1, tries), sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection. Safe to call twice."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """GET /api/v1{path}; what is None in the query is left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self.send("GET", path, params=given).json()

    def post(self, path: str, said: Mapping[str, Any] | None = None, *, key: str = "") -> Any:
        """POST, under `key` or a new key: however often it has to be sent, it is done once."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self.send("POST", path, json=dict(said or {}), headers=headers).json()

    def pages(self, path: str, **query: Any) -> Iterator[Json]:
        """All rows of a list, page by page as they are asked for."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next"]

    def upload(self, address: str, path: Path, **form: str) -> Json:
        """POST a file with what else its form says, done once like `post`."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        files = {"file": (path.name, path.read_bytes())}
        response = self.send("POST", address, files=files, data=form, headers=headers)
        return dict(response.json())

    def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """What was answered, tried again where that is safe. Raises `ApiError`."""
        for attempt in range(1, self._tries + 1):
            is_last = attempt == self._tries
            try:
                response = self._http.request(method, path, **request)
            except httpx2.TransportError as exc:
                # A PATCH that was done, and not heard of, would be refused as changed since.
                may_again = method != "PATCH" or isinstance(exc, httpx2.ConnectError)
                if is_last or not may_again:
                    says = f"The server could not be reached ({type(exc).__name__})."
                    raise ApiError(0, says) from exc
                self._sleep(_wait(attempt, None))
                continue
            if response.status_code in AGAIN and not is_last:
                self._sleep(_wait(attempt, response.headers.get("Retry-After")))
                continue
            if response.status_code >= 400:
                raise refused(response)
            return response
        raise AssertionError("the last try returns or raises")


def _wait(attempt: int, said: str | None) -> float:
    """Seconds before the next try."""
    if said is not None and said.isdecimal():
        return min(float(said), MOST_WAIT_SECONDS)
    return min(2.0 ** (attempt - 1), MOST_WAIT_SECONDS)


def refused(response: httpx2.Response) -> ApiError:
    """The error that an answer of 400 and more is. Pure."""
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    says = str(problem.get("detail") or f"The server answered {response.status_code}.")
    return ApiError(response.status_code, says, problem)
