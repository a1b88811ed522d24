"""Is it an exercise of its own skill?"""

from __future__ import annotations

from distill.domains.base import Domain
from distill.records import Item


class Belongs:
    """The question is one of the skill that the item is for, as far as its domain can tell.

    domain: who is asked; nobody where it is left out. A right item of another skill teaches, but
    not what the round is for, and what it teaches may be what the student has yet to be ready for.
    """

    id, version = "skill", 1

    def __init__(self, domain: Domain | None = None) -> None:
        self._domain = domain

    def problem(self, item: Item) -> str:
        domain = self._domain
        if domain is None or domain.asks(item.skill, item.question) is not False:
            return ""
        titles = {skill.id: skill.title for skill in domain.skills}
        asked = [t for id, t in titles.items() if domain.asks(id, item.question)]
        if asked:
            return f"The question is one of “{asked[0]}”, not of “{titles[item.skill]}”."
        return f"“{titles[item.skill]}” asks no such question."
