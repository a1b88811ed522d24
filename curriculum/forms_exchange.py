"""What people say of data that goes out and comes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from curriculum.exports.card import LICENCES
from curriculum.exports.formats import FORMATS
from curriculum.exports.mapping import FIELDS
from curriculum.exports.tabular import SUFFIXES
from curriculum.forms_files import ColumnsForm, FileForm
from curriculum.models import Run, Skill, Snapshot, Stage

WHAT = {
    "approved": "approved items",
    "rejected": "rejected items",
    "waiting": "items that wait for a verdict",
    "all": "all items",
}


class WhatField(forms.ChoiceField):
    def to_python(self, value: Any) -> str:
        return "all" if value == "any" else str(super().to_python(value))  # as addresses once said


class ExportForm(forms.Form):
    """Which items of a run, as what, under which licence. The licence has no default."""

    what = WhatField(label="What", required=False, initial="approved")
    stage = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)
    skill = forms.ChoiceField(required=False)
    format = forms.ChoiceField(
        choices=[(f.name, f.label) for f in FORMATS.values()], initial="messages"
    )
    licence = forms.ChoiceField(
        choices=[("", "choose…"), *LICENCES.items()],
        help_text="Of the data set. Nothing is assumed: the teacher's terms may forbid some.",
        error_messages={"required": "Choose the licence of the data set, or “not decided”."},
    )

    def __init__(self, run: Run, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        frozen = Snapshot.objects.filter(stage__run=run).select_related("stage")
        snapshots = [
            (str(s.pk), f"what stage {s.stage.position}, round {s.round} was trained on")
            for s in frozen.order_by("stage__position", "round")
        ]
        stages = [(s.position, str(s)) for s in run.stages.all()]
        skills = [(s.key, str(s)) for s in run.skills.all()]
        choices: dict[str, Sequence[tuple[Any, str]]] = {
            "what": [*WHAT.items(), *snapshots],
            "stage": [("", "all stages"), *stages],
            "skill": [("", "all skills"), *skills],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]

    def clean_what(self) -> str:
        return str(self.cleaned_data["what"] or "approved")


class ArchiveForm(forms.Form):
    file = forms.FileField(
        label="Archive",
        help_text="A file that “Whole run” on an export page, or export_archive, has written.",
        error_messages={"required": "Choose the archive of a run."},
    )


class UploadForm(FileForm):
    """A file of items, before it is known which of its columns is what."""

    suffixes = SUFFIXES

    file = forms.FileField(
        label="File",
        help_text="JSON Lines, CSV or Parquet; text in UTF-8.",
        error_messages={"required": "Choose a file."},
    )


class MappingForm(ColumnsForm):
    """Which column is which field of an item, and the skill of rows that name none."""

    told = FIELDS

    def __init__(self, stage: Stage, columns: Sequence[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(columns, *args, **kwargs)
        taught = Skill.objects.filter(stage_skills__stage=stage)
        self.fields["all_skill"] = forms.ChoiceField(
            choices=[("", "none"), *((s.key, str(s)) for s in taught)],
            required=False,
            label="Skill of the other rows",
            help_text="Where no column says it, or a cell is empty.",
        )

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if not said.get("question") and not said.get("messages"):
            raise forms.ValidationError("Say which column is the question, or the conversation.")
        if said.get("messages") and (said.get("question") or said.get("solution")):
            raise forms.ValidationError(
                "A conversation holds question and solution: leave their own columns at “none”."
            )
        return super().clean()
