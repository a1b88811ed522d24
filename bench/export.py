"""What it costs to export items: peak memory and rows a second, over a database made for it.

    python bench/export.py [--items 1000000] [--formats messages,parquet,csv] [--archive]

Rows are made in bulk in a SQLite file of its own. Each format then runs in a process of its own, so
that its peak is its own, and writes to a file. Prints a line for each.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


def make(items: int) -> None:
    """A run with as many approved items of usual length, in one stage."""
    from django.core.management import call_command

    from curriculum.models import Item, Run, Skill, Stage

    call_command("migrate", verbosity=0)
    run = Run.objects.create(name="Many", domain="foundations", teacher="t", student="simulated")
    stage = Stage.objects.create(run=run, position=1, title="Sums", status="mastered")
    skill = Skill.objects.create(run=run, key="A2", title="Add")
    checks = [
        {"id": id, "version": 1, "passed": True, "detail": ""}
        for id in ("parses", "answer", "duplicate", "leak")
    ]
    for start in range(0, items, 5000):
        Item.objects.bulk_create(
            Item(
                stage=stage,
                round=0,
                skill=skill,
                key=f"i{n:07}",
                question=f"A baker has {n} loaves and bakes {n % 97} more. How many are there?",
                solution=f"{n} and {n % 97} more: {n} + {n % 97} = {n + n % 97}. "
                f"The ones first, then the tens, each column by itself. Answer: {n + n % 97}",
                answer=str(n + n % 97),
                origin="bench",
                checks=checks,
                verdict="approved",
            )
            for n in range(start, min(start + 5000, items))
        )


def one(name: str, out: Path) -> None:
    """Write the run in one format, and say what it took."""
    from curriculum.exports import archive, items, package
    from curriculum.exports.formats import FORMATS
    from curriculum.models import Item, Run

    run, before = Run.objects.get(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n, started = Item.objects.count(), time.perf_counter()
    if name == "archive":
        with out.open("wb") as file:
            archive.write(run, file)
    else:
        files = package.dataset(items.approved(run), FORMATS[name], licence="undecided")
        with out.open("wb") as file:
            file.writelines(package.zipped(files, folder="many"))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say(
        f"{name}: {n:,} items, {seconds:.1f} s, {n / seconds:,.0f} items/s, "
        f"{out.stat().st_size / 1e6:.0f} MB, peak {peak / 1024:.0f} MiB "
        f"({(peak - before) / 1024:+.0f} MiB over the start)"
    )


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--formats", default="messages,parquet,csv")
    parser.add_argument("--archive", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.one:
        _start()
        return one(said.one, Path(os.environ["IOA_HOME"]) / "out")
    with tempfile.TemporaryDirectory() as home:
        os.environ["IOA_HOME"] = home
        _start()
        started = time.perf_counter()
        make(said.items)
        say(f"made in {time.perf_counter() - started:.0f} s")
        for name in [*said.formats.split(","), *(["archive"] if said.archive else [])]:
            subprocess.run([sys.executable, __file__, "--one", name], check=True)
    return None


def _start() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ioa_web.settings")
    django.setup()


if __name__ == "__main__":
    main()
