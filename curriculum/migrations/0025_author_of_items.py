"""Who wrote an item or brought it in, as the audit log has it: a hand in what is trained on."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def fill(apps, schema_editor):
    """In a round into which several people imported, the log does not say whose an item is."""
    entry, item = (apps.get_model("curriculum", name) for name in ("AuditEntry", "Item"))
    own = entry.objects.filter(actor__isnull=False, origin_run=None)
    for subject, who in own.filter(action="item.written").values_list("subject", "actor"):
        number = subject.removeprefix("item:")
        item.objects.filter(pk=number, origin="person").update(author=who)
    brought = {}
    for subject, said, who in own.filter(action="items.imported").values_list(
        "subject", "evidence", "actor"
    ):
        brought.setdefault((subject.removeprefix("stage:"), said.get("round")), set()).add(who)
    for (stage, round), people in brought.items():
        if len(people) == 1 and round is not None:
            item.objects.filter(stage=stage, round=round, origin="import").update(
                author=people.pop()
            )


class Migration(migrations.Migration):
    dependencies = [
        ("curriculum", "0024_answer_of_revisions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            model_name="item",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
