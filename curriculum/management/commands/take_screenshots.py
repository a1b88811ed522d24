"""The pictures of the README and the docs, taken of this program on a run that exists."""

from __future__ import annotations

import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright

from curriculum import access
from curriculum.access import Role
from curriculum.models import Run
from ioa_web import first_start
from ioa_web.wsgi import application

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZE = {"width": 1280, "height": 800}  # px
PHONE = {"width": 390, "height": 844}  # px


class Command(BaseCommand):
    help = "Take the pictures of the docs in Chromium, of a run that exists (the last one)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--run", type=int, help="number of the run; else the last that taught")
        parser.add_argument("--user", help="whose pages; else the first who may approve")
        parser.add_argument("--out", type=Path, default=settings.BASE_DIR / "docs" / "screenshots")
        parser.add_argument("--chromium", default=CHROMIUM)

    def handle(self, *, out: Path, chromium: str, **options: Any) -> None:
        if not Path(chromium).is_file():
            raise CommandError(f"There is no Chromium at {chromium}: say where it is (--chromium).")
        run = _find_run(options["run"])
        if not options["user"] and (password := first_start.first_admin()):
            self.stdout.write(f"Made the user admin, password {password} (shown only now).")
        user = _find_user(options["user"])
        plan = _plan(run)  # before Playwright: its loop lets nobody ask the database
        out.mkdir(parents=True, exist_ok=True)
        with _session(user) as session, _served() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            for scheme, size, shots in plan:
                context = browser.new_context(
                    base_url=address, viewport=size, color_scheme=scheme, device_scale_factor=1.5
                )
                cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}
                context.add_cookies([cookie])  # type: ignore[list-item]
                page = context.new_page()
                for name, url in shots:
                    _take(page, url, out / f"{name}.png")
                    self.stdout.write(f"{out / name}.png")
                context.close()
            browser.close()


def _plan(run: Run) -> list[tuple[Any, Any, list[tuple[str, str]]]]:
    """(scheme, size, [(name, address)]): the pages of a run, by the names the docs use."""

    def of(name: str, pk: int) -> str:
        return reverse(f"curriculum:{name}", args=[pk])

    stage = run.stages.filter(gates__isnull=False).order_by("-position").first()
    if stage is None:
        raise CommandError(f"No gate of “{run}” has been reached: choose a run that has taught.")
    review = f"{of('stage-review', stage.pk)}?verdict=all"
    shots = [
        ("runs", reverse("curriculum:run-list")),
        ("run", run.get_absolute_url()),
        ("diagnosis", of("run-diagnosis", run.pk)),
        ("graph", of("run-graph", run.pk)),
        ("curriculum", of("run-curriculum", run.pk)),
        ("review", review),
        ("review-list", f"{review}&view=list"),
        ("training", of("stage-training", stage.pk)),
        ("gate", of("stage-gate", stage.pk)),
        ("report", of("run-report", run.pk)),
        ("audit", of("run-audit", run.pk)),
    ]
    dark = [("gate-dark", of("stage-gate", stage.pk)), ("run-dark", run.get_absolute_url())]
    phone = [("review-phone", review)]
    return [("light", SIZE, shots), ("dark", SIZE, dark), ("light", PHONE, phone)]


def _take(page: Page, url: str, path: Path) -> None:
    page.goto(url)
    if page.query_selector("[data-figure]"):
        page.wait_for_selector("[data-points]")
    page.screenshot(path=path)


def _find_run(pk: int | None) -> Run:
    taught = Run.objects.filter(stages__gates__isnull=False).distinct().order_by("-pk")
    run = taught.filter(pk=pk).first() if pk else taught.first()
    if run is None:
        raise CommandError("There is no such run. `make demo` makes one.")
    return run


def _find_user(name: str | None) -> User:
    people = User.objects.filter(is_active=True).order_by("pk")
    if name:
        people = people.filter(username=name)
    for user in people:
        if access.may(user, Role.APPROVER, None):
            return user
    raise CommandError("There is nobody of that name who may approve.")


@contextmanager
def _session(user: User) -> Iterator[str]:
    """A session for as long as the pictures take: no password is needed, none is changed."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    assert session.session_key is not None
    try:
        yield session.session_key
    finally:
        session.delete()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing: the pictures are told one by one."""


@contextmanager
def _served() -> Iterator[str]:
    # Not waitress, which `serve` has: it can be closed by no thread but its own.
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
