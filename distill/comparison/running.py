"""Running what a plan says: arm by arm and seed by seed, here or in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import Thread
from typing import Any

from distill import domains, roster
from distill.allowance import Allowance, Count, count_words
from distill.backends.hardware import hardware
from distill.comparison import ablations, arms
from distill.comparison.baseline import Baseline
from distill.comparison.memory import ask_base, remembering
from distill.comparison.plan import Plan, Run, tokens_per_item
from distill.cores import usable_cores
from distill.diagnosis import Progress
from distill.disk import write_beside
from distill.domains.base import Domain
from distill.errors import DistillError
from distill.journal import Journal
from distill.roster import Student
from distill.settings import LoraSettings

RESULT = "result.json"  # of one run, written last
RUNS, BASES = "runs", "base"
NOTED = "comparison.jsonl"  # what is compared

Find = Callable[[str, Path], Student]
Finished = Callable[[Run, dict[str, Any], float], None]
"""`finished(run, result, seconds)`: of that run alone, whatever else ran beside it."""


def compare(
    plan: Plan,
    out: Path,
    *,
    resume: bool,
    parallel: int = 1,
    progress: Progress,
    finished: Finished,
    find_student: Find = roster.find_student,
) -> list[dict[str, Any]]:
    """Do every run of `plan` that is not done, and return the results of all, in the plan's order.

    Each run has a folder of its own with a ledger: killed and called again, nothing that was
    finished is done twice, and the results are the same but for their seconds. Raises
    `DistillError` for what a person can mend, and what `progress` and `finished` raise.
    """
    for name in plan.arms:
        arms.find(name)
    domain = domains.load(plan.domain)
    find_student(plan.student, plan.models)
    roster.find_teacher(plan.teacher, plan.models, os.environ, plan.requests).close()
    noted = Journal(out, resume=resume, name=NOTED)
    noted.begin(domain=f"{domain.id} {domain.version}", **plan.identity())
    todo = [run for run in plan.runs() if read(out, run) is None]
    with closing(_results(plan, out, todo, parallel, progress, find_student)) as results:
        for run, result, seconds in results:
            finished(run, result, seconds)
    done = [read(out, run) for run in plan.runs()]
    return [result for result in done if result is not None]


def ask_first(
    plan: Plan,
    seed: int,
    out: Path,
    *,
    progress: Progress = lambda what, done, total: None,
    find_student: Find = roster.find_student,
) -> None:
    """Ask the student as it came what all arms of a seed ask it. Resumable."""
    domain = domains.load(plan.domain)
    ask_base(
        out / BASES,
        domain,
        find_student(plan.student, plan.models),
        plan.settings,
        skills=_measured(domain, plan.skills),
        seed=seed,
        progress=progress,
    )


def run_one(
    plan: Plan,
    run: Run,
    out: Path,
    *,
    progress: Progress = lambda what, done, total: None,
    find_student: Find = roster.find_student,
) -> dict[str, Any]:
    """Teach one student by one arm and write what it came to. Resumable."""
    domain = domains.load(plan.domain)
    student = find_student(plan.student, plan.models)
    teacher = roster.find_teacher(plan.teacher, plan.models, os.environ, plan.requests)
    lora = plan.settings.lora
    per_item = tokens_per_item(domain, student, plan.skills) * lora.epochs
    count, count_once = _as_trained(student, lora), student.tokens or count_words
    allowance = Allowance(round(run.items * per_item), per_item, count)
    folder = out / RUNS / run.folder
    settings = plan.settings_of(run)
    arm = arms.find(run.arm)
    shared: dict[str, Any] = {
        "seed": run.seed,
        "out": folder,
        "skills": _measured(domain, plan.skills),
        "progress": progress,
        "allowance": allowance,
    }
    student = remembering(student, out / BASES, run.seed)
    if isinstance(arm, arms.Arm):
        baseline = Baseline(arm, domain, student, teacher, settings, **shared)
        figures, journal = baseline.run(), baseline.journal
    else:
        loop, settings = ablations.without(arm.without, settings)
        pipeline = loop(domain, student, teacher, settings, resume=True, **shared)
        figures, journal = pipeline.run(), pipeline.journal
    teacher.close()
    figures |= {
        "arm": run.arm,
        "budget_items": run.items,
        "budget_tokens": allowance.tokens,
        "learning_rate": settings.lora.learning_rate,
        "call_tokens": journal.tokens_of_calls(),
        "item_tokens": sum(count_once(i.question, i.solution) for i in journal.clean_items()),
        "train_seconds": round(journal.seconds_of_training(), 1),
        "rounds": len(journal.checkpoints()),
        "hardware": hardware(),
    }
    write_beside(folder / RESULT, json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    return figures


def read(out: Path, run: Run) -> dict[str, Any] | None:
    """The result of a run that is finished."""
    path = out / RUNS / run.folder / RESULT
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def _results(
    plan: Plan,
    out: Path,
    todo: Sequence[Run],
    parallel: int,
    progress: Progress,
    find_student: Find,
) -> Generator[tuple[Run, dict[str, Any], float]]:
    seeds = list(dict.fromkeys(run.seed for run in todo))
    if parallel == 1:
        for seed in seeds:
            told = _of(f"seed {seed}", progress)
            ask_first(plan, seed, out, progress=told, find_student=find_student)
        for run in todo:
            told = _of(run.folder, progress)
            started = time.monotonic()
            result = run_one(plan, run, out, progress=told, find_student=find_student)
            yield run, result, time.monotonic() - started
        return
    others = set(active_children())
    # spawned: what a fork would inherit of CUDA and of threads does not work in it
    with ProcessPoolExecutor(
        parallel,
        mp_context=get_context("spawn"),
        initializer=_begin_child,
        initargs=(os.getpid(), parallel),
    ) as pool:
        try:
            with _out_of_reach():
                asked = [pool.submit(ask_first, plan, seed, out) for seed in seeds]
            for done, answered in enumerate(as_completed(asked), 1):
                answered.result()
                progress("seeds asked before any arm", done, len(seeds))
            with _out_of_reach():
                running = {pool.submit(run_one, plan, run, out): run for run in todo}
            for future in as_completed(running):
                result = future.result()
                yield running[future], result, float(result["seconds"])
        except BrokenProcessPool as exc:
            raise DistillError(
                "The process of a run was killed, perhaps for want of memory. Go on with --resume, "
                "and with a smaller --parallel."
            ) from exc
        except BaseException:  # a run may take hours more, and its ledger keeps what is done
            for child in set(active_children()) - others:
                child.terminate()
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _out_of_reach() -> Iterator[None]:
    """Processes that start in here do not see Ctrl-C, which a terminal sends to each: one that is
    still importing would tell a traceback. Whoever started them ends them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _of(name: str, progress: Progress) -> Progress:
    def told(what: str, done: int, total: int) -> None:
        progress(f"{name}, {what}", done, total)

    return told


def _begin_child(parent: int, parallel: int) -> None:
    """Take a fair share of the cores, and end when the process that started this one is gone:
    nobody else would end it.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // parallel)))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _as_trained(student: Student, lora: LoraSettings) -> Count:
    """Tokens of an item that go through the model: cut where a training cuts, in each epoch."""
    count = student.tokens or count_words

    def tokens(question: str, solution: str) -> int:
        return min(count(question, solution), lora.max_length_tokens) * lora.epochs

    return tokens


def _measured(domain: Domain, skills: Sequence[str]) -> list[str]:
    """The skills of a comparison, and those for transfer, where all are measured."""
    return [s.id for s in domain.skills if not skills or s.id in skills]
