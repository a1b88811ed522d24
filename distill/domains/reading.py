"""From a file's bytes to mappings that know their line. YAML or JSON Lines; every scalar is text.

Text, because YAML's guesses lose answers: `no` is not False here, `1.50` keeps its nought.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from distill.errors import DomainError

SUFFIXES = (".yaml", ".yml", ".jsonl")

Told = Callable[[DomainError], None]
"""Takes each fault of a file; it raises it, or goes on to the next."""


def stop(fault: DomainError) -> None:
    """The first fault is enough."""
    raise fault


class Entry(dict[str, Any]):
    """A mapping of the file: text, lists and entries by field, and the line it starts on."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class Source:
    """Names the file, and the line, in what went wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fault(self, line: int, sentence: str) -> DomainError:
        return DomainError(f"{self.where(line)}: {sentence}")

    def where(self, line: int) -> str:
        return f"{self.path.name}, line {line}"


def read(source: Source, told: Told = stop) -> Entry:
    """Return the file as one entry with `skills`. Raises DomainError, with the line.

    Lines of a JSON Lines file that are wrong go to `told`.
    """
    text = text_of(source)
    if not text.strip():
        raise source.fault(1, "The file is empty. It needs a list of skills under “skills:”.")
    try:
        if source.path.suffix.lower() == ".jsonl":
            return _from_json_lines(source, text, told)
        return _from_yaml(source, text)
    except RecursionError:
        raise source.fault(1, "The file is nested too deeply to be a list of skills.") from None


def text_of(source: Source) -> str:
    try:
        raw = source.path.read_bytes()
    except (FileNotFoundError, ValueError):  # ValueError: a path with a null character
        raise DomainError(f"There is no file {source.path}.") from None
    except OSError as exc:
        raise DomainError(f"{source.path} could not be read: {exc.strerror}.") from exc
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise source.fault(line, "This is not UTF-8 text. Save the file as UTF-8.") from exc


def _from_yaml(source: Source, text: str) -> Entry:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else 1
        raise source.fault(line, f"This is not YAML: {exc.problem or exc.context}.") from exc
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        sentence = "There is a character that YAML does not allow."
        raise source.fault(line, sentence) from exc
    value = _value(source, node, {})
    if not isinstance(value, Entry):
        sentence = "A domain file is a mapping with “skills:”, and this is not a mapping."
        raise source.fault(1, sentence)
    return value


def _value(source: Source, node: yaml.Node | None, done: dict[int, Any]) -> Any:
    """Turn a node into text, a list or an entry; an alias is the same object, not a copy."""
    if node is None:
        return ""
    if id(node) in done:
        return done[id(node)]
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = Entry(node.start_mark.line + 1)
        pairs = ((key, _value(source, child, done)) for key, child in node.value)
        _fill(source, value, ((key.value, child, key.start_mark.line + 1) for key, child in pairs))
    elif isinstance(node, yaml.SequenceNode):
        value = [_value(source, child, done) for child in node.value]
    else:
        value = "" if node.tag.endswith(":null") else str(node.value)
        _check_text(source, node.start_mark.line + 1, value)
    done[id(node)] = value
    return value


def _fill(source: Source, entry: Entry, fields: Iterable[tuple[Any, Any, int]]) -> None:
    for name, value, line in fields:
        if not isinstance(name, str):
            raise source.fault(line, "A field's name has to be plain text.")
        _check_text(source, line, name)
        if name in entry:
            raise source.fault(line, f"The field “{name}” is given twice.")
        entry[name] = value


def _check_text(source: Source, line: int, words: str) -> None:
    """Refuse half characters and null characters, which no database and no tokenizer takes."""
    try:
        words.encode()
    except UnicodeEncodeError:
        raise source.fault(line, "There is a character that is not text.") from None
    if "\0" in words:
        raise source.fault(line, "There is a character that is not text.")


def _from_json_lines(source: Source, text: str, told: Told) -> Entry:
    """Lines of four kinds: the domain (`domain`), a skill (`id`), a probe (`skill` and
    `reference`), an item (`skill` and `answer`).
    """
    domain, skills = Entry(1), dict[str, Entry]()
    domain["skills"] = []
    for line, entry in json_entries(source, text, told):
        try:
            _place(source, line, entry, domain, skills)
        except DomainError as exc:
            told(exc)
    return domain


def _place(
    source: Source, line: int, entry: Entry, domain: Entry, skills: dict[str, Entry]
) -> None:
    if "domain" in entry:
        _fill(source, domain, ((name, value, line) for name, value in entry.items()))
    elif "id" in entry:
        domain["skills"].append(entry)
        skills.setdefault(str(entry["id"]), entry)
    elif "skill" in entry:
        skill = entry.pop("skill")
        if not isinstance(skill, str) or skill not in skills:
            raise source.fault(line, f"There is no skill “{skill}” above this line.")
        kind = "probes" if "reference" in entry else "items"
        listed = skills[skill].setdefault(kind, [])
        if not isinstance(listed, list):
            raise source.fault(skills[skill].line, f"“{kind}” has to be a list.")
        listed.append(entry)
    else:
        sentence = "A line needs “domain”, “id” (a skill) or “skill” (a probe or an item)."
        raise source.fault(line, sentence)


def json_entries(source: Source, text: str, told: Told = stop) -> Iterator[tuple[int, Entry]]:
    """Each line's number and mapping, but for lines that are empty or wrong."""
    for line, words in enumerate(text.split("\n"), start=1):
        if not words.strip():
            continue

        def entry(pairs: list[tuple[str, Any]], line: int = line) -> Entry:
            made = Entry(line)
            _fill(
                source, made, ((name, _plain(source, line, value), line) for name, value in pairs)
            )
            return made

        try:
            value = json.loads(words, object_pairs_hook=entry, parse_int=str, parse_float=str)
        except json.JSONDecodeError as exc:
            told(source.fault(line, f"This is not JSON: {exc.msg}."))
        except RecursionError:
            told(source.fault(line, "This is nested too deeply."))
        except DomainError as exc:
            told(exc)
        else:
            if isinstance(value, Entry):
                yield line, value
            else:
                told(source.fault(line, "Each line has to be a JSON object."))


def _plain(source: Source, line: int, value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(source, line, child) for child in value]
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, str):
        _check_text(source, line, value)
    return value
