"""A data set with its card, as one zip that is written while it is sent, or as a folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from curriculum.exports import card
from curriculum.exports.formats import Format, Sink
from curriculum.exports.items import Choice
from curriculum.exports.tally import Tally

SENT_AT_ONCE = 64 * 1024  # bytes
NO_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same file

Files = Iterable[tuple[str, Iterator[bytes]]]


def data_path(format: Format) -> str:
    return f"data/train.{format.suffix}"


def dataset(choice: Choice, format: Format, *, licence: str) -> Files:
    """The files of a data set, each with its bytes; the card comes last, as it counts what went
    out. `licence`: one of `card.LICENCES`.
    """
    tally = Tally()
    source = choice.pairs() if format.of_pairs else choice.rows()
    yield data_path(format), format.write(tally.counting(source))
    if stanza := format.stanza():
        told = {card.slug(choice.run): {"file_name": data_path(format), **stanza}}
        yield "dataset_info.json", _text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    yield "README.md", _late(lambda: card.dataset_card(choice, format, tally, licence=licence))


def _text(words: str) -> Iterator[bytes]:
    yield words.encode()


def _late(words: Callable[[], str]) -> Iterator[bytes]:
    yield words().encode()


def zipped(files: Files, *, folder: str) -> Iterator[bytes]:
    """The bytes of a zip with the files below `folder`. Holds no more than some chunks."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, chunks in files:
            about = zipfile.ZipInfo(f"{folder}/{name}", NO_DATE)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            with archive.open(about, "w", force_zip64=True) as member:
                for chunk in chunks:
                    member.write(chunk)
                    if sink.size > SENT_AT_ONCE:
                        yield sink.take()
    yield sink.take()


def write_folder(files: Files, folder: Path) -> list[Path]:
    """Write the files below `folder`, each beside its place first. Returns their paths."""
    written = []
    for name, chunks in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".partial")
        try:
            with beside.open("wb") as out:
                out.writelines(chunks)
            beside.rename(path)
        finally:
            beside.unlink(missing_ok=True)
        written.append(path)
    return written
