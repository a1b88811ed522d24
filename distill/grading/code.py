"""Does it work? A program is run with unit tests, if running programs is switched on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from distill.errors import SwitchedOff
from distill.grading.sandbox import Limits, passes

LONGEST_PROGRAM = 20_000  # characters

_FENCED = re.compile(r"```[ \t]*(?:python3?|py)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.S | re.I)


@dataclass(frozen=True, slots=True)
class Unit:
    """The reference of a code probe: what is run around the answer."""

    tests: str  # Python; an assertion that fails, or any exception, is wrong
    setup: str = ""  # run before the answer
    stub: str = ""  # a function's beginning that the answer may go on from, and
    entry_point: str = ""  # the name it defines

    def dump(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


class Code:
    """1 when the answer's code passes the reference's tests, in a sandbox; else 0.

    The reference is Python, or `Unit.dump()`. The code is the last fenced block of the reply that
    holds any, or else the whole reply. Off unless `is_on`: then every grade is 0, with an error.
    """

    id = "code"
    version = 1

    def __init__(self, *, is_on: bool = False, limits: Limits = Limits()) -> None:  # noqa: B008
        self.is_on = is_on
        self._limits = limits

    def grade(self, reference: str, text: str) -> float:
        if not self.is_on:
            raise SwitchedOff
        unit = _unit(reference)
        code = code_in(text)
        if not code.strip() or len(code) > LONGEST_PROGRAM or "\0" in code:
            return 0.0
        if unit.entry_point and not re.search(rf"^def {re.escape(unit.entry_point)}\b", code, re.M):
            code = unit.stub + _as_body(code)
        return float(passes("\n".join((unit.setup, code, unit.tests, "")), self._limits))


def code_in(text: str) -> str:
    """The Python of a reply.

    >>> code_in("Like so:\\n```python\\nx = 1\\n```\\nDone.")
    'x = 1'
    """
    blocks = [block for block in _FENCED.findall(text[-2 * LONGEST_PROGRAM :]) if block.strip()]
    return str(blocks[-1]) if blocks else text


def _as_body(code: str) -> str:
    """Code that goes on from a function's first lines, indented if it is not."""
    first = next(line for line in code.splitlines() if line.strip())
    if first[0].isspace():
        return code
    return "".join(f"    {line}\n" for line in code.splitlines())


def _unit(reference: str) -> Unit:
    if not reference.lstrip().startswith("{"):
        unit = Unit(reference)
    else:
        try:
            unit = Unit(**json.loads(reference))
        except (ValueError, TypeError) as exc:
            raise ValueError(f"the reference is no unit of tests ({exc})") from exc
    if not unit.tests.strip():
        raise ValueError("the reference has no tests")
    return unit
