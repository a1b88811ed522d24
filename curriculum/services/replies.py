"""What writes of a token were answered, for a day: see `curriculum.api.replies`."""

from __future__ import annotations

from datetime import datetime

from curriculum.models import ApiReply, ApiToken


def begin(token: ApiToken, key: str, request_hash: str) -> ApiReply:
    """Take the key. Raises IntegrityError where it is taken; waits for who takes it now."""
    return ApiReply.objects.create(token=token, key=key, request_hash=request_hash)


def end(reply: ApiReply, **said: object) -> None:
    """Keep the answer, inside the transaction that took the key."""
    ApiReply.objects.filter(pk=reply.pk).update(**said)


def keep(token: ApiToken, key: str, **said: object) -> None:
    """Keep the answer to what has been done already."""
    ApiReply.objects.bulk_create([ApiReply(token=token, key=key, **said)], ignore_conflicts=True)


def forget(token: ApiToken, *, before: datetime) -> None:
    ApiReply.objects.filter(token=token, created_at__lt=before).delete()
