from __future__ import annotations

import pytest

from tests.factories import ApproverFactory, ReviewerFactory, UserFactory, ViewerFactory


@pytest.fixture
def approver(client, db):
    return _logged_in(client, ApproverFactory(first_name="Ada", last_name="Approver"))


@pytest.fixture
def reviewer(client, db):
    return _logged_in(client, ReviewerFactory(first_name="Bob", last_name="Reviewer"))


@pytest.fixture
def viewer(client, db):
    return _logged_in(client, ViewerFactory())


@pytest.fixture
def stranger(client, db):
    return _logged_in(client, UserFactory())


def _logged_in(client, user):
    client.force_login(user)
    return user
