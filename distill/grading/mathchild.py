"""The process behind `mathworker`: JSON lines in, JSON lines out. Imports nothing of ours."""

from __future__ import annotations

import json
import resource
import signal
import sys
from typing import Any

MEMORY_BYTES = 2 << 30


def main() -> None:
    cpu_seconds = float(sys.argv[1])
    from math_verify import parse, verify

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def read(answer: str) -> list[Any]:
        # mathematics between dollars; plain words as they are, where it finds their numbers
        is_marked = "$" in answer or "\\(" in answer or "\\[" in answer
        parsed: list[Any] = parse(answer if is_marked else f"${answer}$", parsing_timeout=None)
        return parsed or parse(answer, parsing_timeout=None)

    def same(expected: str, found: str) -> dict[str, Any]:
        try:
            reference = read(expected)
            if not reference:
                return {"error": f"the reference “{expected[:40]}” cannot be read"}
            return {"same": bool(verify(reference, read(found), timeout_seconds=None))}
        except Exception as exc:
            return {"error": f"{type(exc).__name__}: {exc}"[:200]}

    for warm in ("\\frac{1}{2}", "x^{2}+(1,2)", "\\sqrt{2}"):  # grammars are built when first used
        same(warm, warm.replace("2", "3"))
    print("ready", flush=True)  # noqa: T201
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        # no handler: the kernel ends us, also in the middle of a power that never returns
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        reply = same(**json.loads(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        out.write(json.dumps(reply) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
