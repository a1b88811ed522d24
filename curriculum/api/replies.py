"""The same write, asked for twice: done once, and answered the same (Idempotency-Key).

After the draft "The Idempotency-Key HTTP Header Field" (IETF, draft-ietf-httpapi-idempotency-key-
header). What is refused has changed nothing, so it is not kept: the key can be used again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from curriculum.api.problems import Refused
from curriculum.models import ApiReply, ApiToken
from curriculum.services import replies

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
KEY = re.compile(r"[!-~]{1,255}")
WITHIN, AFTER = "within", "after"


def once(
    request: HttpRequest, token: ApiToken, act: Callable[[], HttpResponseBase], *, how: str
) -> HttpResponseBase:
    """Do it, unless the token has asked for it under the same key in the last 24 hours.

    how: "within": the reply is kept in the transaction of the write, so that there is never one
    without the other. "after": for what reads for long before it writes, and must not hold the
    database meanwhile; what keeps it from being done twice is its own.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return act()
    if not KEY.fullmatch(key):
        raise Refused(422, f"{HEADER} has 1 to 255 printable ASCII characters, and no spaces.")
    asked = _hash(request)
    replies.forget(token, before=timezone.now() - KEPT)
    if (kept := _kept(token, key, asked)) is not None:
        return kept
    if how == AFTER:
        response = act()
        if _is_done(response):
            replies.keep(token, key, **_row(response, asked))
        return response
    try:
        with transaction.atomic():
            reply = replies.begin(token, key, asked)
            response = act()
            if _is_done(response):
                replies.end(reply, **_row(response, asked))
            else:
                transaction.set_rollback(True)
            return response
    except IntegrityError as exc:  # the same was asked at the same time, and is done
        if (kept := _kept(token, key, asked)) is not None:
            return kept
        raise Refused(409, "The same is being asked for right now. Try again.") from exc


def _kept(token: ApiToken, key: str, asked: str) -> HttpResponse | None:
    reply = ApiReply.objects.filter(token=token, key=key).first()
    if reply is None:
        return None
    if reply.request_hash != asked:
        raise Refused(
            422,
            f"This {HEADER} was used for another request. Take a new key for a new request.",
            code="key_reused",
        )
    response = HttpResponse(bytes(reply.body), status=reply.status)
    response["Content-Type"] = reply.content_type
    if reply.etag:
        response["ETag"] = reply.etag
    response["Idempotent-Replayed"] = "true"
    return response


def _is_done(response: HttpResponseBase) -> bool:
    return response.status_code < 400


def _row(response: HttpResponseBase, asked: str) -> dict[str, object]:
    assert isinstance(response, HttpResponse), "no write is answered by a stream"
    return {
        "request_hash": asked,
        "status": response.status_code,
        "content_type": response["Content-Type"],
        "etag": response.get("ETag", ""),
        "body": response.content,
    }


def _hash(request: HttpRequest) -> str:
    """Of method, address and what was sent; a file by its content, as a form by its fields."""
    found = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        found.update(request.body)
        return found.hexdigest()
    for name, values in sorted(request.POST.lists()):
        found.update(repr((name, values)).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            found.update(repr((name, file.name, file.size)).encode())
            for chunk in file.chunks():
                found.update(chunk)
            file.seek(0)
    return found.hexdigest()
