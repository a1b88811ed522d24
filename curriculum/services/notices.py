"""Telling people outside of the pages that a run waits for them: by e-mail, and by a webhook.

`tell` stands in every move. After the commit it looks whether the run waits for a person now,
makes a row for each receiver, and sends its number to the queue. A worker delivers it; what fails
is tried again by `resend`, a few times. Nothing in here can hold up or break a move, and no message
holds a word of an item: run, what is wanted, an address and a number in the log.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from curriculum import access, queues
from curriculum.errors import NotDelivered
from curriculum.models import Notice, Run
from curriculum.services import waiting
from curriculum.services.audit import Actor
from curriculum.services.waiting import Wanted
from curriculum.states import Channel, NoticeStatus, RunStatus

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 6
AGAIN_AFTER = timedelta(minutes=5)  # workers look every ten


def tell(run: Run, *, actor: Actor) -> None:
    """Look after the commit whether the run waits for a person, and tell them. Inside the
    caller's transaction; costs nothing where neither channel is configured.
    """
    if settings.IOA_MAIL or settings.IOA_WEBHOOK_URL:
        pk, besides = run.pk, (actor.user.pk if actor.user else None)
        # robust: a message that cannot be made is logged, and the move stands.
        transaction.on_commit(lambda: announce(pk, besides=besides), robust=True)


def announce(run_pk: int, *, besides: int | None = None) -> list[Notice]:
    """Make the messages of the wait that has begun, once, and send them to the queue.

    A draft is nobody's business yet; `besides` knows, as it was their doing.
    """
    run, wanted, sequence = _now(run_pk)
    if wanted is None or run.status == RunStatus.DRAFT:
        return []
    of_this = Notice.objects.filter(run=run, sequence=sequence)
    if of_this.exists():
        return []
    row = partial(Notice, run=run, sequence=sequence, what=wanted.what)
    rows = [row(channel=Channel.WEBHOOK)] if settings.IOA_WEBHOOK_URL else []
    if settings.IOA_MAIL:
        people = [user for user in wanted.people() if user.email and user.pk != besides]
        rows += [row(channel=Channel.MAIL, to=user) for user in people]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)  # somebody looked at the same time
    made = list(of_this.filter(attempts=0))
    for notice in made:
        queues.enqueue_notice(notice)
    return made


def deliver(notice_pk: int, attempt: int) -> None:
    """Send a message, if nobody else took this attempt and it is still wanted."""
    mine = Notice.objects.filter(pk=notice_pk, status=NoticeStatus.WAITING, attempts=attempt - 1)
    if not mine.update(attempts=F("attempts") + 1, tried_at=timezone.now()):
        return
    notice = Notice.objects.select_related("to").get(pk=notice_pk)
    run, wanted, sequence = _now(notice.run_id)
    is_theirs = wanted is not None and (
        notice.to is None or access.may(notice.to, wanted.role, run)
    )
    if wanted is None or sequence != notice.sequence or not is_theirs:
        _end(notice, NoticeStatus.OUTDATED)  # the run, or their role in it, is another by now
        return
    try:
        _SEND[Channel(notice.channel)](notice, run, wanted)
    except Exception as exc:  # whatever somebody else's server does: the run goes on
        error = _sentence(exc)
        is_last = attempt >= MOST_ATTEMPTS
        logger.log(
            logging.ERROR if is_last else logging.WARNING,
            "message %s of run %s was not delivered (attempt %s): %s",
            notice.pk,
            run.pk,
            attempt,
            error,
        )
        _end(notice, NoticeStatus.FAILED if is_last else NoticeStatus.WAITING, error)
    else:
        _end(notice, NoticeStatus.SENT)


def due() -> list[Notice]:
    """Messages to try again: their last attempt failed, or Redis has forgotten them."""
    before = timezone.now() - AGAIN_AFTER
    silent = Q(tried_at=None, created_at__lt=before) | Q(tried_at__lt=before)
    waiting = Notice.objects.filter(silent, status=NoticeStatus.WAITING)
    return list(waiting.select_related("run").order_by("pk"))


def resend() -> list[Notice]:
    """Send to the queue again what is due. Harmless when one was on its way: an attempt is
    made only once.
    """
    found = due()
    for notice in found:
        queues.enqueue_notice(notice)
    return found


def signature(body: bytes, timestamp: str) -> str:
    """HMAC-SHA256 over timestamp, a full stop and the body as it is sent; hex."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(settings.IOA_WEBHOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()


def _now(run_pk: int) -> tuple[Run, Wanted | None, int]:
    """The run, what it waits for, and the number of the entry with which that began. The run's row
    is read first: what is written meanwhile is later than its `audit_sequence`.
    """
    run = Run.objects.prefetch_related("stages", "jobs").get(pk=run_pk)
    begun = waiting.begun(run)
    wanted = waiting.wanted(run, list(run.stages.all()), list(run.jobs.all()))
    if begun is None or run.archived_at is not None:
        return run, None, 0
    return run, wanted, begun.sequence


def _mail(notice: Notice, run: Run, wanted: Wanted) -> None:
    if notice.to is None or not notice.to.email:
        return  # the address was taken away meanwhile
    EmailMessage(
        subject=" ".join(f"IOA: {run.name}: {wanted.what}".split()),
        body=(
            f"The run “{run.name}” waits for {wanted.who}: {wanted.what}.\n\n"
            f"{settings.IOA_BASE_URL}{wanted.path}\n\n"
            "You get this because your account may do it.\n"
        ),
        to=[notice.to.email],
    ).send()


def post(content: Mapping[str, Any]) -> None:
    """Post something else to the webhook, signed in the same way, once. Raises `NotDelivered`."""
    try:
        _send_signed(content)
    except Exception as exc:  # whatever somebody else's server does
        raise NotDelivered(_sentence(exc)) from exc


def _post(notice: Notice, run: Run, wanted: Wanted) -> None:
    _send_signed(_content(notice, run, wanted))


def _send_signed(content: Mapping[str, Any]) -> None:
    import httpx2  # here, for every command loads the services

    body = json.dumps(content, ensure_ascii=False).encode()
    timestamp = str(int(time.time()))

    answer = httpx2.post(  # redirects are not followed: what is signed goes nowhere else
        settings.IOA_WEBHOOK_URL,
        content=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "IOA",
            "X-IOA-Timestamp": timestamp,
            "X-IOA-Signature": f"sha256={signature(body, timestamp)}",
        },
        timeout=settings.IOA_WEBHOOK_SECONDS,
    )
    answer.raise_for_status()  # any 2xx will do


def _content(notice: Notice, run: Run, wanted: Wanted) -> dict[str, Any]:
    return {
        "event": "run.waiting",
        "id": notice.pk,  # the same at each attempt
        "run": {"id": run.pk, "name": run.name},
        "wanted": wanted.what,
        "who": wanted.who,
        "url": f"{settings.IOA_BASE_URL}{wanted.path}",
        "sequence": notice.sequence,  # of the entry with which the wait began
        "audit_sequence": run.audit_sequence,  # of the last one now: what a signature may name
    }


_SEND = {Channel.MAIL: _mail, Channel.WEBHOOK: _post}


def _sentence(exc: Exception) -> str:
    """What went wrong, for an administrator. Never names the address, which may hold a key."""
    import httpx2

    match exc:
        case httpx2.HTTPStatusError():
            return f"The server answered {exc.response.status_code}."
        case httpx2.TimeoutException():
            return "The server did not answer in time."
        case httpx2.RemoteProtocolError() | httpx2.DecodingError():
            return f"The server's answer could not be read ({type(exc).__name__})."
        case httpx2.TransportError():
            return f"The server could not be reached ({type(exc).__name__})."
    return f"{type(exc).__name__}: {exc}"[:500]


def _end(notice: Notice, status: NoticeStatus, error: str = "") -> None:
    Notice.objects.filter(pk=notice.pk).update(status=status, error=error)
