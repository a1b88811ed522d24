"""Whether a webhook comes from an installation that knows the secret. See docs/api.md."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping


def verify_signature(
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    within_seconds: float = 300.0,
    now: float | None = None,
) -> bool:
    """Whether a webhook's body was signed with the secret, not longer ago than that.

    body: as it came, before any parsing. headers: of the request, in any case: X-IOA-Timestamp
    (Unix seconds) and X-IOA-Signature ("sha256=" and the HMAC-SHA256, hex, of timestamp, a full
    stop and the body). now: Unix seconds, for tests. Compares in constant time; False for
    whatever is missing or odd.

    >>> verify_signature(b"{}", {}, "secret")
    False
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp = given.get("x-ioa-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 16):
        return False
    if abs((time.time() if now is None else now) - int(timestamp)) > within_seconds:
        return False
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    wanted = f"sha256={signed.hexdigest()}"
    return hmac.compare_digest(wanted.encode(), given.get("x-ioa-signature", "").encode())
