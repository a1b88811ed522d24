"""Typed readers for environment variables. What they cannot read stops the start, in a sentence.

An empty variable counts as one that is not set, as Compose files and systemd units leave them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from distill import costs

_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}
_DATABASES = ("sqlite://", "postgres://", "postgresql://", "pgsql://", "psql://")
_ESCAPED = "with the special characters of the password as %40 and the like."
_ZONES = Path("/usr/share/zoneinfo")


def variables(name: str, default: Path) -> StringIO:
    """A file of variables, as it is now: the one that is named, or the default if there is one."""
    named = text(name)
    file = Path(named).expanduser() if named else default
    try:
        return StringIO(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not named:
            return StringIO()
        why = "is not there"
    except (OSError, UnicodeDecodeError) as exc:
        why = f"cannot be read ({getattr(exc, 'strerror', 'not UTF-8')})"
    raise ImproperlyConfigured(f"{name} is {file}, which {why}. Name a file that can be read.")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def words(name: str, default: str = "") -> list[str]:
    """A list, written with commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def flag(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value not in _YES | _NO:
        raise ImproperlyConfigured(f"{name} is “{value}”. Write 1 or 0 (or true, false).")
    return value in _YES


def number(name: str, default: int, *, least: int = 0) -> int:
    value = text(name)
    try:
        found = int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is “{value}”. Write a whole number.") from None
    if found < least:
        raise ImproperlyConfigured(f"{name} is {found}. It has to be {least} or more.")
    return found


def address(name: str, default: str = "") -> str:
    """A web address, without the slash at its end."""
    value = text(name, default).rstrip("/")
    if value and not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name} has to begin with http:// or https://.")
    return value


def provider(name: str) -> str:
    """An address that secrets are sent to: https, or this machine."""
    value = address(name)
    host = urlsplit(value).hostname or ""
    if value.startswith("http://") and host not in ("localhost", "127.0.0.1", "::1"):
        raise ImproperlyConfigured(f"{name} has to begin with https://: a secret is sent there.")
    return value


def choice(name: str, default: str, allowed: Sequence[str]) -> str:
    """One of these, as it stands there; capital letters make no difference."""
    value = text(name, default)
    for each in allowed:
        if each.casefold() == value.casefold():
            return each
    raise ImproperlyConfigured(f"{name} is “{value}”. Write one of {', '.join(allowed)}.")


def zone(name: str, default: str) -> str:
    """A time zone, by a name that this system and Django know."""
    value = text(name, default)
    try:
        ZoneInfo(value)
        # Django wants it there, also where the package of zones has it.
        is_known = not _ZONES.exists() or (_ZONES / value).is_file()
    except (OSError, KeyError, ValueError):
        is_known = False
    if not is_known:
        raise ImproperlyConfigured(f"{name} is “{value}”, which is no time zone. Europe/Paris is.")
    return value


def database(name: str, default: str) -> dict[str, Any]:
    """Django's settings of a database, from its address. No others than these two will do: the
    log is kept by triggers, which are written for each.
    """
    value = text(name, default)
    try:
        if not value.startswith(_DATABASES):
            raise ValueError
        return dict(environ.Env.db_url_config(value))
    except ValueError:  # which may not show the password
        raise ImproperlyConfigured(
            f"{name} cannot be read. Write postgres://user:password@host:port/name or "
            f"sqlite:////path, {_ESCAPED}"
        ) from None


def redis(name: str, default: str) -> str:
    """The address of Redis, as its client reads it."""
    value = text(name, default)
    try:
        at = urlsplit(value)
        number, _ = at.path.replace("/", ""), at.port
    except ValueError:  # of the port; it may not show the password
        is_known = False
    else:
        is_redis = at.scheme in ("redis", "rediss") and (not number or number.isdecimal())
        is_known = is_redis or (at.scheme == "unix" and bool(number))
    if not is_known:
        raise ImproperlyConfigured(
            f"{name} cannot be read. Write redis://host:port/number, rediss://… or unix:///path, "
            f"{_ESCAPED}"
        )
    return value


def mail(name: str) -> dict[str, Any]:
    """Django's settings of a mail server, from smtp+tls://user:password@host:port."""
    value = text(name)
    try:
        return dict(environ.Env.email_url_config(value)) if value else {}
    except (ImproperlyConfigured, ValueError):  # neither may show the password
        raise ImproperlyConfigured(
            f"{name} cannot be read. Write smtp+tls://user:password@host:587, {_ESCAPED}"
        ) from None


def prices(name: str) -> dict[str, costs.Prices]:
    """What models cost, by their names: JSON, see `distill.costs.read`."""
    try:
        return costs.read(text(name))
    except costs.PricesUnreadable as exc:
        raise ImproperlyConfigured(
            f"{name} cannot be read: {exc}. Write "
            '{"MODEL": {"prompt_per_million": 0.4, "reply_per_million": 0.4, "currency": "USD"}}.'
        ) from None


def path(name: str, default: Path) -> Path:
    """A folder, absolute. A relative one counts from the folder the program is started in."""
    found = Path(text(name, str(default))).expanduser().absolute()
    if found.exists() and not found.is_dir():
        raise ImproperlyConfigured(f"{name} is {found}, which is a file. Name a folder.")
    return found


def secret(name: str, kept_in: Path) -> str:
    """The variable, or else a key that is made once and kept in a file only we can read."""
    if value := text(name):
        return value
    try:
        return _kept(kept_in) or _make(kept_in)
    except OSError as exc:
        raise ImproperlyConfigured(
            f"{name} is not set, and {kept_in} can neither be read nor made ({exc.strerror}). "
            f"Set {name}, or make its folder writable."
        ) from None


def _kept(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def _make(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(secrets.token_urlsafe(50) + "\n")
    try:
        os.link(beside, file)  # unlike a rename, never replaces the key another process made
    except FileExistsError:
        pass
    finally:
        beside.unlink()
    return _kept(file)
