"""What is told of long work where nobody watches: lines in a log."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from distill.commands import progress
from distill.commands.progress import EVERY_SECONDS, Bars, Lines, telling


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

        def strftime(self, _):
            return "12:00:00"

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_a_line_comes_now_and_then_and_says_how_long_it_will_take(clock, capsys):
    show = Lines()
    for done, seconds in ((8, 0), (16, 10), (24, 10), (40, 40), (248, 200)):
        clock.now += seconds
        show("asking [b]", done, 256)

    assert capsys.readouterr().err.splitlines() == [
        "12:00:00 asking [b]: 8 of 256",
        "12:00:00 asking [b]: 24 of 256, about 5 min left",  # 232 more at 16 in 20 s
        "12:00:00 asking [b]: 40 of 256, about 7 min left",
        "12:00:00 asking [b]: 248 of 256, about 9 s left",
    ]


def test_each_piece_of_work_has_its_own_pace_and_none_has_a_line_where_nothing_was_left(
    clock, capsys
):
    show = Lines()
    show("nothing", 0, 0)
    show("first", 0, 10)
    clock.now += EVERY_SECONDS
    show("second", 5, 10)
    clock.now += EVERY_SECONDS
    show("second", 6, 10)

    assert capsys.readouterr().err.splitlines() == [
        "12:00:00 first: 0 of 10",
        "12:00:00 second: 5 of 10",
        "12:00:00 second: 6 of 10, about 80 s left",
    ]


@pytest.mark.parametrize(("is_terminal", "kind"), [(True, Bars), (False, Lines)])
def test_bars_are_for_terminals(monkeypatch, is_terminal, kind):
    monkeypatch.setattr(progress.stderr, "_force_terminal", is_terminal)

    with telling() as show:
        assert isinstance(show, kind)
        show("work", 1, 2)
        with show.aside():
            pass


def test_a_run_whose_words_go_to_a_file_tells_what_it_does_while_it_does_it(tmp_path):
    said = tmp_path / "log"
    words = ["distil", "--student", "simulated", "--skills", "A1", "--items", "20"]
    run = "from distill.cli import app; app()"
    with said.open("w") as log:
        subprocess.run(
            [sys.executable, "-c", run, *words, "--out", tmp_path / "run"],
            stderr=log,
            stdout=log,
            check=True,
        )

    first = said.read_text().splitlines()[0]
    assert re.fullmatch(r"\d\d:\d\d:\d\d .+: \d+ of \d+", first)
