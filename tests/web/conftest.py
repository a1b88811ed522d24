from __future__ import annotations

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.test.client import ClientHandler

from tests.factories import ApproverFactory, ReviewerFactory, UserFactory, ViewerFactory


@pytest.fixture(scope="session")
def handler():
    """Loaded once: whitenoise looks through all static files whenever it is."""
    return ClientHandler(enforce_csrf_checks=False)


@pytest.fixture
def client(handler):
    client = Client()
    client.handler = handler
    return client


@pytest.fixture
def kept_open(db):
    """A request that a server handles, not Django's test client, ends with its connection closed
    where it is in a transaction: as that of the test always is.
    """
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


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
