"""API tokens: how programs show whose they are. Made and revoked in the chain of the house.

A token is `ioa_`, eight hex digits that may be shown, `_`, and a secret of 256 random bits. Of the
whole only the SHA-256 is kept: against guessing so many bits it needs no slower hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from curriculum.errors import BadToken, Overtaken
from curriculum.models import ApiToken
from curriculum.services import audit
from curriculum.services.audit import Actor

SCOPES: dict[str, str] = {  # name -> what a person is told that it is good for
    "read": "see runs, items, gates, jobs, scores, audit and provenance",
    "review": "give verdicts, change items and plans, start and cancel work, retry jobs",
    "approve": "sign, decide at gates, freeze items, set autonomy and budget, stop runs",
    "export": "take items and audit out as files",
    "import": "bring items and domains in as files",
}
FORM = re.compile(r"ioa_([0-9a-f]{8})_[0-9a-f]{64}", re.ASCII)
MOST_DAYS = 366
MOST_LIVE = 50  # of one person
USED_TO = timedelta(minutes=1)  # how exactly the last use is kept


@transaction.atomic
def make(
    user: User, *, actor: Actor, name: str, scopes: Iterable[str], days: int | None = None
) -> tuple[ApiToken, str]:
    """A token for the person, and the words of it, which cannot be had again.

    days: until it ends, 1..366; None: it does not end by itself.
    """
    name, chosen = " ".join(name.split()), sorted(set(scopes))
    _require_sane(user, name, chosen, days)
    prefix, secret = secrets.token_hex(4), secrets.token_hex(32)
    words = f"ioa_{prefix}_{secret}"
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                user=user,
                name=name,
                prefix=prefix,
                secret_hash=_digest(words),
                scopes=chosen,
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
    except IntegrityError as exc:
        raise BadToken(f"There is a token “{name}” already. Revoke it, or name this one.") from exc
    audit.write_house(
        actor=actor,
        action="token.made",
        subject=token,
        became={
            "user": user.get_username(),
            "prefix": prefix,
            "scopes": chosen,
            "expires_at": token.expires_at,
        },
    )
    return token, words


@transaction.atomic
def revoke(token: ApiToken, *, actor: Actor) -> ApiToken:
    """From now on it opens nothing. It stays in the list, as the log names it."""
    live = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    if not live.update(revoked_at=timezone.now()):
        raise Overtaken("This token")
    audit.write_house(
        actor=actor,
        action="token.revoked",
        subject=token,
        was={"user": token.user.get_username(), "prefix": token.prefix, "scopes": token.scopes},
    )
    token.refresh_from_db()
    return token


def find(words: str) -> ApiToken | None:
    """The token of these words, if it is live and its person may log in. One query."""
    form = FORM.fullmatch(words)
    if form is None:
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=form[1]).first()
    if token is None or not hmac.compare_digest(token.secret_hash, _digest(words)):
        return None
    return token if token.is_live and token.user.is_active else None


def used(token: ApiToken) -> None:
    """Keep when it was used last, to the minute: most calls write nothing."""
    now = timezone.now()
    if token.used_at is None or token.used_at < now - USED_TO:
        seen = Q(used_at=None) | Q(used_at__lt=now - USED_TO)
        ApiToken.objects.filter(seen, pk=token.pk).update(used_at=now)


def _require_sane(user: User, name: str, scopes: list[str], days: int | None) -> None:
    if not name:
        raise BadToken("Give the token a name: the log says it beside yours.")
    if len(name) > 60 or not name.isprintable():
        raise BadToken("A token's name has at most 60 characters, all of them printable.")
    if not scopes:
        raise BadToken("Choose at least one scope: without any, a token opens nothing.")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise BadToken(f"There is no scope “{unknown[0][:40]}”: {', '.join(SCOPES)}.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise BadToken(f"A token ends after 1 to {MOST_DAYS} days, or not by itself.")
    if user.api_tokens.filter(revoked_at=None).count() >= MOST_LIVE:
        raise BadToken(f"You have {MOST_LIVE} tokens. Revoke one that is not needed any more.")


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
