"""Pages by cursor: what comes while somebody reads neither shifts nor doubles what they see."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.db.models import Model, QuerySet

from curriculum.api.operations import MOST_ID
from curriculum.api.problems import Refused


def page(
    found: QuerySet[Any], *, limit: int, cursor: str, by: str = "pk", newest_first: bool = False
) -> dict[str, Any]:
    """Rows in the order of the unique column `by`, behind the one that the cursor names."""
    sign, side = ("-", "lt") if newest_first else ("", "gt")
    if cursor:
        found = found.filter(**{f"{by}__{side}": _number(cursor)})
    rows: list[Model] = list(found.order_by(f"{sign}{by}")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return {"items": rows, "next": _cursor(getattr(rows[-1], by)) if more else None}


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode().rstrip("=")


def _number(cursor: str) -> int:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        word, _, number = (
            base64.b64decode(padded, b"-_", validate=True).decode("ascii").partition(":")
        )
        if word == "after" and number.isdecimal() and len(number) < 20 and int(number) <= MOST_ID:
            return int(number)
    except (binascii.Error, UnicodeError):
        pass
    raise Refused(422, "This is no cursor of a page. Begin with the first one.", code="bad_cursor")
