"""Every address, tried as everybody: what tests/web/matrix.py says is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from curriculum.models import Membership, Run
from curriculum.services import invitations
from curriculum.services.audit import Actor
from curriculum.states import Role
from curriculum.views.common import RUN_OF
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    CheckpointFactory,
    ItemFactory,
    ReviewerFactory,
    RunFactory,
    UserFactory,
    ViewerFactory,
)
from tests.web.matrix import LET_IN, LOGIN, MATRIX, OWN, UNSEEN, WHO, page
from tests.web.writes import WRITES

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
ELSEWHERE = {"admin", "api"}  # namespaces with rules, and tests, of their own
OF_HOUSE = (ViewerFactory, ReviewerFactory, ApproverFactory, AdminFactory)
ARRANGED = {write.name: write for write in WRITES}


def addresses(patterns=None, inside=""):
    """name -> pattern, of the whole project."""
    found = {}
    for each in patterns or get_resolver().url_patterns:
        if isinstance(each, URLPattern):
            found[str(each.name).replace("_", "-")] = inside + str(each.pattern)
        elif each.namespace not in ELSEWHERE:
            found |= addresses(each.url_patterns, inside + str(each.pattern))
    return found


ROUTES = addresses()
of_a_run = pytest.mark.parametrize(
    "entry", [e for e in MATRIX.values() if e.of_run], ids=lambda e: e.name
)
of_the_house = pytest.mark.parametrize(
    "entry", [e for e in MATRIX.values() if not e.of_run], ids=lambda e: e.name
)


def test_the_matrix_names_every_address_and_no_other():
    assert set(ROUTES) == set(MATRIX)


def test_its_page_in_the_docs_says_the_same():
    assert DOCS.read_text() == page(), "python -m tests.web.matrix docs/permissions.md"


@of_a_run
def test_in_a_run_for_its_members(entry, handler):
    cast = {who: UserFactory() for who in WHO[:5]}
    url, form, run = situation(entry)
    Run.objects.filter(pk=run.pk).update(is_closed=True)
    for role in Role:
        Membership.objects.create(run=run, user=cast[role.label], role=role)
    other = RunFactory(is_closed=True)
    Membership.objects.create(run=other, user=cast[WHO[4]], role=Role.ADMIN)

    tried(entry, cast, url, form, handler)


@pytest.mark.slow
@of_a_run
def test_in_an_open_run_by_groups(entry, handler):
    cast = dict(zip(WHO[:4], (make() for make in OF_HOUSE), strict=True))
    cast[WHO[4]] = UserFactory()  # in no group
    other = RunFactory(is_closed=True)
    Membership.objects.create(run=other, user=cast[WHO[4]], role=Role.ADMIN)
    url, form, _ = situation(entry)

    tried(entry, cast, url, form, handler)


@of_the_house
def test_in_the_installation(entry, handler):
    cast = dict(zip(WHO[:4], (make() for make in OF_HOUSE), strict=True))
    cast[WHO[4]] = UserFactory()
    run = RunFactory(is_closed=True)
    Membership.objects.create(run=run, user=cast[WHO[4]], role=Role.ADMIN)

    _, word = invitations.invite(
        run, actor=Actor.person(cast["admin"]), email="eve@example.org", role=Role.VIEWER
    )
    url = "/" + ROUTES[entry.name].replace("<int:pk>", "1").replace("<str:word>", word)
    tried(entry, cast, url, {}, handler)


def situation(entry):
    """An address, with a form where one is sent, and the run that it is about."""
    kind = ROUTES[entry.name].split("/")[0]
    if entry.name in ARRANGED:
        url, form = ARRANGED[entry.name].arrange(UserFactory())
        pk = url.split("/")[2]
    else:
        item = ItemFactory()
        rows = {
            "runs": item.stage.run,
            "skills": item.skill,
            "stages": item.stage,
            "items": item,
            "checkpoints": CheckpointFactory(run=item.stage.run),
        }
        pk, form = rows[kind].pk, {}
        if entry.name == "run-check-move":
            skill = item.skill_id
            form = {"skill": skill, "to_stage": item.stage_id}
        url = reverse(f"curriculum:{entry.name}", args=[pk])
    return url, form, Run.objects.get(**{RUN_OF[kind]: pk})


def tried(entry, cast, url, form, handler):
    """Each method that the address knows, as everybody. Whoever is let in leaves no trace, so that
    the next one finds the same.
    """
    found, expected = {}, {}
    for who in reversed(WHO):
        client = Client()
        client.handler = handler
        if who in cast:
            client.force_login(cast[who])
        for method in ("GET", "POST"):
            told = entry.outcomes[who] if method in entry.methods else "405"
            told = UNSEEN if told == OWN else told  # it is nobody's here
            with transaction.atomic():
                response = getattr(client, method.lower())(url, form)
                transaction.set_rollback(True)
            response.close()  # of a file
            expected[who, method], found[who, method] = told, outcome(response)
            if told == "405" and found[who, method] == LOGIN:
                expected[who, method] = LOGIN  # asked for before the method is looked at
            if response.status_code == 403:
                assert " can give you another role." in response.text

    assert found == expected


def outcome(response):
    match response.status_code:
        case 302 if response.url.startswith("/login/?next="):
            return LOGIN
        case 403 | 404 | 405:
            return str(response.status_code)
        case 200 | 204 | 302 | 409 | 422:
            return LET_IN
    return f"unexpected: {response.status_code}"
