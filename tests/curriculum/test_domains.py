"""Domains that people bring: looked at whole, kept whole or not at all."""

from __future__ import annotations

import csv
import html
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from curriculum import engine
from curriculum.exports.domain_table import guess, lines_of
from curriculum.exports.tabular import columns
from curriculum.models import AuditEntry
from curriculum.services import domains
from curriculum.services.audit import Actor
from curriculum.services.domains import DomainRefused
from tests.factories import ApproverFactory, ReviewerFactory

ROWS = [
    {"skill": "H1", "question": f"What is half of {2 * n}?", "answer": str(n), "title": "Halve"}
    for n in range(1, 5)
] + [
    {"skill": "H1", "question": "What is half of 20?", "answer": "10", "split": "train"},
    {"skill": "H2", "builds on": "H1", "question": "What is a third of 9?", "answer": "3"},
    {"skill": "H2", "question": "What is a third of 12?", "answer": "4", "split": "gate"},
    {"skill": "H2", "question": "What is a third of 15?", "answer": "5", "split": "final"},
]
YAML = """\
title: Halves
skills:
  - id: H1
    probes:
      - {question: "What is half of 4?", reference: 2}
      - {question: "What is half of 6?", reference: 3}
      - {question: "What is half of 8?", reference: 4}
"""


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.IOA_HOME = tmp_path / "home"
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return settings.IOA_HOME


def table(path, rows=ROWS):
    names = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([{n: r.get(n) for n in names} for r in rows]), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.django_db
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_a_table_becomes_a_domain_that_a_run_can_be_made_of(tmp_path, home, approver, suffix):
    path = table(tmp_path / f"halves{suffix}")
    chosen = guess(columns(path)) | {"prerequisites": "builds on"}

    spec = domains.add(path, actor=approver, name="halves", title="Halves", columns=chosen)

    look = engine.look_at_domain(spec)
    assert (spec, look.title) == ("domains/halves.jsonl", "Halves")
    assert [(s.key, s.title, s.builds_on, s.counts) for s in look.skills] == [
        ("H1", "Halve", (), (1, 2, 1, 1)),
        ("H2", "H2", ("H1",), (0, 1, 1, 1)),
    ]
    assert (spec, "halves.jsonl") in engine.domains()
    assert (spec, "Halves (halves.jsonl)") in engine.domains_titled()
    entry = AuditEntry.objects.get()
    assert (entry.run, entry.action, entry.subject) == (None, "domain.added", "domain:halves")
    assert (entry.became["file"], entry.became["skills"]) == (spec, 2)


@pytest.mark.django_db
def test_a_whole_file_is_kept_as_it_is(tmp_path, home, approver):
    path = tmp_path / "x.yaml"
    path.write_text(YAML)

    spec = domains.add(path, actor=approver, name="halves")

    assert (home / spec).read_text() == YAML
    assert sorted(p.name for p in (home / "domains").iterdir()) == ["halves.yaml"]


@pytest.mark.django_db
def test_a_domain_is_never_written_over(tmp_path, home, approver):
    path = tmp_path / "x.yaml"
    path.write_text(YAML)
    spec = domains.add(path, actor=approver, name="halves")
    path = table(tmp_path / "y.csv")

    with pytest.raises(DomainRefused, match=r"There is a domain halves\.yaml already"):
        domains.add(path, actor=approver, name="halves", columns=guess(columns(path)))

    assert (home / spec).read_text() == YAML
    assert AuditEntry.objects.count() == 1


def test_every_fault_of_a_table_is_told_at_its_row(tmp_path):
    wrong = [
        *ROWS,
        {"skill": "H2", "question": "What is a third of 3?", "answer": "1", "split": "exam"},
        {"question": "What is a third of 6?", "answer": "2"},
        {"skill": "H1", "question": "What is half of 2?", "answer": "1"},
    ]
    path = table(tmp_path / "halves.jsonl", wrong)

    found = domains.look(path, name="halves", columns=guess(columns(path)))

    told = "\n".join(found.faults)
    assert "line 10: it names no skill." in told
    assert "line 9: There is no split “exam” for probes." in told
    again = domains.look(
        table(tmp_path / "b.jsonl", [*ROWS, wrong[-1]]),
        name="halves",
        columns=guess(columns(path)),
    )
    assert again.faults == ("line 9: This probe asks the same as the one on line 1.",)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "../up", "Big", "a/b", ".hidden", "x" * 41, "a\n"])
def test_a_name_is_no_path(tmp_path, home, approver, name):
    path = tmp_path / "x.yaml"
    path.write_text(YAML)

    with pytest.raises(DomainRefused, match="small letters"):
        domains.add(path, actor=approver, name=name)

    assert not AuditEntry.objects.exists()
    assert not (home / "domains").exists()


def test_a_broken_file_is_told_and_nothing_is_kept(tmp_path, home):
    path = tmp_path / "x.yaml"
    path.write_text(YAML.replace("reference: 3", "reference: "))

    found = domains.look(path, name="halves")

    assert found.faults == ("halves.yaml, line 6: This probe has no reference.",)
    assert not home.exists()


def test_rows_of_a_list_and_of_a_text_name_what_a_skill_builds_on():
    rows = [
        ("row 1", {"s": "B", "p": ["A", "C"], "t": "Second"}),
        ("row 2", {"s": "C", "p": "A; B,"}),
        ("row 3", {"s": "D", "p": [["A"]]}),
    ]

    found = lines_of(rows, {"skill": "s", "prerequisites": "p", "title": "t"}, name="x", title="")

    assert found.lines[1:] == [
        {"id": "B", "title": "Second", "prerequisites": ["A", "C"]},
        {"id": "C", "prerequisites": ["A", "B"]},
    ]
    assert found.faults == ["row 3: “p” is not a list of skills."]


@pytest.mark.django_db
def test_in_the_browser_a_table_is_mapped_looked_at_and_added(client, tmp_path, home):
    client.force_login(ApproverFactory())
    url = reverse("curriculum:domain-add")
    file = SimpleUploadedFile("mine.csv", table(tmp_path / "a.csv").read_bytes())

    page = client.post(url, {"file": file, "name": "halves", "title": "Halves <b>"}).text
    token = re.search(r'name="token" value="([^"]+)"', page)[1]
    said = {"token": token, "domain_name": "halves", "domain_title": "Halves <b>"}
    said |= {"all_skill": "H1", "title": "title"}
    said |= {"skill": "skill", "question": "question", "answer": "answer", "split": "split"}
    looked = client.post(url, {**said, "look": "1"}).text
    done = client.post(url, {**said, "add": "1"}, follow=True)

    assert '<option value="question" selected>' in page
    assert "Add halves" in looked
    assert "Halves &lt;b&gt;" in looked
    assert "domains/halves.jsonl" in done.text
    assert (home / "domains" / "halves.jsonl").exists()
    assert "Choose the file again" in client.post(url, {**said, "add": "1"}).text


@pytest.mark.django_db
def test_the_example_of_the_page_is_a_whole_domain_as_it_stands(client):
    client.force_login(ApproverFactory())
    url = reverse("curriculum:domain-add")
    example = html.unescape(
        re.search(r'<pre[^>]*id="example">(.+?)</pre>', client.get(url).text, re.S)[1]
    )
    file = SimpleUploadedFile("mine.csv", example.encode())

    page = client.post(url, {"file": file, "name": "halves"}).text
    said = dict(re.findall(r'<select name="(\w+)".*?<option value="(\w+)" selected>', page, re.S))
    said |= {"token": re.search(r'name="token" value="([^"]+)"', page)[1], "domain_name": "halves"}
    looked = client.post(url, {**said, "look": "1"}).text

    assert "Add halves" in looked
    assert 'id="measured-only"' not in looked
    assert looked.count('<td class="num">1</td>') == 4


@pytest.mark.django_db
def test_in_the_browser_a_whole_file_shows_its_faults_first(client, home):
    client.force_login(ApproverFactory())
    url = reverse("curriculum:domain-add")
    broken = SimpleUploadedFile("mine.yaml", YAML.replace("reference: 3", "reference: ").encode())

    page = client.post(url, {"file": broken, "name": "halves"}).text
    token = re.search(r'name="token" value="([^"]+)"', page)[1]
    refused = client.post(url, {"token": token, "domain_name": "halves", "add": "1"})

    assert "line 6: This probe has no reference." in page
    assert 'id="add"' not in page
    assert refused.status_code == 422
    assert not (home / "domains").exists()


@pytest.mark.django_db
def test_who_may_not_approve_may_look_and_not_add(client):
    assert client.get(reverse("curriculum:domain-list")).status_code == 302
    client.force_login(ReviewerFactory())

    assert "foundations" in client.get(reverse("curriculum:domain-list")).text
    assert client.get(reverse("curriculum:domain-add")).status_code == 403
    assert client.post(reverse("curriculum:domain-add")).status_code == 403


@pytest.mark.django_db
def test_a_new_run_begins_with_the_domain_that_was_chosen(client, tmp_path, home, approver):
    path = tmp_path / "x.yaml"
    path.write_text(YAML)
    spec = domains.add(path, actor=approver, name="halves")
    client.force_login(approver.user)

    page = client.get(reverse("curriculum:run-create"), {"domain": spec}).text

    assert f'<option value="{spec}" selected>' in page


def test_a_benchmark_is_no_domain_and_is_called_what_it_is(tmp_path, home):
    path = tmp_path / "b.jsonl"
    row = {"id": "1", "skill": "s", "question": "2 + 2?", "answer": "4", "answer_type": "number"}
    path.write_text(json.dumps(row) + "\n")

    [said] = domains.look(path, name="b").faults
    assert said.startswith("This is a benchmark")


@pytest.mark.django_db
def test_a_name_that_is_taken_is_said_with_the_upload(client, tmp_path):
    approver = ApproverFactory()
    client.force_login(approver)
    path = tmp_path / "x.yaml"
    path.write_text(YAML)
    domains.add(path, actor=Actor.person(approver), name="halves")
    file = SimpleUploadedFile("mine.yaml", YAML.encode())

    response = client.post("/domains/add/", {"file": file, "name": "halves"})

    assert response.status_code == 422
    assert "There is a domain halves.yaml already" in response.text
    assert 'id="columns-heading"' not in response.text
