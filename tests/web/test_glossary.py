from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.views.glossary import WORDS

pytestmark = pytest.mark.django_db


def test_every_page_leads_to_the_words_and_each_can_be_linked_to(client, viewer):
    address = reverse("curriculum:glossary")

    assert f'<footer class="wrap foot"><a href="{address}">' in client.get("/").text
    page = client.get(address).text

    words = [word for part in WORDS.values() for word in part]
    assert len(words) == len(set(words)) > 30
    assert page.count("<dt id=") == len(words)
    assert '<dt id="two-person-rule">' in page


def test_who_is_not_signed_in_has_to(client, db):
    assert client.get(reverse("curriculum:glossary")).status_code == 302
