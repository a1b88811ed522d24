"""`ioa`, also as `python -m distill`: a Ctrl-C while the command still imports is no traceback."""

from __future__ import annotations

import sys


def main() -> None:
    try:
        from distill.cli import app
    except KeyboardInterrupt:
        sys.stderr.write("Stopped before anything had begun.\n")
        sys.exit(130)
    app()


if __name__ == "__main__":
    main()
