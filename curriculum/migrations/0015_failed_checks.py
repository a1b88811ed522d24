from django.db import migrations


def fill(apps, schema_editor):
    """Items written before have their failed checks in `checks` alone."""
    items = apps.get_model("curriculum", "Item").objects.filter(is_flagged=True)
    for item in items.only("pk", "checks").iterator():
        found = " ".join(sorted(check["id"] for check in item.checks if not check["passed"]))
        items.filter(pk=item.pk).update(failed=f" {found} " if found else "")


class Migration(migrations.Migration):

    dependencies = [
        ('curriculum', '0014_review_actions'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
