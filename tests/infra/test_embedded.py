"""The services of one host as processes: started, stopped, killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
import redis

from ioa_web import runtime
from ioa_web.embedded import MARK, AlreadyRunning, ServicesError, end_orphans, services

pytestmark = [pytest.mark.redis, pytest.mark.django_db]
ROOT = Path(__file__).resolve().parents[2]


def serving(home):
    """The processes that serve `home`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def words(process):
    """Its command line; empty once it is gone, as what a worker starts for a moment may be."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def ask(home, command, *arguments):
    with closing(redis.Redis.from_url(runtime.redis_url(home), decode_responses=True)) as client:
        return getattr(client, command)(*arguments)


def free_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


@contextmanager
def serve(home):
    """`manage.py serve`, with all it starts, once it says that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", f"--listen=127.0.0.1:{free_port()}"],
        cwd=ROOT,
        env=os.environ | {"IOA_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # what a shell starts in the background ignores Ctrl-C, and so do its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    process.said = []
    try:
        for line in process.stdout:
            process.said.append(line)
            if line.startswith("Ready"):
                break
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        end_orphans(home)


def test_redis_answers_within_the_block_and_nothing_is_left_after_it(tmp_path):
    with services(home=tmp_path, web=False, workers=False):
        assert ask(tmp_path, "ping")
        assert len(serving(tmp_path)) >= 2

    assert serving(tmp_path) == []
    assert not (tmp_path / "redis.sock").exists()


def test_only_we_may_open_the_socket_and_there_is_no_port(tmp_path):
    with services(home=tmp_path, web=False, workers=False):
        assert (tmp_path / "redis.sock").stat().st_mode & 0o077 == 0
        assert ask(tmp_path, "config_get", "port") == {"port": "0"}


def test_an_address_that_is_empty_or_blank_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("REDIS_URL", " ")

    with services(home=tmp_path, web=False, workers=False):
        assert ask(tmp_path, "ping")


def test_where_another_redis_is_named_none_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    with services(home=tmp_path, web=False, workers=False):
        assert not (tmp_path / "redis.sock").exists()


def test_what_was_queued_is_there_after_a_second_start(tmp_path):
    with services(home=tmp_path, web=False, workers=False):
        ask(tmp_path, "rpush", "a-queue", "a-job")

    with services(home=tmp_path, web=False, workers=False):
        assert ask(tmp_path, "lrange", "a-queue", 0, -1) == ["a-job"]


def test_redis_alone_stays_until_it_is_told_to_stop(tmp_path):
    with services(home=tmp_path, web=False, workers=False) as alone:
        with pytest.raises(subprocess.TimeoutExpired):
            alone.supervisor.wait(2)  # ten times what honcho takes to find it has nothing to do
        assert ask(tmp_path, "ping")

    assert serving(tmp_path) == []


def test_a_second_start_beside_the_first_is_refused_and_does_it_no_harm(tmp_path):
    with services(home=tmp_path, web=False, workers=False):
        with (
            pytest.raises(AlreadyRunning, match="already running"),
            services(home=tmp_path, web=False, workers=False),
        ):
            pass

        assert ask(tmp_path, "ping")


def test_two_homes_run_side_by_side(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"

    with (
        services(home=one, web=False, workers=False),
        services(home=two, web=False, workers=False),
    ):
        ask(one, "set", "where", "one")
        assert ask(two, "get", "where") is None


def test_a_home_whose_path_is_too_long_for_a_socket_works_too(tmp_path):
    home = tmp_path.joinpath(*["deep"] * 30)

    with services(home=home, web=False, workers=False):
        assert ask(home, "ping")
        folder = runtime.redis_socket(home).parent
        assert folder.stat().st_mode & 0o077 == 0

    folder.rmdir()


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start(tmp_path):
    with services(home=tmp_path, web=False, workers=False) as first:
        left = [p for p in serving(tmp_path) if p.pid != first.supervisor.pid]
        # Killed, and the one who started it with it: nobody is there to clean up.
        first.supervisor.kill()
        first.supervisor.wait()
        assert left
        assert all(process.is_running() for process in left)

        with services(home=tmp_path, web=False, workers=False):
            gone, alive = psutil.wait_procs(left, timeout=30)
            assert alive == []
            assert ask(tmp_path, "ping")

    assert serving(tmp_path) == []


def test_an_address_that_is_taken_is_said_before_anything_starts(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"

        with (
            pytest.raises(ServicesError, match=f"cannot listen on {taken}.*IOA_LISTEN"),
            services(home=tmp_path, listen=taken, workers=False),
        ):
            pass

    assert serving(tmp_path) == []


def test_a_port_that_cannot_be_is_said_before_anything_starts(tmp_path):
    with (
        pytest.raises(
            ServicesError, match=r"cannot listen on 127.0.0.1:99999 \(ports go from 0 to 65535"
        ),
        services(home=tmp_path, listen="127.0.0.1:99999", workers=False),
    ):
        pass


def test_services_know_where_the_pages_are_and_read_no_file_of_variables_again(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("IOA_ENV_FILE", "read-by-us-in-another-folder.env")
    listen = f"127.0.0.1:{free_port()}"

    with services(home=tmp_path, listen=listen, workers=False) as running:
        running.wait_for_web()
        told = [process.environ() for process in serving(tmp_path)]

    assert {each["IOA_LISTEN"] for each in told} == {listen}
    assert {each["IOA_ENV_FILE"] for each in told} == {os.devnull}


def test_a_redis_that_does_not_start_is_said_and_nothing_is_left(tmp_path):
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly.aof").write_bytes(b"this is no journal\n" * 10)

    with (
        pytest.raises(ServicesError, match="did not start"),
        services(home=tmp_path, web=False, workers=False, log=tmp_path / "log"),
    ):
        pass

    assert "redis.log" in (tmp_path / "log").read_text()
    assert serving(tmp_path) == []


def test_serve_makes_a_first_start_and_ctrl_c_leaves_no_process(tmp_path):
    with serve(tmp_path) as first:
        assert any("Log in as admin, password" in line for line in first.said)
        names = " ".join(words(process) for process in serving(tmp_path))
        for expected in ("work teacher", "work gpu", "waitress", "redis-server"):
            assert expected in names
        processes = serving(tmp_path)

        first.send_signal(signal.SIGINT)

        assert first.wait(timeout=60) == 0
        assert psutil.wait_procs(processes, timeout=30)[1] == []

    with serve(tmp_path) as second:
        assert second.said[-1].startswith("Ready")
        assert not any("password" in line for line in second.said)
        processes = serving(tmp_path)

        second.send_signal(signal.SIGTERM)

        assert second.wait(timeout=60) == 0
        assert psutil.wait_procs(processes, timeout=30)[1] == []


def test_when_serve_is_killed_its_services_stop_by_themselves(tmp_path):
    with serve(tmp_path) as process:
        services_of_it = serving(tmp_path)
        assert len(services_of_it) >= 4

        process.kill()

        assert psutil.wait_procs(services_of_it, timeout=60)[1] == []


def test_when_one_service_ends_all_are_stopped_and_it_is_said(tmp_path):
    with serve(tmp_path) as process:
        [web] = [p for p in serving(tmp_path) if "waitress" in words(p)]
        services_of_it = serving(tmp_path)

        web.kill()

        said = process.stdout.read()
        assert process.wait(timeout=60) == 1
        assert "One of the services ended by itself" in said
        assert psutil.wait_procs(services_of_it, timeout=30)[1] == []


def test_when_redis_ends_all_are_stopped_and_it_is_said(tmp_path):
    with serve(tmp_path) as process:
        services_of_it = serving(tmp_path)
        [server] = [p for p in services_of_it if "redis-server" in words(p)]

        server.kill()

        said = process.stdout.read()
        assert process.wait(timeout=60) == 1
        assert "Redis has ended by itself" in said
        assert psutil.wait_procs(services_of_it, timeout=30)[1] == []
