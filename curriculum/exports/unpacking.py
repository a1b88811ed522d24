"""An archive that somebody sends: nothing of it is believed before it is looked at."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any, NoReturn

from django.conf import settings

from curriculum.errors import CurriculumError
from curriculum.exports.archive import KIND, MANIFEST, PEOPLE, VERSION, member_of
from curriculum.exports.tables import RUN, TABLES

MOST_MEMBERS = 2000
MOST_RATIO = 200  # bytes out of one byte, of a member over SMALL; text packs 5 to 30 times
SMALL = 1024 * 1024
MOST_MANIFEST = 4 * 1024 * 1024
MOST_LINE = 16 * 1024 * 1024
ADAPTER = re.compile(
    r"adapters/s\d{1,5}r\d{1,5}/[A-Za-z0-9_][A-Za-z0-9_.-]*\.(safetensors|json|txt|jinja|model)"
)
READ_AT_ONCE = 1024 * 1024
NEEDED = frozenset({PEOPLE, member_of(RUN), *map(member_of, TABLES)})


class ArchiveRefused(CurriculumError):
    http_status = 422

    def __init__(self, why: str) -> None:
        super().__init__(f"Nothing was imported: {why}")


def refuse(why: str) -> NoReturn:
    raise ArchiveRefused(why)


class Archive:
    """An archive whose form is right. Raises `ArchiveRefused` with a sentence otherwise.

    Names of members are looked up and never used as paths. Call `verify` before the rest.
    """

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            refuse("this file is no archive of a run (it is not a zip).")
        infos = self._zip.infolist()
        _check_members(infos)
        self.names = {info.filename for info in infos}
        self.manifest = self._manifest()
        self.adapters = sorted(name for name in self.names if name.startswith("adapters/"))

    def close(self) -> None:
        self._zip.close()

    def _manifest(self) -> dict[str, Any]:
        if MANIFEST not in self.names:
            refuse(f"this zip is no archive of a run: it has no {MANIFEST}.")
        if self._zip.getinfo(MANIFEST).file_size > MOST_MANIFEST:
            refuse(f"{MANIFEST} is too large.")
        told = load(self._bytes(MANIFEST), MANIFEST)
        if not isinstance(told, dict) or told.get("format") != KIND:
            refuse(f"{MANIFEST} does not say that this is the archive of a run.")
        if told.get("version") != VERSION:
            refuse(
                f"the archive has version {str(told.get('version'))[:20]}, and this program reads "
                f"version {VERSION}."
            )
        listed = told.get("members")
        if not isinstance(listed, dict) or not all(isinstance(v, dict) for v in listed.values()):
            refuse(f"{MANIFEST} does not list the members.")
        for name in sorted(set(listed) ^ (self.names - {MANIFEST})):
            where = "is missing" if name in listed else f"is not listed in {MANIFEST}"
            refuse(f"“{shown(name)}” {where}.")
        if missing := sorted(NEEDED - self.names):
            refuse(f"“{missing[0]}” is missing.")
        return told

    def verify(self) -> None:
        """Compare every member with its hash in the manifest."""
        for name, told in sorted(self.manifest["members"].items()):
            digest = hashlib.sha256()
            for chunk in self.chunks(name):
                digest.update(chunk)
            if digest.hexdigest() != told.get("sha256"):
                refuse(f"“{shown(name)}” is not as it was written: its hash differs.")

    def chunks(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(name) as member:
                while chunk := member.read(READ_AT_ONCE):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError):
            refuse(f"“{shown(name)}” cannot be unpacked: the archive is damaged.")

    def _bytes(self, name: str) -> bytes:
        return b"".join(self.chunks(name))

    def rows(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Line numbers and rows of a table."""
        with self._zip.open(name) as member:
            number = 0
            while raw := member.readline(MOST_LINE):
                number += 1
                where = f"{name}, line {number}"
                if not raw.endswith(b"\n"):
                    refuse(f"{where}, is too long or cut off.")
                row = load(raw, where)
                if not isinstance(row, dict):
                    refuse(f"{where}, is no row.")
                yield number, row


def _check_members(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MOST_MEMBERS:
        refuse(f"the archive has {len(infos)} members, over {MOST_MEMBERS}.")
    seen, total = set(), 0
    for info in infos:
        name = info.filename
        says = f"“{shown(name)}”"
        path = PurePosixPath(name)
        if path.is_absolute() or "\\" in name or re.match(r"[A-Za-z]:", name):
            refuse(f"{says} is an absolute path or one of another system.")
        if ".." in path.parts:
            refuse(f"{says} leads out of the archive.")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or info.is_dir():
            refuse(f"{says} is a link, a folder or a device, and only files are taken.")
        if info.flag_bits & 1:
            refuse(f"{says} is encrypted.")
        if name in seen:
            refuse(f"{says} is there twice.")
        if name != MANIFEST and name not in NEEDED and not ADAPTER.fullmatch(name):
            refuse(f"{says} does not belong in the archive of a run.")
        if info.file_size > SMALL and info.file_size > MOST_RATIO * max(info.compress_size, 1):
            refuse(f"{says} would unpack to more than {MOST_RATIO} times its size.")
        seen.add(name)
        total += info.file_size
    if total > settings.IOA_ARCHIVE_BYTES:
        most = settings.IOA_ARCHIVE_BYTES
        refuse(f"it would unpack to {total:,} bytes, over {most:,} (IOA_ARCHIVE_BYTES).")


def load(raw: bytes, where: str) -> Any:
    """JSON without NaN. Raises `ArchiveRefused`."""

    def no_number(word: str) -> NoReturn:
        raise ValueError(word)

    try:
        return json.loads(raw.decode("utf-8"), parse_constant=no_number)
    except (ValueError, RecursionError):
        refuse(f"{where}, is not JSON in UTF-8.")


def shown(name: str) -> str:
    """A member's name for a sentence: short, and with nothing that a terminal would act on."""
    return "".join(c if c.isprintable() else "?" for c in name[:80])
