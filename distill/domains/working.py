"""Words that work a question out, read as steps."""

from __future__ import annotations

import re

from distill.domains.base import question_key
from distill.domains.drafts import Draft
from distill.grading.base import marked_answer
from distill.records import Example
from distill.structured import plain_text

MOST_STEPS = 12
"""More steps are no help to a small student; such an item is read, and cut off nowhere: refused."""

_EMPHASIS = re.compile(r"\*\*|`|^#+")
_LABEL = re.compile(r"^(question|solution)\s*:\s*", re.IGNORECASE)  # as examples are shown
_BULLET = re.compile(r"^(?:[-*•](?=\s+\D)|\d{1,2}[.)])\s+")
_STATED = re.compile(r"\d[^=]*=\s*[-−]?\d")
_WORD = re.compile(r"[^\W\d_]{2,}")

MOST_EXAMPLES = 5  # of a skill
LONGEST_EXAMPLE = 2000  # characters


def fault_of(example: Example) -> str:
    """A sentence on what is wrong with its form; "" where nothing is. Pure."""
    if not example.question.strip():
        return "There is no question."
    if len(example.question) + len(example.solution) > LONGEST_EXAMPLE:
        return f"Question and solution have at most {LONGEST_EXAMPLE:,} characters."
    if read_working(example.question, example.solution) is None:
        return (
            "The solution has a step a line, each a calculation or some words, at most "
            f"{MOST_STEPS} of them, and ends in a line “Answer: …”."
        )
    return ""


def read_working(question: str, reply: str, answer: str | None = None) -> Draft | None:
    """The reply's lines as steps, up to the answer that it marks, which is the draft's unless
    another is given. The question said again is no step, nor is a label in front of one part of
    it: a student is to learn neither. None without an answer or a step, where a line is neither a
    statement nor words, or where another question is put: such a reply is no working of this one.
    Pure, never raises.

    answer: the bare answer, of which it is known that the reply comes to it, marked or not.
    """
    text = plain_text(reply)
    marked = marked_answer(text) if answer is None else answer
    if marked is None or not marked.strip():
        return None
    steps, asked = [], question_key(question.rstrip(". :"))
    for line in _without(question, text).splitlines():
        if "answer:" in line.casefold():
            break
        words = _BULLET.sub("", " ".join(_EMPHASIS.sub("", line).split()))
        label = _LABEL.match(words)
        words = (words[label.end() :] if label else words).rstrip(". :")
        if words.casefold() == "solution" or question_key(words) == asked:
            continue  # as it was put, said again
        if label and label[1].casefold() == "question" and words:
            return None
        if words and not _STATED.search(words) and len(_WORD.findall(words)) < 2:
            return None
        steps += [words] if words else []
    if not steps or len(steps) > MOST_STEPS:
        return None
    if answer is None:
        answer = " ".join(marked.split()).strip("*. ").rpartition("=")[2].strip()
    return Draft(question, answer, tuple(steps))


def _without(question: str, text: str) -> str:
    """The text less a question of several lines, where it is said again; one line is seen to be
    the question as a line.
    """
    if "\n" not in question.strip():
        return text
    asked = r"\s+".join(re.escape(word) for word in plain_text(question).split())
    return re.sub(rf"(?im)^[ \t]*(?:question\s*:\s*)?{asked}[ \t]*$", "", text)
