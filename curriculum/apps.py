from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CurriculumConfig(AppConfig):
    name = "curriculum"
    verbose_name = "Curriculum"

    def ready(self) -> None:
        from curriculum.roles import make_groups  # models are not loaded before this
        from curriculum.services import sign_ins

        post_migrate.connect(make_groups, sender=self, dispatch_uid="curriculum.roles")
        sign_ins.connect()
