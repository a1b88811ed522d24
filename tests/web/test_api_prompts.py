"""A run's prompts by the API: read in every version, and changed only as they were seen."""

from __future__ import annotations

import pytest

from curriculum import engine
from curriculum.models import AuditEntry, Job, PromptTemplate
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    PromptTemplateFactory,
    ReviewerFactory,
    RunFactory,
    SkillFactory,
    ViewerFactory,
)
from tests.web.api_calls import bearer
from tests.web.api_words import HOSTILE, refused, run_in_words

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(db):
    return run_in_words()


@pytest.fixture
def ada(db):
    return ApproverFactory(first_name="Ada", last_name="")


@pytest.fixture
def ask(client, run, ada):
    """Of the run's prompts, as Ada unless somebody else is named: a GET, or a POST of `said`."""
    tokens = {}

    def send(path="", said=None, by=ada, of=run):
        auth = tokens[by.pk] = tokens.get(by.pk) or bearer(by)
        url = f"/api/v1/runs/{of.pk}/prompts{path}"
        if said is None:
            return client.get(url, headers=auth)
        return client.post(url, said, content_type="application/json", headers=auth)

    return send


# --- Read ---------------------------------------------------------------------------------------


def test_every_template_is_there_with_the_words_in_use_and_who_made_which(ask, run, ada):
    PromptTemplateFactory(run=run, source="One.\n", note="slower", actor=ada)
    PromptTemplateFactory(run=run, number=2, source="Two.\n")

    said = ask(by=ViewerFactory()).json()

    assert [each["name"] for each in said["templates"]] == [*engine.PROMPT_NAMES]
    assert said["version"] == engine.templates_of(run).version
    items, *_ = said["templates"]
    assert (items["title"], items["number"]) == ("the whole request", 0)
    assert items["source"] == engine.built_in_prompt("items")
    changed = next(each for each in said["templates"] if each["name"] == "decompose")
    assert (changed["title"], changed["number"], changed["source"]) == ("small steps", 2, "Two.\n")
    told = [(each["number"], each["by"], each["note"]) for each in changed["versions"]]
    assert told == [(2, None, ""), (1, "Ada", "slower"), (0, None, "")]
    assert [each["at"] is None for each in changed["versions"]] == [False, False, True]


def test_they_are_read_with_as_many_queries_however_many_versions_there_are(
    ask, run, ada, django_assert_num_queries
):
    PromptTemplateFactory(run=run, actor=ada)
    ask()
    with django_assert_num_queries(7):
        ask()
    for number in range(2, 6):
        PromptTemplateFactory(run=run, number=number, actor=ada)

    with django_assert_num_queries(7):
        assert len(ask().json()["templates"]) == len(engine.PROMPT_NAMES)


def test_one_version_is_shown_by_its_number_the_built_in_one_too(ask, run, ada):
    PromptTemplateFactory(run=run, source="One.\n", note="slower", actor=ada)
    viewer = ViewerFactory()

    one = ask("/decompose/versions/1", by=viewer).json()
    built_in = ask("/decompose/versions/0", by=viewer).json()

    assert (one["source"], one["by"], one["note"]) == ("One.\n", "Ada", "slower")
    assert built_in["source"] == engine.built_in_prompt("decompose")
    assert (built_in["number"], built_in["by"], built_in["at"]) == (0, None, None)


def test_a_run_whose_teacher_is_a_program_has_none(ask):
    run = RunFactory()
    SkillFactory(run=run)

    assert ask(of=run).json() == {"version": "", "templates": []}
    refused(ask("/decompose/versions/0", of=run), 404, "it is asked with no words")
    refused(ask("/decompose/tried", of=run), 404, "have been tried")
    for path, said in (
        ("/decompose", {"source": "Slowly.", "seen": 0}),
        ("/decompose/roll-back", {"number": 0, "seen": 0}),
        ("/decompose/try", {}),
    ):
        refused(ask(path, said, of=run), 422, "it is asked with no words")


def test_what_people_write_is_text_and_nothing_else(ask, run):
    person = ApproverFactory(first_name=HOSTILE[:25], last_name="")
    PromptTemplateFactory(run=run, source=HOSTILE, note=HOSTILE, actor=person)

    listed, version = ask(), ask("/decompose/versions/1")

    for response in (listed, version):
        assert response["Content-Type"].partition(";")[0] == "application/json"
        assert response["X-Content-Type-Options"] == "nosniff"
    shown = next(each for each in listed.json()["templates"] if each["name"] == "decompose")
    assert shown["source"] == HOSTILE
    for said in (shown["versions"][0], version.json()):
        assert (said["note"], said["by"]) == (HOSTILE, HOSTILE[:25])


# --- Names and numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["verse", "..%2Fsettings", "%3Cscript%3E", "%00", "%ED%A0%80"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", {"source": "Slowly.", "seen": 0}),
        ("/roll-back", {"number": 0, "seen": 0}),
        ("/try", {}),
        ("/tried", None),
        ("/versions/0", None),
    ],
)
def test_a_template_that_there_is_not_is_404_with_a_sentence(ask, name, path, said):
    refused(ask(f"/{name}{path}", said), 404, "There is no ")
    assert not PromptTemplate.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("number", [2, 2**31 - 1])
def test_a_version_that_there_is_not_is_404_in_an_address_and_422_in_a_body(ask, run, number):
    PromptTemplateFactory(run=run)

    refused(ask(f"/decompose/versions/{number}"), 404, f"There is no version {number} of")
    back = ask("/decompose/roll-back", {"number": number, "seen": 1})
    refused(back, 422, f"There is no version {number} of “decompose”.")


@pytest.mark.parametrize("number", ["-1", "x", str(2**31), str(10**30)])
def test_what_is_no_number_of_a_version_is_422(ask, number):
    refused(ask(f"/decompose/versions/{number}"), 422, "path.number")


# --- Change -------------------------------------------------------------------------------------


def test_words_are_changed_by_who_has_seen_those_in_use(ask, run):
    changed = ask("/decompose", {"source": "Slowly.\r\n", "seen": 0, "note": "too fast"})
    late = ask("/decompose", {"source": "Fast.", "seen": 0})

    assert changed.status_code == 200
    said = changed.json()
    assert (said["number"], said["source"], said["by"]) == (1, "Slowly.\n", "Ada")
    assert (said["note"], said["at"] is None) == ("too fast", False)
    refused(late, 409, "This template has just been changed. Look again before you decide.")
    assert late.json()["code"] == "overtaken"
    assert engine.templates_of(run).sources["decompose"] == "Slowly.\n"
    entry = AuditEntry.objects.get(run=run)
    assert (entry.action, entry.note) == ("prompt.changed", "too fast")
    assert entry.became == {"name": "decompose", "number": 1, "source": "Slowly.\n"}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"source": "Slowly {{ nobody }}.", "seen": 0}, "This template cannot be used"),
        ({"source": "{{ skill.title() }}", "seen": 0}, "it cannot call anything"),
        ({"source": "{% include 'items' %}", "seen": 0}, "a template cannot hold “include”"),
        ({"source": "x" * 20_001, "seen": 0}, "over 20,000"),
        ({"source": " \n", "seen": 0}, "The template may not be empty."),
        ({"source": engine.built_in_prompt("decompose"), "seen": 0}, "nothing has been changed"),
        ({"source": "Slowly."}, "body.seen"),
        ({"source": "Slowly.", "seen": -1}, "body.seen"),
        ({"source": "Slowly.", "seen": "0"}, "body.seen"),
        ({"source": "Slowly.", "seen": 0, "name": "items"}, "body.name"),
        ({"source": "x" * 100_001, "seen": 0}, "body.source"),
        ({"source": "Slowly.\x00", "seen": 0}, "NUL"),
        ({"seen": 0}, "body.source"),
    ],
)
def test_words_that_cannot_be_used_are_refused_with_a_sentence(ask, said, says):
    refused(ask("/decompose", said), 422, says)
    assert not PromptTemplate.objects.exists()


def test_an_earlier_version_is_taken_up_again_as_a_new_one(ask, run):
    PromptTemplateFactory(run=run, source="One.\n")
    PromptTemplateFactory(run=run, number=2, source="Two.\n")

    back = ask("/decompose/roll-back", {"number": 1, "seen": 2}).json()
    late = ask("/decompose/roll-back", {"number": 2, "seen": 2})
    same = ask("/decompose/roll-back", {"number": 3, "seen": 3})
    built_in = ask("/decompose/roll-back", {"number": 0, "seen": 3, "note": "begin anew"}).json()

    assert (back["number"], back["source"], back["note"]) == (3, "One.\n", "as in version 1")
    refused(late, 409, "has just been changed")
    refused(same, 422, "nothing has been changed")
    assert (built_in["number"], built_in["note"]) == (4, "begin anew")
    assert built_in["source"] == engine.built_in_prompt("decompose")
    entries = AuditEntry.objects.filter(run=run, action="prompt.rolled_back")
    assert [entry.became["number"] for entry in entries.order_by("pk")] == [3, 4]


def test_the_same_change_under_the_same_key_is_one_version(client, run, ada):
    auth = bearer(ada) | {"Idempotency-Key": "k1"}
    url, said = f"/api/v1/runs/{run.pk}/prompts/decompose", {"source": "Slowly.", "seen": 0}

    first, second = (
        client.post(url, said, content_type="application/json", headers=auth) for _ in range(2)
    )

    assert second["Idempotent-Replayed"] == "true"
    assert first.json() == second.json()
    assert PromptTemplate.objects.count() == 1


# --- Who may ------------------------------------------------------------------------------------

WRITES = [
    ("/decompose", {"source": "Slowly.", "seen": 1}),
    ("/decompose/roll-back", {"number": 0, "seen": 1}),
    ("/decompose/try", {}),
]


@pytest.mark.parametrize("who", [ViewerFactory, ReviewerFactory])
@pytest.mark.parametrize(("path", "said"), WRITES)
def test_who_does_not_approve_reads_and_changes_nothing(ask, run, who, path, said):
    PromptTemplateFactory(run=run)
    person = who()

    refused(ask(path, said, by=person), 403, "This takes the role “approver” in this run")
    assert ask("/decompose/versions/1", by=person).status_code == 200
    assert PromptTemplate.objects.count() == 1
    assert not Job.objects.exists()


@pytest.mark.parametrize("who", [ApproverFactory, AdminFactory])
@pytest.mark.parametrize(("path", "said"), WRITES)
def test_who_approves_may(ask, run, who, path, said):
    PromptTemplateFactory(run=run)

    assert ask(path, said, by=who()).status_code == 200


@pytest.mark.parametrize(("path", "said"), WRITES)
def test_in_a_run_that_is_over_nothing_is_changed_or_tried(ask, path, said):
    over = RunFactory(teacher="openai:big@http://localhost/v1", stopped=True)
    SkillFactory(run=over)
    PromptTemplateFactory(run=over)

    refused(ask(path, said, of=over), 409, "This run is")
    assert ask(of=over).status_code == 200
