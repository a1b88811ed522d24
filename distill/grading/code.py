"""Does it work? A program is run with unit tests, if running programs is switched on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from distill.errors import SwitchedOff
from distill.grading.sandbox import Limits, passes

LONGEST_PROGRAM = 20_000  # characters
BEFORE, ANSWER, TESTS = "before", "answer", "__main__"  # what each part takes itself for

_FENCE = re.compile(r"[ \t]*(`{3,})[ \t]*([\w+#.-]*)[^`\n]*")
_PYTHON = {"", "python", "python3", "py", "py3"}


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

    The reference is Python, or `Unit.dump()`. The code is the last fenced block of Python in the
    reply, or else the whole reply; it is not `__main__`. Off unless `is_on`: then every grade is
    0, with an error.
    """

    id = "code"
    version = 2

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
        before = [unit.setup]
        if unit.entry_point and not re.search(rf"^def {re.escape(unit.entry_point)}\b", code, re.M):
            code = unit.stub + _as_body(code)
        elif _compiles(closed := f"{unit.stub}\n    pass\n"):
            before.append(closed)  # its imports and helpers, which tests and answer may use
        parts = [*((BEFORE, part) for part in before), (ANSWER, code), (TESTS, unit.tests)]
        return float(passes(parts, self._limits))


def code_in(text: str) -> str:
    """The Python of a reply.

    >>> code_in("Like so:\\n```python\\nx = 1\\n```\\nDone.")
    'x = 1'
    """
    found, fence = "", ""
    block: list[str] | None = None  # the lines of one that is open and Python
    for line in text[-2 * LONGEST_PROGRAM :].splitlines():
        mark = _FENCE.fullmatch(line)
        if not fence and mark:
            fence = mark[1]
            block = [] if mark[2].lower() in _PYTHON else None
        elif fence and mark and mark[1].startswith(fence) and not mark[2]:
            found, block, fence = _kept(found, block), None, ""
        elif block is not None:
            block.append(line)
    return _kept(found, block) or text


def _kept(found: str, block: list[str] | None) -> str:
    """The last block that holds anything; one that is still open at the end is one."""
    last = "\n".join(block or ())
    return last if last.strip() else found


def _compiles(code: str) -> bool:
    try:
        compile(code, "stub", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


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
