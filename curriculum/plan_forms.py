"""What people may say of skills, what they build on, and the stages they are taught in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from curriculum.models import Run
from curriculum.services.trials import MOST_STEPS


class SkillForm(forms.Form):
    title = forms.CharField(max_length=160)
    statement = forms.CharField(widget=forms.Textarea, max_length=1000, required=False)
    seen = forms.CharField(max_length=64, required=False)  # see `skills.edit`


class EdgeForm(forms.Form):
    """Both ends are skills of the run, by key."""

    source = forms.ChoiceField(label="To learn this first")
    target = forms.ChoiceField(label="before this")
    reason = forms.CharField(max_length=2000, label="because")

    def __init__(self, *args: Any, run: Run, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(skill.key, str(skill)) for skill in run.skills.order_by("pk")]
        for name in ("source", "target"):
            self.fields[name].choices = [("", "choose a skill"), *choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("source") and cleaned.get("source") == cleaned.get("target"):
            raise forms.ValidationError("A skill cannot be its own prerequisite.")
        return cleaned


class MoveSkillForm(forms.Form):
    skill = forms.IntegerField()
    to_stage = forms.IntegerField()


class SplitForm(forms.Form):
    """The skills that leave for a new stage behind this one."""

    skills = forms.TypedMultipleChoiceField(
        coerce=int, error_messages={"required": "Tick the skills that move to the new stage."}
    )

    def __init__(self, *args: Any, skills: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["skills"].choices = skills  # type: ignore[attr-defined]


class ProbeForm(forms.Form):
    """How well gaps are to be known: of one skill, or of all of them when none is named."""

    skill = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    width = forms.FloatField(
        min_value=0.02,
        max_value=1,
        initial=0.2,
        label="Interval at most this wide",
        help_text="0.20 means about ten points to each side of the gap. Half of it takes four "
        "times as many probes.",
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        error_messages={
            "required": "Say how wide an interval may stay, e.g. 0.20.",
            "invalid": "Say the width as a number, e.g. 0.20.",
            "min_value": "An interval of less than 0.02 would take too many probes.",
            "max_value": "An interval is never wider than 1.",
        },
    )


class TrialForm(forms.Form):
    """How long each of the three trainings of a test is."""

    STEPS = 40

    steps = forms.IntegerField(
        min_value=1,
        max_value=MOST_STEPS,
        label="Steps of each training",
        help_text="More steps tell weaker prerequisites apart.",
        error_messages={
            "required": "Say how many steps each training has.",
            "invalid": "Say the steps as a whole number.",
            "min_value": "A training has one step at least.",
            "max_value": f"{MOST_STEPS} steps are the most a test may take.",
        },
    )
