"""Every operation as everybody: scope and role are both needed, and a cookie is nothing."""

from __future__ import annotations

import pytest

from curriculum.access import Role
from curriculum.models import AuditEntry, Item, Membership, Run
from curriculum.services.tokens import SCOPES
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    ReviewerFactory,
    RunFactory,
    UserFactory,
    ViewerFactory,
)
from tests.web.api_calls import CALLS, DOCUMENT, ELSEWHERE, bearer, gate_to_decide

pytestmark = pytest.mark.django_db
each = pytest.mark.parametrize("call", CALLS, ids=str)
PEOPLE = {
    Role.VIEWER: ViewerFactory,
    Role.REVIEWER: ReviewerFactory,
    Role.APPROVER: ApproverFactory,
    Role.ADMIN: AdminFactory,
}
JSON, PROBLEM = "application/json", "application/problem+json"


def etag(call, client, headers):
    """What an edit has to name; of whoever may look."""
    if call.name != "edit_item":
        return {}
    item = Item.objects.get()
    seen = client.get(f"/api/v1/items/{item.pk}", headers=headers)
    return {"If-Match": seen.headers.get("ETag", '"x"')}


def refused(response, status, code=None):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    said = response.json()
    assert said["status"] == status
    assert said["detail"].endswith((".", "?"))
    assert said["request_id"] == response["X-Request-ID"]
    if code:
        assert said["code"] == code
    return said


def written():
    """Entries but those of the tokens that the test has made."""
    return AuditEntry.objects.exclude(action="token.made").count()


def test_the_table_names_every_operation():
    named = {op["operationId"] for ops in DOCUMENT["paths"].values() for op in ops.values()}

    assert named - ELSEWHERE == {call.name for call in CALLS}
    assert len(CALLS) == len({call.name for call in CALLS})


@each
def test_the_least_who_may_can_and_the_log_names_person_and_token(client, call):
    send, person = call.arrange(), PEOPLE[call.needs](first_name="Ada", last_name="")
    headers = bearer(person, *([call.scope, "read"] if call.scope else ["read"]))

    response = send(client, **headers, **etag(call, client, headers))

    assert response.status_code in (200, 201), response.content
    assert str(response.status_code) in call.where[2]["responses"]
    theirs = AuditEntry.objects.filter(actor=person).exclude(action="token.made")
    assert theirs.exists() == call.writes
    name = person.api_tokens.get().name
    assert {entry.actor_name for entry in theirs} <= {f"Ada (by token {name})"}
    assert {entry.request_id for entry in theirs} <= {response["X-Request-ID"]}


@each
def test_without_a_token_it_is_401_whatever_the_session_says(client, call):
    send = call.arrange()

    refused(send(client), 401, "no_token")
    refused(send(client, Authorization="Basic YTpi"), 401, "no_token")
    refused(send(client, Authorization="Bearer ioa_00000000_" + "0" * 64), 401, "bad_token")
    client.force_login(AdminFactory())
    said = send(client)
    refused(said, 401, "no_token")
    assert said["WWW-Authenticate"].startswith("Bearer")
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("call", [call for call in CALLS if call.scope], ids=str)
def test_a_token_without_the_scope_is_403_though_its_person_may_everything(client, call):
    send, others = call.arrange(), [scope for scope in SCOPES if scope != call.scope]
    headers = bearer(AdminFactory(), *others)

    response = send(client, **headers)

    said = refused(response, 403, "scope")
    assert f"“{call.scope}”" in said["detail"]
    assert f'scope="{call.scope}"' in response["WWW-Authenticate"]
    assert written() == 0


@pytest.mark.parametrize("call", [call for call in CALLS if call.needs > Role.VIEWER], ids=str)
def test_every_scope_does_not_help_who_lacks_the_role(client, call):
    headers = bearer(PEOPLE[Role(call.needs - 1)]())
    send = call.arrange()

    said = refused(send(client, **headers, **etag(call, client, headers)), 403, "role")

    assert f"“{call.needs.label}”" in said["detail"]
    assert written() == 0


@each
def test_who_may_not_see_the_run_learns_nothing_of_it(client, call):
    send, headers = call.arrange(), bearer(UserFactory())

    response = send(client, **headers, **({"If-Match": '"x"'} if call.writes else {}))

    if call.has_run:
        refused(response, 404)
    elif call.is_list and call.needs == Role.VIEWER:
        assert response.json() == {"items": [], "next": None}
    else:
        is_for_all = call.needs == Role.VIEWER and not call.of_house
        assert response.status_code == (200 if is_for_all else 403)
    assert written() == 0


@pytest.mark.parametrize("call", [call for call in CALLS if call.has_run], ids=str)
def test_in_a_closed_run_only_its_members_are_anybody(client, call):
    send, (role, person) = call.arrange(), (call.needs, PEOPLE[call.needs]())
    Run.objects.update(is_closed=True)
    run, elsewhere = Run.objects.get(), RunFactory(is_closed=True)
    headers = bearer(person)
    Membership.objects.create(run=elsewhere, user=person, role=Role.APPROVER)

    refused(send(client, **headers, **etag(call, client, headers)), 404)
    Membership.objects.create(run=run, user=person, role=role)

    response = send(client, **headers, **etag(call, client, headers))
    assert response.status_code in (200, 201), response.content


@pytest.mark.parametrize("change", ["revoked", "closed", "demoted"])
def test_what_changes_about_a_person_changes_their_tokens_at_once(client, change):
    person = ReviewerFactory()
    headers = bearer(person)
    assert client.get("/api/v1/me", headers=headers).json()["role"] == "reviewer"

    if change == "revoked":
        person.api_tokens.update(revoked_at="2026-01-01T00:00:00Z")
    elif change == "closed":
        person.is_active = False
        person.save()
    else:
        person.groups.clear()

    response = client.get("/api/v1/me", headers=headers)
    if change == "demoted":
        assert response.json()["role"] is None
    else:
        refused(response, 401, "bad_token")


def test_a_remedy_takes_a_reviewer_only(client):
    call = next(call for call in CALLS if call.name == "decide_gate")
    method, path, _ = call.where
    numbers, said = gate_to_decide("remedy")
    response = client.post(
        path.format(**numbers),
        said,
        content_type=JSON,
        headers=bearer(ReviewerFactory(), "approve"),
    )

    assert (method, response.status_code) == ("post", 200)
    assert response.json()["decision"] == "remedy"
