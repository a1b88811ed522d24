"""docs/settings.md, written from the settings themselves.

python -m distill.settings_page docs/settings.md
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from distill.adapter.operations import Operation
from distill.settings import MOST, Count, NotNegative, Settings

HEAD = """\
# Settings

Everything that decides what a run does, besides its models, its domain and its seed.
`ioa distil --settings FILE` takes them as JSON; what is left out keeps its default:

```json
{
  "budget": {"items": 2000},
  "writing": {"tried": 3, "questions_of_domain": true},
  "lora": {"average": null}
}
```

*none* is written `null`, and numbers without quotes; `true` and `false` are not taken for numbers.

`ioa compare --settings` takes the same file, and `settings` of `POST /runs` in the API the same
JSON. Pages ask for few of them: those marked * are on the form *New run*. The student tries 3
questions for each item there, or none. A preset fills in the numbers; what it does not name is
as by default:

| preset | numbers |
|---|---|
| `quick` | `items` 900, `items_per_round` 240, `rounds_cap` 3, `diagnose_probes` 32, \
`gate_probes` 24, `final_probes` 32 |
| `standard` | |
| `paper` | `target_share` 0.25, `rounds_cap` 5, `gap` 0.3, `mastery` 0.9 |

A run keeps its settings in its record. When `ioa distil --resume` continues one, only
`budget` and `writing.teacher_tokens` may differ. This page is written by
`python -m distill.settings_page docs/settings.md`, and a test says when it is out of date.
"""

# What the form *New run* of the app asks for. The app's tests hold it, and the presets, to that.
ON_THE_FORM = {
    "thresholds": ("gap", "target_share", "mastery"),
    "probing": ("diagnose_probes", "gate_probes", "final_probes", "max_answer_tokens"),
    "budget": ("items", "items_per_round", "rounds_cap", "rehearsal_share"),
    "lora": ("learning_rate", "epochs", "max_length_tokens"),
    "writing": ("questions_of_domain", "tried"),
}


def page() -> str:
    """The whole page, in Markdown. Pure."""
    parts = [HEAD]
    for name, section in Settings.model_fields.items():
        model = section.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        parts.append(f"\n## `{name}`\n\n{one_line(model.__doc__)}\n\n")
        parts.append("| setting | default | unit and range | meaning |\n|---|---|---|---|\n")
        for field, told in model.model_fields.items():
            default = json.dumps(told.get_default())
            means = one_line(told.description)  # a line break would end the row
            mark = " *" if field in ON_THE_FORM.get(name, ()) else ""
            parts.append(f"| `{field}`{mark} | {default} | {_allowed(told)} | {means} |\n")
    return "".join(parts)


def one_line(words: str | None) -> str:
    """A description without the line breaks of its source. Pure."""
    return " ".join((words or "").split())


def _allowed(field: FieldInfo) -> str:
    """What values a field takes, in words: "count, ≥ 1", "share, ≥ 0, < 1"."""
    kind = field.annotation
    is_share = any(getattr(b, "le", getattr(b, "lt", 2)) <= 1 for b in field.metadata)
    if kind is bool:
        words = ["true or false"]
    elif kind is int:
        words = ["count"]
    elif kind is float:
        words = ["share" if is_share else "number"]
    elif kind == Count | None:
        words = ["count, ≥ 1, or none"]
    elif kind == NotNegative | None:
        words = ["number, ≥ 0, or none"]
    elif kind == tuple[Operation, ...]:
        words = ["any of them"]
    else:
        words = ["two shares, ≥ 0, < 1"]
    for bound in field.metadata:
        match bound:
            case Ge(ge=value):
                words.append(f"≥ {value:g}")
            case Gt(gt=value):
                words.append(f"> {value:g}")
            case Le(le=value) if value != MOST:
                words.append(f"≤ {value:g}")
            case Lt(lt=value):
                words.append(f"< {value:g}")
    return ", ".join(words)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
