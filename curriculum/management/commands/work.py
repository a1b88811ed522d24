from __future__ import annotations

import importlib
import os
from argparse import ArgumentParser
from typing import Any

import django_rq
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_rq.utils import reset_db_connections
from redis.exceptions import ConnectionError as RedisUnreachable

from distill.cores import usable_cores

# Imported once, before the forks: each job then starts at once instead of after ten seconds.
HEAVY = ("torch", "transformers", "peft", "trl")


class Command(BaseCommand):
    help = "Work on the jobs of these queues, one after the other, until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "queues",
            nargs="+",
            choices=list(settings.RQ_QUEUES),
            help="teacher: writes items and sends messages; gpu: measures and trains, and writes "
            "items where the student tries questions first",
        )
        parser.add_argument("--burst", action="store_true", help="stop when no job is waiting")

    def handle(self, *, queues: list[str], burst: bool, **options: Any) -> None:
        # Read by OpenMP when torch is imported. Twice the threads are half the speed.
        os.environ.setdefault("OMP_NUM_THREADS", str(usable_cores()))
        os.environ.setdefault(
            "TOKENIZERS_PARALLELISM", "false"
        )  # its threads do not survive a fork
        try:
            worker = django_rq.get_worker(*queues)
            if "gpu" in queues:
                for module in HEAVY:
                    importlib.import_module(module)
            self.stdout.write(f"waiting for jobs: {', '.join(queues)}")
            reset_db_connections()  # a connection must not be shared by two processes
            worker.work(burst=burst, logging_level="WARNING")
        except RedisUnreachable as exc:
            raise CommandError(
                f"Redis cannot be reached ({exc}). Start `manage.py serve`, or set REDIS_URL."
            ) from exc
