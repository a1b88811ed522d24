from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ioa_web import first_start
from ioa_web.embedded import services
from ioa_web.runtime import ServicesError


class Command(BaseCommand):
    help = "Run everything on this host: Redis, the workers and the web server. Ctrl-C stops all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--listen", default="", help="host:port, instead of IOA_LISTEN")

    def handle(self, *, listen: str, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        if done := first_start.migrate():
            self.stdout.write(f"The database has been brought up to date: {done} migrations.")
        if password := first_start.first_admin():
            self.stdout.write(f"First start. Log in as admin, password {password}")
            self.stdout.write("It is shown only now; change it in the menu under your name.")
        try:
            with services(listen=listen) as running:
                running.wait_for_web()
                self.stdout.write(self.style.SUCCESS(f"Ready: {running.url}"))
                self.stdout.write("Ctrl-C stops everything; a second start finds it all again.")
                running.wait()
        except ServicesError as exc:
            raise CommandError(str(exc)) from exc
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")
