"""What went wrong, as RFC 9457 has it: application/problem+json with a sentence for a person."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError

from curriculum import request_ids
from curriculum.errors import CurriculumError

MEDIA = "application/problem+json"


class Fault(Schema):
    """One value that was wrong."""

    where: str  # e.g. body.version
    says: str


class Problem(Schema):
    type: str  # about:blank: the status says what kind it is
    title: str
    status: int
    detail: str  # for a person
    code: str  # for a program, e.g. overtaken, or run_over
    request_id: str  # as in the header X-Request-ID, and in the audit log
    faults: list[Fault] | None = None  # which values, at 422
    now: dict[str, Any] | None = None  # what is so now, where that is why it was refused


class Refused(Exception):
    """Raised by an operation; becomes a problem of that status."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str = "",
        headers: dict[str, str] | None = None,
        now: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.code = status, detail, code
        self.headers, self.now = headers or {}, now


def problem(
    status: int,
    detail: str,
    *,
    code: str = "",
    headers: dict[str, str] | None = None,
    faults: list[dict[str, str]] | None = None,
    now: dict[str, Any] | None = None,
) -> HttpResponse:
    title = HTTPStatus(status).phrase
    said: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code or _snake(title.replace(" ", "").replace("-", "")),
        "request_id": request_ids.current(),
    }
    said |= {name: value for name, value in (("faults", faults), ("now", now)) if value}
    body = json.dumps(said, ensure_ascii=False, default=str)
    return HttpResponse(body, status=status, content_type=MEDIA, headers=headers)


def of(exc: Exception) -> HttpResponse | None:
    """The problem that an exception is; None for one that nobody raised on purpose."""
    match exc:
        case Refused():
            return problem(exc.status, exc.detail, code=exc.code, headers=exc.headers, now=exc.now)
        case CurriculumError():
            return problem(exc.http_status, str(exc), code=_snake(type(exc).__name__))
        case ValidationError():
            faults = [
                {"where": ".".join(_place(e["loc"])), "says": str(e["msg"])} for e in exc.errors
            ]
            first = f"{faults[0]['where']}: {faults[0]['says']}" if faults else "It is not valid"
            return problem(422, f"{first}.", code="invalid", faults=faults)
        case HttpError(__cause__=Refused() as cause):  # what ninja makes of it in a parser
            return of(cause)
        case HttpError():
            return problem(exc.status_code, _SAYS.get(exc.status_code, str(exc)))
        case Http404():
            return problem(404, _SAYS[404])
        case RequestDataTooBig():
            return problem(413, "This is larger than a request may be here.")
        case MultiPartParserError() | SuspiciousOperation():
            return problem(400, _SAYS[400])
    return None


def require_storable(said: Any) -> None:
    """Raise `Refused` for text with NUL, which PostgreSQL does not keep, or with half a character,
    which UTF-8 cannot say.
    """
    match said:
        case str():
            if "\x00" in said or any("\ud800" <= sign <= "\udfff" for sign in said):
                raise Refused(
                    422, "Text may hold neither NUL nor half a character.", code="invalid"
                )
        case dict():
            for pair in said.items():
                require_storable(pair)
        case list() | tuple():
            for each in said:
                require_storable(each)


_SAYS = {
    400: "The body could not be read: it is not what its Content-Type says.",
    404: "There is no such thing here, or it is not yours to see.",
}


def install(api: NinjaAPI) -> None:
    kinds = (
        Refused,
        CurriculumError,
        ValidationError,
        HttpError,
        Http404,
        MultiPartParserError,
        SuspiciousOperation,
    )
    for kind in kinds:
        api.add_exception_handler(kind, _handle)


def _handle(request: HttpRequest, exc: Any) -> HttpResponse:
    response = of(exc)
    assert response is not None, "installed for these only"
    return response


def _place(loc: tuple[Any, ...]) -> list[str]:
    # Ninja names the parameter that the body goes to; a program knows only what it sent.
    return [str(part) for part in loc if part not in ("said",)] or ["body"]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
