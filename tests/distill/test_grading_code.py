from __future__ import annotations

import time

import pytest

from distill import grading
from distill.grading.code import Code, Unit, code_in
from distill.grading.sandbox import Limits, passes
from distill.records import Probe, Split

pytestmark = pytest.mark.slow

ON = {"code": Code(is_on=True)}
TESTS = "assert double(2) == 4\nassert double(-1) == -2"
RIGHT = "def double(n):\n    return n + n"


def graded(reference, text, graders=ON):
    return grading.grade(
        Probe("k", "s", Split.FINAL, "q", reference, "code"), text, graders=graders
    )


def test_it_is_off_unless_switched_on():
    value, error = graded(TESTS, RIGHT, grading.GRADERS)

    assert value == 0.0
    assert error.startswith("Running programs that a model wrote is switched off")
    assert graded(TESTS, RIGHT, grading.switched_on(run_code=True)) == (1.0, "")


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        f"Sure!\n```python\n{RIGHT}\n```\nIt adds n to itself.",
        f"```\nprint(1)\n```\nBetter:\n```py\n{RIGHT}\n```",
        f"```python\n{RIGHT}",  # cut off behind the code
        f"Run:\n```bash\npip install x\n```\nThen:\n```python\n{RIGHT}\n```",
        f"```text\n2 -> 4\n```\n```Python title=a.py\n{RIGHT}\n```\nas in\n```sh\npython a\n```",
        f"```python\n{RIGHT}\n```".replace("\n", "\r\n"),
        f"````python\n{RIGHT}\n````",
        f"{RIGHT}\n\nif __name__ == '__main__':\n    print(double(int(input())))",
        f"from __future__ import annotations\nfrom dataclasses import dataclass\n\n\n"
        f"@dataclass\nclass P:\n    x: int = 0\n\n\n{RIGHT}",
    ],
)
def test_code_that_passes_is_right_wherever_it_stands(text):
    assert graded(TESTS, text) == (1.0, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def double(n):\n    return n",
        "def double(n:",
        "I cannot do that.",
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "raise KeyboardInterrupt",
        RIGHT + "\nprint('ready')\nassert False",
        "x\0y",
        "#" * 50_000,
    ],
)
def test_code_that_fails_or_leaves_before_the_tests_is_wrong(text):
    assert graded(TESTS, text) == (0.0, "")


@pytest.mark.parametrize("answer", ["    return n + n\n", "return n + n", RIGHT])
def test_an_answer_may_go_on_from_a_stub_or_repeat_it(answer):
    stub = 'def double(n):\n    """Twice n."""\n'

    reference = Unit(TESTS, stub=stub, entry_point="double").dump()

    assert graded(reference, answer) == (1.0, "")


def test_an_answer_that_repeats_its_stub_has_what_the_stub_brought_along():
    stub = (
        "from typing import List\n\n\ndef half(n):\n    return n // 2\n\n\n"
        'def double(n: List[int]):\n    """Twice n."""\n'
    )
    reference = Unit(TESTS + "\nassert half(4) == 2", stub=stub, entry_point="double").dump()
    answer = "def double(n: List[int]):\n    return half(n) * 4 if n % 2 == 0 else n + n"

    assert graded(reference, answer) == (1.0, "")
    assert graded(reference, "def double(n):\n    return n") == (0.0, "")


def test_a_stub_that_cannot_be_closed_is_left_out():
    reference = Unit(TESTS, stub="def double(n):\n  if (\n", entry_point="double").dump()

    assert graded(reference, RIGHT) == (1.0, "")


def test_the_tests_are_main_though_the_answer_is_not():
    reference = f"if __name__ == '__main__':\n    assert double(2) == 5\n{TESTS}"

    assert graded(reference, RIGHT) == (0.0, "")


@pytest.mark.parametrize("reference", ["", "  ", '{"tests": ""}', '{"test": "x"}', "{}", "{"])
def test_a_reference_without_tests_is_an_error(reference):
    value, error = graded(reference, RIGHT)

    assert value == 0.0
    assert "the reference" in error


@pytest.mark.parametrize(
    "program",
    [
        "import socket; socket.socket()",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:1')",
        "import os; os.fork()",
        "import os\nwhile True: os.fork()",
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "import ctypes; ctypes.CDLL(None)",
        "import os; os.kill(os.getppid(), 0)",
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
        "open('/tmp/ioa-was-here', 'w')",
        "open('../ioa-was-here', 'w')",
        "import os; os.mkdir('/tmp/ioa-was-here')",
        "import os; os.rename('/etc/hostname', 'mine')",
        "import os; os.symlink('/etc', 'etc'); open('etc/ioa-was-here', 'w')",
        "for i in range(99): open(f'f{i}', 'w')",
        "open('a', 'w').write('x' * (2 << 20))",
        "'x' * (1 << 30)",
    ],
)
def test_what_a_program_may_not_do_fails(program):
    assert not passes(program, Limits())


def test_a_program_may_use_the_standard_library_and_its_folder():
    program = (
        "import collections, datetime, functools, heapq, itertools, json, math, random, re\n"
        "import os\n"
        "open('mine', 'w').write('x')\n"
        "assert open('mine').read() == 'x'\n"
        "assert os.listdir() == ['mine']\n"
        "os.remove('mine')\n"
        "assert not any(name.startswith(('IOA', 'HOME', 'PATH')) for name in os.environ)\n"
    )

    assert passes(program, Limits())


@pytest.mark.parametrize(
    "program", ["import time; time.sleep(600)", "while True: pass", "'(a+)+$'\nwhile 1: pass"]
)
def test_a_program_that_does_not_end_is_killed(program):
    started = time.monotonic()

    assert not passes(program, Limits(cpu_seconds=1, wall_seconds=8))  # to start counts, too
    assert time.monotonic() - started < 60


def test_the_last_block_that_holds_code_is_taken():
    assert code_in("```python\na\n```\n```\n\n```") == "a"
    assert code_in("no block") == "no block"
