"""What people may say in the review queue, checked at the door. See forms.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from curriculum.models import Skill
from curriculum.services.words import Replacement
from curriculum.states import VERDICTS, Verdict

LONGEST_TAG = 40  # as it is kept: “ß” without its case is two
TAG_TOO_LONG = f"A tag has {LONGEST_TAG} characters at most, as it is written without capitals."
LONGEST = 100_000  # characters of a question or a solution, as in the API


def as_tag(word: str) -> str:
    """The word as all are kept: without capitals, and with single spaces."""
    return " ".join(word.casefold().split())


class VersionForm(forms.Form):
    """The version of the item a person has seen."""

    version = forms.IntegerField(min_value=1)


class RejectForm(VersionForm):
    reason = forms.CharField(
        max_length=1000,
        error_messages={"required": "Say why it is rejected: the next round learns from it."},
    )


class EditForm(VersionForm):
    """seen: the verdict that the item had; who says none gives up whichever there is."""

    seen = forms.ChoiceField(
        choices=[(v.label, v.label) for v in Verdict],
        required=False,
        error_messages={"invalid_choice": "Which verdict was seen could not be read. Look again."},
    )
    question = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea,
        error_messages={"required": "The question may not be empty."},
    )
    solution = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea,
        error_messages={"required": "The solution may not be empty."},
    )
    answer = forms.CharField(
        max_length=1000,
        error_messages={"required": "The answer may not be empty."},
    )

    def clean_seen(self) -> Verdict | None:
        return VERDICTS.get(self.cleaned_data["seen"])


class ActForm(forms.Form):
    """The act that a person wants to take back."""

    act = forms.IntegerField(min_value=1)


class ManyForm(forms.Form):
    """The round a person has seen, and how many items they have been told of."""

    round = forms.IntegerField(min_value=0)
    expected = forms.IntegerField(min_value=0, required=False)


class RejectManyForm(ManyForm):
    reason = forms.CharField(
        max_length=1000,
        error_messages={"required": "Say why they are rejected: the next round learns from it."},
    )


class WordForm(forms.Form):
    word = forms.CharField(
        max_length=LONGEST_TAG,
        error_messages={"required": "Write a word to tag with.", "max_length": TAG_TOO_LONG},
    )

    def clean_word(self) -> str:
        word = as_tag(str(self.cleaned_data["word"]))
        if len(word) > LONGEST_TAG:
            raise forms.ValidationError(TAG_TOO_LONG)
        return word


class WordManyForm(ManyForm, WordForm):
    pass


class ReplaceForm(forms.Form):
    """Text as it stands, spaces at its ends included: no pattern."""

    find = forms.CharField(
        max_length=1000,
        strip=False,
        label="Find",
        error_messages={"required": "Write what is to be found."},
    )
    put = forms.CharField(max_length=1000, strip=False, required=False, label="Replace with")
    any_case = forms.BooleanField(required=False, label="whatever the case")
    question = forms.BooleanField(required=False, label="in the question")
    solution = forms.BooleanField(required=False, label="in the solution")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("question") and not cleaned.get("solution"):
            raise forms.ValidationError("Choose where: in the question, the solution, or both.")
        return cleaned

    @property
    def replacement(self) -> Replacement:
        said = self.cleaned_data
        return Replacement(
            said["find"],
            said["put"],
            match_case=not said["any_case"],
            question=said["question"],
            solution=said["solution"],
        )


class WriteForm(forms.Form):
    of_skill = forms.ModelChoiceField(
        queryset=Skill.objects.none(),
        label="Skill",
        empty_label=None,
        error_messages={"invalid_choice": "Choose a skill of this stage."},
    )
    question = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        label="Question",
        help_text="What the user says.",
        error_messages={"required": "Write the question."},
    )
    solution = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono"}),
        label="Solution",
        help_text="What the student is trained to say, ending in the answer: “Answer: 12”.",
        error_messages={"required": "Write the solution."},
    )
    answer = forms.CharField(
        max_length=1000,
        label="Answer",
        help_text="Alone, as the grader compares it: “12”.",
        error_messages={"required": "Write the bare answer."},
    )

    def __init__(self, *args: Any, skills: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = Skill.objects.filter(pk__in=skills).order_by("pk")
        self.fields["of_skill"].queryset = chosen  # type: ignore[attr-defined]


class FilterNameForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        error_messages={
            "required": "Give the filter a name.",
            "max_length": "A name has 60 characters at most.",
        },
    )
