"""What people may say about working as a team; forms.py has the rest."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet

from curriculum.forms import RoundForm
from curriculum.review_forms import VersionForm
from curriculum.services.audit import name_of
from curriculum.states import Verdict


class People(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: User) -> str:
        return name_of(obj)

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError:  # a number that no row has: a database cannot even be asked for it
            raise forms.ValidationError(
                self.error_messages["invalid_choice"],
                code="invalid_choice",
                params={"value": str(max(value, key=len))[:40]},
            ) from None


class ShareForm(RoundForm):
    """Among whom a round's waiting items are shared out, and how many several people get."""

    reviewers = People(
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label="Among",
        error_messages={"required": "Choose who reviews: one person at least."},
    )
    percent = forms.FloatField(
        min_value=0,
        max_value=100,
        initial=10,
        label="To several people, per cent",
        help_text="Drawn at random. Their independent opinions show how far you agree.",
        error_messages={
            "required": "Say which share several people get; 0 for none.",
            "invalid": "Say the share as a number, e.g. 10.",
            "min_value": "A share is 0 at least.",
            "max_value": "A share is 100 at most.",
        },
    )
    overlap = forms.IntegerField(
        min_value=2,
        max_value=20,
        initial=2,
        label="People for each of those",
        error_messages={
            "required": "Say how many people look at the same item.",
            "invalid": "Say the people as a whole number, e.g. 2.",
            "min_value": "Two people at least look at the same item.",
            "max_value": "Twenty people at most look at the same item.",
        },
    )

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewers"].queryset = people  # type: ignore[attr-defined]


class SampleForm(RoundForm):
    tolerance = forms.FloatField(
        min_value=0.1,
        max_value=99,
        initial=5,
        label="Bad ones among the others, per cent at most",
        help_text="What you can put up with. Said before the draw, and not changed after it.",
        error_messages={
            "required": "Say which share of bad items you can put up with.",
            "invalid": "Say the share as a number, e.g. 5.",
            "min_value": "Less than 0.1%% is not shown by a sample.",
            "max_value": "A tolerance lies below 100%%.",
        },
    )
    n = forms.IntegerField(
        min_value=1,
        label="Items to draw",
        error_messages={
            "required": "Say how many are drawn.",
            "invalid": "Say the number of items as a whole number.",
            "min_value": "Draw one item at least.",
        },
    )


class GuidelineForm(forms.Form):
    """The words, and the version they replace; 0 where there is none."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    text = forms.CharField(
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        label="How items are judged",
        help_text="Plain text, as it is typed. It stands beside every item.",
        error_messages={"required": "Write something: the guideline may not be empty."},
    )


class OpinionForm(VersionForm):
    opinion = forms.ChoiceField(
        choices=[(Verdict.APPROVED, "approve"), (Verdict.REJECTED, "reject")],
        error_messages={"required": "Say whether you approve.", "invalid_choice": "Say which."},
    )
    reason = forms.CharField(required=False, max_length=1000)
