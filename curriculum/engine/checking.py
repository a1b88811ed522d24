"""What the items of a run have to pass: when they are written, and when a person changes one."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from curriculum import models
from curriculum.engine.describe import home, load_domain, settings_of
from curriculum.engine.items import record, tokenizer_of
from curriculum.errors import BadDomain
from curriculum.models import Item, Run, Stage
from distill.adapter.checks import Belongs, Fits, NotDuplicate, NotLeak, check, standard_checks
from distill.adapter.leaks import LeakIndex, questions_to_come, registered
from distill.adapter.vouching import of_person
from distill.backends.chat import render_example
from distill.domains import question_key
from distill.domains.benchmarks import is_benchmark
from distill.errors import DomainError


def check_items(
    stage: Stage, round: int, words: Sequence[tuple[Item, str, str, str]]
) -> list[list[dict[str, Any]]]:
    """Results of all checks on items of one round with these words instead of their own.

    words: (item, question, solution, answer), an item once; it may be one that is not saved yet.
    The same checks as when an item is written, but that a question, if it is a new one, is
    compared with all items of the run: only the writer may ask again what earlier rounds asked.
    An answer that nobody but the person has said is right is told apart: see `of_person`.
    Of several of the same words the first passes. Returns the results in the order of `words`.
    """
    run = stage.run
    domain = load_domain(run.domain)
    changed = {item.pk for item, *_ in words}
    in_round: list[str] = []
    earlier: list[str] = []
    rows = Item.objects.filter(stage__run=run).values_list("pk", "stage", "round", "question")
    for pk, of_stage, of_round, question in rows.iterator():
        if pk not in changed:
            is_here = (of_stage, of_round) == (stage.pk, round)
            (in_round if is_here else earlier).append(question)
    duplicate = NotDuplicate(
        others=in_round,
        earlier=earlier,
        again={question_key(item.question) for item, *_ in words if item.pk},
    )
    leak, fits, belongs = leak_check(run), fits_check(run), Belongs(domain)
    found = []
    for item, question, solution, answer in words:
        grader = domain.grader(item.skill.key)
        standard = standard_checks(
            grader, duplicate=duplicate, leak=leak, fits=fits, belongs=belongs
        )
        edited = dataclasses.replace(
            record(item), question=question, solution=solution, answer=answer
        )
        vouched = _is_vouched(item, question, answer)
        checks = of_person(standard, edited, grader, is_vouched=vouched)
        found.append([dataclasses.asdict(result) for result in check(edited, checks)])
    return found


def _is_vouched(item: Item, question: str, answer: str) -> bool:
    """Whether the check of the answer stands: the same question and answer have passed it."""
    is_same = item.pk is not None and (question, answer) == (item.question, item.answer)
    return is_same and any(c["id"] == "answer" and c["passed"] for c in item.checks)


def leak_check(run: Run) -> NotLeak:
    """Against every probe of the run, those that its domain lists, and registered benchmarks.

    Raises `BadDomain` for a benchmark file that cannot be read: nothing is taught past it.
    """
    probes = models.Probe.objects.filter(skill__run=run)
    keys, questions = set(), []
    for key, question in probes.values_list("key", "question"):
        keys.add(key)
        questions.append(question)
    domain = load_domain(run.domain)
    asked = LeakIndex.of_questions([*questions, *questions_to_come(domain)])
    return NotLeak(keys, asked, benchmarks(), domain=domain)


def fits_check(run: Run) -> Fits:
    """By the student's tokenizer, where it has one."""
    settings = settings_of(run)
    tokenizer = tokenizer_of(run.student)
    render = None
    if tokenizer is not None:
        render = partial(render_example, tokenizer, max_length_tokens=sys.maxsize)
    return Fits(
        render,
        most_tokens=settings.lora.max_length_tokens,
        most_answer_tokens=settings.probing.limit(is_teacher=False),
    )


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
