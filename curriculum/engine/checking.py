"""What the items of a run have to pass: when they are written, and when a person changes one."""

from __future__ import annotations

import dataclasses
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from curriculum import models
from curriculum.engine.describe import home, load_domain, settings_of
from curriculum.engine.items import record, tokenizer_of
from curriculum.errors import BadDomain
from curriculum.models import Item, Run
from distill.adapter.checks import Fits, NotDuplicate, NotLeak, check, standard_checks
from distill.adapter.leaks import LeakIndex, questions_to_come, registered
from distill.domains import question_key
from distill.domains.benchmarks import is_benchmark
from distill.errors import DomainError


def check_item(item: Item, question: str, solution: str) -> list[dict[str, Any]]:
    """Results of all checks on an item with these words instead of its own.

    The same as when it was written, but that its question, if it is a new one, is compared with
    all items of the run: only the writer may ask again what earlier rounds asked.
    """
    run = item.stage.run
    others = Item.objects.filter(stage__run=run).exclude(pk=item.pk)
    in_round = others.filter(stage=item.stage, round=item.round)
    earlier = others.exclude(pk__in=in_round.values("pk"))
    checks = standard_checks(
        load_domain(run.domain).grader(item.skill.key),
        duplicate=NotDuplicate(
            others=in_round.values_list("question", flat=True),
            earlier=earlier.values_list("question", flat=True),
            again={question_key(item.question)},
        ),
        leak=leak_check(run),
        fits=fits_check(run),
    )
    edited = dataclasses.replace(record(item), question=question, solution=solution)
    return [dataclasses.asdict(result) for result in check(edited, checks)]


def leak_check(run: Run) -> NotLeak:
    """Against every probe of the run, those that its domain lists, and registered benchmarks.

    Raises `BadDomain` for a benchmark file that cannot be read: nothing is taught past it.
    """
    probes = models.Probe.objects.filter(skill__run=run)
    keys, questions = set(), []
    for key, question in probes.values_list("key", "question"):
        keys.add(key)
        questions.append(question)
    to_come = questions_to_come(load_domain(run.domain))
    return NotLeak(keys, LeakIndex.of_questions([*questions, *to_come]), benchmarks())


def fits_check(run: Run) -> Fits:
    """By the student's tokenizer, where it has one."""
    most = settings_of(run).lora.max_length_tokens
    tokenizer = tokenizer_of(run.student)
    if tokenizer is None:
        return Fits(most_tokens=most)
    from distill.backends.chat import render_example

    def tokens(question: str, solution: str) -> int:
        shown = render_example(tokenizer, question, solution, max_length_tokens=sys.maxsize)
        return len(shown.ids)

    return Fits(tokens, most_tokens=most)


def benchmarks() -> LeakIndex:
    """Of all files in IOA_HOME/benchmarks, and benchmarks that lie among the domains.

    Read anew only when a file has changed. Raises `BadDomain`, with the file and the line.
    """
    among = [p for p in registered(home() / "domains") if is_benchmark(p)]
    files = [*registered(home() / "benchmarks"), *among]
    try:
        return _index(tuple((p, p.stat().st_mtime_ns, p.stat().st_size) for p in files))
    except DomainError as exc:
        raise BadDomain(f"A registered benchmark cannot be read: {exc}") from exc


@lru_cache(maxsize=1)
def _index(files: tuple[tuple[Path, int, int], ...]) -> LeakIndex:
    return LeakIndex.of_files(path for path, _, _ in files)
