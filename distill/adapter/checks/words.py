"""Is it text? Nothing in an item may act on the page, the person or the tokenizer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from distill.records import Item

MAX_CHARACTERS = 4000  # of a question or a solution; more is no item for a small student

# tags that a browser acts on; "a < b", "List<int>" and "<stdio.h>" are text
_MARKUP = re.compile(
    r"</?\s*(?:script|style|iframe|frame|object|embed|applet|svg|math|img|image|html|head|body|div"
    r"|span|link|meta|base|form|input|button|select|textarea|video|audio|source|template|table|br"
    r"|hr|h[1-6]|details|marquee|noscript|a(?=\s+href))\b|<!--|<!doctype\b|\bjavascript\s*:",
    re.IGNORECASE,
)
_THINKING = re.compile(r"</?\s*(?:think|thinking|thought|reasoning)\s*>", re.IGNORECASE)
_TEMPLATE = re.compile(
    r"<\s?\|[^<>\n]{1,60}\|\s?>"  # <|im_start|> and its like, also in wide characters
    r"|</?s>|<(?:pad|unk|bos|eos|mask|cls|sep)>"
    r"|</?(?:start|end)_of_(?:turn|image|text)>"
    r"|\[/?INST\]|<</?SYS>>|\[/?(?:TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\]"
    r"|</?tool_(?:call|response)s?>",
    re.IGNORECASE,
)
_SEEN_AS_NOTHING = set("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")


class Parses:
    """Question, solution and answer are there, of a sane length, and printable."""

    id, version = "parses", 1

    def problem(self, item: Item) -> str:
        for name, text in (("question", item.question), ("solution", item.solution)):
            if not text.strip():
                return f"The {name} is empty."
            if len(text) > MAX_CHARACTERS:
                return f"The {name} has {len(text)} characters, over {MAX_CHARACTERS}."
            if bad := sorted({c for c in text if not _may_be_shown(c)}):
                return f"The {name} has unprintable characters: {', '.join(map(ascii, bad[:5]))}."
        return "" if item.answer.strip() else "The answer is empty."


class Safety:
    """What is shown is what is there: no invisible or reordering characters, no markup, no tokens
    of a chat template, no reasoning in <think>.

    tokens: further special tokens, those of the student's tokenizer.
    """

    id, version = "safety", 1

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self._tokens = tuple(sorted(token for token in tokens if token.strip()))

    def problem(self, item: Item) -> str:
        for name, text in (("question", item.question), ("solution", item.solution)):
            if hidden := sorted({c for c in text if _is_hidden(c)}):
                codes = ", ".join(map(_code, hidden[:5]))
                return f"The {name} has characters that nobody sees, or that reorder text: {codes}."
            wide = unicodedata.normalize(
                "NFKC", text
            )  # ＜ｓｃｒｉｐｔ＞ may be made <script> later
            if _THINKING.search(wide):
                return f"The {name} has a tag of a model's reasoning, as <think>."
            if _TEMPLATE.search(wide) or any(token in text for token in self._tokens):
                return f"The {name} has a token of a chat template, as <|im_start|>."
            if _MARKUP.search(wide):
                return f"The {name} has markup, as <script>."
        return ""


def _may_be_shown(character: str) -> bool:
    """Letters, signs and any kind of space; no control characters, surrogates or the like."""
    is_space = unicodedata.category(character) == "Zs"  # str.isprintable knows the plain one only
    return character.isprintable() or is_space or character in "\n\t"


def _is_hidden(character: str) -> bool:
    if character in "\n\t":
        return False
    # control, format (zero width, bidi), surrogate, and the separators of lines and paragraphs
    kinds = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    return unicodedata.category(character) in kinds or character in _SEEN_AS_NOTHING


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
