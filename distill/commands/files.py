"""Files that commands are given: read, or refused in a sentence before anybody is asked."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from pydantic import ValidationError

from distill.domains import parts
from distill.domains.base import Domain
from distill.errors import DistillError, DomainError
from distill.settings import Settings, faults


def settings_in(path: Path) -> Settings:
    """Settings from a JSON file; what it leaves out is as usual. Raises `DistillError`."""
    cannot = f"The settings in {path} cannot be used:"
    try:
        return Settings.model_validate(json.loads(path.read_text(encoding="utf-8-sig")))
    except ValidationError as exc:
        raise DistillError(f"{cannot} {faults(exc)}.") from exc
    except json.JSONDecodeError as exc:
        raise DistillError(f"{cannot} the file is not JSON: {exc}.") from exc
    except RecursionError as exc:
        raise DistillError(f"{cannot} they are nested too deeply.") from exc
    except (OSError, ValueError) as exc:
        raise DistillError(f"{cannot} {exc}") from exc


def check_figures(out: Path, side: str, *inputs: str | Path | None) -> None:
    """Refuse an `out` that is no place for figures: an answer may take hours, a file days.

    side: what the name of the file of answers beside it has behind `out`; where that is there, the
    figures are those of an earlier call. inputs: what the command reads. Raises `DistillError`.
    """
    if out.is_dir():
        raise DistillError(f"{out} is a folder. Name a file for the figures with --out.")
    if any(
        path and Path(path).exists() and out.resolve() == Path(path).resolve() for path in inputs
    ):
        raise DistillError(f"{out} is what is read. Name another file for the figures with --out.")
    if out.exists() and not out.with_name(out.name + side).exists():
        raise DistillError(
            f"{out} is there already, without answers beside it: these are not figures of an "
            "earlier call. Name another file with --out, or remove it first."
        )


def taught_skills(domain: Domain, wanted: str) -> tuple[str, ...]:
    """The ids of skills that can be taught: all, or those of them named by comma, in the domain's
    order. Raises `DomainError`.
    """
    taught = [s.id for s in domain.skills if not s.is_transfer]
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in taught:
            raise DomainError(f"{domain.title} has no skill “{name}” that is taught.")
    return tuple(k for k in taught if not names or k in names)


def lacking(domain: Domain, skills: Collection[str]) -> str:
    """In a sentence, which of the skills named build on others; "" where none does. Pure."""
    missing = parts.lacking(domain.edges(), skills)
    return parts.told({skill: missing[skill] for skill in skills if skill in missing})
