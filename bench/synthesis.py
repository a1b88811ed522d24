"""What it costs to write items through the product, over the bare requests to the same server.

    python bench/synthesis.py [--items 1000] [--seconds 0.5]

A server in a process of its own answers each request after so many seconds, as a language model
would. A worker's job writes items with it: prompts, checks, a database, progress. Then a bare
client sends the very same requests to the same server, as many at a time. Prints both in items a
second and the ratio; 1.00 is a product that costs nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

AT_ONCE = 8  # requests: what the backend does when nothing else is said
SUM = re.compile(r"(\d+) ([+-]) (\d+)")
N = re.compile(r"Write (\d+) different exercises")


def serve(seconds: float, port: Any) -> None:
    """Answer requests for items with sums, anything else with a number, after `seconds`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            words = body["messages"][-1]["content"]
            time.sleep(seconds)
            message = {"role": "assistant", "content": said(words)}
            usage = {"prompt_tokens": len(words) // 4, "completion_tokens": 200}
            raw = json.dumps({"choices": [{"message": message}], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *words: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        port.send(server.server_port)
        server.serve_forever()


def said(words: str) -> str:
    wanted = N.search(words)
    if wanted is None:
        a, sign, b = SUM.search(words).groups()
        return f"Answer: {int(a) + int(b) if sign == '+' else int(a) - int(b)}"
    draw = random.Random(words)
    items = []
    for _ in range(int(wanted[1])):
        a, b = draw.randint(10_000, 99_999), draw.randint(10_000, 99_999)
        items.append({"question": f"What is {a} + {b}?", "steps": [], "answer": str(a + b)})
    return json.dumps({"items": items})


def through_the_product(url: str, n: int) -> tuple[float, int, list[Any]]:
    """(seconds, items, requests) of the job that writes a round of `n` items."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from curriculum import engine, tasks
    from curriculum.models import Item, TeacherCall
    from curriculum.services import jobs, runs, stages
    from curriculum.services.audit import Actor

    call_command("migrate", verbosity=0)
    actor = Actor.person(User.objects.create(username="bench"))
    settings = engine.default_settings()
    settings["budget"] |= {"items": n, "items_per_round": n, "items_per_skill": n}
    settings["probing"] |= {"diagnose_probes": 16}
    run = runs.create(
        actor=actor,
        name="bench",
        domain="foundations",
        teacher=f"openai:m@{url}",
        student="simulated",
        settings=settings,
        skills=["A4"],
    )
    runs.diagnose(run, actor=actor)
    _work(run, jobs, tasks)
    run.refresh_from_db()
    runs.sign_diagnosis(run, actor=actor)
    runs.sign_curriculum(run, actor=actor)
    stage = stages.open(run.stages.get(), actor=actor)
    began = time.perf_counter()
    _work(run, jobs, tasks)
    seconds = time.perf_counter() - began
    bodies = [
        {"model": "m", "messages": [{"role": "user", "content": call.prompt}]}
        for call in TeacherCall.objects.filter(stage=stage)
    ]
    return seconds, Item.objects.filter(stage=stage).count(), bodies


def _work(run: Any, jobs: Any, tasks: Any) -> None:
    job = run.jobs.get(status="queued")
    tasks.work(job.pk, job.attempt)


async def bare(url: str, bodies: list[Any], concurrency: int) -> float:
    """Seconds for the same requests, nothing done with the replies."""
    import httpx2

    turn = asyncio.Semaphore(concurrency)
    limits = httpx2.Limits(max_connections=concurrency)

    async def ask(client: httpx2.AsyncClient, body: Any) -> None:
        async with turn:
            response = await client.post(f"{url}/chat/completions", json=body)
            response.raise_for_status()

    async with httpx2.AsyncClient(limits=limits, timeout=60) as client:
        began = time.perf_counter()
        await asyncio.gather(*(ask(client, body) for body in bodies))
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.5)
    chosen = parser.parse_args()
    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(chosen.seconds, theirs), daemon=True
    )
    server.start()
    url = f"http://127.0.0.1:{mine.recv()}/v1"
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "ioa_web.settings",
            "IOA_HOME": home,
            "IOA_TEACHERS": f"openai:m@{url}",
            "DATABASE_URL": f"sqlite:///{home}/bench.sqlite3",
        }
        seconds, items, bodies = through_the_product(url, chosen.items)
    alone = asyncio.run(bare(url, bodies, AT_ONCE))
    server.terminate()
    figures = {
        "items": items,
        "requests": len(bodies),
        "at_once": AT_ONCE,
        "seconds_a_request": chosen.seconds,
        "product_items_per_second": round(items / seconds, 2),
        "bare_items_per_second": round(items / alone, 2),
        "ratio": round(alone / seconds, 3),
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
