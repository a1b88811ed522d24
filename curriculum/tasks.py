"""RQ's side: thin jobs. Each fetches its row, has the engine work, and has a service move on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import transaction

from curriculum import engine, request_ids
from curriculum.errors import CurriculumError, Overtaken
from curriculum.models import Job, Prerequisite
from curriculum.services import (
    jobs,
    notices,
    policy,
    probing,
    prompts,
    results,
    rewriting,
    runs,
    stages,
    trials,
)
from curriculum.services.audit import Actor
from curriculum.states import ASIDE, JobKind

logger = logging.getLogger(__name__)

BEAT_EVERY_SECONDS = 0.5  # at most; the last beat of a piece of work is always written

KEEP = engine.Keep(
    probes=results.keep_probes,
    answers=results.keep_answers,
    items=results.keep_items,
    calls=results.keep_calls,
    tallies=results.keep_tallies,
    step=results.keep_step,
)


def work(job_id: int, attempt: int) -> None:
    """Do one attempt at a job. Running it twice does no harm: whoever is second finds the job
    taken, and what an attempt makes is saved by natural key.
    """
    queued = Job.objects.filter(pk=job_id).first()
    with request_ids.under(queued.rq_id if queued else ""):
        _work(job_id, attempt)


def _work(job_id: int, attempt: int) -> None:
    try:
        job = jobs.start(job_id, attempt)
    except CurriculumError as exc:
        logger.info("job %s, attempt %s: left alone (%r)", job_id, attempt, exc)
        return
    try:
        WORK[JobKind(job.kind)](job)
    except Overtaken:  # cancelled, or declared lost: not a failure of this job
        logger.info("job %s, attempt %s: overtaken", job_id, attempt)
        return
    except Exception as exc:
        job.refresh_from_db()  # it is not what it was about to be when its end failed
        if job.attempt == attempt:
            with suppress(CurriculumError):  # cancelled meanwhile, or lost
                jobs.fail(job, engine.sentence(exc))
        raise  # RQ keeps the traceback


def tell(notice_id: int, attempt: int) -> None:
    """Send one message. A second one for the same attempt finds it taken."""
    notices.deliver(notice_id, attempt)


@contextmanager
def _ending(job: Job) -> Iterator[None]:
    """What the job came to, its success and what policy decides on it: all of it or nothing, so
    that no run stands still whose worker is killed in here.
    """
    with transaction.atomic():
        yield
        jobs.succeed(job)
        policy.act(job.run, is_aside=job.kind in ASIDE - {JobKind.REWRITE})


def diagnose(job: Job) -> None:
    diagnosis = engine.diagnose(job.run, beat=_beat(job, "answers"), keep=KEEP)
    with _ending(job):
        results.keep_scores(diagnosis.scores)
        results.keep_diagnosis(job.run, diagnosis.skills)
        runs.diagnosed(job.run, actor=Actor.worker())


def probe(job: Job) -> None:
    diagnosis = engine.probe_more(job.run, **job.asked, beat=_beat(job, "answers"), keep=KEEP)
    with _ending(job):
        probing.probed(job.run, actor=Actor.worker(), diagnosis=diagnosis)


def trial(job: Job) -> None:
    edges = Prerequisite.objects.select_related("run", "source", "target")
    edge = edges.get(pk=job.asked["edge"])
    found = engine.run_trial(
        edge, job.asked["steps"], name=str(job.pk), beat=_beat(job, "steps and answers")
    )
    with _ending(job):
        trials.tested(edge, actor=Actor.worker(), found=found)


def try_prompt(job: Job) -> None:
    tried = engine.try_prompt(job.run, job, beat=_beat(job, "items"), keep=KEEP)
    with _ending(job):
        prompts.tried(job, actor=Actor.worker(), tried=tried)


def try_examples(job: Job) -> None:
    answers = engine.try_shown(job.run, job, beat=_beat(job, "answers"), keep=KEEP)
    with _ending(job):
        prompts.tried_examples(job, actor=Actor.worker(), answers=answers)


def write(job: Job) -> None:
    assert job.stage is not None
    engine.write(job.stage, beat=_beat(job, _written_in(job)), keep=KEEP)
    with _ending(job):
        stages.submit(job.stage, actor=Actor.worker())


def rewrite(job: Job) -> None:
    stage = job.run.stages.get(pk=job.asked["stage"])
    engine.rewrite(stage, job, beat=_beat(job, _written_in(job)), keep=KEEP)
    with _ending(job):
        rewriting.written(job, actor=Actor.worker())


def train(job: Job) -> None:
    assert job.stage is not None
    made = engine.train(job.stage, job, beat=_beat(job, "steps"), keep=KEEP)
    with _ending(job):
        checkpoint = results.keep_checkpoint(made)
        stages.trained(job.stage, actor=Actor.worker(), checkpoint=checkpoint)


def assess(job: Job) -> None:
    assert job.stage is not None
    evidence, scores = engine.assess(job.stage, beat=_beat(job, "answers"), keep=KEEP)
    with _ending(job):
        results.keep_scores(scores)
        stages.assessed(job.stage, actor=Actor.worker(), evidence=evidence)


def report(job: Job) -> None:
    figures, scores = engine.report(job.run, beat=_beat(job, "answers"), keep=KEEP)
    with _ending(job):
        results.keep_scores(scores)
        runs.finish(job.run, actor=Actor.worker(), report=figures)


WORK: dict[JobKind, Callable[[Job], None]] = {
    JobKind.DIAGNOSE: diagnose,
    JobKind.PROBE: probe,
    JobKind.TRIAL: trial,
    JobKind.TRY: try_prompt,
    JobKind.EXAMPLES: try_examples,
    JobKind.WRITE: write,
    JobKind.REWRITE: rewrite,
    JobKind.TRAIN: train,
    JobKind.ASSESS: assess,
    JobKind.REPORT: report,
}


def _written_in(job: Job) -> str:
    """The unit of what is written: a language model's items are counted a wave at a time."""
    return "answers" if engine.is_asked_in_words(job.run) else "items"


def _beat(job: Job, unit: str) -> Callable[[int, int], None]:
    """Progress and heartbeat, not more often than people can read. Raises `Overtaken`."""
    last, said = 0.0, (-1, -1)

    def beat(done: int, total: int) -> None:
        nonlocal last, said
        now = time.monotonic()
        is_end = done in (0, total) and (done, total) != said
        if is_end or now - last >= BEAT_EVERY_SECONDS:
            last, said = now, (done, total)
            jobs.beat(job, done, total, unit=unit)

    return beat
