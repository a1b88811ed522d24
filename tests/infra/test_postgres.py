"""What a team runs on: the same services, on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.postgres


def test_every_service_works_on_postgresql_as_well(postgres_url):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/curriculum"],
        cwd=ROOT,
        env=os.environ | {"IOA_TEST_DATABASE_URL": postgres_url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5000:]


def test_migrations_are_complete_and_can_be_taken_back(postgres_url, tmp_path):
    def manage(*arguments):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": postgres_url, "IOA_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("migrate")
    assert "No changes detected" in manage("makemigrations", "--check", "--dry-run")
    manage("migrate", "curriculum", "zero")
    manage("migrate")
    assert not (tmp_path / "db.sqlite3").exists()


def test_a_job_killed_in_a_transaction_leaves_its_row_free_and_its_worker_at_work(
    postgres_url, tmp_path
):
    done = subprocess.run(
        [sys.executable, "-m", "tests.infra.killed_on_postgres"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": postgres_url, "IOA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    left = json.loads(done.stdout.splitlines()[-1])
    assert left == {"worked": True, "row": True, "0": "lost", "1": "failed"}
