"""The database itself refuses to change or delete what the audit log says."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

REFUSAL = "the audit log is append-only"

LOCK = {
    "sqlite": [
        f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb} ON curriculum_auditentry "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION curriculum_audit_refuse() RETURNS trigger AS $$ "
        f"BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$ LANGUAGE plpgsql",
        "CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE "
        "ON curriculum_auditentry FOR EACH ROW EXECUTE FUNCTION curriculum_audit_refuse()",
    ],
}
UNLOCK = {
    "sqlite": [f"DROP TRIGGER IF EXISTS audit_no_{verb}" for verb in ("update", "delete")],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_append_only ON curriculum_auditentry",
        "DROP FUNCTION IF EXISTS curriculum_audit_refuse()",
    ],
}


def lock(apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in LOCK.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


def unlock(apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in UNLOCK.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("curriculum", "0001_initial")]
    operations = [migrations.RunPython(lock, unlock)]
