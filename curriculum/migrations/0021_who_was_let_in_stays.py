from django.db import migrations


def to_viewers(apps, schema_editor):
    # Who could sign in could read every run, whatever their groups. From now on reading takes a
    # role, so accounts without one become what they were: viewers.
    using = schema_editor.connection.alias
    users = apps.get_model("auth", "User").objects.using(using)
    left = users.filter(
        groups=None, user_permissions=None, is_superuser=False, is_active=True
    )
    if left.exists():
        viewer, _ = apps.get_model("auth", "Group").objects.using(using).get_or_create(name="viewer")
        viewer.user_set.add(*left)


class Migration(migrations.Migration):

    dependencies = [
        ('curriculum', '0020_people'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [migrations.RunPython(to_viewers, migrations.RunPython.noop)]
