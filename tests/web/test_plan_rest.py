"""The proposal to plan what is left again, on the page of the curriculum."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.models import Run
from curriculum.services import audit, replanning
from curriculum.services.audit import Actor
from curriculum.services.planned import stages_of
from curriculum.views import plan_reads, reads
from tests.factories import ApproverFactory, measured_run

pytestmark = pytest.mark.django_db


def signed_run(**more):
    """Its curriculum is signed, as the log has it."""
    run = measured_run(**more)
    evidence = {"stages": stages_of(run)}
    audit.write(run, actor=Actor.worker(), action="run.teaching", subject=run, evidence=evidence)
    return run


def page(client, run):
    return client.get(reverse("curriculum:run-curriculum", args=[run.pk])).content.decode()


def versions(run):
    found = plan_reads.versions(run, reads.stages_with_skills(run))
    return [(version.what, version.says) for version in found]


def post(client, name, run, **form):
    return client.post(reverse(f"curriculum:{name}", args=[run.pk]), form, follow=True)


def test_the_page_says_what_would_change_and_on_what(client, approver):
    run = measured_run()

    html = page(client, run)

    assert "What was measured since would change the plan" in html
    assert "stage 2 is split: A2 in stage 2 and A3 in stage 3" in html
    assert '<th scope="row">A2</th><td class="num">0%</td><td class="num">60%</td>' in html
    assert "Plan the rest again" in html
    assert "Keep it" in html


def test_without_a_proposal_nothing_is_said(client, approver):

    assert "measured since" not in page(client, measured_run(now={}))


def test_who_may_not_sign_reads_it_and_finds_no_button(client, reviewer):

    html = page(client, measured_run())

    assert "What was measured since would change the plan" in html
    assert "Plan the rest again" not in html


def test_accepting_it_is_a_version_that_tells_the_difference(client, approver):
    run = signed_run()

    response = post(client, "run-plan-rest", run, seen=replanning.proposal(run).digest)

    assert "Planned again: what has begun stays as it was." in response.content.decode()
    run = Run.objects.get()
    assert versions(run)[0] == (
        "Version 1",
        ["stage 2 is split: A2 in stage 2 and A3 in stage 3"],
    )


def test_keeping_it_tells_what_was_not_done(client, approver):
    run = signed_run()

    html = post(client, "run-keep-plan", run, seen=replanning.proposal(run).digest).content.decode()

    assert "Kept: the plan stays as it is until more is measured." in html
    assert "Plan the rest again" not in html
    assert versions(run)[0][1] == ["not done: stage 2 is split: A2 in stage 2 and A3 in stage 3"]


def test_a_proposal_that_changed_meanwhile_is_not_accepted_unseen(client, approver):
    run = signed_run()

    response = post(client, "run-plan-rest", run, seen="0" * 16)

    assert response.status_code == 409
    assert run.stages.count() == 2


def test_what_leaves_the_plan_is_told_and_stays_among_the_notices(client, approver):
    run = signed_run(now={"A2": 1.0, "A3": 0.0})
    assert "A2 leaves the plan" in page(client, run)

    actor = Actor.person(ApproverFactory())
    replanning.accept(run, actor=actor, seen=replanning.proposal(run).digest)

    assert "A2 leaves the plan" in page(client, run)
    assert "A2 is taken out of stage 2" in page(client, run)
