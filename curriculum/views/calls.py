"""A request to a teacher and its reply, as people see them."""

from __future__ import annotations

from typing import Any

from curriculum.models import Item, TeacherCall

MOST_SHOWN = 20_000  # characters of a prompt or a reply; a model may go on for long


def shown(call: TeacherCall) -> dict[str, Any]:
    """A call as people see it: its words cut off where nobody would read on."""
    return {
        "row": call,
        "prompt": call.prompt[:MOST_SHOWN],
        "reply": call.reply[:MOST_SHOWN],
        "prompt_left": max(0, len(call.prompt) - MOST_SHOWN),
        "reply_left": max(0, len(call.reply) - MOST_SHOWN),
    }


def call_of(item: Item) -> dict[str, Any] | None:
    """The request that an item came of; None where a program or a person wrote it. One query."""
    call = TeacherCall.objects.filter(pk=item.call_id).first() if item.call_id else None
    return shown(call) if call else None
