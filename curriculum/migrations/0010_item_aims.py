from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curriculum", "0009_teacher_calls")]

    operations = [
        migrations.AddField(
            model_name="item",
            name="aims",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
