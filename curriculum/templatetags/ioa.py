"""How numbers, times, states and bars look, the same on every page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import ua_parser
from django import template
from django.contrib.auth.models import User
from django.contrib.humanize.templatetags.humanize import intcomma, naturaltime
from django.forms import BoundField, Textarea
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from curriculum import checks_said
from curriculum.checks_said import FAILED, PASSED
from curriculum.services.audit import ACTIONS, name_of
from curriculum.states import DECIDED

register = template.Library()
register.filter("thousands", intcomma)
register.filter("failed_checks", checks_said.in_words)


@register.simple_tag
def widget(field: BoundField) -> SafeString:
    """A form's field; one for words is written in the direction that their script has."""
    is_text = getattr(field.field.widget, "input_type", "") == "text"
    is_words = is_text or isinstance(field.field.widget, Textarea)
    return field.as_widget(attrs={"dir": "auto"} if is_words else None)


@register.filter
def percent(share: float | str | None) -> str:
    """0.957 -> 96%. A dash where there is no number: "" is what a template makes of a gap."""
    return "–" if share is None or share == "" else f"{float(share):.0%}"


@register.filter
def share(value: float) -> str:
    """0.0489 -> 4.9%: where a decimal decides."""
    return f"{100 * value:.1f}".removesuffix(".0") + "%"


@register.filter
def points(share: float) -> str:
    """0.12 -> +12, -0.3 -> −30: percentage points, with a sign that is no hyphen."""
    whole = round(100 * share)
    return f"{whole:+d}".replace("-", "−") if whole else "0"


@register.filter
def since(moment: datetime) -> str:
    """How long something has lasted: "a few seconds", "2 minutes"."""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 60:
        return "a few seconds"
    minutes = seconds // 60
    if minutes < 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return "1 hour" if minutes < 120 else f"{minutes // 60} hours"


@register.simple_tag
def interval(low: float | str | None, high: float | str | None) -> str:
    """0.91, 0.99 -> [91 to 99]."""
    if low in (None, "") or high in (None, ""):
        return ""
    return f"[{100 * float(low):.0f} to {100 * float(high):.0f}]"


@register.filter
def person(user: User | None) -> str:
    """What people call them; empty where it was nobody."""
    return name_of(user) if user else ""


@register.filter
def device(agent: str) -> str:
    """What a browser calls itself -> "Firefox on Linux"."""
    found = ua_parser.parse(agent)
    browser = found.user_agent.family if found.user_agent else "A program"
    return f"{browser} on {found.os.family}" if found.os else browser


@register.filter
def compact(content: Any) -> str:
    """JSON on one line, as the audit log has it."""
    return json.dumps(content, ensure_ascii=False)


@register.filter
def indented(content: Any) -> str:
    """JSON over several lines, for what is too long for one."""
    return json.dumps(content, ensure_ascii=False, indent=2)


@register.filter
def in_words(names: list[str]) -> str:
    """["one_format", "limit_load"] -> one format, limit load."""
    return ", ".join(name.replace("_", " ") for name in names)


@register.filter
def share_beside(mixture: Iterable[Mapping[str, Any]]) -> float:
    """The share of a training that is of other stages, rehearsal aside."""
    return sum(float(row["share"]) for row in mixture if row.get("is_beside"))


@register.filter
def passed_check(check: str) -> str:
    """The id of a check that passed, in words: beside a tick “leak” would say the opposite."""
    return PASSED.get(check, check)


@register.filter
def failed_check(check: str) -> str:
    """The id of a check that failed, in words."""
    return FAILED.get(check, check)


@register.filter
def lookup(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    return (mapping or {}).get(key)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString | str:
    """A relative time, with the exact one on hover."""
    if moment is None:
        return "–"
    exact = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap">{}</time>',
        exact.isoformat(),
        exact.strftime("%Y-%m-%d %H:%M:%S %Z"),
        naturaltime(moment),
    )


@register.filter
def moment(said: str | None) -> SafeString | str:
    """A time of JSON, told as `ago` tells one."""
    return ago(datetime.fromisoformat(said) if said else None)


@register.filter
def spoken(word: str) -> str:
    """not_yet -> not yet."""
    return word.replace("_", " ")


@register.filter
def decided(decision: str) -> str:
    """roll_back -> Rolled back."""
    return DECIDED[decision].capitalize()


@register.filter
def action_name(action: str) -> str:
    """What the log's page calls an action."""
    return ACTIONS.get(action, action)


@register.filter
def duration(seconds: float | str | None) -> str:
    """75 -> 1 min 15 s."""
    if seconds is None or seconds == "":
        return "–"
    whole = round(float(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


@register.simple_tag
def state(value: str, label: str = "") -> SafeString:
    """A status as a shape, a word and a colour."""
    return format_html('<span class="state is-{}">{}</span>', value or "open", label or value)


@register.inclusion_tag("partials/_bar.html")
def bar(
    kind: str,
    mean: float | None,
    low: float | None = None,
    high: float | None = None,
    threshold: float | None = None,
) -> dict[str, Any]:
    """One bar on a scale of 0..1. Drawn for the eye: the numbers stand beside it in words."""
    return {"rows": [_row(kind, mean, low, high, 4)], "threshold": _place(threshold), "height": 16}


@register.inclusion_tag("partials/_bar.html")
def bar_pair(
    first_kind: str, first: Any, second_kind: str, second: Any, threshold: float | None = None
) -> dict[str, Any]:
    """Two scores above each other: anything with `mean`, `low` and `high`, or None."""
    rows = []
    for kind, score, top in ((first_kind, first, 3), (second_kind, second, 16)):
        if score is not None:
            rows.append(_row(kind, score.mean, score.low, score.high, top))
    return {"rows": rows, "threshold": _place(threshold), "height": 28}


def _row(
    kind: str, mean: float | None, low: float | None, high: float | None, top: int
) -> dict[str, Any]:
    has_interval = low is not None and high is not None and high > low
    return {
        "kind": kind,
        "top": top,
        "middle": top + 4,
        "width": _place(mean or 0.0),
        "low": _place(low) if has_interval else None,
        "high": _place(high) if has_interval else None,
    }


def _place(share: float | None) -> str | None:
    """Where a share stands on the bar. A ratio above 1 (better than the teacher) ends at 100."""
    return None if share is None else f"{100 * min(max(share, 0.0), 1.0):.1f}"
