"""What each check of an item is called: where it passed, and where it failed."""

from __future__ import annotations

from curriculum.models import Item

OWN_ANSWER = "ending"  # in place of "answer" where no program can tell: `vouching.OwnAnswer`
PASSED = {
    "parses": "whole and readable",
    "safety": "nothing hidden in it",
    "fits": "fits in length",
    "template": "in the run's one form",
    "skill": "of this skill",
    "steps": "no false step",
    "answer": "answer right",
    OWN_ANSWER: "ends in its answer",
    "duplicate": "no duplicate",
    "leak": "not used for measuring",
}
FAILED = {
    "parses": "not whole and readable",
    "safety": "something hidden in it",
    "fits": "too long",
    "template": "not in the run's one form",
    "skill": "of another skill",
    "steps": "a false step",
    "answer": "answer not right",
    OWN_ANSWER: "does not end in its answer",
    "duplicate": "a duplicate",
    "leak": "used for measuring",
}


def in_words(failed: str) -> str:
    """ " answer leak " -> answer not right, used for measuring: in the order of the checks."""
    ids = failed.split()
    return ", ".join(says for id, says in FAILED.items() if id in ids)


def outcome(item: Item) -> str:
    """How an item that was written or changed came out of its checks, in a sentence."""
    failed = item.failed.split()
    if failed:
        some = "a check" if len(failed) == 1 else f"{len(failed)} checks"
        return f"It fails {some}: {in_words(item.failed)}."
    if any(check["id"] == OWN_ANSWER for check in item.checks):
        return "It passes every check; whether its answer is right, no program can tell."
    return "It passes every check."
