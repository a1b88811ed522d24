"""What a run has done is on disk once, whatever happened in between."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from distill import report
from distill.disk import full_disk_told, write_beside
from distill.errors import DistillError, OutOfSpace
from distill.journal import Journal
from distill.ledger import Ledger
from distill.records import Answer, CheckResult, Probe, Split
from distill.settings import Settings
from distill.training.base import TrainingResult
from distill.verdicts import GateAnswer
from tests.distill.samples import Numbered, evidence_of, item_of, skill_of, verdict


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "ledger.jsonl"


def lines(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_what_was_added_is_there_when_it_is_opened_again(path):
    Ledger(path, resume=False).add("answer", "1", text="a\n“b”\u2028\r")

    assert Ledger(path, resume=True).get("answer", "1")["text"] == "a\n“b”\u2028\r"


def test_a_lone_surrogate_is_kept_as_it_came(path):
    Ledger(path, resume=False).add("answer", "1", text="\ud83d")

    assert Ledger(path, resume=True).get("answer", "1")["text"] == "\ud83d"


def test_a_key_that_is_there_is_not_written_again(path):
    ledger = Ledger(path, resume=False)

    ledger.add("answer", "1", grade=1.0)

    assert ledger.add("answer", "1", grade=0.0)["grade"] == 1.0
    assert len(lines(path)) == 1
    assert [e["grade"] for e in ledger.all("answer")] == [1.0]


def test_a_torn_last_line_is_dropped_and_its_work_written_again(path):
    ledger = Ledger(path, resume=False)
    ledger.add("answer", "1")
    ledger.add("answer", "2")
    path.write_bytes(path.read_bytes()[:-9])

    again = Ledger(path, resume=True)
    assert again.get("answer", "2") is None
    again.add("answer", "3")

    assert [line["key"] for line in lines(path)] == ["1", "3"]


@pytest.mark.parametrize("rubbish", [b"\x00\x00\n", b"[]\n", b'{"kind": "answer"}\n'])
def test_a_damaged_line_is_told_with_its_number(path, rubbish):
    Ledger(path, resume=False).add("answer", "1")
    with path.open("ab") as file:
        file.write(rubbish)

    with pytest.raises(DistillError, match="Line 2 of .* is damaged"):
        Ledger(path, resume=True)


def test_a_run_is_not_started_over_an_old_one(path):
    Ledger(path, resume=False).add("answer", "1")

    with pytest.raises(DistillError, match="holds a run already. Add --resume"):
        Ledger(path, resume=False)


WRITES = """
import sys
from pathlib import Path
from distill.errors import DistillError
from distill.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), resume=True)
print("read", flush=True)
for line in sys.stdin:
    try:
        ledger.add("answer", line.strip())
        print("kept", flush=True)
    except DistillError as exc:
        print(exc, flush=True)
"""


@pytest.fixture
def other(path):
    """Another process that has read the ledger, and writes what it is told."""
    path.parent.mkdir()
    path.touch()
    command = [sys.executable, "-c", WRITES, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == "read\n"

        def write(key):
            process.stdin.write(f"{key}\n")
            return process.stdout.readline().strip()

        yield write
        process.stdin.close()


@pytest.mark.slow
def test_one_process_at_a_time_writes_and_the_other_is_told(path, other):
    assert other("a") == "kept"

    with pytest.raises(DistillError, match="Another process is at work in"):
        Ledger(path, resume=True).add("answer", "b")

    assert other("c") == "kept"
    assert [line["key"] for line in lines(path)] == ["a", "c"]


def test_what_was_written_since_it_was_read_is_never_lost(path):
    Ledger(path, resume=False).add("run", "1")
    ledger = Ledger(path, resume=True)
    with path.open("a") as file:  # as a process does that has ended since
        file.write('{"kind": "answer", "key": "a"}\n')

    with pytest.raises(DistillError, match="gone on with by another process since"):
        ledger.add("answer", "b")

    assert [line["key"] for line in lines(path)] == ["1", "a"]


def test_opening_a_ledger_writes_nothing(path):
    Ledger(path, resume=True)

    assert not path.exists()


class FullDisk:
    """Opens files that take some bytes and then no more."""

    def __init__(self, monkeypatch, room):
        really_open, self.room = Path.open, room
        disk = self

        def open_(path, mode="r", *args, **options):
            file = really_open(path, mode, *args, **options)
            if "b" in mode and mode != "rb":
                really_write = file.write

                def write(content):
                    if disk.room is not None:
                        really_write(content[: disk.room])
                        file.flush()
                        raise OSError(errno.ENOSPC, "No space left on device")
                    return really_write(content)

                return _Writing(file, write)
            return file

        monkeypatch.setattr(Path, "open", open_)


class _Writing:
    def __init__(self, file, write):
        self._file, self.write = file, write

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._file.close()


def test_a_full_disk_is_told_and_what_did_not_fit_can_be_written_later(path, monkeypatch):
    ledger = Ledger(path, resume=False)
    ledger.add("answer", "1")
    disk = FullDisk(monkeypatch, room=5)

    with pytest.raises(OutOfSpace, match="The disk is full: .*ledger.jsonl"):
        ledger.add("answer", "2")
    assert ledger.get("answer", "2") is None
    assert [e["key"] for e in Ledger(path, resume=True).all("answer")] == ["1"]
    disk.room = None
    ledger.add("answer", "2")

    assert [line["key"] for line in lines(path)] == ["1", "2"]


def test_a_report_that_does_not_fit_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "report.json"
    report.write(target, {"retained": 0.9})

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutOfSpace):
        report.write(target, {"retained": 0.1})

    assert json.loads(target.read_text()) == {"retained": 0.9}
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EDQUOT, "quota"), RuntimeError("I/O error: No space left (os error 28)")],
)
def test_a_full_disk_is_known_in_the_words_of_any_library(error):
    with pytest.raises(OutOfSpace), full_disk_told(Path("here")):
        raise error


def test_other_troubles_stay_what_they_are(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_beside(tmp_path / ".." / tmp_path.name, "text")


# --- the journal ------------------------------------------------------------------------------


def probe(number, split=Split.GATE):
    domain = Numbered((skill_of("A"),))
    return domain.probes("A", split, number + 1, seed=0)[number]


def test_answers_come_back_by_who_and_split(tmp_path):
    journal = Journal(tmp_path, resume=False)
    gate, final = probe(0), probe(0, Split.FINAL)
    journal.keep_answers("s1r0", [(gate, Answer(gate.id, "7", 1.0, 5))])
    journal.keep_checkpoint("s1r0", 1, TrainingResult(tmp_path, "", 1, 1, 0.0, 0.0))
    journal.keep_answers("s1r1", [(final, Answer(final.id, "8", 0.0, 6, "no"))])

    again = Journal(tmp_path, resume=True)

    assert again.grades("s1r0", Split.GATE) == {"A": {gate.id: 1.0}}
    assert again.grades("s1r0", Split.FINAL) == {}
    assert again.seen_at_gates(before="s1r1") == {"A": {gate.id}}
    assert again.seen_at_gates(before="s1r0") == {}
    assert again.has_answer("s1r1", final)
    assert not again.has_answer("s1r0", final)
    spent = again.spent("s1r1")
    assert (spent["probes"], spent["teacher_tokens"], spent["items"]) == (2, 6, 1)


def test_items_come_back_whole_and_flagged_ones_are_not_trained_on(tmp_path):
    journal = Journal(tmp_path, resume=False)
    good = item_of("A", 1)
    flagged = item_of("A", 2)
    object.__setattr__(flagged, "checks", (CheckResult("leak", 1, False, "It is a probe."),))
    journal.keep_items("s1r0", [good, flagged])

    again = Journal(tmp_path, resume=True)

    assert again.is_written("s1r0")
    assert again.clean_items(of="s1r0") == [good]
    assert again.clean_items(except_of="s1r0") == []
    assert len(again.questions(except_of="s1r1")) == 2


def test_a_round_that_was_cut_off_while_it_was_kept_is_not_written(tmp_path):
    journal = Journal(tmp_path, resume=False)
    journal.keep_items("s1r0", [item_of("A", 1), item_of("A", 2)])
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))

    assert not Journal(tmp_path, resume=True).is_written("s1r0")


def test_decisions_of_a_stage_are_not_those_of_its_namesakes(tmp_path):
    journal = Journal(tmp_path, resume=False)
    evidence = evidence_of(verdict("A", GateAnswer.MASTERED))
    journal.keep_decision("s1r0", "remedy", evidence, False)
    journal.keep_decision("s1r1", "advance", evidence, False)
    journal.keep_decision("s10r0", "waive", evidence, True)

    assert [decision for decision, _ in journal.gates("s1r")] == ["remedy", "advance"]
    assert journal.decision("s10r0") == "waive"
    assert journal.decision("s2r0") is None
    assert [journal.was_spent(key) for key in ("s1r1", "s10r0", "s2r0")] == [False, True, None]


def test_a_folder_of_another_run_is_not_continued(tmp_path):
    Journal(tmp_path, resume=False).begin(seed=1, student="simulated")

    Journal(tmp_path, resume=True).begin(seed=1, student="simulated")
    with pytest.raises(DistillError, match="holds another run: its seed was 1, and is 2 now"):
        Journal(tmp_path, resume=True).begin(seed=2, student="simulated")


def kept_settings():
    return Settings().model_dump(mode="json", exclude={"budget"})


def test_a_run_of_a_version_without_a_setting_goes_on_with_its_default(tmp_path):
    before = kept_settings()
    del before["lora"]["decay_share"], before["writing"]
    Journal(tmp_path, resume=False).begin(settings=before)

    Journal(tmp_path, resume=True).begin(settings=kept_settings())

    assert Journal(tmp_path, resume=True).identity()["settings"] == before  # what was kept stays


@pytest.mark.parametrize(
    ("group", "name"), [("probing", "teacher_answer_tokens"), ("lora", "average")]
)
def test_where_a_default_is_not_what_a_version_before_did_that_counts(tmp_path, group, name):
    before, now = kept_settings(), kept_settings()
    del before[group][name]
    Journal(tmp_path, resume=False).begin(settings=before)

    with pytest.raises(DistillError, match="holds another run: its settings"):
        Journal(tmp_path, resume=True).begin(settings=now)
    now[group][name] = None
    Journal(tmp_path, resume=True).begin(settings=now)


def test_a_setting_that_is_not_what_it_was_then_is_another_run(tmp_path):
    before, now = kept_settings(), kept_settings()
    del before["lora"]["decay_share"]
    now["lora"]["decay_share"] = 0.5
    Journal(tmp_path, resume=False).begin(settings=before)

    with pytest.raises(DistillError, match="holds another run: its settings"):
        Journal(tmp_path, resume=True).begin(settings=now)
    with pytest.raises(DistillError, match="holds another run: its settings"):
        Journal(tmp_path, resume=True).begin(settings={**kept_settings(), "thresholds": {}})


def test_what_was_cut_off_is_known_and_older_ledgers_say_nothing_of_it(tmp_path):
    probe = Probe("p", "A", Split.GATE, "What is 3 + 4?", "7", "number")
    cut = Answer("p", "3 + 4", 0.0, 5, "", is_cut=True)
    Journal(tmp_path, resume=False).keep_answers("s1r0", [(probe, cut)])
    ledger = tmp_path / "ledger.jsonl"

    assert Journal(tmp_path, resume=True).answer("s1r0", probe) == cut

    entries = [json.loads(entry) for entry in ledger.read_text().splitlines()]
    older = [{k: v for k, v in entry.items() if k != "is_cut"} for entry in entries]
    ledger.write_text("".join(json.dumps(entry) + "\n" for entry in older))
    assert Journal(tmp_path, resume=True).answer("s1r0", probe) == replace(cut, is_cut=False)
