"""Pages that say what the code says."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from distill.settings import Settings
from distill.settings_page import page

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_of_settings_is_what_the_settings_say():
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == page()


def test_the_example_of_settings_can_be_used():
    (example,) = re.findall(r"```json\n(.*?)```", page(), re.DOTALL)

    assert Settings.model_validate_json(example).lora.average is None


def test_every_setting_says_what_it_means():
    fields = [f for s in Settings.model_fields.values() for f in s.annotation.model_fields.values()]

    assert all(field.description for field in fields)


INDEX = (DOCS / "paper_index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(distill(?:\.\w+)+)`", INDEX))))
def test_every_name_in_the_paper_index_exists(path):
    assert _exists(path)


def _exists(path):
    """Whether "package.module.name" can be had, importing as little as that takes."""
    module, _, name = path.rpartition(".")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError:  # `module` ends in a class
        module, _, owner = module.rpartition(".")
        found = getattr(importlib.import_module(module), owner)
    if hasattr(found, name):
        return True
    try:
        importlib.import_module(path)
    except ModuleNotFoundError:
        return False
    return True
