"""Tables that people bring: JSON Lines, CSV and Parquet, a record at a time, each with its place.

A record that is wrong comes as a sentence, and reading goes on: a person sees all faults at once.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, NoReturn

from django.conf import settings

from curriculum.errors import CurriculumError
from curriculum.exports.formats import COLUMNS, plain_cell

SUFFIXES = (".jsonl", ".csv", ".parquet")
MOST_LINE = 1024 * 1024  # bytes
MOST_GROUP = 512 * 1024**2  # bytes of a Parquet row group, unpacked: what is held in memory
MOST_COLUMNS = 200
LOOKED_AT = 50  # records, to know the columns of a JSON Lines file
_OTHER = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}

Record = tuple[str, dict[str, Any] | str]  # its place, and its values or what is wrong with it


class BadFile(CurriculumError):
    """The file cannot be read on, and why."""

    http_status = 422


def records(path: Path) -> Iterator[Record]:
    """The records of a file, by its suffix. Raises `BadFile` where reading has to end."""
    readers = {".jsonl": _json_lines, ".csv": _csv, ".parquet": _parquet}
    if path.suffix not in readers:
        raise BadFile(f"A file ends in {', '.join(SUFFIXES)}; this one does not.")
    for n, record in enumerate(readers[path.suffix](path), start=1):
        if n > settings.IOA_IMPORT_ROWS:
            raise BadFile(f"The file has over {settings.IOA_IMPORT_ROWS:,} rows (IOA_IMPORT_ROWS).")
        yield record


def columns(path: Path) -> list[str]:
    """The names of its columns, in their order, of the first records. Raises `BadFile`."""
    found: dict[str, None] = {}
    wrong = ""
    for place, values in islice(records(path), LOOKED_AT):
        if isinstance(values, str):
            wrong = wrong or f"{place}: {values}"
        else:
            found.update(dict.fromkeys(values))
    if not found:
        raise BadFile(wrong or "The file is empty.")
    if len(found) > MOST_COLUMNS:
        raise BadFile(f"The file has {len(found)} columns, over {MOST_COLUMNS}.")
    return list(found)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str]]:
    """Lines of UTF-8, with or without a byte order mark. Raises `BadFile` naming the byte."""
    at = 0
    number = 0
    while raw := file.readline(MOST_LINE + 1):
        number += 1
        if number == 1 and (other := _OTHER.get(raw[:2])):
            raise BadFile(f"Byte 0: this is {other}. Save the file as UTF-8.")
        if len(raw) > MOST_LINE:
            raise BadFile(f"Line {number} is longer than {MOST_LINE:,} bytes.")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise BadFile(
                f"Byte {at + exc.start} (line {number}) is not UTF-8. Save the file as UTF-8."
            ) from None
        if "\x00" in text:
            raise BadFile(f"Line {number} has a null character: this is no text.")
        yield number, text.removeprefix("\ufeff") if number == 1 else text
        at += len(raw)


def _json_lines(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        for number, text in _lines(file):
            if text.strip():
                yield f"line {number}", _json_record(text)


def _json_record(text: str) -> dict[str, Any] | str:
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as exc:
        return f"this is not JSON: {exc.msg}"
    except (ValueError, RecursionError):
        return "this JSON has a number that is none, or is nested too deeply"
    return value if isinstance(value, dict) else "this is not a JSON object"


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _csv(path: Path) -> Iterator[Record]:
    csv.field_size_limit(MOST_LINE)
    with path.open("rb") as file:
        reader = csv.reader((text for _, text in _lines(file)), strict=True)
        head: list[str] = []
        is_ours = False
        try:
            for cells in reader:
                place = f"line {reader.line_num}"
                if not head:
                    head = [name.strip() for name in cells]
                    if twice := {name for name in head if head.count(name) > 1}:
                        raise BadFile(f"The column “{min(twice)[:40]}” is there twice.")
                    is_ours = head == list(COLUMNS)  # then an apostrophe may be ours as well
                elif len(cells) != len(head):
                    yield place, f"there are {len(cells)} cells, and {len(head)} columns"
                elif any(cells):
                    words = map(plain_cell, cells) if is_ours else cells
                    yield place, dict(zip(head, words, strict=True))
        except csv.Error as exc:
            raise BadFile(f"Line {reader.line_num} is not CSV: {exc}.") from None


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            told = file.metadata
            if told.num_rows > settings.IOA_IMPORT_ROWS:
                raise BadFile(
                    f"The file has {told.num_rows:,} rows, over {settings.IOA_IMPORT_ROWS:,} "
                    "(IOA_IMPORT_ROWS)."
                )
            sizes = (told.row_group(n).total_byte_size for n in range(told.num_row_groups))
            if max(sizes, default=0) > MOST_GROUP:
                raise BadFile("A row group of the file would unpack to over 512 MiB.")
            number = 0
            for batch in file.iter_batches(batch_size=500):
                for values in batch.to_pylist():
                    number += 1
                    yield f"row {number}", values
    except (pa.ArrowException, OSError, ValueError, NotImplementedError):
        raise BadFile("This is not a Parquet file that can be read.") from None


def text_of(value: Any) -> str | None:
    """A cell's words; None for what is no text, like a list. Whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, (str, int)):
        return str(value).strip()
    return None
