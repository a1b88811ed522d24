"""In what a run differs: from what it was begun as, and from what is usual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def changes(name: str, was: Any, now: Any) -> str:
    """“its seed was 0, and is 1”; of nested values those that differ, five at most. Pure."""
    differ = [f"{'.'.join((name, *path))} was {a}, and is {b}" for path, a, b in _differ(was, now)]
    return f"its {'; '.join(differ[:5])}" + ("; and others" if len(differ) > 5 else "")


def _differ(was: Any, now: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if not (isinstance(was, dict) and isinstance(now, dict)):
        yield (), was, now
        return
    for key in dict.fromkeys((*was, *now)):
        if was.get(key) != now.get(key):
            for path, a, b in _differ(was.get(key), now.get(key)):
                yield (str(key), *path), a, b


def filled(was: Any, now: Any, usual: Any) -> Any:
    """`was`, with what only `now` has taken from `usual`, at any depth. Pure."""
    if not (isinstance(was, dict) and isinstance(now, dict) and isinstance(usual, dict)):
        return was
    new = {k: usual[k] for k in now.keys() - was.keys() if k in usual}
    return new | {k: filled(v, now.get(k), usual.get(k)) for k, v in was.items()}


def changed(values: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """What of nested values is not as usual; those that `usual` lacks raise KeyError. Pure."""
    return {
        k: changed(v, usual[k]) if isinstance(v, Mapping) else v
        for k, v in values.items()
        if v != usual[k]
    }
