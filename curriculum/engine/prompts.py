"""The words that a run's teacher is asked with: from rows to templates, and whether they render."""

from __future__ import annotations

from curriculum.errors import BadPrompt
from curriculum.models import PromptTemplate, Run
from distill import roster
from distill.adapter.prompting import NAMES, BadTemplate, Templates, built_in

PROMPT_NAMES: tuple[str, ...] = tuple(map(str, NAMES))


def is_asked_in_words(run: Run) -> bool:
    """Whether the run's teacher is a language model; a generator is asked with no words."""
    return run.teacher != roster.PROCEDURAL


def built_in_prompt(name: str) -> str:
    return built_in().sources[name]


def templates_of(run: Run) -> Templates:
    """The words in use: what people made of them last, else what comes with the program."""
    changed = (
        PromptTemplate.objects.filter(run=run).order_by("number").values_list("name", "source")
    )
    return Templates({**built_in().sources, **dict(changed)})


def changed_templates(run: Run, name: str, source: str) -> Templates:
    """Those of the run with one in place of another; nothing is saved. Raises `BadPrompt`."""
    try:
        return templates_of(run).changed({name: source})
    except BadTemplate as exc:
        raise BadPrompt(str(exc)) from exc


def check_prompt(run: Run, name: str, source: str) -> None:
    """Raise `BadPrompt`, with a sentence, unless prompts can be made with it."""
    changed_templates(run, name, source)
