"""Files that people bring in several steps: where they lie between, and whose they are.

A signed word in the form says which file it is; only who brought it gets it again.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from curriculum.errors import CurriculumError

SALT = "curriculum.import"
KEPT_SECONDS = 24 * 3600


class UploadGone(CurriculumError):
    http_status = 422


def keep(file: UploadedFile) -> Path:
    """The upload under a name of ours; uploads that were left lying for a day are removed."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        with suppress(FileNotFoundError):  # another process removed it just now
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                old.unlink()
    path = folder / f"{uuid4().hex}{Path(str(file.name)).suffix.lower()}"
    with path.open("wb") as out:
        out.writelines(file.chunks())
    return path


def token(request: HttpRequest, path: Path, name: str, use: str) -> str:
    """The signed word for a kept file: of this person, for this use."""
    return signing.dumps([path.name, name[:200], request.user.pk, use], salt=SALT)


def kept(request: HttpRequest, use: str) -> tuple[Path, str]:
    """The file that the signed word of this person names, and what it was called."""
    try:
        name, shown, owner, meant = signing.loads(
            request.POST["token"], salt=SALT, max_age=KEPT_SECONDS
        )
    except (signing.BadSignature, ValueError):
        raise UploadGone("This upload is not known any more. Choose the file again.") from None
    path = _folder() / name
    if (owner, meant) != (request.user.pk, use) or not path.is_file():
        raise UploadGone("This upload is not here any more. Choose the file again.")
    return path, shown


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "imports"
