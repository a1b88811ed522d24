"""What people and files get wrong, from the door to the row: it is said in a sentence, the state
is as before, and nothing is lost. Models and disks are in test_bad_days.
"""

from __future__ import annotations

import pytest

from curriculum import engine
from curriculum.errors import BadDomain, BadModel, BadSettings, UnreviewedItems
from curriculum.models import Answer, Run
from curriculum.services import items, jobs, stages
from curriculum.states import JobStatus, RunStatus, SkillOutcome, StageStatus
from distill.errors import ModelFolderBroken
from tests.curriculum.small import PROBES, diagnosing, draft, fail, reviewing, work

pytestmark = pytest.mark.django_db

DOMAIN = """\
title: Halves
skills:
  - id: H1
    grader: number
    probes:
      - {question: "Half of 4?", reference: 2}
      - {question: "Half of 6?", reference: 3}
      - {question: "Half of 8?", reference: 4}
    items:
      - {question: "Half of 10?", answer: 5}
  - id: H2
    prerequisites: [H1]
    probes:
      - {question: "Is 3 odd?", reference: yes}
      - {question: "Is 5 odd?", reference: yes}
      - {question: "Is 7 odd?", reference: yes}
    items:
      - {question: "Is 9 odd?", answer: yes}
"""


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.IOA_HOME = tmp_path
    return tmp_path


@pytest.fixture
def halves(home):
    """Write the domain file that a run is made of."""

    def write(text=DOMAIN):
        path = home / "domains" / "halves.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return "domains/halves.yaml"

    return write


# --- domains and models ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "is_now", "words"),
    [
        ("- id: H1\n", "- id: H1\n    prerequisites: [H2]\n", "(H1 → H2 → H1|H2 → H1 → H2)"),
        ("grader: number", "grader: vibes", "no grader “vibes”"),
        ("prerequisites: [H1]", "prerequisites: [H9]", "H9"),
        ("skills:", "skills: [", "line"),
        ("Halves", "Hal\x00ves", "halves.yaml"),
    ],
    ids=["cycle", "grader", "prerequisite", "no yaml", "nul"],
)
def test_a_domain_file_with_a_mistake_makes_no_run_and_says_where_it_is(
    halves, was, is_now, words, approver
):
    spec = halves(DOMAIN.replace(was, is_now, 1))
    assert (spec, "halves.yaml") in engine.domains()
    assert (spec, "halves.yaml") in engine.domains_titled()

    with pytest.raises(BadDomain, match=words) as caught:
        draft(approver, domain=spec, skills=[])

    assert "halves.yaml" in str(caught.value)
    assert not Run.objects.exists()


def test_a_domain_file_that_breaks_later_fails_the_job_and_is_mended(halves, approver):
    run = diagnosing(approver, domain=halves(), skills=[])
    halves(DOMAIN.replace("grader: number", "grader: vibes"))

    job = fail(run, BadDomain, "no grader “vibes”")
    assert run.status == RunStatus.DIAGNOSING

    halves()
    jobs.retry(job, actor=approver)
    assert work(run).status == JobStatus.SUCCEEDED


def test_a_domain_outside_the_installation_is_refused(tmp_path_factory, approver):
    outside = tmp_path_factory.mktemp("elsewhere") / "halves.yaml"
    outside.write_text(DOMAIN)

    for spec in (str(outside), "../" + outside.name, "domains/../../halves.yaml"):
        with pytest.raises(BadDomain, match="not a domain of this installation"):
            draft(approver, domain=spec)


def test_a_model_folder_without_weights_makes_no_run(home, approver):
    folder = home / "models" / "hollow"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")

    with pytest.raises(BadModel, match="no weights") as caught:
        draft(approver, student="hollow")

    assert str(folder) in str(caught.value)
    assert not Run.objects.exists()


def test_weights_that_vanish_later_fail_the_job_and_leave_the_run(home, approver):
    folder = home / "models" / "student"
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    weights = folder / "model.safetensors"
    weights.touch()
    run = diagnosing(approver, student="student")
    weights.unlink()

    fail(run, ModelFolderBroken, "no weights")

    assert run.status == RunStatus.DIAGNOSING
    assert Answer.objects.filter(checkpoint=None).count() == PROBES  # the teacher's are kept


# --- settings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("thresholds", "mastery", 1.5),
        ("thresholds", "gap", -0.1),
        ("thresholds", "mastery", float("nan")),
        ("probing", "diagnose_probes", 0),
        ("probing", "batch_size", 2.5),
        ("budget", "items", "many"),
        ("budget", "rehearsal_share", 1),
        ("lora", "learning_rate", float("inf")),
        ("lora", "learning_rate", 0),
        ("lora", "weight_decay", float("nan")),
        ("lora", "rank", None),
        ("lora", "average", False),
        ("writing", "tried", True),
        ("budget", "items", "20"),
        ("budget", "fair_shares", "yes"),
        ("lora", "layers", 3),
    ],
)
def test_a_setting_out_of_its_range_is_named_and_makes_no_run(group, name, value, approver):
    with pytest.raises(BadSettings, match=f"{group}.{name}"):
        draft(approver, settings={group: {name: value}})

    assert not Run.objects.exists()


# --- people ------------------------------------------------------------------------------


def test_a_stage_with_items_nobody_has_looked_at_is_not_trained(approver):
    stage = reviewing(approver)
    first = stage.items.first()
    items.approve(first, actor=approver, version=first.version)

    with pytest.raises(UnreviewedItems, match="15"):
        stages.train(stage, actor=approver, round=0)

    stage.refresh_from_db()
    assert stage.status == StageStatus.REVIEWING
    assert not stage.snapshots.exists()
    assert set(stage.stage_skills.values_list("outcome", flat=True)) == {SkillOutcome.OPEN}
