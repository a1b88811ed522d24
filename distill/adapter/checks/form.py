"""Does it have the size and the shape that was asked for?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from distill.backends.chat import Render
from distill.domains.base import FULL_LEVEL
from distill.records import Item

CHARACTERS = 2000
"""Of question and solution together, where no tokenizer counts. At 4 characters a token these are
the 500 that the default limit of 512 leaves; arithmetic has fewer characters a token, so that it
is a bound for what is certainly too long.
"""

_MARK = re.compile(r"\banswer[*_]*\s{0,3}:", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_BOXED = re.compile(r"\\f?box(?:ed)?\s?\{")


class Fits:
    """Short enough for the student to be trained on all of it, and to say all of it when it is
    asked; and of a level that there is.

    render: as the student is trained, chat template included; None for one without a tokenizer.
    most_tokens: of question and solution that it is trained on. most_answer_tokens: after which
    its answers are cut off: what is taught longer solutions is wrong at every gate.
    """

    id, version = "fits", 2

    def __init__(
        self,
        render: Render | None = None,
        *,
        most_tokens: int = 512,
        most_answer_tokens: int | None = None,
    ) -> None:
        self._render = render
        self._most = most_tokens
        self._most_answer = most_answer_tokens

    def problem(self, item: Item) -> str:
        if not 1 <= item.level <= FULL_LEVEL:
            return f"The level is {item.level}; levels are 1 to {FULL_LEVEL}."
        n = len(item.question) + len(item.solution)
        # no tokenizer is asked about a text that no limit would let through
        if self._render is None or n > CHARACTERS + 8 * self._most:
            if n > CHARACTERS:
                return f"Question and solution have {n} characters, over {CHARACTERS}."
            return ""
        try:
            rendered = self._render(item.question, item.solution)
        except ValueError as exc:  # a chat template that cannot render it
            return f"The student's chat template does not take this item: {exc}"
        tokens, answer = len(rendered.ids), rendered.n_answer
        if tokens > self._most:
            return f"The item has {tokens} tokens; the student is trained on {self._most} at most."
        if self._most_answer is not None and answer > self._most_answer:
            return (
                f"The solution has {answer} tokens; what the student says is cut off after "
                f"{self._most_answer}, so that it can never say this."
            )
        return ""


@dataclass(frozen=True, slots=True)
class Form:
    """What a solution has to look like. Each part is asked for only where it is set.

    mark: it ends with this and the answer ("Answer: 47"), once, and nothing behind.
    is_own_line: the mark begins the last line. Where not, it may close a line of steps, as those
        of the built-in domain do ("7 + 0 = 7. Answer: 47").
    min_lines, max_lines: lines that are not empty; 0: not asked.
    is_fenced: exactly one fenced block of code, closed.
    or_boxed: a \\boxed{} in place of the mark will do.
    """

    mark: str = "Answer:"
    is_own_line: bool = False
    min_lines: int = 1
    max_lines: int = 0
    is_fenced: bool = False
    or_boxed: bool = False


FREE = Form(mark="")
ANSWER = Form()
WORKED_LINES = Form(is_own_line=True, min_lines=2)
"""One step a line, then a last line "Answer: X": what a model is asked for that writes items."""

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "number": ANSWER,
        "exact": ANSWER,
        "choice": ANSWER,
        "math": Form(or_boxed=True),
        "code": Form(mark="", is_fenced=True),
        "rouge": FREE,
        "judge": FREE,
    }
)
"""By grader, where a domain does not ask for another one. Unknown graders: `FREE`."""


class Template:
    """The solution follows the one format of its skill."""

    id, version = "template", 1

    def __init__(self, form: Form = ANSWER) -> None:
        self._form = form

    def problem(self, item: Item) -> str:
        form, solution = self._form, item.solution.strip()
        lines = [line.strip() for line in solution.splitlines() if line.strip()]
        if len(lines) < form.min_lines:
            return f"The solution has {_lines(len(lines))}; its format asks for {form.min_lines}."
        if form.max_lines and len(lines) > form.max_lines:
            return f"The solution has {_lines(len(lines))}; its format allows {form.max_lines}."
        if form.is_fenced and len(_FENCE.findall(solution)) != 2:
            return "The solution needs exactly one block of code between two lines of ```."
        if form.mark and not (form.or_boxed and _BOXED.search(solution)):
            return _wrong_end(form, solution, lines)
        return ""


def _wrong_end(form: Form, solution: str, lines: list[str]) -> str:
    last = lines[-1] if lines else ""
    before, mark, said = last.rpartition(form.mark)
    if not mark or not said.strip():
        return f"The solution does not end with “{form.mark}” and the answer."
    if form.is_own_line and before:
        return f"“{form.mark}” has to begin the last line."
    if before and before[-1].isalnum():
        return f"The solution does not end with “{form.mark}” and the answer."
    if len(_MARK.findall(solution)) > 1 or solution.count(form.mark) > 1:
        return f"The solution says “{form.mark}” more than once."
    return ""


def _lines(n: int) -> str:
    return "1 line" if n == 1 else f"{n} lines"
