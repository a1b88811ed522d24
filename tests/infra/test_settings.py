"""The settings as another process reads them: with an environment of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SHOW = """
import json
from ioa_web import settings
names = ("DEBUG", "ALLOWED_HOSTS", "REDIS_URL", "IOA_EMBEDDED_REDIS", "DATABASES", "RQ_QUEUES")
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""


def start(home, command=("-c", SHOW), **variables):
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=keep | {"IOA_HOME": str(home), "IOA_ENV_FILE": os.devnull} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def read(home, **variables):
    done = start(home, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_without_any_variable_all_is_embedded_and_closed(tmp_path):
    found = read(tmp_path)

    assert found["DEBUG"] is False
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["REDIS_URL"] == f"unix://{tmp_path}/redis.sock"
    assert found["IOA_EMBEDDED_REDIS"] is True
    database = found["DATABASES"]["default"]
    assert database["NAME"] == f"{tmp_path}/db.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["OPTIONS"]["timeout"] == 20
    assert (tmp_path / "secret_key").exists()


def test_a_team_names_its_own_database_and_queue(tmp_path):
    found = read(
        tmp_path,
        DATABASE_URL="postgres://ioa:secret@db.example.org:5433/ioa",
        REDIS_URL="redis://queue.example.org:6379/2",
        ALLOWED_HOSTS="ioa.example.org",
    )

    database = found["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"]) == ("db.example.org", 5433)
    assert "OPTIONS" not in database
    assert found["IOA_EMBEDDED_REDIS"] is False
    assert {queue["URL"] for queue in found["RQ_QUEUES"].values()} == {
        "redis://queue.example.org:6379/2"
    }


def test_two_queues_so_that_a_training_holds_no_writing_up(settings):
    assert set(settings.RQ_QUEUES) == {"teacher", "gpu"}
    assert settings.RQ["COMMIT_MODE"] == "on_db_commit"


def test_a_home_too_deep_for_a_socket_gets_one_elsewhere(tmp_path):
    home = tmp_path.joinpath(*["deep"] * 30)
    home.mkdir(parents=True)

    url = read(home)["REDIS_URL"]

    assert str(home) not in url
    assert len(url.removeprefix("unix://")) <= 100
    assert url == read(home)["REDIS_URL"]
    assert url != read(tmp_path)["REDIS_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("IOA_DEBUG", "perhaps"), ("IOA_GPU_SECONDS", "long"), ("IOA_LOST_AFTER_SECONDS", "1")),
        *(("EMAIL_URL", "carrier://pigeon"), ("IOA_WEBHOOK_URL", "https://without.a.secret")),
        ("IOA_PRICES", '{"m": {"prompt_per_million": -1, "reply_per_million": 1}}'),
        *(("TIME_ZONE", "Mars"), ("IOA_LOG_LEVEL", "verbose"), ("IOA_ENV_FILE", "/no/such/file")),
        *(("DATABASE_URL", "foo"), ("DATABASE_URL", "postgresql//x")),
        *(("REDIS_URL", "foo"), ("REDIS_URL", "localhost:6379")),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_variable(tmp_path, name, value):
    done = start(tmp_path, **{name: value})

    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]


def test_a_command_says_what_is_wrong_with_a_variable_and_nothing_else(tmp_path):
    done = start(tmp_path, ["manage.py", "check"], IOA_DEBUG="perhaps")

    assert done.returncode == 1
    assert "IOA_DEBUG" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_installation_without_tables_is_told_in_a_sentence(tmp_path):
    done = start(tmp_path, ["manage.py", "verify_audit"])

    assert done.returncode == 1
    assert "This installation is empty" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_variables_is_read_and_the_environment_wins_over_it(tmp_path):
    file = tmp_path / "variables"
    file.write_text("IOA_DEBUG=1\nALLOWED_HOSTS=from.file\n")

    found = read(tmp_path, IOA_ENV_FILE=str(file), ALLOWED_HOSTS="from.environment")

    assert found["DEBUG"] is True
    assert found["ALLOWED_HOSTS"] == ["from.environment"]


def test_every_variable_is_in_the_example_file_and_in_the_documentation():
    source = (ROOT / "ioa_web" / "settings.py").read_text()
    names = set(re.findall(r"env\.[a-z]+\(\s*\"([A-Z_]+)\"", source))
    example = (ROOT / ".env.example").read_text()
    page = (ROOT / "docs" / "running.md").read_text()

    assert len(names) > 10
    assert {name for name in names if name not in example} == set()
    assert {name for name in names if f"`{name}`" not in page} == set()
