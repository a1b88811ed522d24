from __future__ import annotations

import importlib
import os
import threading
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import fakeredis
import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from playwright.sync_api import expect, sync_playwright
from rq import Queue

from curriculum import queues
from tests.browser.school import School

# Playwright's loop runs in the thread in which a test asks the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
audit_lock = importlib.import_module("curriculum.migrations.0002_audit_append_only")
AXE = Path(__file__).parent.parent / "vendor" / "axe" / "axe.min.js"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Nothing here is a test of speed, and a machine may have much else to do. `expect` has a time of
# its own: five seconds, whatever a context is told.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Turns:
    """Requests one after the other, and how many there are at the moment."""

    def __init__(self):
        self.here, self._lock, self._count = 0, threading.RLock(), threading.Lock()

    @contextmanager
    def one(self):
        self._come(1)
        try:
            with self._lock:
                yield
        finally:
            self._come(-1)

    def _come(self, n):
        with self._count:
            self.here += n

    def wait(self):
        """Until the last request of a page that was closed is answered: the tables are emptied
        next. One may be on its way still, so that nothing has to come for a moment.
        """
        until, quiet_since = time.monotonic() + 60, time.monotonic()
        while time.monotonic() - quiet_since < 0.1:
            assert time.monotonic() < until, f"{self.here} requests are still not answered"
            if self.here:
                quiet_since = time.monotonic()
            time.sleep(0.01)


@pytest.fixture(autouse=True)
def in_turn(monkeypatch):
    """Pages ask while a heartbeat is under way. The server's threads share one connection to the
    database in memory, and would be in each other's transactions: they take turns.
    """
    turns, handle = Turns(), WSGIHandler.__call__

    def one_by_one(self, environ, start_response):
        with turns.one():
            return handle(self, environ, start_response)

    monkeypatch.setattr(WSGIHandler, "__call__", one_by_one)
    return turns


@pytest.fixture
def no_redis(monkeypatch):
    """Queued jobs stay rows: a test does them itself, when it wants them done."""
    connection = fakeredis.FakeStrictRedis()
    monkeypatch.setattr(
        queues.django_rq, "get_queue", lambda name: Queue(name, connection=connection)
    )


@pytest.fixture
def school(no_redis, transactional_db, in_turn):
    _execute(audit_lock.LOCK)
    yield School(in_turn)
    # The log is append-only, and these tables are emptied now. Tests like these come last.
    _execute(audit_lock.UNLOCK)


def _execute(statements):
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)


@pytest.fixture
def visit(chromium, live_server, client, in_turn):
    """Open a browser as a person: `visit(user, width=390)`. It fails the test for a request that
    leaves the server and for anything that a page complains of; not of answers that the test
    breaks, with `is_broken`.
    """
    contexts, left, complaints = [], [], []

    def open_as(user, **options):
        width, is_broken = options.pop("width", 1280), options.pop("is_broken", False)
        context = chromium.new_context(
            base_url=live_server.url, viewport={"width": width, "height": 900}, **options
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if user is not None:
            client.cookies.clear()  # or the login ends the session of who came before
            with in_turn.one():  # who came before may have a page open, which asks
                client.force_login(user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session}
            context.add_cookies([{**cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("request", lambda request: left.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if not is_broken:
            page.on("console", lambda said: complaints.append(said.text) if _is_wrong(said) else 0)
        return page

    yield open_as
    for context in contexts:
        context.close()
    _ask(live_server)
    in_turn.wait()
    outside = [url for url in left if not url.startswith((live_server.url, "data:", "blob:"))]
    assert not outside
    assert not complaints


def _ask(server):
    """Wait for one answer more: to come to us, the server has taken up all that was asked before,
    however long that takes on this machine.
    """
    with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=60)) as web:
        web.request("GET", "/healthz")
        web.getresponse().read()


def _is_wrong(said):
    # Browser and htmx report each 4xx as well; those are what a test is about.
    refused = ("Failed to load resource", "Response Status Error Code 4")
    return said.type == "error" and not said.text.startswith(refused)


@pytest.fixture(scope="session")
def violations():
    """What axe finds against WCAG 2.2 A and AA on a page, a line each."""
    source = AXE.read_text()
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    def find(page):
        page.evaluate(source)  # by the debugger, so that the page's own policy stays in force
        found = page.evaluate("tags => axe.run({runOnly: tags})", rules)
        return [
            f"{page.url}: {each['id']}: {node['html'][:200]} {node['failureSummary']}"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    return find
