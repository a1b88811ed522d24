"""What people say of a domain that they bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from curriculum.exports.domain_table import FIELDS
from curriculum.exports.tabular import SUFFIXES as TABLES
from curriculum.forms_files import ColumnsForm, FileForm
from curriculum.services.domains import NAME, WHOLE, DomainRefused, require_free

SUFFIXES = tuple(dict.fromkeys((*WHOLE, *TABLES)))
EXAMPLE = """\
skill,question,answer,solution,split
halves,Half of 4?,2,,diagnose
halves,Half of 6?,3,,gate
halves,Half of 8?,4,,final
halves,Half of 10?,5,5 + 5 = 10.,train
"""  # the least that makes a domain, as a table


class DomainUploadForm(FileForm):
    """A file, and what the domain shall be called."""

    suffixes = SUFFIXES

    file = forms.FileField(
        label="File",
        help_text="A domain file (YAML, JSON Lines), or a table of questions (CSV, Parquet, JSON "
        "Lines). Text in UTF-8.",
        error_messages={"required": "Choose a file."},
    )
    name = forms.RegexField(
        NAME.pattern + r"\Z",
        max_length=40,
        label="Name",
        help_text="Small letters, digits, - and _. It becomes the file's name.",
        error_messages={
            "required": "Give the domain a name.",
            "invalid": "A domain's name has small letters, digits, - and _, and begins with a "
            "letter or a digit.",
        },
    )
    title = forms.CharField(
        max_length=160,
        required=False,
        label="Title",
        help_text="What people call it, where the file is a table: a domain file says it itself. "
        "Left empty, it is the name.",
    )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        try:
            require_free(name)
        except DomainRefused as exc:
            raise forms.ValidationError(str(exc)) from exc
        return name


class DomainMappingForm(ColumnsForm):
    """Which column of a table is which field, and the skill of rows that name none."""

    told = FIELDS

    def __init__(self, columns: Sequence[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(columns, *args, **kwargs)
        self.fields["all_skill"] = forms.CharField(
            max_length=40,
            required=False,
            label="Skill of the other rows",
            help_text="Where no column says it, or a cell is empty.",
        )

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("question") and not said.get("answer"):
            raise forms.ValidationError("Say which column is the answer.")
        return said
