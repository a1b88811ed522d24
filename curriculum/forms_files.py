"""What all forms share that take a file of rows: its name, and which of its columns is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, ClassVar

from django import forms


class FileForm(forms.Form):
    """A file, before anything is known of what it holds. Forms of this kind have a field `file`."""

    suffixes: ClassVar[Sequence[str]]  # that its name may end in

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if PurePath(file.name).suffix.lower() not in self.suffixes:
            known = ", ".join(self.suffixes)
            raise forms.ValidationError(f"The file's name has to end in {known}.")
        return file


class ColumnsForm(forms.Form):
    """Which column is which field. Forms of this kind add `all_skill`: of rows that name none."""

    told: ClassVar[Mapping[str, tuple[str, str]]]  # field -> what a person is told: label, help

    def __init__(self, columns: Sequence[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [("", "none"), *((name, name[:80]) for name in columns)]
        for name, (label, says) in self.told.items():
            self.fields[name] = forms.ChoiceField(
                choices=named, required=False, label=label, help_text=says
            )

    def columns(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.told if self.cleaned_data.get(name)}

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not said.get("skill") and not said.get("all_skill"):
            raise forms.ValidationError("Say which column is the skill, or one skill for all rows.")
        return said
