"""A person may change the answer of an item: its versions keep what it was."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    """Until now no version had another answer than its item."""
    item, revision = (apps.get_model("curriculum", name) for name in ("Item", "Revision"))
    its_own = item.objects.filter(pk=OuterRef("item")).values("answer")[:1]
    revision.objects.update(answer=Subquery(its_own))


class Migration(migrations.Migration):
    dependencies = [("curriculum", "0023_failed_of_imported")]
    operations = [
        migrations.AddField(
            model_name="revision",
            name="answer",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
