"""How much of the reference's wording is there: for open questions without one right answer."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_CAP_CHARACTERS = 12_000
_CAP_WORDS = 1500  # the longest common subsequence costs their product
_LONGEST_WORD = 60  # the stemmer takes long ones apart letter by letter
_MARK = re.compile(r"\s*answer\s{0,3}:\s{0,3}", re.IGNORECASE)


class Rouge:
    """ROUGE-L F between the reply and the reference, 0..1: words stemmed, case ignored.

    It measures wording, not truth: a good answer in other words scores low. Only the first
    1,500 words of each are compared.

    Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004; Google's
    `rouge-score`, with its stemmer.
    """

    id = "rouge"
    version = 1

    def grade(self, reference: str, text: str) -> float:
        if not re.search(r"[a-zA-Z0-9]", reference[:_CAP_CHARACTERS]):
            raise ValueError("the reference has no words of a-z or 0-9")
        said = _MARK.sub("", text[:_CAP_CHARACTERS], count=1) if _MARK.match(text) else text
        return float(_scorer().score(reference, said)["rougeL"].fmeasure)


@cache
def _scorer() -> Any:
    # not at import: it brings all of nltk, and half a second with it
    from rouge_score.rouge_scorer import RougeScorer
    from rouge_score.tokenizers import DefaultTokenizer, Tokenizer

    class Bounded(Tokenizer):  # type: ignore[misc]  # the package has no types
        def __init__(self) -> None:
            self._tokenizer = DefaultTokenizer(use_stemmer=True)

        def tokenize(self, text: str) -> list[str]:
            words = re.findall(r"[^\W_]+", text[:_CAP_CHARACTERS])[:_CAP_WORDS]
            return list(self._tokenizer.tokenize(" ".join(w[:_LONGEST_WORD] for w in words)))

    return RougeScorer(["rougeL"], tokenizer=Bounded())
