"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The address of who asks; None where there is none (a socket, a test).

    Behind `IOA_PROXIES` proxies it is the one that the first of them saw: that many from the end
    of `X-Forwarded-For`, as whatever stands before it was written by who asks.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.IOA_PROXIES:
        told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        address = told[-settings.IOA_PROXIES].strip() if len(told) >= settings.IOA_PROXIES else ""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None
