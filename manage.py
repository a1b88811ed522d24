#!/usr/bin/env python3
"""Django's command line: `serve`, `work`, `demo`, `get_student` … `help` lists them all."""

from __future__ import annotations

import os
import sys


def main() -> None:
    try:
        _execute()
    except KeyboardInterrupt:  # of commands that have no sentence of their own, or not yet
        sys.stderr.write("\nStopped.\n")
        sys.exit(130)


def _execute() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ioa_web.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db.utils import OperationalError, ProgrammingError
    except ImportError:
        sys.exit("Django is missing in this Python. `make setup` makes .venv/ with everything.")
    from curriculum import request_ids

    with request_ids.under(f"manage.py:{(sys.argv[1:] or ['help'])[0][:40]}"):
        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as exc:
            sys.exit(f"{exc}")  # a variable of the environment: its sentence says which
        except (OperationalError, ProgrammingError) as exc:
            if "no such table" not in str(exc) and "does not exist" not in str(exc):
                raise
            sys.exit(
                "This installation is empty, or of an earlier version. Is IOA_HOME (or "
                "DATABASE_URL) what you mean? If so, `manage.py migrate` makes what is missing."
            )


if __name__ == "__main__":
    main()
