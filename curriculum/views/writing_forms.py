"""What people may say of how a run's items are written, checked at the door."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from django import forms
from django.http import QueryDict

from curriculum import engine
from curriculum.models import Run, Skill
from curriculum.states import SkillStatus

NO_SKILL = "Choose a skill of this run."


def taught_skills(run: Run) -> list[Skill]:
    """Those for which items can be asked: not retired, and not only measured. One query."""
    return list(run.skills.filter(status=SkillStatus.ACTIVE, is_transfer=False).order_by("pk"))


def chosen(skills: Sequence[Skill], key: str) -> Skill | None:
    """The one of them that is called so; where nobody says which, the first. None where there is
    none.
    """
    return next((skill for skill in skills if not key or skill.key == key), None)


class PromptForm(forms.Form):
    """A template with its words, and the skill to see or try it with: else the first."""

    name = forms.ChoiceField(choices=[(name, name) for name in engine.PROMPT_NAMES])
    source = forms.CharField(required=False, strip=False, max_length=100_000)
    seen = forms.IntegerField(required=False, min_value=0)
    note = forms.CharField(required=False, max_length=2000)
    skill = forms.CharField(required=False, max_length=40)

    def __init__(self, *args: Any, run: Run, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._run = run

    def clean_skill(self) -> Skill | None:
        found = chosen(taught_skills(self._run), self.cleaned_data["skill"])
        if found is None:
            raise forms.ValidationError(NO_SKILL)
        return found


class ExamplesForm(forms.Form):
    """Examples side by side: as many questions as solutions. Pairs that are empty are left out."""

    seen = forms.CharField(required=False, max_length=64)
    note = forms.CharField(required=False, max_length=2000)
    of_domain = forms.BooleanField(required=False)  # those that came with it, whatever is typed

    def pairs(self) -> list[dict[str, str]]:
        said = self.data if isinstance(self.data, QueryDict) else QueryDict()
        both = zip_longest(said.getlist("question"), said.getlist("solution"), fillvalue="")
        return [{"question": q, "solution": s} for q, s in both if q.strip() or s.strip()]


class PromptNumberForm(forms.Form):
    name = forms.ChoiceField(choices=[(name, name) for name in engine.PROMPT_NAMES])
    number = forms.IntegerField(min_value=0)
    seen = forms.IntegerField(min_value=0)


class BudgetForm(forms.Form):
    """What is left empty stays as it is."""

    items = forms.IntegerField(required=False, min_value=1)
    teacher_tokens = forms.IntegerField(required=False, min_value=1)
