"""A language model writes the items of a round, for this student as it is now.

Wave by wave: ask for what is missing, read it, check it, have its answers verified; until nothing
is missing or enough was asked. Where the domain puts the questions, see `answering`; where the
teacher does, `requesting`. Every request has a key and is kept with its reply, so that a call that
was killed, and is made again, repeats no request and comes to the same items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import chain
from typing import Any

from distill.adapter import answering, requesting
from distill.adapter.attempts import Attempts
from distill.adapter.client import TeacherClient
from distill.adapter.inspection import Checks
from distill.adapter.prompting import Learner, Templates, built_in, shown_examples
from distill.adapter.tally import TallySink
from distill.adapter.writing import ItemSink, Order
from distill.backends.base import Beat, no_beat
from distill.domains.base import Domain
from distill.records import Item
from distill.settings import Writing


def teach(
    domain: Domain,
    orders: Sequence[Order],
    learners: Mapping[str, Learner],
    client: TeacherClient,
    *,
    teacher: str,
    seed: int,
    round_key: str,
    settings: Writing,
    checks: Checks,
    taken: Set[str] = frozenset(),
    templates: Templates | None = None,
    attempts: Attempts | None = None,
    beat: Beat = no_beat,
    sink: ItemSink = lambda item: None,
    tell: TallySink = lambda tallies: None,
) -> list[Item]:
    """Have a language model write and verify the items of a round.

    Args:
        orders, seed, round_key, attempts, sink: as in `writing.write`.
        beat: told of the teacher's answers, not of items: nothing is known to be one until a wave
            is over. Of how many grows where some have to be asked for again.
        taken: `question_key`s of earlier items: the domain's questions that are not shown or put.
        learners: what the teacher is told of the student, for each skill that is ordered.
        client: asks the teacher, and keeps what it says.
        teacher: its name, which the items carry as their origin.
        checks: of a skill; that of duplicates remembers.
        templates: the words; those that come with the program unless others are given.
        tell: takes, after each wave, what became of all that was asked for, seen or not.

    Returns:
        Items wave by wave, each with the results of its checks. Those that could not be got right
        within `requests_cap` follow, flagged, no more than wanted; unreadable and repeated do not.

    Raises what the teacher, `beat` and `sink` raise, `BadTemplate` and `BudgetSpent`.

    With the calls that are kept, and a teacher that is deterministic, always the same. Source:
    He et al. 2026, section 3.3. Ours: the answer is worked out where it can be, and else has to be
    given by most of several independent answers.
    """
    put = answering.put_by_domain(domain, orders, settings)
    by_domain = {ordered.order.skill for ordered in put}
    slots = requesting.slots_of([o for o in orders if o.skill not in by_domain], settings)
    total = sum(order.n for order in orders)
    good: list[Item] = []

    def alive() -> None:
        beat(client.answered, max(total, client.wanted))

    alive()
    shared: dict[str, Any] = {
        "teacher": teacher,
        "round_key": round_key,
        "settings": settings,
        "checks": checks,
        "taken": taken,
        "examples": {
            skill: shown
            for skill, learner in learners.items()
            if (shown := shown_examples(learner.skill, settings.operations))
        },
        "alive": alive,
    }
    for found in chain(
        answering.waves(
            domain, put, client, draw=f"{seed}:{round_key}", attempts=attempts, **shared
        ),
        requesting.waves(
            domain, slots, learners, client, words=templates or built_in(), seed=seed, **shared
        ),
    ):
        good += found
        for item in found:
            sink(item)
        tell([*(s.tally() for s in slots), *(tally for each in put for tally in each.tallies())])
        alive()
    tried = [(each.failed, each.missing) for each in put]
    tried += [(slot.failed, slot.missing) for slot in slots]
    flagged = [item for failed, missing in tried for item in _best(failed, missing)]
    for item in flagged:
        sink(item)
    beat(client.answered, client.answered)  # fewer may have been needed than items were ordered
    return good + flagged


def _best(failed: Sequence[Item], missing: int) -> list[Item]:
    """As many of those that failed as are missing: first what failed fewest checks."""
    return sorted(failed, key=lambda item: sum(not c.passed for c in item.checks))[:missing]
