"""Where people are signed in. A row beside each session says since when, from what and when last.

A page that is looked at writes `seen_at`, at most every five minutes: for the person alone, and
nothing of a run.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from curriculum.models import SignIn
from curriculum.services import audit
from curriculum.services.audit import Actor
from ioa_web.addresses import address_of

SEEN_EVERY = timedelta(minutes=5)


def seen(request: HttpRequest) -> None:
    """Note that the session is in use. No query where that was done in the last five minutes."""
    key = request.session.session_key
    if not key or cache.get(_name(key)):
        return
    assert isinstance(request.user, User)
    _note(request, request.user, key, timezone.now())


def _note(request: HttpRequest, user: User, key: str, now: datetime) -> None:
    told = {
        "user": user,
        "device": request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:255],
        "address": address_of(request),
        "seen_at": now,
    }
    SignIn.objects.update_or_create(session_key=key, defaults=told)
    cache.set(_name(key), True, SEEN_EVERY.total_seconds())


def _begun(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    if key := request.session.session_key:
        _note(request, user, key, timezone.now())


def _left(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    SignIn.objects.filter(session_key=request.session.session_key or "").delete()


def connect() -> None:
    user_logged_in.connect(_begun, dispatch_uid="curriculum.sign_ins.begun")
    user_logged_out.connect(_left, dispatch_uid="curriculum.sign_ins.left")


def of(user: User) -> list[SignIn]:
    """Those that still hold, the last used first: not run out, and with the password of now."""
    rows = {row.session_key: row for row in SignIn.objects.filter(user=user)}
    held = Session.objects.filter(pk__in=list(rows), expire_date__gt=timezone.now())
    mine = user.get_session_auth_hash()
    return sorted(
        (
            rows[session.pk]
            for session in held
            if constant_time_compare(session.get_decoded().get(HASH_SESSION_KEY, ""), mine)
        ),
        key=lambda row: row.seen_at,
        reverse=True,
    )


def end(user: User, *, pk: int, but: str | None = None) -> int:
    """End one session of the person's; 0 where it is not theirs, or ended, or is `but`."""
    return _end(user, [row for row in of(user) if row.pk == pk and row.session_key != but])


def end_others(user: User, *, but: str | None) -> int:
    """End all sessions of the person's but one, by its key. Returns how many."""
    return _end(user, [row for row in of(user) if row.session_key != but])


@transaction.atomic
def _end(user: User, rows: list[SignIn]) -> int:
    keys = [row.session_key for row in rows]
    n, _ = Session.objects.filter(pk__in=keys).delete()
    SignIn.objects.filter(session_key__in=keys).delete()
    if n:
        audit.write_house(
            actor=Actor.person(user), action="session.ended", subject=user, became={"ended": n}
        )
    return n


def _name(key: str) -> str:
    return f"seen:{key}"
