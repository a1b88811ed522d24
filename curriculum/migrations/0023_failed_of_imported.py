"""Imported items did not say in `failed` which of their checks had failed, so no filter found it."""

from django.db import migrations


def say(apps, schema_editor):
    item = apps.get_model("curriculum", "Item")
    rows = item.objects.filter(origin="import", is_flagged=True, failed="")
    for row in rows.only("pk", "checks").iterator():
        ids = sorted(check["id"] for check in row.checks if not check["passed"])
        failed = f" {' '.join(ids)} " if ids else ""
        item.objects.filter(pk=row.pk).update(failed=failed)


class Migration(migrations.Migration):
    dependencies = [("curriculum", "0022_said")]
    operations = [migrations.RunPython(say, migrations.RunPython.noop)]
