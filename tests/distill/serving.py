"""A real HTTP server, in a thread of its own, that says what a test has it say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG_UP = "hang up"  # in place of an answer: close the connection without one


@dataclass
class Said:
    """One answer of the server."""

    body: Any = ""  # text and bytes as they are, anything else as JSON
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False  # close the connection after half of the body


def completion(text, **more):
    """A chat completion with `text` in it."""
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"choices": [choice | more.pop("choice", {})], **more}


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def words(self):
        return self.body["messages"][-1]["content"]


class Served:
    """`url` is asked; `asked` is what came; `answer(asked)` decides, or the next of `script`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self.script: list[Any] = []
        self.answer: Callable[[Asked], Any] = lambda asked: self.script.pop(0)
        self.vanish: Callable[[], None]  # stop listening, and hang up on whoever is connected


@contextmanager
def serving() -> Iterator[Served]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: a second one would wait for 40 ms

        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            asked = Asked(self.path, dict(self.headers), json.loads(raw))
            served.asked.append(asked)
            said = served.answer(asked)
            if said == HANG_UP or has_vanished.is_set():
                self.close_connection = True
                return
            said = said if isinstance(said, Said) else Said(said)
            body = said.body if isinstance(said.body, (str, bytes)) else json.dumps(said.body)
            raw = body.encode() if isinstance(body, str) else body
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(raw)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw[: len(raw) // 2] if said.is_cut else raw)
            self.close_connection |= said.is_cut

        def log_message(self, *words):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """A client that has hung up, as tests of time-outs do: nothing to tell."""

    has_vanished = threading.Event()

    def vanish():
        has_vanished.set()
        server.shutdown()
        server.socket.close()

    with Server(("127.0.0.1", 0), Handler) as server:
        served = Served(f"http://127.0.0.1:{server.server_port}/v1")
        served.vanish = vanish
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
