"""What people may say, checked at the door. What it means is decided by the services."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from django import forms

from curriculum import engine
from curriculum.errors import BadDomain
from curriculum.numbers import number
from curriculum.states import Autonomy

NAMED = 3  # skills in a sentence
TRIED = 3  # questions drawn for each item, where the student tries them

# field -> where it lives in the settings of a run
NUMBERS: dict[str, tuple[str, str]] = {
    "items": ("budget", "items"),
    "items_per_round": ("budget", "items_per_round"),
    "rounds_cap": ("budget", "rounds_cap"),
    "rehearsal_share": ("budget", "rehearsal_share"),
    "diagnose_probes": ("probing", "diagnose_probes"),
    "gate_probes": ("probing", "gate_probes"),
    "final_probes": ("probing", "final_probes"),
    "max_answer_tokens": ("probing", "max_answer_tokens"),
    "max_length_tokens": ("lora", "max_length_tokens"),
    "mastery": ("thresholds", "mastery"),
    "gap": ("thresholds", "gap"),
    "target_share": ("thresholds", "target_share"),
    "learning_rate": ("lora", "learning_rate"),
    "epochs": ("lora", "epochs"),
}
PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "quick": (
        "A first look in minutes on a CPU: few probes, so wide intervals.",
        {
            "items": 900,
            "items_per_round": 240,
            "rounds_cap": 3,
            "diagnose_probes": 32,
            "gate_probes": 24,
            "final_probes": 32,
        },
    ),
    "standard": ("The method's defaults: as many probes as its error rates need.", {}),
    "paper": (
        "The paper's top quarter of the deficient skills, 5 rounds at most; else as in standard.",
        {"target_share": 0.25, "rounds_cap": 5, "gap": 0.3, "mastery": 0.9},
    ),
}
DEFAULT_PRESET = "standard"


def preset_numbers(preset: str) -> dict[str, Any]:
    """The editable numbers of a preset: the defaults, and what it changes in them."""
    default = engine.default_settings()
    numbers = {name: default[group][key] for name, (group, key) in NUMBERS.items()}
    return {**numbers, **PRESETS.get(preset, PRESETS[DEFAULT_PRESET])[1]}


class RunForm(forms.Form):
    name = forms.CharField(
        max_length=120, help_text="How your team will find it, e.g. “Fractions for SmolLM”."
    )
    domain = forms.ChoiceField(
        help_text="Built in, or a YAML or JSONL file in the folder “domains” of this installation."
    )
    skills = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked means all of them.",
    )
    teacher = forms.ChoiceField(
        help_text="Who sets the mark, and writes the items: the domain's generators, or a model."
    )
    questions_of_domain = forms.BooleanField(
        required=False,
        label="Use the domain's questions",
        help_text="Where the domain has questions to teach with, a language model only works them "
        "out, instead of writing its own: fewer tokens, and answers that are known.",
    )
    tries_first = forms.BooleanField(
        required=False,
        label="The student tries questions first",
        help_text="Half of the items of a later round are then questions of the domain that it got "
        "wrong, with what it said beside them. Costs time on the student's worker, and no tokens.",
    )
    student = forms.ChoiceField(
        help_text="The model that is taught. Its weights stay; it gets an adapter."
    )
    autonomy = forms.ChoiceField(
        choices=Autonomy.choices,
        initial=Autonomy.EVERY_GATE,
        widget=forms.RadioSelect,
        help_text="Can be changed while the run goes on.",
    )
    two_people = forms.BooleanField(
        required=False,
        label="Two-person rule",
        help_text="Who wrote or approved items or started a training may not sign that stage's "
        "gate: another approver has to.",
    )
    preset = forms.ChoiceField(
        choices=[(name, name) for name in PRESETS],
        initial=DEFAULT_PRESET,
        required=False,
        widget=forms.HiddenInput,
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        initial=0,
        help_text="The same seed writes the same items, where the teacher is procedural or "
        "answers the same twice.",
    )

    items = forms.IntegerField(min_value=1, label="Items in all", help_text="rehearsal included")
    items_per_round = forms.IntegerField(min_value=1, label="Items a round")
    rounds_cap = forms.IntegerField(
        min_value=1, label="Rounds a stage", help_text="at most; the first is round 0"
    )
    rehearsal_share = forms.FloatField(
        min_value=0, max_value=1, label="Rehearsal share", help_text="0 to 1, at most"
    )
    diagnose_probes = forms.IntegerField(min_value=1, label="Diagnosis probes", help_text="a skill")
    gate_probes = forms.IntegerField(min_value=1, label="Gate probes", help_text="a skill and look")
    final_probes = forms.IntegerField(min_value=1, label="Final probes", help_text="a skill")
    max_answer_tokens = forms.IntegerField(
        min_value=1,
        label="Tokens of an answer",
        help_text="then it is cut off; longer solutions are flagged",
    )
    max_length_tokens = forms.IntegerField(
        min_value=8, label="Tokens of an item", help_text="question and solution; more is flagged"
    )
    mastery = forms.FloatField(
        min_value=0, max_value=1, label="Mastery from", help_text="student / teacher, 0 to 1"
    )
    gap = forms.FloatField(
        min_value=0, max_value=1, label="Deficient above", help_text="gap to the teacher, 0 to 1"
    )
    target_share = forms.FloatField(
        min_value=0, max_value=1, label="Share taught", help_text="of the deficient skills, 0 to 1"
    )
    learning_rate = forms.FloatField(min_value=0, label="Learning rate")
    epochs = forms.IntegerField(min_value=1, label="Epochs a round")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["domain"].choices = engine.domains_titled()  # type: ignore[attr-defined]
        self.fields["teacher"].choices = engine.teachers()  # type: ignore[attr-defined]
        self.fields["student"].choices = engine.students()  # type: ignore[attr-defined]
        self.fields["skills"].choices = self._skill_choices()  # type: ignore[attr-defined]

    def _skill_choices(self) -> list[tuple[str, str]]:
        """The skills of the domain on the form; none while it cannot be read."""
        given = self.data.get("domain") if self.is_bound else self.initial.get("domain")
        self._domain = str(given or self.fields["domain"].choices[0][0])  # type: ignore[attr-defined]
        self._edges: tuple[tuple[str, str], ...] = ()
        try:
            described = engine.describe_domain(self._domain, ())
        except BadDomain as exc:
            self.domain_error = str(exc)
            return []
        self.domain_error, self._edges = "", described.edges
        return [
            (skill.key, f"{skill.key}  {skill.title}")
            for skill in described.skills
            if not skill.is_transfer
        ]

    def clean_domain(self) -> str:
        if self.domain_error:
            raise forms.ValidationError(self.domain_error)
        return str(self.cleaned_data["domain"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("two_people") and cleaned.get("autonomy") == Autonomy.NONE:
            self.add_error("two_people", "On autopilot nobody signs: choose one of the two.")
        return cleaned

    def run_settings(self) -> dict[str, Any]:
        """Complete settings: the defaults, with the numbers of this form put in."""
        settings = deepcopy(engine.default_settings())
        for name, (group, key) in NUMBERS.items():
            settings[group][key] = self.cleaned_data[name]
        settings["writing"]["questions_of_domain"] = self.cleaned_data["questions_of_domain"]
        settings["writing"]["tried"] = TRIED if self.cleaned_data["tries_first"] else 0
        return settings

    def chosen(self) -> list[str]:
        """The skills to be taught: those that are ticked, all where none is."""
        ticked, there = set(self["skills"].value() or ()), self._taught()
        return [key for key in there if key in ticked] or there

    def _taught(self) -> list[str]:
        return [key for key, _ in self.fields["skills"].choices]  # type: ignore[attr-defined]

    def lacking(self) -> str:
        """In a sentence, which skills build on some that are not chosen; empty where none does."""
        return engine.lacking_told(self._edges, self.chosen())

    def completed(self) -> list[str]:
        """The skills that are ticked, and all that they build on; none where none is ticked."""
        if not self["skills"].value():
            return []
        wanted = engine.with_prerequisites(self._edges, self.chosen())
        return [key for key in self._taught() if key in wanted]

    def too_long(self) -> str:
        """In a sentence, that solutions of the skills to be taught are longer than an answer may
        be, so that a review would begin with nothing but flags; empty where none is.
        """
        most = number(str(self["max_answer_tokens"].value()))
        if self.domain_error or most is None:
            return ""
        lengths, chosen = engine.too_long(self._domain, most), self.chosen()
        found = [key for key in lengths if key in chosen]
        if not found:
            return ""
        more = len(found) - NAMED
        named = ", ".join(found[:NAMED]) + (f" and {more} more" if more > 0 else "")
        return (
            f"The domain's solutions of {named} have up to about "
            f"{max(lengths[key] for key in found):,} tokens, where an answer may have {most:,}: "
            "longer ones are flagged, and not trained on."
        )

    def has_models_that_teach(self) -> bool:
        return len(self.fields["teacher"].choices) > 1  # type: ignore[attr-defined]

    def numbers(self) -> list[forms.BoundField]:
        return [self[name] for name in NUMBERS]


class SignForm(forms.Form):
    note = forms.CharField(required=False, max_length=2000)
    seen = forms.CharField(required=False, max_length=64)  # see `runs.sign_diagnosis`


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=2000, error_messages={"required": "Say why: the reason stays on record."}
    )


class AutonomyForm(forms.Form):
    autonomy = forms.ChoiceField(choices=Autonomy.choices)


class TwoPeopleForm(forms.Form):
    on = forms.TypedChoiceField(
        choices=[("1", "on"), ("0", "off")], coerce=lambda value: value == "1"
    )


class RoundForm(forms.Form):
    """The round a person has seen: a decision is only for that one."""

    round = forms.IntegerField(min_value=0)


class GateForm(RoundForm):
    reason = forms.CharField(required=False, max_length=2000)
