"""A client of an IOA installation: what its pages can do, from a program. See docs/api.md.

    with Client("https://ioa.example.org", token) as ioa:
        for item in ioa.items(stage, verdict="waiting", checks="passed"):
            ioa.approve(item["id"], version=item["version"])

Answers are plain JSON (dict, list) as docs/openapi.json describes them. Whatever is refused raises
`ApiError` with the server's sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2

from distill.connection import ApiError, Connection, Json, refused
from distill.errors import DistillError
from distill.webhooks import verify_signature

__all__ = ["ApiError", "Client", "NotInTime", "verify_signature"]

ENDED = frozenset({"succeeded", "failed", "cancelled", "lost"})  # statuses of a job


class NotInTime(DistillError):
    """A job did not end within the time that was given. `job` is how far it was."""

    def __init__(self, job: Json, seconds: float) -> None:
        super().__init__(
            f"Job {job['id']} ({job['kind']}) is {job['status']} after {seconds:g} s: "
            f"{job['done']} of {job['total']} {job['unit']}."
        )
        self.job = job


class Client(Connection):
    """One person's token at one installation: the operations by name. See `Connection`."""

    # --- Runs and stages ------------------------------------------------------------------------

    def me(self) -> Json:
        """Whose token this is, and what it may."""
        return dict(self.get("/me"))

    def runs(self, **query: Any) -> Iterator[Json]:
        """The runs that the person may see, the newest first. query: status, archived."""
        return self.pages("/runs", **query)

    def run(self, run: int) -> Json:
        return dict(self.get(f"/runs/{run}"))

    def create_run(self, **said: Any) -> Json:
        """A draft; said: name, domain, teacher, student, and what else docs/openapi.json names."""
        return dict(self.post("/runs", said))

    def act(self, run: int, verb: str, **said: Any) -> Json:
        """diagnose, sign-diagnosis, sign-curriculum, autonomy, two-people, conclude, stop,
        archive, unarchive, budget, replan, reopen-diagnosis: the run as it is then.
        """
        return dict(self.post(f"/runs/{run}/{verb}", said))

    def domains(self) -> list[Json]:
        """What a run can be made of, with its skills, and its faults where it has some."""
        return list(self.get("/domains"))

    def add_domain(self, path: Path, *, name: str) -> Json:
        """Keep a domain file (YAML or JSON Lines): all of it, or nothing."""
        return self.upload("/domains", path, name=name)

    def stages(self, run: int) -> list[Json]:
        return list(self.get(f"/runs/{run}/stages"))

    def open_stage(self, stage: int) -> Json:
        """Begin to teach it: its items are written next."""
        return dict(self.post(f"/stages/{stage}/open"))

    def train(self, stage: int, *, round: int) -> Json:
        """Freeze what was approved in the round, and train on it."""
        return dict(self.post(f"/stages/{stage}/train", {"round": round}))

    # --- Items ----------------------------------------------------------------------------------

    def items(self, stage: int, **query: Any) -> Iterator[Json]:
        """The items of a round in the order written. query: round, verdict, checks, skill,
        failed, origin, tag, q, limit (of a page).
        """
        return self.pages(f"/stages/{stage}/items", **query)

    def item(self, item: int) -> tuple[Json, str]:
        """The item and its ETag, which `edit` has to name."""
        response = self.send("GET", f"/items/{item}")
        return response.json(), response.headers["ETag"]

    def approve(self, item: int, *, version: int) -> Json:
        """Let the version that was looked at be trained on."""
        return dict(self.post(f"/items/{item}/approve", {"version": version}))

    def reject(self, item: int, *, version: int, reason: str) -> Json:
        said = {"version": version, "reason": reason}
        return dict(self.post(f"/items/{item}/reject", said))

    def undo(self, item: int, *, version: int) -> Json:
        """Take the verdict back."""
        return dict(self.post(f"/items/{item}/undo", {"version": version}))

    def edit(
        self,
        item: int,
        *,
        etag: str,
        question: str | None = None,
        solution: str | None = None,
        answer: str | None = None,
    ) -> tuple[Json, str]:
        """Change its words, if it is as it was seen; the item and its new ETag.

        Raises `ApiError` 412 where somebody has changed it since. What is None stays.
        """
        given = {"question": question, "solution": solution, "answer": answer}
        said = {name: words for name, words in given.items() if words is not None}
        response = self.send("PATCH", f"/items/{item}", json=said, headers={"If-Match": etag})
        return response.json(), response.headers["ETag"]

    def approve_all(self, stage: int, *, round: int, **filters: Any) -> Json:
        """Approve what matches and passed every check: {"n": how many, "act": to undo it}."""
        return dict(self.post(f"/stages/{stage}/approve-all", {"round": round, **filters}))

    def reject_flagged(self, stage: int, *, round: int) -> Json:
        """Reject what failed a check, each for that check."""
        return dict(self.post(f"/stages/{stage}/reject-flagged", {"round": round}))

    def import_items(self, stage: int, path: Path, *, round: int, skill: str = "") -> Json:
        """Items of a JSON Lines, CSV or Parquet file: all of them, or none."""
        return self.upload(f"/stages/{stage}/import", path, round=str(round), skill=skill)

    # --- Gates, jobs, records -------------------------------------------------------------------

    def gate(self, stage: int) -> Json:
        """The last gate of the stage: its evidence, and the hash that a decision names."""
        found = self.get(f"/stages/{stage}/gates")
        if not found:
            raise ApiError(404, "This stage has no gate yet.")
        return dict(found[-1])

    def decide(self, gate: Mapping[str, Any], decision: str, *, reason: str = "") -> Json:
        """advance, remedy, waive or roll_back, on exactly the evidence of `gate`.

        Raises `ApiError` 409 where it is another by now; `.problem["now"]` says what is so.
        """
        said = {"decision": decision, "evidence_hash": gate["evidence_hash"], "reason": reason}
        return dict(self.post(f"/gates/{gate['id']}/decide", said))

    def jobs(self, **query: Any) -> Iterator[Json]:
        """The newest first. query: run, status, kind."""
        return self.pages("/jobs", **query)

    def wait(self, job: int, *, seconds: float, every_seconds: float = 2.0) -> Json:
        """The job once it has ended, however it did. Raises `NotInTime`."""
        waited = 0.0
        while True:
            found = dict(self.get(f"/jobs/{job}"))
            if found["status"] in ENDED:
                return found
            if waited >= seconds:
                raise NotInTime(found, waited)
            self._sleep(every_seconds)
            waited += every_seconds

    def verify_audit(self, run: int) -> Json:
        """The server reads the run's log: {"is_whole", "entries", "head", "says"}."""
        return dict(self.get(f"/runs/{run}/audit/head"))

    def export_items(self, run: int, path: Path, **query: Any) -> int:
        """The items as JSON Lines, streamed to `path`; bytes written. query: format, verdict,
        stage, skill. Written beside and renamed, so a file that is there is whole.
        """
        beside = path.with_name(f".{path.name}.part")
        with self._http.stream("GET", f"/runs/{run}/items.jsonl", params=query) as response:
            if response.status_code >= 400:
                response.read()
                raise refused(response)
            try:
                with beside.open("wb") as out:
                    n = sum(out.write(chunk) for chunk in response.iter_bytes())
                beside.replace(path)
            except httpx2.TransportError as exc:
                raise ApiError(0, f"The connection broke off ({type(exc).__name__}).") from exc
            finally:
                beside.unlink(missing_ok=True)
        return n
