"""A school to look at: runs at several points of their way, made by the real services and tasks
with the simulated student."""

from __future__ import annotations

import threading

from django.db import connections

from curriculum import engine, tasks
from curriculum.models import TrainingStep
from curriculum.services import gates, items, jobs, runs, stages
from curriculum.services.audit import Actor
from tests.factories import ApproverFactory, ReviewerFactory

SKILLS = ["A1", "A2", "A3", "S1"]


def _in_a_thread(task, *args):
    """Do it beside Playwright's loop: a teacher on a server is asked in a loop of its own."""
    ours, raised = connections["default"], []

    def call():
        connections["default"] = ours
        try:
            task(*args)
        except BaseException as exc:
            raised.append(exc)

    ours.inc_thread_sharing()
    try:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    finally:
        ours.dec_thread_sharing()
    if raised:
        raise raised[0]


class School:
    """`turns`: what a test writes while a page is open, it writes in `turns.one()`, as the page's
    requests are answered; all have one connection to the database.
    """

    def __init__(self, turns):
        self.turns = turns
        self.ada = ApproverFactory(username="ada", first_name="Ada", last_name="")
        self.bob = ReviewerFactory(username="bob", first_name="Bob", last_name="")
        self.actor = Actor.person(self.ada)

    def draft(self, name="Sums", teacher="procedural"):
        settings = engine.default_settings()
        settings["budget"] |= {"items_per_round": 24, "rounds_cap": 3}
        settings["probing"] |= {
            "diagnose_probes": 24,
            "gate_probes": 24,
            "gate_probes_cap": 24,
            "final_probes": 24,
        }
        return runs.create(
            actor=self.actor,
            name=name,
            domain="foundations",
            teacher=teacher,
            student="simulated",
            settings=settings,
            seed=7,
            skills=SKILLS,
        )

    def work(self, run):
        """Do the run's queued jobs, as a worker would."""
        with self.turns.one():
            while job := run.jobs.filter(status="queued").first():
                _in_a_thread(tasks.work, job.pk, job.attempt)
            run.refresh_from_db()
            return run

    def diagnosed(self, name="Sums", teacher="procedural"):
        return self.work(runs.diagnose(self.draft(name, teacher), actor=self.actor))

    def planned(self, name="Sums", teacher="procedural"):
        return runs.sign_diagnosis(self.diagnosed(name, teacher), actor=self.actor)

    def reviewing(self, name="Sums", teacher="procedural"):
        """A stage with items that wait for a verdict."""
        run = runs.sign_curriculum(self.planned(name, teacher), actor=self.actor)
        stage = stages.open(run.stages.first(), actor=self.actor)
        self.work(run)
        stage.refresh_from_db()
        return stage

    def approved(self, stage):
        items.approve_all(stage, actor=self.actor, round=stage.round)
        for item in stage.items.filter(round=stage.round, verdict=""):
            items.reject(item, actor=self.actor, version=item.version, reason="flagged")
        return stages.train(stage, actor=self.actor, round=stage.round)

    def training(self, name="Sums"):
        """A stage in training, half-way, with its worker alive."""
        stage = self.approved(self.reviewing(name))
        job = stage.jobs.get(kind="train", status="queued")
        job = jobs.start(job.pk, job.attempt)
        for step in range(1, 21):
            self.step(job, step)
        jobs.beat(job, 20, 40, unit="steps")
        return stage, job

    def step(self, job, step):
        with self.turns.one():
            TrainingStep.objects.create(
                job=job,
                step=step,
                loss=2 * 0.93**step,
                learning_rate=5e-4 * (1 - step / 40),
                tokens_per_second=460,
            )

    def deciding(self, name="Sums"):
        """A stage whose evidence is in."""
        stage = self.approved(self.reviewing(name))
        self.work(stage.run)
        stage.refresh_from_db()
        return stage

    def finished(self, name="Sums"):
        stage = self.deciding(name)
        run = stage.run
        while run.status == "teaching":
            gate = stage.gates.get(round=stage.round)
            if gate.allows_advance:
                gates.advance(gate, actor=self.actor, round=stage.round)
            else:
                gates.waive(gate, actor=self.actor, round=stage.round, reason="Good enough.")
            self.work(run)
            stage = run.stages.exclude(status__in=["mastered", "waived"]).first()
            if stage is not None:
                stages.open(stage, actor=self.actor)
                self.work(run)
                stage.refresh_from_db()
                self.approved(stage)
                self.work(run)
                stage.refresh_from_db()
        return run

    def conclude(self, run):
        """The report, though stages are left untaught."""
        with self.turns.one():
            return self.work(runs.conclude(run, actor=self.actor, reason="enough for now"))

    def broken(self, name="Broken"):
        run = runs.diagnose(self.draft(name), actor=self.actor)
        job = run.jobs.get()
        jobs.fail(jobs.start(job.pk, job.attempt), "The disk is full. Free some space, then retry.")
        return run
