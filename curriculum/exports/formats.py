"""Items as other tools read them. Each format gives the bytes of one file, a chunk at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from curriculum.exports.items import Pair, Row

LINES = 500  # in one chunk
ROW_GROUP = 5000  # rows of a Parquet row group: what is held in memory
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet takes a cell for a formula by these
COLUMNS = ("id", "skill", "level", "origin", "question", "solution", "answer")

Chunks = Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """`stanza`: how LLaMA-Factory is told to read the file, without its name; {} if it cannot."""

    name: str
    label: str
    suffix: str
    write: Callable[[Iterable[Any]], Chunks]
    of_pairs: bool = False
    stanza: Callable[[], dict[str, Any]] = dict


def _said(role: str, words: str) -> dict[str, str]:
    return {"role": role, "content": words}


def messages(row: Row) -> dict[str, Any]:
    """As OpenAI and TRL have conversations."""
    said = [_said("user", row.question), _said("assistant", row.solution)]
    return {"messages": said, "id": row.id, "skill": row.skill}


def alpaca(row: Row) -> dict[str, Any]:
    said = {"instruction": row.question, "input": "", "output": row.solution}
    return {**said, "id": row.id, "skill": row.skill}


def sharegpt(row: Row) -> dict[str, Any]:
    said = [{"from": "human", "value": row.question}, {"from": "gpt", "value": row.solution}]
    return {"conversations": said, "id": row.id, "skill": row.skill}


def dpo(pair: Pair) -> dict[str, Any]:
    """As TRL has preferences, conversational, so that the tokenizer's own template is used."""
    return {
        "prompt": [_said("user", pair.question)],
        "chosen": [_said("assistant", pair.chosen)],
        "rejected": [_said("assistant", pair.rejected)],
        "id": pair.id,
        "skill": pair.skill,
    }


def dpo_sharegpt(pair: Pair) -> dict[str, Any]:
    """As LLaMA-Factory has preferences."""
    return {
        "conversations": [{"from": "human", "value": pair.question}],
        "chosen": {"from": "gpt", "value": pair.chosen},
        "rejected": {"from": "gpt", "value": pair.rejected},
        "id": pair.id,
        "skill": pair.skill,
    }


def json_lines(line: Callable[[Any], dict[str, Any]]) -> Callable[[Iterable[Any]], Chunks]:
    """UTF-8, one object a line, in the order of the rows."""

    def write(rows: Iterable[Any]) -> Chunks:
        texts = (json.dumps(line(row), ensure_ascii=False) + "\n" for row in rows)
        while some := "".join(islice(texts, LINES)):
            yield some.encode()

    return write


def csv_lines(rows: Iterable[Row]) -> Chunks:
    """RFC 4180. A cell that a spreadsheet might run begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows, start=1):
        writer.writerow([safe_cell(getattr(row, name)) for name in COLUMNS])
        if number % LINES == 0:
            yield _taken(text)
    yield _taken(text)


def safe_cell(value: object) -> str:
    """The value as text that no spreadsheet takes for a formula; `plain_cell` takes it back.

    >>> safe_cell("=1+1")
    "'=1+1"
    >>> safe_cell("'=1+1")
    "''=1+1"
    """
    words = str(value)
    return f"'{words}" if words.lstrip("'").startswith(RISKY) else words


def plain_cell(words: str) -> str:
    """What `safe_cell` was given."""
    return words[1:] if words.startswith("'") and words.lstrip("'").startswith(RISKY) else words


def _taken(text: io.StringIO) -> bytes:
    taken = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return taken


class Sink:
    """A file that is only written: what was written is taken away again and again."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self.size += len(part)
        return len(part)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts, self.size = [], 0
        return taken


def parquet(rows: Iterable[Row]) -> Chunks:
    """Columns as in the CSV, and `messages`. A row group at a time, compressed by zstd."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    types = {"level": pa.int32()}
    schema = pa.schema(
        [*((name, types.get(name, pa.string())) for name in COLUMNS), ("messages", pa.list_(turn))]
    )
    sink, rest = Sink(), iter(rows)
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        while some := list(islice(rest, ROW_GROUP)):
            columns: dict[str, list[Any]] = {
                name: [getattr(row, name) for row in some] for name in COLUMNS
            }
            columns["messages"] = [messages(row)["messages"] for row in some]
            writer.write_table(pa.table(columns, schema=schema))
            yield sink.take()
    yield sink.take()


def _of_messages() -> dict[str, Any]:
    tags = {"role_tag": "role", "content_tag": "content"}
    tags |= {"user_tag": "user", "assistant_tag": "assistant"}
    return {"formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}


def _of_alpaca() -> dict[str, Any]:
    columns = {"prompt": "instruction", "query": "input", "response": "output"}
    return {"formatting": "alpaca", "columns": columns}


def _of_sharegpt() -> dict[str, Any]:
    return {"formatting": "sharegpt", "columns": {"messages": "conversations"}}


def _of_dpo_sharegpt() -> dict[str, Any]:
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}
    return {"formatting": "sharegpt", "ranking": True, "columns": columns}


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            "messages",
            "JSONL, messages (OpenAI, TRL)",
            "jsonl",
            json_lines(messages),
            stanza=_of_messages,
        ),
        Format("alpaca", "JSONL, Alpaca", "jsonl", json_lines(alpaca), stanza=_of_alpaca),
        Format("sharegpt", "JSONL, ShareGPT", "jsonl", json_lines(sharegpt), stanza=_of_sharegpt),
        Format("parquet", "Parquet, with messages", "parquet", parquet, stanza=_of_messages),
        Format("csv", "CSV, for spreadsheets", "csv", csv_lines),
        Format("dpo", "JSONL, preferences (TRL)", "jsonl", json_lines(dpo), of_pairs=True),
        Format(
            "dpo-sharegpt",
            "JSONL, preferences (LLaMA-Factory)",
            "jsonl",
            json_lines(dpo_sharegpt),
            of_pairs=True,
            stanza=_of_dpo_sharegpt,
        ),
    )
}
