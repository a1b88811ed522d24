"""Which request, job or command is at work: a short id that each audit entry keeps.

Whoever looks into the log of a proxy, or of a worker, finds by it what the entry came from.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")  # what is kept of what a client says

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The id of what is at work now; empty where nobody gave one."""
    return _current.get()


@contextmanager
def under(name: str) -> Iterator[None]:
    """Let what happens inside be known as `name`: a job's id, or a command's."""
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)


def middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request an id, the client's own if it is sane, and say it in the response."""

    def give(request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        name = given if SANE.fullmatch(given) else uuid.uuid4().hex
        with under(name):
            response = get_response(request)
        response.headers[HEADER] = name
        return response

    return give
