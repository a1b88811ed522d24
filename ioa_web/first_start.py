"""What has to be so before the first page is shown: a database up to date, and somebody."""

from __future__ import annotations

import os
import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor


def migrate() -> int:
    """Bring the database up to date. Returns how many migrations it took."""
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        call_command("migrate", interactive=False, verbosity=0)
    return waiting


@transaction.atomic
def first_admin(name: str = "admin") -> str | None:
    """Make an administrator if there is none. Returns the password to show, once and never again.

    None when there is one already, or when DJANGO_SUPERUSER_PASSWORD says what it is.
    """
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return None
    given = os.environ.get("DJANGO_SUPERUSER_PASSWORD", "")
    password = given or secrets.token_urlsafe(12)
    user = users.create_superuser(name, password=password)
    user.groups.add(*Group.objects.filter(name="admin"))
    return None if given else password
