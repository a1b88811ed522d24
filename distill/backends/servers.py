"""Where a model is served, in one line of text: a spec that may be kept and shown."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import httpx2

from distill.errors import BackendUnavailable

PREFIX = "openai:"
SYNTAX = f"{PREFIX}MODEL@https://host/v1#NAME_OF_KEY"

_SPEC = re.compile(
    r"(?P<model>\S+)@(?P<url>https?://[^\s#]+?)/*(?:#(?P<key>[A-Za-z_]\w*))?", re.ASCII
)
_QUOTED = 200  # characters


@dataclass(frozen=True, slots=True)
class Server:
    """Where a model is served, and what the variable is called that holds the key for it."""

    model: str
    url: str  # of the API, such as https://host/v1
    key_name: str = ""  # empty: no key is sent

    @property
    def host(self) -> str:
        return httpx2.URL(self.url).netloc.decode("ascii")


def parse(spec: str) -> Server:
    """The server that `openai:MODEL@https://host/v1#NAME_OF_KEY` names; `#…` may be missing.

    Raises `BackendUnavailable` for anything else, and where the address holds a user, a password
    or a query: those may be secrets.
    """
    found = _SPEC.fullmatch(spec.removeprefix(PREFIX))
    if not spec.startswith(PREFIX) or found is None:
        raise BackendUnavailable(
            f"“{plain(spec)}” is not a model on a server. It is written {SYNTAX}, where "
            "NAME_OF_KEY is the environment variable that holds the key; without a key, leave it "
            "and the # out."
        )
    try:
        url = httpx2.URL(found["url"])
    except httpx2.InvalidURL as exc:
        raise BackendUnavailable(f"The address in “{plain(spec)}” cannot be read: {exc}.") from exc
    if url.userinfo or url.query or not url.host:
        raise BackendUnavailable(
            "The address of a server may hold no user, no password and no ?query. Put the key in "
            f"an environment variable, and name that: {SYNTAX}."
        )
    return Server(found["model"], found["url"], found["key"] or "")


def checked_key(key: str, name: str) -> str:
    """The key without what surrounds it. Raises `BackendUnavailable`, which never tells it."""
    key = key.strip()
    if name and not key:
        raise BackendUnavailable(
            f"The environment variable {name} is to hold a key, and is missing or empty. Set it "
            "where this program is started."
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise BackendUnavailable(f"What {name} holds cannot be a key: it has odd characters.")
    return key


def plain(text: str) -> str:
    """The beginning of somebody's text, on one line and without control characters."""
    line = " ".join(text[: 4 * _QUOTED].split())
    kept = "".join(c for c in line if not unicodedata.category(c).startswith("C"))
    return kept if len(kept) <= _QUOTED else f"{kept[:_QUOTED]}…"
