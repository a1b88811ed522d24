"""What views say to htmx, and what the same views say to a browser without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

LIVE = "curriculum/partials/_live.html"
OUT_OF_BAND = "partials/_oob.html"
VARY = ("HX-Request", "HX-Boosted", "HX-History-Restore-Request")

Context = Mapping[str, Any]
Build = Callable[[], Context]  # called after the write, so that the page shows what is so now


class SupportsUrl(Protocol):
    def get_absolute_url(self) -> str: ...


def wants_partial(request: HttpRequest) -> bool:
    """Whether a fragment is wanted. Boosted links and history restores want whole pages."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def current_address(request: HttpRequest) -> SplitResult:
    """Of the page that the person is on, as htmx says; empty where it says none, or no address."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    try:
        return urlsplit(htmx.current_url or "")
    except ValueError:
        return urlsplit("")


def show(
    request: HttpRequest, page: str, partial: str, context: Context, *, status: int = 200
) -> HttpResponse:
    """Answer a GET: the page, or the part of it that htmx asked for."""
    whole = dict(context)
    if getattr(context.get("run"), "origin", None) is not None:
        whole["perms"] = {}  # the record of a run made elsewhere: pages offer nothing to do
    if wants_partial(request):
        # Behind the fragment, what else on the page changed: the notices and the top bar.
        parts = [render_to_string(name, whole, request) for name in (partial, OUT_OF_BAND)]
        response = HttpResponse("".join(parts), status=status)
    else:
        response = render(request, page, whole, status=status)
    patch_vary_headers(response, VARY)
    return response


def answer(
    request: HttpRequest,
    page: str,
    partial: str,
    build: Build,
    *,
    then: str | SupportsUrl,
    notice: str,
    status: int = 200,
    warns: bool = False,
) -> HttpResponse:
    """Answer a POST: fragments for htmx; else a redirect, or the page with what was wrong.

    warns: the notice tells what was done, and that it wants a second look.
    """
    is_refused = status >= 400
    done = messages.WARNING if warns else messages.SUCCESS
    messages.add_message(request, messages.ERROR if is_refused else done, notice)
    if not is_refused and not wants_partial(request):
        return redirect(then)
    return show(request, page, partial, build(), status=status)


def look_again(request: HttpRequest, partial: str, target: str, context: Context) -> HttpResponse:
    """Answer a poll: the progress alone, so that focus and open details stay where they are.

    Every write of a run has its audit entry: when the number a page has `seen` is no longer the
    last, more has changed, and the whole region is sent for `target`.
    """
    if request.GET.get("seen") == str(context["run"].audit_sequence):
        return render(request, LIVE, dict(context))
    response = show(request, partial, partial, context)
    return retarget(reswap(response, "outerHTML"), target)


class LoginRedirectMiddleware:
    """Make a redirect to the login page a move of the whole page, so that no login form is
    swapped into a card when a session has run out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.login = resolve_url(settings.LOGIN_URL)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseRedirect) or not wants_partial(request):
            return response
        if urlsplit(response.url).path != self.login:
            return response
        # Back to the page the person is on, not to the fragment that was asked for.
        here = current_address(request).path or "/"
        return HttpResponseClientRedirect(f"{self.login}?{urlencode({'next': here})}")
