from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curriculum", "0008_answers_reused")]

    operations = [
        migrations.AddField(
            model_name="item",
            name="aims",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
