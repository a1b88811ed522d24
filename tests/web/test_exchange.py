"""The pages on which data goes out and comes in, without a script."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from curriculum.models import Run
from curriculum.views import uploaded
from distill.training.folders import MOVING
from tests.curriculum.test_archive import archived
from tests.factories import (
    CheckpointFactory,
    ItemFactory,
    ReviewerFactory,
    RunFactory,
    StageFactory,
)
from tests.web.writes import diagnosed_run

pytestmark = pytest.mark.django_db
FILE = b'{"question": "What is 3 + 4?", "solution": "Answer: 7"}\n'


def at(name, row):
    return reverse(f"curriculum:{name}", args=[row.pk])


def unzipped(response):
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


@pytest.fixture
def stage(db):
    stage = StageFactory(reviewing=True, skills=["A1"])
    ItemFactory(stage=stage, approved=True, question="What is 1 + 1?")
    return stage


def test_a_data_set_comes_as_a_zip_with_its_card(client, viewer, stage):
    page = client.get(at("run-export", stage.run))
    response = client.get(at("run-dataset", stage.run), {"format": "messages", "licence": "mit"})

    assert "1 item approved" in page.text
    assert response.headers["Content-Disposition"].endswith('-messages.zip"')
    with unzipped(response) as found:
        names = [name.split("/", 1)[1] for name in found.namelist()]
        assert names == ["data/train.jsonl", "dataset_info.json", "README.md"]
        assert json.loads(found.read(found.namelist()[0]))["messages"][0]["role"] == "user"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"format": "messages"}, "Choose the licence"),
        ({"format": "exe", "licence": "mit"}, "exe"),
        ({"format": "csv", "licence": "mit", "what": "999"}, "999"),
    ],
)
def test_without_a_licence_or_with_a_wrong_word_the_page_says_so(
    client, viewer, stage, said, words
):
    response = client.get(at("run-dataset", stage.run), said)

    assert response.status_code == 422
    assert words in response.text
    assert 'class="notice error"' in response.text


@pytest.mark.parametrize("what", ["all", "any"])  # as it is said, and as it once was
def test_all_items_can_be_had_whatever_their_verdict(client, viewer, stage, what):
    ItemFactory(stage=stage)

    said = {"format": "csv", "licence": "mit", "what": what}
    response = client.get(at("run-dataset", stage.run), said)

    with unzipped(response) as found:
        rows = next(found.read(n) for n in found.namelist() if n.endswith(".csv"))
    assert len(rows.splitlines()) == 1 + 2


def test_reading_asks_for_a_login_and_importing_for_more(client, stage):
    for name in ("run-export", "run-dataset", "run-archive-file", "run-import"):
        assert client.get(at(name, stage.run)).status_code == 302


def test_a_viewer_may_neither_import_nor_see_the_probes(client, viewer, stage):
    assert client.get(at("run-import", stage.run)).status_code == 403
    assert client.get(reverse("curriculum:archive-import")).status_code == 403
    assert client.get(at("run-domain-file", stage.run)).status_code == 403


def test_items_are_imported_in_three_steps(client, reviewer, stage):
    url = at("run-import", stage.run)

    page = client.post(url, {"file": SimpleUploadedFile("mine.jsonl", FILE)})
    token = re.search(r'name="token" value="([^"]+)"', page.text).group(1)
    said = {"token": token, "question": "question", "solution": "solution", "all_skill": "A1"}
    looked = client.post(url, {**said, "look": "1", "round": "0"})
    done = client.post(url, {**said, "import": "1", "round": "0"}, follow=True)

    assert '<option value="question" selected>' in page.text
    assert "Import 1 item" in looked.text
    assert "What is 3 + 4?" in looked.text
    assert done.redirect_chain[0][0] == at("stage-review", stage)
    assert stage.items.filter(origin="import").count() == 1
    again = client.post(url, {**said, "import": "1", "round": "0"})
    assert again.status_code == 422
    assert "Choose the file again" in again.text


def test_nobody_imports_what_somebody_else_uploaded(client, reviewer, stage):
    url = at("run-import", stage.run)
    page = client.post(url, {"file": SimpleUploadedFile("mine.jsonl", FILE)})
    token = re.search(r'name="token" value="([^"]+)"', page.text).group(1)
    client.force_login(ReviewerFactory())

    for said in (token, token[:-2], "x"):
        response = client.post(url, {"token": said, "question": "question", "all_skill": "A1"})
        assert response.status_code == 422
        assert "Choose the file again" in response.text


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("a.exe", b"x", "has to end in .jsonl, .csv, .parquet"),
        ("a.csv", b"question\n\xff", "Byte 9 (line 2) is not UTF-8"),
        ("a.jsonl", b"", "empty"),
        ("../../a.parquet", b"x", "not a Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(client, reviewer, stage, name, raw, words):
    response = client.post(at("run-import", stage.run), {"file": SimpleUploadedFile(name, raw)})

    assert response.status_code == 422
    assert words in response.text


def test_a_mapping_without_question_or_skill_is_told(client, reviewer, stage):
    url = at("run-import", stage.run)
    page = client.post(url, {"file": SimpleUploadedFile("mine.jsonl", FILE)})
    token = re.search(r'name="token" value="([^"]+)"', page.text).group(1)

    assert "Say which column is the question" in client.post(url, {"token": token}).text
    without = client.post(url, {"token": token, "question": "question"})
    assert without.status_code == 422
    assert "one skill for all rows" in without.text


def test_outside_of_a_review_the_page_says_when(client, reviewer):
    run = RunFactory()

    assert "No round is in review" in client.get(at("run-import", run)).text
    response = client.post(at("run-import", run), {"file": SimpleUploadedFile("a.jsonl", FILE)})
    assert response.status_code == 409


def test_a_request_too_large_is_refused_before_it_is_read(client, reviewer, stage, settings):
    settings.IOA_UPLOAD_BYTES = 100
    read = []

    class Body(io.BytesIO):
        def read(self, *args):
            read.append(args)
            return super().read(*args)

    response = client.generic(
        "POST",
        at("run-import", stage.run),
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(2 * 1024**3),
        **{"wsgi.input": Body()},
    )

    assert response.status_code == 413
    assert "larger than an upload may be" in response.text
    assert not read


def test_a_run_leaves_and_comes_in_on_pages(client, approver):
    run = RunFactory(name="Elsewhere")
    CheckpointFactory(run=run)
    whole = archived(run)
    sent = client.get(at("run-archive-file", run))
    assert b"".join(sent.streaming_content) == whole
    Run.objects.filter(pk=run.pk).update(audit_head="another")

    page = client.get(reverse("curriculum:archive-import"))
    response = client.post(
        reverse("curriculum:archive-import"),
        {"file": SimpleUploadedFile("run.ioa.zip", whole)},
        follow=True,
    )

    assert "Import a run" in page.text
    brought = Run.objects.get(origin=run.pk)
    assert response.redirect_chain[0][0] == brought.get_absolute_url()
    for name in ("run-detail", "run-export", "run-diagnosis", "run-curriculum", "run-audit"):
        shown = client.get(at(name, brought))
        assert shown.status_code == 200
        assert 'method="post" action="/runs/' not in shown.text
    assert "made elsewhere" in client.get(at("run-export", brought)).text


def test_a_bad_archive_is_a_sentence_on_the_page(client, approver):
    response = client.post(
        reverse("curriculum:archive-import"), {"file": SimpleUploadedFile("a.zip", b"no")}
    )

    assert response.status_code == 422
    assert "Nothing was imported: this file is no archive" in response.text


def test_an_adapter_comes_as_a_folder_with_its_card(client, viewer, stage, settings):
    folder = settings.IOA_HOME / "elsewhere" / "x"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/secret/path"}')
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "optimizer.pt").write_bytes(b"pickle")
    (folder / MOVING).write_bytes(b"where the path stands")
    base = CheckpointFactory(run=stage.run)
    trained = CheckpointFactory(
        run=stage.run, parent=base, stage=stage, folder="elsewhere/x", is_current=False
    )

    without = client.get(at("checkpoint-adapter", trained))
    response = client.get(at("checkpoint-adapter", trained), {"licence": "undecided"})

    assert without.status_code == 422
    with unzipped(response) as found:
        inside = {name.split("/")[1]: found.read(name) for name in found.namelist()}
    assert set(inside) == {"adapter_config.json", "adapter_model.safetensors", "README.md"}
    assert json.loads(inside["adapter_config.json"])["base_model_name_or_path"] == "simulated"
    assert b"library_name: peft" in inside["README.md"]
    assert client.get(at("checkpoint-adapter", base), {"licence": "mit"}).status_code == 409


def test_the_curriculum_is_a_domain_file_that_can_be_loaded(client, approver, tmp_path):
    from distill import domains

    run = diagnosed_run()
    run.skills.filter(key="A1").update(title="Small sums")

    response = client.get(at("run-domain-file", run))

    path = tmp_path / "d.yaml"
    path.write_bytes(response.content)
    loaded = domains.load(str(path))
    assert [skill.id for skill in loaded.skills] == ["A1", "A2"]
    assert loaded.skills[0].title == "Small sums"


def test_an_upload_that_another_process_removed_meanwhile_is_no_error(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    folder = tmp_path / "imports"
    folder.mkdir()
    (folder / "gone").symlink_to(tmp_path / "nowhere")  # listed, and not there when it is looked at

    path = uploaded.keep(SimpleUploadedFile("items.csv", b"question\n"))

    assert path.read_bytes() == b"question\n"
