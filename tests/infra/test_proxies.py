"""Where a request comes from, when a proxy is in front: through the real web server."""

from __future__ import annotations

import json
import threading
import urllib.request

import pytest
from django.core.handlers.wsgi import WSGIRequest
from waitress.adjustments import Adjustments
from waitress.server import create_server

from ioa_web.addresses import address_of
from ioa_web.embedded import trusted

TOLD = {"X-Forwarded-For": "6.6.6.6, 10.1.2.3", "X-Forwarded-Proto": "https"}


def application(environ, start_response):
    request = WSGIRequest(environ)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([address_of(request), request.is_secure()]).encode()]


@pytest.fixture
def ask():
    servers = []

    def ask(proxies):
        said, _ = Adjustments.parse_args(["--listen=127.0.0.1:0", *trusted(proxies)])
        server = create_server(
            application, **{k: v for k, v in said.items() if k not in ("help", "call")}
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append((server, thread))
        url = f"http://127.0.0.1:{server.effective_port}/"
        with urllib.request.urlopen(urllib.request.Request(url, headers=TOLD)) as answer:
            return json.load(answer)

    yield ask
    for server, thread in servers:
        # In its own thread, which ends with it. Under the lock: the thread that answered pulls too,
        # and what it wakes may close the trigger between our word and our pull.
        with server.trigger.lock:
            server.trigger.thunks.append(server.close)
            server.pull_trigger()
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [(0, ["127.0.0.1", False]), (1, ["10.1.2.3", True]), (2, ["6.6.6.6", True])],
)
def test_it_is_told_by_the_last_proxies_and_by_nobody_else(ask, settings, proxies, expected):
    settings.IOA_PROXIES = proxies
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert ask(proxies) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [("", None), ("10.1.2.3", None), ("x, y", None), ("6.6.6.6, 10.1.2.3, 10.1.2.4", "10.1.2.3")],
)
def test_fewer_words_than_proxies_or_none_at_all_is_no_address(rf, settings, told, expected):
    settings.IOA_PROXIES = 2

    assert address_of(rf.get("/", headers={"X-Forwarded-For": told})) == expected
