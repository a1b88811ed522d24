"""The backend `vllm`: a process that is started, asked, shared, broken and ended.

vLLM itself is played by tests/distill/vllm_double.py; bench/vllm_cpu.sh asks the real one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from distill import roster
from distill.backends.base import Prompt
from distill.backends.vllm import VllmBackend
from distill.errors import BackendUnavailable, ModelFolderBroken, PromptRefused
from distill.settings import Sampling
from tests.distill import vllm_double

PROCESS = [Prompt("process")]
ENOUGH = Sampling(max_tokens=100)


@pytest.fixture
def python(tmp_path):
    with vllm_double.installed(tmp_path) as python:
        yield python


@pytest.fixture
def made(tmp_path, python):
    """Make a backend; closed in the end."""
    backends = []

    def make(**options):
        backends.append(VllmBackend(vllm_double.model(tmp_path), python=python, **options))
        return backends[-1]

    yield make
    for backend in backends:
        backend.close()


def said(backend, text):
    (reply,) = backend.generate([Prompt(text, ENOUGH)])
    return reply.text


def process_of(backend):
    """The number of the process that answers."""
    return int(said(backend, "process").split()[-1])


def gone(pid):
    """Whether a process ends within a minute."""
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(60)
    return not psutil.pid_exists(pid)


def test_nothing_is_started_before_something_is_asked_and_then_once(made):
    backend = made()
    children = {child.pid for child in psutil.Process().children()}

    assert backend.generate([]) == []
    assert {child.pid for child in psutil.Process().children()} == children
    assert process_of(backend) == process_of(backend)


def test_closing_ends_the_process(made):
    backend = made()
    pid = process_of(backend)

    backend.close()

    assert gone(pid)
    assert process_of(backend) != pid


def test_a_process_that_dies_is_a_sentence_and_another_is_started(made):
    backend = made()

    with pytest.raises(
        BackendUnavailable, match=r"has ended \(status 7\)\. Its last words: “start"
    ):
        backend.generate([Prompt("please die")])

    assert said(backend, "hello").endswith("hello")


def test_what_vllm_raises_is_a_sentence_and_the_process_is_started_anew(made):
    backend = made()
    pid = process_of(backend)

    with pytest.raises(BackendUnavailable, match="RuntimeError: out of memory and more. Check the"):
        backend.generate([Prompt("please explode")])

    assert gone(pid)
    assert process_of(backend) != pid


def test_a_model_that_cannot_be_loaded_is_a_sentence(made):
    with pytest.raises(BackendUnavailable, match="cannot go on with .*RuntimeError: no memory"):
        made(fail="no memory").generate(PROCESS)


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        (Prompt("word " * 200), "it has 201 tokens, and this model reads fewer than 100"),
        (Prompt("form", schema={"type": "odd"}), "the schema is not supported"),
    ],
)
def test_a_prompt_that_is_refused_leaves_the_process_as_it_is(made, prompt, says):
    backend = made()
    pid = process_of(backend)

    with pytest.raises(PromptRefused, match=says):
        backend.generate([Prompt("hello"), prompt])

    assert process_of(backend) == pid


def test_an_interrupted_answer_is_not_taken_for_that_to_the_next_prompt(made, monkeypatch):
    backend = made()
    pid = process_of(backend)
    process = backend._engine._process

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(process.stdout, "readline", interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        backend.generate([Prompt("hello")])

    assert gone(pid)
    assert said(backend, "another").endswith("another")


STARTER = """
import sys, time
from pathlib import Path
from distill.backends.base import Prompt
from distill.backends.vllm import VllmBackend

backend = VllmBackend(Path(sys.argv[1]), python=sys.argv[2])
print(backend.generate([Prompt("process")])[0].text, flush=True)
backend.generate([Prompt("hang")])
"""


def test_the_process_ends_with_the_one_that_started_it_in_the_middle_of_an_answer(tmp_path, python):
    model = vllm_double.model(tmp_path)
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, model, python], stdout=subprocess.PIPE, text=True
    )
    pid = int(starter.stdout.readline().split()[-1])
    time.sleep(0.2)  # most likely in the middle of it; before it, it has to end as well
    starter.kill()
    starter.communicate()

    assert gone(pid)


# --- adapters -----------------------------------------------------------------------------------


def test_an_adapter_is_asked_for_by_its_folder(made, tmp_path):
    backend = made(adapter=vllm_double.adapter(tmp_path, rank=20))

    options = json.loads(said(backend, "options"))

    assert said(backend, "hello").startswith("adapter 1 You say:")
    assert (options["enable_lora"], options["max_lora_rank"]) == (True, 32)


def test_adapters_share_a_process_which_ends_with_the_last_of_them(made, tmp_path):
    base = made(rank=16)
    first = base.with_adapter(vllm_double.adapter(tmp_path, "first"))
    second = base.with_adapter(vllm_double.adapter(tmp_path, "second"))
    pid = process_of(base)

    assert said(first, "hello").startswith("first 1")
    assert said(second, "hello").startswith("second 2")
    assert said(base, "hello").startswith("You say")
    assert {process_of(first), process_of(second)} == {pid}
    base.close()
    first.close()
    first.close()
    assert process_of(second) == pid
    second.close()
    assert gone(pid)


def test_an_adapter_that_was_trained_again_in_its_place_is_another(made, tmp_path):
    folder = vllm_double.adapter(tmp_path)
    backend = made(adapter=folder)

    before = said(backend, "hello")
    os.utime(folder / "adapter_model.safetensors", (1, 1))

    assert (before.split()[:2], said(backend, "hello").split()[:2]) == (
        ["adapter", "1"],
        ["adapter", "2"],
    )


def test_an_adapter_without_room_or_without_a_rank_is_a_sentence(made, tmp_path):
    folder = vllm_double.adapter(tmp_path, rank=64)

    with pytest.raises(BackendUnavailable, match="has rank 64, and .* for no adapters"):
        made().with_adapter(folder)
    with pytest.raises(BackendUnavailable, match="has rank 64, and .* for rank 8 at most"):
        made(rank=8).with_adapter(folder)
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(BackendUnavailable, match="does not say its rank"):
        made(adapter=folder)
    vllm_double.adapter(tmp_path, rank=1000)
    with pytest.raises(BackendUnavailable, match="up to rank 512, not 1000"):
        made(adapter=vllm_double.adapter(tmp_path, rank=1000))
    with pytest.raises(ModelFolderBroken, match="is no adapter"):
        made(adapter=tmp_path)


# --- by name ------------------------------------------------------------------------------------


def test_a_model_is_found_by_its_name_where_vllm_is_installed(tmp_path, monkeypatch):
    vllm_double.model(tmp_path)
    monkeypatch.setattr("distill.backends.vllm.find_spec", lambda name: object())

    assert roster.find_teacher("vllm:Some_Model", tmp_path).name == "Some_Model"
    student = roster.find_student("vllm:Some_Model", tmp_path)
    assert isinstance(student.answering(None), VllmBackend)


def test_without_vllm_a_sentence_says_how_to_install_it(tmp_path, monkeypatch):
    vllm_double.model(tmp_path)
    monkeypatch.setattr("distill.backends.vllm.find_spec", lambda name: None)

    for find in (roster.find_teacher, roster.find_student, roster.find_model):
        with pytest.raises(
            BackendUnavailable, match=r"not installed\. Install it with .venv/bin/pip"
        ):
            find("vllm:Some_Model", tmp_path)
    with pytest.raises(BackendUnavailable, match="vLLM is not installed"):
        VllmBackend(vllm_double.model(tmp_path)).generate(PROCESS)
