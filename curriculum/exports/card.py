"""The cards that go along: what is in a data set or an adapter, where from, and what nobody knows.

YAML header and Markdown, as the Hugging Face hub reads them. Names that people or models gave are
written so that Markdown and HTML leave them alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml
from django.db.models import Count, Exists, F, OuterRef, Q

from curriculum.exports.formats import Format
from curriculum.exports.items import Choice
from curriculum.exports.tally import Tally
from curriculum.models import Checkpoint, GateRecord, Item, Opinion, Probe, Review, Run, TeacherCall
from curriculum.models.items import IMPORTED
from curriculum.states import ActorKind, Verdict

UNDECIDED = "undecided"
LICENCES: dict[str, str] = {  # the hub's names; nothing is chosen for anybody
    UNDECIDED: "not decided",
    "apache-2.0": "Apache 2.0",
    "mit": "MIT",
    "cc0-1.0": "CC0 1.0",
    "cc-by-4.0": "CC BY 4.0",
    "cc-by-sa-4.0": "CC BY-SA 4.0",
    "cc-by-nc-4.0": "CC BY-NC 4.0",
    "cc-by-nc-sa-4.0": "CC BY-NC-SA 4.0",
    "odc-by": "ODC-By",
    "other": "another one, told in the card by hand",
}
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~$&<>-])")


def dataset_card(choice: Choice, format: Format, tally: Tally, *, licence: str) -> str:
    """The README.md of a data set that has been written. `licence`: one of LICENCES."""
    run = choice.run
    name = run.name if not format.of_pairs else f"{run.name}: preferences"
    head: dict[str, Any] = {} if licence == UNDECIDED else {"license": licence}
    head |= {
        "pretty_name": name,
        "task_categories": ["text-generation"],
        "size_categories": [_size(tally.n)],
        "tags": ["synthetic", "distillation", "ioa"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": f"data/train.{format.suffix}"}],
            }
        ],
    }
    parts = [
        f"# {plain(name)}",
        f"{_n(tally.n, 'pair' if format.of_pairs else 'item')}: {plain(choice.says)}. "
        f"Format: {format.label}.",
        "## Licence",
        _licence(licence),
        "## Where it comes from",
        _sources(run, tally),
        "## What was checked",
        _checks(tally),
        "## Who looked at it",
        _reviewed(choice, tally),
        "## Decontamination",
        _decontamination(run),
        "## What is in it",
        _table(("skill", "title", "n"), _skills(run, tally)),
        "## Limits",
        LIMITS,
        "## Record",
        _record(run),
    ]
    return _page(head, parts)


def adapter_card(checkpoint: Checkpoint, *, licence: str, merged: bool = False) -> str:
    """The README.md of an adapter, or of the base model with the adapter merged into it."""
    run = checkpoint.run
    head: dict[str, Any] = {} if licence == UNDECIDED else {"license": licence}
    head |= {
        "base_model": run.student,
        "library_name": "transformers" if merged else "peft",
        "pipeline_tag": "text-generation",
        "tags": ["distillation", "ioa", *(["merged"] if merged else ["lora"])],
    }
    what = "weights with a LoRA adapter merged into them" if merged else "a LoRA adapter"
    trained: list[tuple[str, Any]] = [("trained tokens", checkpoint.train_tokens)]
    if checkpoint.final_loss is not None:
        trained.append(("last loss, nats a token", round(checkpoint.final_loss, 4)))
    if checkpoint.snapshot is not None:
        trained.append(("items, rehearsal included", checkpoint.snapshot.n_items))
        trained.append(("snapshot, SHA-256", checkpoint.snapshot.content_hash))
    trained.append(("adapter, SHA-256", checkpoint.content_hash or "unknown"))
    parts = [
        f"# {plain(run.name)}: {plain(str(checkpoint))}",
        f"It is {what}, for the base model {plain(run.student)}, which was the student of the "
        f"teacher {plain(run.teacher)}. The base model's own licence and terms hold as well.",
        "## Licence",
        _licence(licence),
        "## Training",
        _table(("what", "value"), trained),
        "## Evidence at the gate",
        _evidence(checkpoint),
        "## Limits",
        "It was measured on the skills above, with the questions of this run's gates, and on "
        "nothing else. What else the training changed in the model is not known.",
        "## Record",
        _record(run),
    ]
    return _page(head, parts)


def plain(words: str) -> str:
    """One line that Markdown shows as it stands: a name may come from a stranger or a model.

    >>> plain("<b>| x")
    '\\\\<b\\\\>\\\\| x'
    """
    return _MARKUP.sub(r"\\\1", " ".join(str(words).split()))


def slug(run: Run) -> str:
    """A name for files and data sets: small letters, digits and hyphens."""
    words = re.sub(r"[^a-z0-9]+", "-", run.name.casefold()).strip("-")[:60].strip("-")
    return words or f"run-{run.origin or run.pk}"


LIMITS = """\
- Items were made by programs or language models and selected by checks and people. Checks see form,
  the final answer and repeated questions; a wrong step with a right end may have passed.
- Questions follow the templates and habits of who wrote them: they are less varied than people's.
- Nobody has looked for personal data, bias or offence on purpose beyond the reviews told above."""


def _page(head: dict[str, Any], parts: list[str]) -> str:
    header = yaml.safe_dump(head, allow_unicode=True, sort_keys=False)
    return f"---\n{header}---\n\n" + "\n\n".join(parts) + "\n"


def _size(n: int) -> str:
    return next((name for most, name in SIZES if n < most), "1M<n<10M")


def _licence(licence: str) -> str:
    if licence == UNDECIDED:
        return "Not decided. Until somebody with the right to do so chooses one, none is granted."
    return f"{LICENCES[licence]}, as whoever made this file chose; the program assumes nothing."


def _sources(run: Run, tally: Tally) -> str:
    lines = [f"- Run: {plain(run.name)}; domain: {plain(run.domain)}."]
    lines += [
        f"- {_n(n, 'item')} by {plain(origin)}." for origin, n in sorted(tally.origins.items())
    ]
    if run.teacher == "procedural":
        lines.append("- The teacher is the domain's own generators: programs, no language model.")
    else:
        lines.append(
            f"- Teacher: {plain(run.teacher.partition('#')[0])}. The licence of a model or the "
            "terms of a service may forbid or limit training on what it says, or ask for its name "
            "to be given. Nobody has looked that up for this card: read them before you publish."
        )
    calls = TeacherCall.objects.filter(run=run, purpose="write").exclude(prompt_version="")
    versions = sorted(set(calls.order_by().values_list("prompt_version", flat=True).distinct()))
    if versions:
        lines.append(f"- Prompts: {', '.join(map(plain, versions))}.")
    if IMPORTED in tally.origins:
        lines.append("- Imported items came from a file; the run's log names it and its hash.")
    return "\n".join(lines)


def _checks(tally: Tally) -> str:
    if not tally.checks:
        return "No result of a check goes with these rows."
    names = sorted({(id, version) for id, version, _ in tally.checks})
    rows = [
        (f"{id}@{version}", tally.checks[id, version, True], tally.checks[id, version, False])
        for id, version in names
    ]
    return _table(("check", "passed", "failed"), rows)


def _reviewed(choice: Choice, tally: Tally) -> str:
    """Who let an item pass as it stands now: the last word on it, by kind."""
    agreed = Opinion.objects.filter(
        item=OuterRef("item"), version=OuterRef("version"), verdict=Verdict.APPROVED
    )
    approvals = (
        Review.objects.standing()
        .filter(
            item__in=choice.items.order_by().values("pk"),
            item__verdict=Verdict.APPROVED,
            version=F("item__version"),
            verdict=Verdict.APPROVED,
        )
        .order_by()
    )
    by_policy = ~Q(reviewed_as=ActorKind.PERSON)
    n = choice.items.count()
    by = approvals.annotate(is_agreed=Exists(agreed)).aggregate(
        person=Count("pk", filter=~by_policy),
        agreed=Count("pk", filter=by_policy & Q(reviewer=None, is_agreed=True)),
        sampled=Count("pk", filter=by_policy & Q(reviewer__isnull=False)),
        policy=Count("pk", filter=by_policy & Q(reviewer=None, is_agreed=False)),
    )
    share = f"{by['person'] / n:.0%}" if n else "none"
    lines = [
        f"- Approved by people: {by['person']} of {_n(n, 'item')} ({share}); as independent "
        f"reviewers agreed: {by['agreed']}; on a sample of their round, signed by a person: "
        f"{by['sampled']}; by the run's policy, after the checks alone: {by['policy']}.",
        "- People may approve all that passed the checks at once: that is a person's decision, "
        "and no proof that somebody read every item.",
        *([f"- Changed by people: {_n(tally.edited, 'item')}."] if tally.edited else []),
    ]
    return "\n".join(lines)


def _decontamination(run: Run) -> str:
    probes = Probe.objects.filter(skill__run=run).count()
    leaks = Item.objects.filter(stage__run=run, is_leak=True).count()
    return (
        f"Every question was compared with the {_n(probes, 'question')} that the student of this "
        "run is measured with, without regard to case, spaces and spaces around punctuation. "
        f"{_n(leaks, 'item')} that repeated one {'was' if leaks == 1 else 'were'} held back, and "
        "can never be approved or exported. "
        "Paraphrases are not found. Of public benchmarks those were compared that the installation "
        "had registered when an item was written."
    )


def _skills(run: Run, tally: Tally) -> list[tuple[Any, ...]]:
    titles = dict(run.skills.values_list("key", "title"))
    return [(plain(k), plain(titles.get(k, "")), n) for k, n in sorted(tally.skills.items())]


def _evidence(checkpoint: Checkpoint) -> str:
    gate = GateRecord.objects.filter(checkpoint=checkpoint).select_related("decided_by").first()
    if gate is None:
        return "There is none: no gate was reached with it."
    rows = [
        (
            plain(v["skill"]),
            f"{v['ratio']:.2f}",
            f"{v['low']:.2f} to {v['high']:.2f}",
            v["n"],
            plain(v["answer"]),
        )
        for v in gate.evidence.get("stage", ())
    ]
    lost = [
        plain(v["skill"]) for v in gate.evidence.get("retention", ()) if v["answer"] == "forgotten"
    ]
    words = [
        "Ratio: the student's score over the teacher's.",
        _table(("skill", "ratio", "interval", "n", "verdict"), rows),
        f"Forgotten of what sat before: {', '.join(lost) or 'nothing'}.",
        f"Decision: {gate.get_decision_display()}"
        + (f", “{plain(gate.reason)}”." if gate.reason else "."),
    ]
    return "\n\n".join(words)


def _record(run: Run) -> str:
    head = run.audit_head or "none"
    return (
        f"Run {run.origin or run.pk}, {_n(run.audit_sequence, 'entry', 'entries')} in its audit "
        f"log when this was written; hash of the last: `{head}`. "
        f"Made by IOA {plain(run.version) or '(version unknown)'}."
    )


def _table(head: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _n(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
