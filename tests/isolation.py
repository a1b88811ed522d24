"""Loaded before Django's settings are read: tests have a home, a key and a database of their own.

`IOA_TEST_DATABASE_URL` runs them on another database; see tests/infra/test_postgres.py.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="ioa-tests-"))

for name in [name for name in os.environ if name.startswith("IOA_") and "TEST" not in name]:
    del os.environ[name]
os.environ |= {
    "IOA_HOME": str(HOME),
    "IOA_ENV_FILE": os.devnull,
    "DATABASE_URL": os.environ.get("IOA_TEST_DATABASE_URL", ""),
    "REDIS_URL": "",
    "SECRET_KEY": "tests-only",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "CSRF_TRUSTED_ORIGINS": "",
    "EMAIL_URL": "",
    "OPENAI_API_KEY": "",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
