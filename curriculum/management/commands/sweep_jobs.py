from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from curriculum.services import jobs, notices


class Command(BaseCommand):
    help = (
        "Declare running jobs lost whose worker has been silent for too long, and send queued "
        "jobs again that the queue has forgotten."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say which")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        for job in jobs.silent() if dry_run else jobs.sweep():
            self.stdout.write(f"lost: job {job.pk} ({job.get_kind_display()}) of {job.run}")
        try:
            waiting = jobs.orphans() if dry_run else jobs.requeue_orphans()
            messages = notices.due() if dry_run else notices.resend()
        except RedisError as exc:
            raise CommandError(
                "The queue cannot be reached, so nothing was sent again. Start it, then run "
                f"this once more. ({exc})"
            ) from exc
        for job in waiting:
            self.stdout.write(f"sent again: job {job.pk} ({job.get_kind_display()}) of {job.run}")
        for message in messages:
            self.stdout.write(f"tried again: message {message.pk} ({message}) of {message.run}")
