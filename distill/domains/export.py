"""Write a domain to a file that `load` reads back as the same domain."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from distill.domains.base import Domain
from distill.domains.entries import DEALT
from distill.domains.files import FileDomain
from distill.domains.reading import SUFFIXES
from distill.errors import DomainError, OutOfSpace
from distill.records import Skill


def export(domain: Domain, path: Path, *, limit: int = 200, remarks: Sequence[str] = ()) -> None:
    """Write skills, probes and items to `path`, as YAML or JSON Lines by its suffix.

    limit: questions a skill and split from a domain that generates them; a file's are all kept.
    remarks: comments above everything, a line each; JSON Lines cannot have any.
    Deterministic. Written beside and renamed. Raises DomainError for another suffix, OutOfSpace.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise DomainError(f"A domain file ends in {', '.join(SUFFIXES)}; {path.name} does not.")
    n = sys.maxsize if isinstance(domain, FileDomain) else limit
    head = {"domain": domain.id, "title": domain.title, "version": domain.version}
    skills = [_skill(domain, skill, n) for skill in domain.skills]
    if path.suffix.lower() == ".jsonl":
        lines = [head, *skills]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    else:
        document = {**head, "skills": skills}
        text = "".join(_comment(remark) for remark in remarks)
        text += yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as exc:
        if exc.errno == errno.ENOSPC:
            raise OutOfSpace(path.name) from exc
        raise DomainError(f"{path} could not be written: {exc.strerror}.") from exc
    finally:
        beside.unlink(missing_ok=True)


def _comment(remark: str) -> str:
    """One line, whatever the remark holds: nothing of it may become a part of the document."""
    words = yaml.reader.Reader.NON_PRINTABLE.sub("", remark)
    return f"# {' '.join(words.split())}\n"


def _skill(domain: Domain, skill: Skill, n: int) -> dict[str, Any]:
    grader = domain.grader(skill.id)
    fields: dict[str, Any] = {
        "id": skill.id,
        "title": skill.title,
        "statement": skill.statement,
        "area": skill.area,
        "level": skill.level,
        "prerequisites": list(skill.prerequisites),
        "is_transfer": skill.is_transfer,
        "grader": grader,
        "examples": [
            {"question": example.question, "solution": example.solution}
            for example in skill.examples
        ],
        "probes": [
            {
                "question": probe.question,
                "reference": probe.reference,
                "grader": probe.grader,
                "split": probe.split.value,
            }
            for split in DEALT
            for probe in domain.probes(skill.id, split, n, seed=0)
        ],
        "items": [
            {
                "question": problem.question,
                "answer": problem.answer,
                "solution": problem.worked,
                "level": problem.level,
            }
            for problem in domain.problems(skill.id, n, seed=0)
        ],
    }
    return fields
