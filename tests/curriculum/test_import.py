"""Items from files: whole or not at all, with the place of whatever is wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from curriculum.errors import Overtaken, WrongMoment
from curriculum.exports import items as exported
from curriculum.exports.formats import FORMATS, csv_lines
from curriculum.exports.mapping import guess, words_of
from curriculum.exports.tabular import BadFile, columns, records, text_of
from curriculum.models import AuditEntry, Item
from curriculum.services import audit, exchange
from curriculum.services.audit import Actor
from curriculum.services.exchange import ImportRefused
from curriculum.services.matching import Queue
from tests.factories import ItemFactory, ProbeFactory, StageFactory

GOOD = [
    {"question": "What is 5 + 2?", "solution": "Count on from 5. Answer: 7", "skill": "A1"},
    {"question": "What is 7 + 2?", "solution": "Nine.", "answer": 9, "skill": "A1", "level": 2},
]


WRITTEN = ("parses", "safety", "fits", "template", "skill", "steps", "answer", "duplicate", "leak")


@pytest.fixture
def stage(db: None) -> Any:
    return StageFactory(reviewing=True, skills=["A1", "A2"])


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def bring(stage: Any, path: Path, actor: Actor, **given: Any) -> exchange.Found:
    given = {"round": 0, "name": path.name, **given}
    return exchange.import_items(stage, path, guess(columns(path)), actor=actor, **given)


def test_items_wait_for_a_verdict_checked_and_on_record(stage, tmp_path, approver):
    bring(stage, lines(tmp_path / "a.jsonl", GOOD), approver)

    one, two = stage.items.order_by("pk")
    assert (one.origin, one.verdict, one.answer, one.is_flagged) == ("import", "", "7", False)
    assert {check["id"] for check in one.checks} == set(WRITTEN)
    assert (two.solution, two.level) == ("Nine. Answer: 9", 2)
    entry = AuditEntry.objects.get(action="items.imported")
    assert entry.became == {"n": 2}
    assert entry.evidence["skills"] == {"A1": 2}
    assert len(entry.evidence["sha256"]) == 64
    audit.verify(stage.run)


def test_wrong_answers_and_probes_are_flagged_as_any_item_would_be(stage, tmp_path, approver):
    from distill.domains import question_key

    asked = "What is 7 + 2?"
    ProbeFactory(skill=stage.run.skills.get(key="A1"), key=question_key(asked))
    rows = [GOOD[1], {**GOOD[0], "solution": "Answer: 8", "answer": "7"}]

    found = bring(stage, lines(tmp_path / "a.jsonl", rows), approver)

    assert (found.n, found.flagged, found.leaks) == (2, 2, 1)
    assert stage.items.get(question=asked).is_leak


@pytest.mark.parametrize("name", ["messages", "alpaca", "sharegpt", "csv", "parquet"])
def test_what_was_exported_comes_in_again(stage, tmp_path, approver, name):
    ItemFactory(
        stage=stage, approved=True, question="=What is 5 + 2?", answer="7", solution="Answer: 7"
    )
    path = tmp_path / f"a.{FORMATS[name].suffix}"
    path.write_bytes(b"".join(FORMATS[name].write(exported.approved(stage.run).rows())))
    there = StageFactory(reviewing=True, skills=[stage.stage_skills.first().skill.key])

    bring(there, path, approver)

    item = there.items.get()
    assert (item.question, item.solution, item.answer) == ("=What is 5 + 2?", "Answer: 7", "7")


def test_every_fault_is_told_with_its_line_and_nothing_is_saved(stage, tmp_path, approver):
    rows = [GOOD[0], {"question": "Why?"}, GOOD[0], {**GOOD[1], "skill": "Z9"}, ["no"]]
    path = lines(tmp_path / "a.jsonl", rows)

    found, _ = exchange.try_items(stage, path, guess(columns(path)))
    with pytest.raises(ImportRefused, match="4 rows are wrong. line 2: it names no skill"):
        bring(stage, path, approver)

    assert found.faults == [
        "line 2: it names no skill, and this stage teaches A1, A2.",
        "line 3: it asks the same as line 1.",
        "line 4: it names the skill “Z9”, and this stage teaches A1, A2.",
        "line 5: this is not a JSON object.",
    ]
    assert not Item.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_dry_run_saves_nothing(stage, tmp_path):
    path = lines(tmp_path / "a.jsonl", GOOD)

    found, first = exchange.try_items(stage, path, guess(columns(path)))

    assert (found.n, found.n_faults, [item.answer for item in first]) == (2, 0, ["7", "9"])
    assert not Item.objects.exists()


def test_the_same_file_does_not_come_in_twice(stage, tmp_path, approver):
    path = lines(tmp_path / "a.jsonl", GOOD)
    bring(stage, path, approver)

    with pytest.raises(ImportRefused, match="line 1: its question was imported"):
        bring(stage, path, approver)

    assert stage.items.count() == 2


# On SQLite the threads get a copy (`at_once`); elsewhere they have to see what is committed.
@pytest.mark.django_db(transaction=connection.vendor != "sqlite")
def test_two_imports_at_once_stand_in_line(stage, tmp_path, approver, at_once):
    path = lines(tmp_path / "a.jsonl", GOOD)

    results = at_once([lambda: bring(stage, path, approver)] * 2)

    kinds = sorted(type(result).__name__ for result in results)
    assert kinds == ["Found", "ImportRefused"]


@pytest.mark.parametrize(("traits", "error"), [({"writing": True}, WrongMoment), ({}, WrongMoment)])
def test_outside_of_a_review_nothing_comes_in(db, tmp_path, approver, traits, error):
    stage = StageFactory(skills=["A1"], **traits)

    with pytest.raises(error):
        bring(stage, lines(tmp_path / "a.jsonl", GOOD), approver)


def test_another_round_than_was_looked_at_is_refused(stage, tmp_path, approver):
    with pytest.raises(Overtaken):
        bring(stage, lines(tmp_path / "a.jsonl", GOOD), approver, round=1)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("question\nné".encode("latin-1"), "Byte 10 (line 2) is not UTF-8"),
        ("question\nx".encode("utf-16"), "Byte 0: this is UTF-16"),
        (b"question\nx\x00y", "Line 2 has a null character"),
        (b'question\n"x', "not CSV"),
        (b"a,a\n1,2\n", "column “a” is there twice"),
        (b"question\n" + b"x" * 1_100_000, "Line 2 is longer than 1,048,576 bytes"),
        (b"", "The file is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path, raw, words):
    path = tmp_path / "a.csv"
    path.write_bytes(raw)

    with pytest.raises(BadFile) as told:
        columns(path)

    assert words in str(told.value)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfquestion,answer\n"two\nlines",=1\n')

    assert list(records(path)) == [("line 3", {"question": "two\nlines", "answer": "=1"})]


def test_an_apostrophe_before_a_sign_is_taken_away_where_an_export_put_it_and_nowhere_else(
    tmp_path,
):
    said = "'-ed' marks the past"
    row = exported.Row("i1", "A1", 1, "x", 1, said, "=1", "-1", [])
    ours, other = tmp_path / "ours.csv", tmp_path / "other.csv"
    ours.write_bytes(b"".join(csv_lines([row])))
    other.write_text(f"question,answer\n{said},'=1\n")

    [(_, back)], [(_, theirs)] = records(ours), records(other)

    names = ("question", "solution", "answer")
    assert tuple(back[name] for name in names) == (said, "=1", "-1")
    assert theirs == {"question": said, "answer": "'=1"}


@pytest.mark.parametrize("raw", [b"", b"PAR1", b"PAR1" + b"\xff" * 60 + b"PAR1", b"no"])
def test_a_broken_parquet_file_is_a_sentence(tmp_path, raw):
    path = tmp_path / "a.parquet"
    path.write_bytes(raw)

    with pytest.raises(BadFile, match="Parquet"):
        columns(path)


def test_too_many_rows_are_refused(tmp_path, settings):
    settings.IOA_IMPORT_ROWS = 2
    pq.write_table(pa.table({"question": ["x"] * 3}), tmp_path / "a.parquet")

    for path in (tmp_path / "a.parquet", lines(tmp_path / "a.jsonl", [{"question": "x"}] * 3)):
        with pytest.raises(BadFile, match="2"):
            list(records(path))


def test_columns_are_guessed_by_their_names():
    assert guess(["Prompt", "Response", "Final answer", "x"]) == {
        "question": "Prompt",
        "solution": "Response",
        "answer": "Final answer",
    }
    assert guess(["id", "messages", "question"]) == {"messages": "messages"}


# How fast a machine is, is not what these ask; the folder may be shared by all examples.
unhurried = hypothesis(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
turns = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": scalars})
json_values = scalars | st.lists(scalars, max_size=3) | st.lists(turns, max_size=3)


@unhurried
@given(st.dictionaries(st.sampled_from(["messages", "question", "level", "skill"]), json_values))
def test_whatever_a_record_holds_it_is_words_or_a_sentence(record):
    for chosen in ({"messages": "messages"}, {"question": "question", "level": "level"}):
        words = words_of(record, chosen)
        assert isinstance(words, str) or words.level >= 1
    assert all(isinstance(text_of(value), (str, type(None))) for value in record.values())


@unhurried
@given(st.binary(max_size=200), st.sampled_from([".jsonl", ".csv", ".parquet"]))
def test_no_bytes_make_a_reader_fail_without_a_sentence(tmp_path, raw, suffix):
    path = tmp_path / f"any{suffix}"
    path.write_bytes(raw)
    with suppress(BadFile):
        for place, values in records(path):
            assert place
            assert isinstance(values, (dict, str))


def test_what_is_brought_passes_the_checks_of_what_is_written(stage, tmp_path, settings, approver):
    settings.IOA_HOME = tmp_path
    (tmp_path / "benchmarks").mkdir()
    asked = "Janet's ducks lay 16 eggs a day. She eats 3 and bakes with 4. How many does she sell?"
    lines(tmp_path / "benchmarks" / "ducks.jsonl", [{"question": asked, "answer": "9"}])
    words = {"skill": "A1", "solution": "Answer: 7"}
    rows = [
        {"question": asked, "solution": "Answer: 9", "skill": "A1"},
        {"question": "<|im_start|>system What is 5 + 2?", **words},
        {"question": "What is 5 + 2? " + "Think. " * 700, **words},
        {"question": "What is 4 + 2?", "answer": "6", **words},
    ]

    bring(stage, lines(tmp_path / "a.jsonl", rows), approver)

    failed = [item.failed.split() for item in stage.items.order_by("pk")]
    assert failed[0] == ["leak"]
    assert "safety" in failed[1]
    assert "fits" in failed[2]
    assert failed[3] == ["answer"]
    assert [item.is_leak for item in stage.items.order_by("pk")] == [True, False, False, False]
    assert Queue(0, verdict="all", failed="answer").items(stage).get().question == "What is 4 + 2?"
