"""Guidelines: every version is kept, and nobody writes over what they have not read."""

from __future__ import annotations

import pytest
from django.db import connection

from curriculum.errors import EmptyWords, NothingChanged, Overtaken, RunOver
from curriculum.models import AuditEntry, Guideline
from curriculum.services import guidelines
from tests.factories import RunFactory

pytestmark = pytest.mark.django_db(transaction=connection.vendor != "sqlite")


def write(run, actor, version, text):
    return guidelines.write(run, actor=actor, version=version, text=text)


def test_each_version_is_kept_with_who_wrote_it(approver):
    run = RunFactory()

    write(run, approver, 0, "Show every step.\r\n")
    write(run, approver, 1, "Show every step, each on its line.")

    assert [(g.version, g.text, g.author) for g in run.guidelines.all()] == [
        (2, "Show every step, each on its line.", approver.user),
        (1, "Show every step.", approver.user),
    ]
    assert AuditEntry.objects.filter(action="guideline.written").count() == 2


def test_words_over_a_version_that_was_not_read_are_refused(approver):
    run = RunFactory()
    write(run, approver, 0, "One.")

    for version, text, error in (
        (0, "Two.", Overtaken),
        (1, "One. ", NothingChanged),
        (1, " ", EmptyWords),
    ):
        with pytest.raises(error):
            write(run, approver, version, text)
    with pytest.raises(RunOver):
        write(RunFactory(finished=True), approver, 0, "Late.")
    assert Guideline.objects.count() == AuditEntry.objects.count() == 1


def test_of_two_writers_at_once_one_is_told(at_once, approver):
    run = RunFactory()

    results = at_once([lambda t=text: write(run, approver, 0, t) for text in ("One.", "Two.")])

    assert sum(isinstance(result, Overtaken) for result in results) == 1
    assert at_once([Guideline.objects.count]) == [1]
