"""A language model that compares the reply with the reference, by a rubric."""

from __future__ import annotations

import re
from importlib import resources

from distill.backends.base import Backend, Prompt
from distill.records import Probe
from distill.settings import Sampling

RUBRIC = "The better answer does what was asked, is correct, and says no more than is needed."
DISAGREES = 0.5

_CAP_CHARACTERS = 6000  # of each answer that it reads
_MAX_TOKENS = 400
_VERDICT = re.compile(r"verdict[*_]*\s{0,3}:[*_\s]{0,6}\[?(A|B|tie)\b", re.IGNORECASE)


class Judge:
    """1 when a judge prefers the reply to the reference, 0.5 for a tie, 0 when it does not.

    Asked twice, with the answers in both orders: judges favour the first. When the two verdicts
    disagree the grade is 0.5. Raises ValueError for a verdict that cannot be read, and what the
    backend raises.

    Source: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023, 3.4.
    """

    id = "judge"
    version = 1

    def __init__(self, backend: Backend | None = None, *, rubric: str = RUBRIC) -> None:
        self._backend = backend
        self._rubric = rubric

    def grade_probe(self, probe: Probe, text: str) -> float:
        if self._backend is None:
            raise ValueError("no judge was given")
        if not text.strip():
            return 0.0
        orders = ((text, probe.reference), (probe.reference, text))
        sampling = Sampling(max_tokens=_MAX_TOKENS)
        replies = self._backend.generate(
            [Prompt(self._prompt(probe.question, *order), sampling) for order in orders]
        )
        first, second = (_verdict(reply.text) for reply in replies)
        worth = {"a": 1.0, "tie": DISAGREES, "b": 0.0}[first]
        swapped = {"a": 0.0, "tie": DISAGREES, "b": 1.0}[second]
        return worth if worth == swapped else DISAGREES

    def _prompt(self, question: str, first: str, second: str) -> str:
        fields = {
            "rubric": self._rubric,
            "question": question[:_CAP_CHARACTERS],
            "first": first[:_CAP_CHARACTERS],
            "second": second[:_CAP_CHARACTERS],
        }
        template = resources.files("distill.grading").joinpath("judge.txt").read_text("utf-8")
        # in one pass: an answer that says "{question}" stays as it is
        return re.sub(r"\{(\w+)\}", lambda m: fields[m[1]], template)


def _verdict(text: str) -> str:
    found = _VERDICT.findall(text)
    if not found:
        raise ValueError(f"the judge gave no verdict: “{' '.join(text.split())[:60]}”")
    return str(found[-1]).casefold()
