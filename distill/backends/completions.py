"""OpenAI's chat completions on the wire: a prompt as a request, and whatever comes back.

What comes back is read with a schema, and trusted in nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Set
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from distill.backends.base import Prompt, Reply, well_formed
from distill.backends.servers import SYNTAX, Server, plain
from distill.errors import BackendUnavailable

CHARACTERS_A_TOKEN = 4  # where a server does not say what it has counted

_PASSING = frozenset({408, 409, 425, 429, *range(500, 600)} - {501, 505})


class Passing(Exception):
    """Worth another try."""

    def __init__(self, what: str, retry_after: float | None = None, quoted: str = "") -> None:
        super().__init__(what)
        self.what, self.retry_after, self.quoted = what, retry_after, quoted


class Refused(Exception):
    """Worth another try only without what the server does not take."""

    def __init__(self, sentence: str, said: str) -> None:
        super().__init__(sentence)
        self.sentence, self.said = sentence, said


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def request(model: str, prompt: Prompt, without: Set[str] = frozenset()) -> dict[str, Any]:
    """What is asked, without the fields that a server does not take.

    A prompt that is answered greedily has no seed. Without "max_tokens" the newer name is used.
    """
    user = {"role": "user", "content": well_formed(prompt.text)}
    system = {"role": "system", "content": well_formed(prompt.system)}
    sampling = prompt.sampling
    limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
    body: dict[str, Any] = {
        "model": model,
        "messages": [system, user] if prompt.system else [user],
        limit: sampling.max_tokens,
        "temperature": sampling.temperature,
    }
    if sampling.temperature > 0:
        body["seed"] = sampling.seed
    if prompt.schema is not None:
        named = {"name": "reply", "schema": dict(prompt.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    return {field: value for field, value in body.items() if field not in without}


def culprit(sent: Mapping[str, Any], said: str) -> str | None:
    """The field of a refused request that is worth leaving out; None when there is none."""
    if "max_tokens" in sent and "max_completion_tokens" in said:
        return "max_tokens"
    named = next((f for f in ("temperature", "seed") if f in sent and f in said), None)
    return named or ("response_format" if "response_format" in sent else None)


def reply(raw: bytes, prompt: Prompt) -> Reply:
    """The reply in a completion; a refusal in words is one too. Raises `Passing`."""
    try:
        said = _Completion.model_validate_json(raw)
    except ValidationError as exc:
        raise Passing("answered with something that is no chat completion") from exc
    choice, usage = said.choices[0], said.usage or _Usage()
    text = choice.message.content or choice.message.refusal or ""
    return Reply(
        text.strip(),
        _tokens(usage.prompt_tokens, len(prompt.system) + len(prompt.text)),
        _tokens(usage.completion_tokens, len(text)),
        choice.finish_reason == "length",
    )


def error(
    server: Server, status: int, raw: bytes, retry_after: str | None, *, key: str, now: float
) -> Exception:
    """What an answer with a status other than 200 comes to: `Passing`, `Refused`, or final.

    The server is quoted, without `key`. `now` is seconds since 1970.
    """
    said, code = _said(raw)
    told = plain(without_key(said, key))
    quoted = f" It says: “{told}”." if told else ""
    host, model = server.host, server.model
    if code == "insufficient_quota":
        return BackendUnavailable(
            f"The account at {host} has nothing left to spend. Top it up, then go on.{quoted}"
        )
    if status in _PASSING:
        return Passing(f"answered with status {status}", _seconds(retry_after, now), quoted)
    if status in (401, 403):
        name = server.key_name
        what = f"did not accept the key in {name}" if name else "asks for a key"
        how = "Check it" if name else f"Name the variable that holds it: {SYNTAX}"
        return BackendUnavailable(f"{host} {what} (status {status}). {how}.{quoted}")
    if status == 404:
        return BackendUnavailable(
            f"{host} has no model “{model}”, or nothing at {server.url}/chat/completions "
            f"(status 404). Check both.{quoted}"
        )
    if status in (400, 413, 422):
        sentence = (
            f"{host} refused to answer a prompt (status {status}). Ask for less, or ask "
            f"another model.{quoted}"
        )
        return Refused(sentence, said)
    return BackendUnavailable(
        f"{host} answered with status {status}, which nothing can be done with here. Check "
        f"the address {server.url}.{quoted}"
    )


def without_key(text: str, key: str) -> str:
    return text.replace(key, "…") if key else text


def _tokens(counted: int | None, characters: int) -> int:
    return -(-characters // CHARACTERS_A_TOKEN) if counted is None else max(counted, 0)


def _said(raw: bytes) -> tuple[str, str]:
    """What a server says of an error, and the code it gives it; either may be empty."""
    text = raw.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text, ""
    told = said.get("error", said) if isinstance(said, dict) else said
    if not isinstance(told, dict):
        return str(told), ""
    return str(told.get("message") or told.get("detail") or ""), str(told.get("code") or "")


def _seconds(retry_after: str | None, now: float) -> float | None:
    """Seconds from now that a Retry-After names, as a number or as a date; None without one."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
