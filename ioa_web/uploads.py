"""No more comes in than was said: a request that is too large is refused before it is read."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from curriculum.api.problems import problem

ADDRESS = "/api/"
SAYS = (
    "This is larger than an upload may be here ({most:,} bytes, IOA_UPLOAD_BYTES). Nothing was "
    "read. Use the command line on the server, or ask whoever runs it."
)


def refuse_large(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Goes by what the request says of its length: a body without one is never read by Django."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.IOA_UPLOAD_BYTES:
            says = SAYS.format(most=settings.IOA_UPLOAD_BYTES)
            if request.path.startswith(ADDRESS):
                return problem(413, says)
            return HttpResponse(says, status=413, content_type="text/plain; charset=utf-8")
        return get_response(request)

    return middleware
