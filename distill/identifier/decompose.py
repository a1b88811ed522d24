"""A teacher splits a described domain into skills: a proposal that a person reads and edits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from distill.backends.base import Backend, Beat, Prompt, no_beat
from distill.errors import BackendError, DistillError, ReplyUnusable
from distill.identifier.proposals import propose
from distill.identifier.replies import SCHEMA, Reading, read_reply
from distill.records import Proposal
from distill.settings import Sampling

PROMPT_VERSION = 1
"""Of decompose.txt: proposals of different versions were asked for in different words."""

LONGEST_TITLE, LONGEST_DESCRIPTION, LONGEST_EXAMPLE = 160, 12_000, 500  # characters
MOST_EXAMPLES = 30

_FIELD = re.compile(r"\{(\w+)\}")
_FAULTS_TOLD = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be split, and how finely."""

    title: str
    description: str
    examples: tuple[str, ...] = ()  # questions that belong to the domain
    skills: int = 30  # at most; the paper's domains have 25 to 35 modules
    probes: int = 6  # candidates for each skill


def decompose(
    wish: Wish,
    teacher: Backend,
    *,
    tries: int = 3,
    max_tokens: int = 8192,
    seed: int = 0,
    beat: Beat = no_beat,
) -> Proposal:
    """Ask a teacher to split a domain, and return what it proposes, mended and told.

    tries: how often it is asked. A reply that is not in the form asked for (`read_reply`) is
    asked for again with its faults named; one that is merely cut off is not. After the last try
    the reply with the most usable skills is taken, its faults among the notices.
    max_tokens: of one reply; a skill with six probes takes about 350. The form is sent along as
    a schema, for backends that can hold a model to it; every reply is read as if none had.

    Raises ReplyUnusable when no reply held a usable skill, DistillError for a domain without a
    title or a description, or with too long ones, and what the backend raises, unless an earlier
    reply can be used: then it is, with a notice. What `beat` raises
    passes through. As deterministic as the teacher.

    Source: He et al. 2026, section 3.1, where the teacher lists modules with a difficulty. Ours:
    prerequisites and probes as well, everything checked, and a person before anything is measured.
    """
    text = prompt_text(wish)
    best = Reading()
    faults: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    tokens = 0
    for attempt in range(1, max(tries, 1) + 1):
        beat(attempt - 1, tries)
        sampling = Sampling(max_tokens=max_tokens, seed=seed + attempt - 1)
        prompt = Prompt(_again(text, faults), sampling, schema=SCHEMA)
        try:
            (reply,) = teacher.generate([prompt])
        except BackendError as exc:
            if not best.skills:
                raise
            told = (f"Asked again, the teacher did not answer: {exc}",)
            break
        tokens += reply.reply_tokens
        reading = read_reply(reply.text)
        faults = reading.faults
        if not faults or len(reading.skills) > len(best.skills):
            best = reading
        if not faults:
            break
    beat(tries, tries)
    if not best.skills:
        raise ReplyUnusable(
            f"{teacher.name} was asked {_times(attempt)}, and no reply could be used. The last "
            f"one: {faults[0]} Try a larger teacher, or a description that asks for less."
        )
    return propose(
        wish.title,
        best.skills,
        teacher=teacher.name,
        prompt_version=PROMPT_VERSION,
        notices=(
            *left_out(wish),
            *told,
            *best.notices,
            *(f"Left out of the teacher's reply: {f}" for f in best.faults),
        ),
        asked=attempt,
        reply_tokens=tokens,
    )


def prompt_text(wish: Wish) -> str:
    """The words a teacher is asked with. Raises DistillError for a wish that cannot be asked."""
    if not wish.title.strip() or not wish.description.strip():
        raise DistillError("A domain needs a title and a description, so that it can be split.")
    if len(wish.title) > LONGEST_TITLE or len(wish.description) > LONGEST_DESCRIPTION:
        raise DistillError(
            f"The title may have {LONGEST_TITLE} characters and the description "
            f"{LONGEST_DESCRIPTION:,}; these have {len(wish.title):,} and "
            f"{len(wish.description):,}."
        )
    given = [line for line in wish.examples if line.strip()]
    examples = [line[:LONGEST_EXAMPLE] for line in given[:MOST_EXAMPLES]]
    fields = {
        "title": " ".join(wish.title.split()),
        "description": wish.description.strip(),
        "examples": "\n".join(f"- {' '.join(line.split())}" for line in examples) or "(none given)",
        "skills": str(wish.skills),
        "probes": str(wish.probes),
    }
    template = resources.files("distill.identifier").joinpath("decompose.txt").read_text("utf-8")
    # in one pass: a description that says "{title}" stays as it is
    return _FIELD.sub(lambda match: fields[match[1]], template)


def left_out(wish: Wish) -> tuple[str, ...]:
    """Notices of examples that the prompt does not hold, or not whole. Pure."""
    given = [line for line in wish.examples if line.strip()]
    told = []
    if len(given) > MOST_EXAMPLES:
        told.append(f"The prompt holds the first {MOST_EXAMPLES} of {len(given):,} examples.")
    if longer := sum(len(line) > LONGEST_EXAMPLE for line in given[:MOST_EXAMPLES]):
        told.append(
            f"The prompt holds the first {LONGEST_EXAMPLE} characters of longer examples: {longer}."
        )
    return tuple(told)


def _again(text: str, faults: Sequence[str]) -> str:
    if not faults:
        return text
    more = len(faults) - _FAULTS_TOLD
    named = [*faults[:_FAULTS_TOLD], *([f"… and {more} more."] if more > 0 else [])]
    listed = "\n".join(f"- {fault}" for fault in named)
    return f"{text}\nA reply to this could not be used:\n{listed}\nReply again, all of it.\n"


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
