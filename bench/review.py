"""Seconds that the review queue takes with a round of many items, on a database of its own.

    python bench/review.py --items 10000

One item after the other as a reviewer's browser asks for it (the whole view, rendered, without
the network), then all that match a filter at once and back, words replaced in all, and the
freezing of what a training sees. SQLite in a file, one process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

QUERIES = {
    "in the order written": {},
    "failed checks first": {"sort": "failed"},
    "shortest first": {"sort": "shortest"},
    "with words searched for": {"q": "answer"},
}
HTMX = {"HX-Request": "true"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--each", type=int, default=30, help="verdicts one by one, of each order")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"IOA_HOME": folder, "IOA_ENV_FILE": os.devnull, "IOA_LOG_LEVEL": "CRITICAL"}
        os.environ |= {"DJANGO_SETTINGS_MODULE": "ioa_web.settings", "DATABASE_URL": ""}
        import django

        django.setup()
        figures = measure(given.items, given.each)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def measure(n: int, each: int) -> dict[str, object]:
    from django.core.management import call_command
    from django.test import Client

    from curriculum.models import ReviewAction

    call_command("migrate", verbosity=0)
    stage, user = school(n)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)

    def post(verb: str, **form: object) -> None:
        response = client.post(f"/stages/{stage.pk}/{verb}/", {"round": 0, **form}, headers=HTMX)
        assert response.status_code == 200, response.text

    def undo() -> None:
        post("undo", act=ReviewAction.objects.latest("pk").pk)

    figures: dict[str, object] = {"items": n}
    for name, query in QUERIES.items():
        walls, cpus = zip(*one_by_one(client, stage, query, each), strict=True)
        figures[f"verdict and next item, {name}, ms"] = {
            "median": round(1000 * statistics.median(walls), 1),
            "worst": round(1000 * max(walls), 1),
            "median of CPU": round(1000 * statistics.median(cpus), 1),
        }
    acts: dict[str, Callable[[], object]] = {
        "approve all that match, flagged left": lambda: post("approve-all"),
        "undo it": undo,
        "reject all that match": lambda: post("reject-all", reason="too easy"),
        "undo that": undo,
        "tag all": lambda: post("tag-all", word="odd"),
        "take it off": undo,
        **replacing(stage, user),
        "freeze and queue a training": freezing(stage, user),
    }
    for name, act in acts.items():
        wall, cpu = timed(act)
        figures[f"{name}, s"] = {"seconds": round(wall, 2), "of CPU": round(cpu, 2)}
    return figures


def school(n: int) -> tuple[object, object]:
    """A stage in review: two skills, every twentieth item flagged. And who reviews it."""
    from django.contrib.auth.models import User

    from curriculum import engine
    from curriculum.models import Checkpoint, Item, Run, Skill, Stage, StageSkill
    from curriculum.models.items import spaced

    run = Run.objects.create(
        name="Sums",
        domain="foundations",
        teacher="procedural",
        student="simulated",
        status="teaching",
        settings=engine.default_settings(),
    )
    Checkpoint.objects.create(run=run, is_current=True)
    stage = Stage.objects.create(run=run, position=1, title="Sums", status="reviewing")
    skills = [Skill.objects.create(run=run, key=key, title=key) for key in ("A2", "S2")]
    for skill in skills:
        StageSkill.objects.create(stage=stage, skill=skill)

    def item(i: int) -> Item:
        right, flagged = i + 1, i % 20 == 0
        check = {"id": "answer", "version": 1, "passed": not flagged, "detail": ""}
        return Item(
            stage=stage,
            round=0,
            skill=skills[i % 2],
            key=f"item-{i:06}",
            question=f"What is {i} + 1?",
            solution=f"{i} and one more make {right}. " * 4 + f"Answer: {right}",
            answer=str(right),
            operations=["decompose"] if i % 3 else ["limit_load"],
            origin="procedural",
            level=1 + i % 3,
            checks=[check, {"id": "parses", "version": 1, "passed": True, "detail": ""}],
            failed=spaced(["answer"] if flagged else []),
            is_flagged=flagged,
        )

    Item.objects.bulk_create((item(i) for i in range(n)), batch_size=1000)
    user = User.objects.create_superuser("ada", password=None)
    return stage, user


def one_by_one(
    client: object, stage: object, query: dict[str, str], each: int
) -> list[tuple[float, float]]:
    """Approve the first of the queue and get the next, so often; seconds of each request."""
    from curriculum.services.matching import Queue

    times = []
    queue = Queue(0, **query)
    for _ in range(each):
        item = queue.walk(stage).filter(is_leak=False).first()
        form = {"round": 0, "version": item.version, **query}
        send = partial(client.post, f"/items/{item.pk}/approve/", form, headers=HTMX)
        times.append(timed(send))
    return times


def replacing(stage: object, user: object) -> dict[str, Callable[[], object]]:
    from curriculum.services import undoing, words
    from curriculum.services.audit import Actor
    from curriculum.services.matching import Queue
    from curriculum.services.reviewing import digest

    actor, queue = Actor.person(user), Queue(0, verdict="all")
    what = words.Replacement("What is", "How much is")
    seen: list[str] = []

    def preview() -> None:
        found = words.preview(stage, queue, what)
        seen.append(digest([(item.pk, item.version) for item, _, _ in found]))

    def replace() -> None:
        words.replace(stage, actor=actor, queue=queue, replacement=what, seen=seen[0])

    return {
        "preview a replacement in all": preview,
        "replace in all, checks included": replace,
        "undo the replacement": lambda: undoing.undo(
            undoing.last_action(stage, 0, user), actor=actor
        ),
    }


def freezing(stage: object, user: object) -> Callable[[], object]:
    from curriculum.models import Item
    from curriculum.services import stages
    from curriculum.services.audit import Actor

    def freeze() -> None:
        Item.objects.filter(verdict="", is_flagged=False).update(verdict="approved")
        Item.objects.filter(verdict="").update(verdict="rejected")
        stages.train(stage, actor=Actor.person(user), round=0)

    return freeze


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's CPU: other work on the machine adds to one."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
