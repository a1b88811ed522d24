"""The report's headline: what is kept of the teacher, and how sure that is."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.factories import RunFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            {"retained": 0.968, "retained_interval": [0.934, 0.986]},
            "The student keeps 97% of its teacher on the skills that were taught; "
            "with 95% confidence 93% to 99%.",
        ),
        (  # of an earlier version
            {"retained": 0.968},
            "The student keeps 97% of its teacher on the skills that were taught.",
        ),
        (
            {"retained": None, "retained_interval": None},
            "Measured once, at the end, on questions that nobody has seen before.",
        ),
    ],
)
@pytest.mark.usefixtures("viewer")
def test_what_is_kept_is_told_with_its_interval(client, report, expected):
    run = RunFactory(report=report)

    page = client.get(reverse("curriculum:run-report", args=[run.pk])).content.decode()

    (lede,) = re.findall(r'<p class="lede">(.+?)</p>', page)
    assert re.sub("<[^>]+>", "", lede) == expected
