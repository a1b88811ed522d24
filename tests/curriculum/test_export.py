"""Items as other tools read them: each format is read back by the tool that it is for."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import datasets
import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from curriculum.exports import card, items, package
from curriculum.exports.formats import COLUMNS, FORMATS, csv_lines, json_lines, messages, plain_cell
from curriculum.exports.items import Row
from curriculum.models import Opinion, Review, Revision, SnapshotItem
from tests.factories import (
    ItemFactory,
    ProbeFactory,
    SnapshotFactory,
    StageFactory,
)

CHECKS = [{"id": "answer", "version": 1, "passed": True, "detail": ""}]


@pytest.fixture
def stage(db: None) -> Any:
    """Two approved items, one that waits, one rejected, one leak."""
    stage = StageFactory(reviewing=True, skills=["A1"])
    for n in (1, 2):
        ItemFactory(stage=stage, approved=True, key=f"i{n}", question=f"What is {n} + 1?")
    ItemFactory(stage=stage, key="waits", checks=CHECKS)
    no = ItemFactory(
        stage=stage, rejected=True, key="no", question="What is 1 + 1?", solution="It is 3"
    )
    Review.objects.create(item=no, version=1, verdict="rejected", reviewed_as="person")
    ItemFactory(stage=stage, leak=True, key="leak")
    stage.items.filter(verdict="approved").update(checks=CHECKS)
    return stage


def written(choice: items.Choice, name: str) -> bytes:
    format = FORMATS[name]
    rows = choice.pairs() if format.of_pairs else choice.rows()
    return b"".join(format.write(rows))


def loaded(tmp_path: Any, choice: items.Choice, name: str) -> list[Any]:
    """The rows as `datasets` reads them."""
    path = tmp_path / f"train.{FORMATS[name].suffix}"
    path.write_bytes(written(choice, name))
    kind = {"jsonl": "json"}.get(FORMATS[name].suffix, FORMATS[name].suffix)
    found = datasets.load_dataset(
        kind, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    return list(found)


@pytest.fixture
def is_conversation() -> Any:
    """TRL's own opinion. It imports torch."""
    from trl.data_utils import is_conversational

    return is_conversational


@pytest.mark.torch
def test_messages_are_a_conversation_to_trl_and_approved_items_only(
    stage, tmp_path, is_conversation
):
    rows = loaded(tmp_path, items.approved(stage.run), "messages")

    assert all(is_conversation(row) for row in rows)
    assert [row["id"] for row in rows] == ["s1r0/i1", "s1r0/i2"]
    assert rows[0]["messages"] == [
        {"role": "user", "content": "What is 1 + 1?"},
        {"role": "assistant", "content": "Add one more. Answer: 2"},
    ]


def test_parquet_has_the_same_conversations(stage, tmp_path):
    choice = items.approved(stage.run)

    rows = loaded(tmp_path, choice, "parquet")

    assert [row["messages"] for row in rows] == [messages(r)["messages"] for r in choice.rows()]
    assert list(rows[0]) == [*COLUMNS, "messages"]


def test_alpaca_and_sharegpt_have_the_fields_that_their_readers_ask_for(stage, tmp_path):
    choice = items.approved(stage.run)

    alpaca, sharegpt = (
        loaded(tmp_path / name, choice, name)
        for name in ("alpaca", "sharegpt")
        if (tmp_path / name).mkdir() is None
    )

    assert (alpaca[1]["instruction"], alpaca[1]["input"]) == ("What is 2 + 1?", "")
    assert alpaca[1]["output"] == "Add one more. Answer: 3"
    assert [turn["from"] for turn in sharegpt[0]["conversations"]] == ["human", "gpt"]


def test_nobody_preferred_anything_to_what_repeats_or_policy_left_out(stage):
    refused = stage.items.get(key="no")

    def pairs():
        return [pair.id for pair in items.approved(stage.run).pairs()]

    assert pairs() == ["s1r0/no"]
    stage.items.filter(pk=refused.pk).update(failed=" duplicate ")
    assert pairs() == []
    stage.items.filter(pk=refused.pk).update(failed="")
    Review.objects.update(reviewed_as="policy")
    assert pairs() == []


@pytest.mark.torch
def test_preferences_come_of_edits_and_of_rejected_items_with_the_same_question(
    stage, tmp_path, is_conversation
):
    item = stage.items.get(key="i2")
    words = {"question": item.question, "solution": "Clumsy. Answer: 3"}
    Revision.objects.create(item=item, version=1, **words)
    Revision.objects.create(item=item, version=2, question="Other words?", solution="x")
    stage.items.filter(pk=item.pk).update(version=3)

    rows = loaded(tmp_path, items.approved(stage.run), "dpo")

    assert all(is_conversation(row) for row in rows)
    assert [(row["id"], row["rejected"][0]["content"]) for row in rows] == [
        ("s1r0/i2/v1", "Clumsy. Answer: 3"),
        ("s1r0/no", "It is 3"),
    ]
    assert rows[1]["chosen"] == [{"role": "assistant", "content": "Add one more. Answer: 2"}]


def test_a_snapshot_goes_out_in_its_order_and_in_the_words_that_were_frozen(stage):
    snapshot = SnapshotFactory(stage=stage)
    one, two = stage.items.get(key="i1"), stage.items.get(key="i2")
    for position, item in enumerate((two, one)):
        SnapshotItem.objects.create(snapshot=snapshot, item=item, version=1, position=position)
    Revision.objects.create(item=one, version=1, question="As it was?", solution="As it was")
    stage.items.filter(pk=one.pk).update(version=2)

    rows = list(items.frozen(snapshot).rows())

    assert [(row.id, row.question) for row in rows] == [
        ("s1r0/i2", "What is 2 + 1?"),
        ("s1r0/i1", "As it was?"),
    ]


def test_a_filter_never_lets_a_leak_out(stage):
    everything = items.chosen(stage.run, verdict=None)

    assert {row.id for row in everything.rows()} == {
        f"s1r0/{k}" for k in ("i1", "i2", "waits", "no")
    }
    assert [r.id for r in items.chosen(stage.run, verdict="rejected", stage=1).rows()] == [
        "s1r0/no"
    ]
    assert list(items.chosen(stage.run, stage=2).rows()) == []


def test_the_card_is_read_as_the_hub_reads_it_and_assumes_no_licence(stage):
    Review.objects.create(
        item=stage.items.get(key="i1"), version=1, verdict="approved", reviewed_as="person"
    )
    ProbeFactory(skill=stage.run.skills.get(key="A1"))
    stage.run.name = "Sums <script> | `x`"

    text = files_of(stage, "messages", card.UNDECIDED)["README.md"]

    _, header, body = text.split("---\n", 2)
    told = yaml.safe_load(header)
    assert "license" not in told
    assert told["configs"][0]["data_files"] == [{"split": "train", "path": "data/train.jsonl"}]
    assert told["size_categories"] == ["n<1K"]
    assert "Not decided." in body
    assert "Approved by people: 1 of 2 items (50%)" in body
    assert "answer@1 | 2 | 0" in body
    assert "with the 1 question that" in body
    assert "1 item that repeated one was held back" in body
    assert "<script>" not in body
    assert r"\<script\> \| \`x\`" in body
    chosen = files_of(stage, "messages", "cc-by-4.0")["README.md"]
    assert yaml.safe_load(chosen.split("---\n")[1])["license"] == "cc-by-4.0"


def test_the_card_tells_agreement_and_samples_from_the_checks_alone(stage, approver):
    one, two = stage.items.get(key="i1"), stage.items.get(key="i2")
    three = ItemFactory(stage=stage, approved=True, key="i3")
    said = {"version": 1, "verdict": "approved"}
    Review.objects.create(item=one, reviewed_as="policy", **said)
    Opinion.objects.create(item=one, reviewer=approver.user, **said)
    Review.objects.create(item=two, reviewed_as="policy", reviewer=approver.user, **said)
    Review.objects.create(item=three, reviewed_as="person", **said)
    Review.objects.create(item=three, reviewed_as="person", version=1, verdict="")
    Review.objects.create(item=three, reviewed_as="policy", **said)

    body = files_of(stage, "messages", card.UNDECIDED)["README.md"]

    assert "Approved by people: 0 of 3 items (0%); as independent reviewers agreed: 1; on a" in body
    assert "signed by a person: 1; by the run's policy, after the checks alone: 1." in body


def test_the_whole_folder_loads_by_its_card(stage, tmp_path):
    folder = tmp_path / "set"
    arguments = ["export_run", str(stage.run.pk), "--format", "parquet", "--out", str(folder)]

    with pytest.raises(CommandError, match="licence"):
        call_command(*arguments)
    call_command(*arguments, "--licence", "mit")

    found = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert found.num_rows == 2
    told = json.loads((folder / "dataset_info.json").read_text())
    (stanza,) = told.values()
    assert stanza["file_name"] == "data/train.parquet"
    assert stanza["columns"] == {"messages": "messages"}
    with pytest.raises(CommandError, match="not empty"):
        call_command(*arguments, "--licence", "mit")


@pytest.mark.parametrize("word", ["all", "any"])  # as it is said, and as it once was
def test_the_command_writes_items_of_every_verdict(stage, tmp_path, word):
    arguments = ["export_run", str(stage.run.pk), "--licence=mit", "--out", str(tmp_path / "set")]

    call_command(*arguments, "--verdict", word)

    lines = (tmp_path / "set" / "data" / "train.jsonl").read_text().splitlines()
    assert len(lines) == stage.items.filter(is_leak=False).count()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--stage", "0"], "This run has no stage 0"),
        (["--stage", "7"], "This run has no stage 7"),
        (["--round", "99"], "This run has no round 99"),
        (["--round", "-1"], "This run has no round -1"),
        (["--stage", "1", "--round", "1"], "Stage 1 of this run has no round 1"),
    ],
)
def test_a_stage_or_a_round_that_is_not_there_is_said(stage, words, says):
    StageFactory(run=stage.run, position=2, round=1)  # another stage's round is not this one's

    with pytest.raises(CommandError, match=says):
        call_command("export_run", str(stage.run.pk), "--out", "-", *words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--stage", "1", "--round", "0"], "leave out --stage, --round, or leave out --snapshot"),
        (["--skill", "A2"], "leave out --skill"),
        (["--verdict", "approved"], "leave out --verdict"),
    ],
)
def test_a_part_of_a_snapshot_is_refused_rather_than_the_whole_written(stage, words, says):
    snapshot = SnapshotFactory(stage=stage)
    command = ["export_run", str(stage.run.pk), "--out", "-", "--snapshot", snapshot.content_hash]

    with pytest.raises(CommandError, match=says):
        call_command(*command, *words)


@pytest.mark.parametrize(
    ("format", "says"), [("messages", "no item in"), ("csv", "no item"), ("dpo", "no pair of")]
)
def test_a_data_set_without_anything_in_it_is_said_beside_the_data(db, tmp_path, format, says):
    run, err = StageFactory(reviewing=True).run, io.StringIO()
    words = ["export_run", str(run.pk), "--format", format, "--licence", "mit", "--out"]

    call_command(*words, str(tmp_path / "set"), stderr=err)

    assert f"There is {says}" in err.getvalue()


def test_lines_for_another_program_are_the_items_alone(stage, capfdbinary):
    words = ["export_run", str(stage.run.pk), "--out", "-"]

    call_command(*words, "--round", "0", "--stage", "1")
    some = capfdbinary.readouterr()
    call_command(*words, "--format", "dpo-sharegpt", "--verdict", "waiting")
    none = capfdbinary.readouterr()

    assert [json.loads(line)["id"] for line in some.out.splitlines()] == ["s1r0/i1", "s1r0/i2"]
    assert some.err == none.out == b""
    assert b"the data set is empty" in none.err


def test_a_zip_is_the_same_bytes_each_time(stage):
    def zipped() -> bytes:
        files = package.dataset(items.approved(stage.run), FORMATS["csv"], licence="mit")
        return b"".join(package.zipped(files, folder="sums"))

    first = zipped()

    assert first == zipped()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["sums/data/train.csv", "sums/README.md"]


def test_rows_come_one_after_another_and_not_all_at_once(stage, django_assert_num_queries):
    with django_assert_num_queries(1):
        chunks = FORMATS["messages"].write(items.approved(stage.run).rows())
        assert next(chunks)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no test of speed
@given(st.lists(st.tuples(words, words), max_size=4))
@example([("'-5' means minus five", "=1"), ("''=x", "'")])
def test_any_words_come_back_as_they_were(said):
    rows = [Row(f"i{n}", "A1", 1, "x", 1, q, s, "a", []) for n, (q, s) in enumerate(said)]

    lines = b"".join(json_lines(messages)(rows)).decode().split("\n")[:-1]
    cells = list(csv.reader(io.StringIO(b"".join(csv_lines(rows)).decode(), newline="")))[1:]

    back = [[m["content"] for m in json.loads(line)["messages"]] for line in lines]
    assert back == [list(pair) for pair in said]
    assert [plain_cell(row[4]) for row in cells] == [q for q, _ in said]
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for c in cells for cell in c
    )


def files_of(stage: Any, format: str, licence: str) -> dict[str, str]:
    files = package.dataset(items.approved(stage.run), FORMATS[format], licence=licence)
    return {name: b"".join(chunks).decode() for name, chunks in files}
