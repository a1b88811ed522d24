from __future__ import annotations

import json
import os
import signal
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from curriculum import engine
from curriculum.errors import CurriculumError
from curriculum.models import Job, Run
from curriculum.services import jobs, runs
from curriculum.services.audit import Actor
from curriculum.states import Autonomy, JobKind, JobStatus, RunStatus
from ioa_web import first_start
from ioa_web.embedded import Services, services
from ioa_web.runtime import ServicesError

NAME = "Demo: sums and lists for SmolLM2-135M"
STUDENT = "smollm2-135m"
SKILLS = ["A2", "A3", "B2", "S2"]
LOOK_EVERY_SECONDS = 0.5
POLICY = Actor.policy("demo: autopilot")


class Command(BaseCommand):
    help = "Distil a real student on autopilot, with progress and a table; then serve it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--student", default=STUDENT, help="a model, or “simulated”")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *, student: str, seed: int, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        serves = os.environ.get("SERVE", "1") != "0"
        first_start.migrate()
        console = Console()
        folder = Path(settings.IOA_HOME) / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            run = _find(student) or _create(student, seed)
            with services(web=serves, log=folder / "services.log") as running:
                _carry_on(run)
                _follow(run, running, console)
                figures = _report(run, folder / "report.json")
                console.print(engine.report_table(figures))
                console.print(
                    f"Report: {folder / 'report.json'}, {figures['seconds']:.0f} s", markup=False
                )
                if serves:
                    running.wait_for_web()
                    self._invite(running.url)
                    running.wait()
        except (CurriculumError, ServicesError) as exc:
            raise CommandError(str(exc)) from exc
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. `make demo` goes on from here.")

    def _invite(self, url: str) -> None:
        if password := first_start.first_admin():
            self.stdout.write(f"Log in as admin, password {password} (shown only now).")
        self.stdout.write(self.style.SUCCESS(f"Ready: {url}"))
        self.stdout.write("Ctrl-C stops everything; `make run` finds it all again.")


def _find(student: str) -> Run | None:
    """The demo that was begun or finished here before."""
    mine = Run.objects.filter(name=NAME, student=student).exclude(status=RunStatus.STOPPED)
    return mine.order_by("pk").last()


def _create(student: str, seed: int) -> Run:
    chosen = engine.default_settings()
    # sized for two CPU cores and some minutes
    chosen["budget"] |= {
        "items": 1500,
        "items_per_round": 570,
        "items_per_skill": 150,
        "rounds_cap": 3,
        "preview_weight": 0.0,  # with the default one stage teaches all four: docs/log.md
    }
    chosen["lora"] |= {"learning_rate": 1e-3, "batch_size": 4, "warmup_share": 0.1}
    chosen["probing"] |= {"diagnose_probes": 32, "gate_probes_cap": 96}
    chosen["probing"] |= {"final_probes": 40, "max_answer_tokens": 64}
    return runs.create(
        actor=POLICY,
        name=NAME,
        domain="foundations",
        teacher="procedural",
        student=student,
        settings=chosen,
        seed=seed,
        autonomy=Autonomy.NONE,
        skills=SKILLS,
    )


def _carry_on(run: Run) -> None:
    """Begin, or take up again what an earlier call left."""
    if run.status == RunStatus.DRAFT:
        runs.diagnose(run, actor=POLICY)
    for job in run.jobs.select_related("run", "stage"):
        if job.may_retry:
            jobs.retry(job, actor=POLICY)


def _follow(run: Run, running: Services, console: Console) -> None:
    """Show every job as it goes, until the run is over. Raises what ended it early."""
    bars: dict[int, TaskID] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        while True:
            # asked before the run's status: the last job ends with the run
            works = run.jobs.filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING]).exists()
            run.refresh_from_db()
            for job in run.jobs.select_related("stage").order_by("pk"):
                _show(progress, bars, job)
                if job.status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.LOST):
                    raise CurriculumError(f"{_label(job)}: {job.error or 'it was cancelled.'}")
            if run.is_over:
                return
            if not works:
                raise CurriculumError(
                    "Policy could not decide how to go on, and left it to a person: start "
                    "`make run` and look at the run."
                )
            running.check()
            time.sleep(LOOK_EVERY_SECONDS)


def _show(progress: Progress, bars: dict[int, TaskID], job: Job) -> None:
    if job.pk not in bars:
        bars[job.pk] = progress.add_task(_label(job), total=None, unit=job.unit)
    total = job.total or None
    progress.update(bars[job.pk], completed=job.done, total=total, unit=job.unit)
    if job.status == JobStatus.SUCCEEDED:
        progress.stop_task(bars[job.pk])


def _label(job: Job) -> str:
    if job.stage is None:
        return str(JobKind(job.kind).label)
    return f"stage {job.stage.position}, round {job.round}: {JobKind(job.kind).label}"


def _report(run: Run, path: Path) -> dict[str, Any]:
    """The run's report with its costs, written to `path`."""
    last = run.jobs.filter(kind=JobKind.REPORT).get()
    figures: dict[str, Any] = {
        **run.report,
        "audit_entries": run.audit_sequence,
        "seconds": (last.finished_at - run.created_at).total_seconds() if last.finished_at else 0,
        "run": run.name,
        "seed": run.seed,
        "settings": run.settings,
    }
    engine.write_report(path, figures)
    return json.loads(path.read_text())
