"""Review by sample: what is drawn, what it shows, and when the rest may pass on it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from curriculum import engine
from curriculum.errors import Overtaken, SampleRefused, WrongMoment
from curriculum.models import Assignment, AuditEntry, Item, Review, Sample
from curriculum.services import audit, items, sampling, signers
from curriculum.services.audit import Actor
from curriculum.states import ActorKind, Verdict
from tests.factories import ItemFactory, ReviewerFactory, StageFactory

pytestmark = pytest.mark.django_db(transaction=connection.vendor != "sqlite")
YES = Verdict.APPROVED


@pytest.fixture
def stage(db):
    stage = StageFactory(reviewing=True, skills=["A1"], run__seed=7)
    ItemFactory.create_batch(40, stage=stage)
    return stage


def draw(stage, actor, n=12, tolerance=0.25):
    return sampling.draw(stage, actor=actor, round=0, n=n, tolerance=tolerance)


def drawn(sample):
    return [Item.objects.get(pk=pk) for pk, _ in sample.items]


def approve(sample, actor):
    for item in drawn(sample):
        items.approve(item, actor=actor, version=1)


def test_a_sample_is_drawn_by_the_runs_seed_from_what_waits_and_passed(stage, approver):
    for trait in ({"approved": True}, {"flagged": True}, {"leak": True}):
        ItemFactory(stage=stage, **trait)
    shared = ItemFactory(stage=stage)
    for _ in range(2):
        Assignment.objects.create(item=shared, reviewer=ReviewerFactory())

    sample = draw(stage, approver)

    assert (len(sample.items), len(sample.others)) == (12, 28)
    assert sample.seed == "7/1/0"
    pks = {pk for pk, _ in [*sample.items, *sample.others]}
    assert pks == set(Item.objects.order_by("pk").values_list("pk", flat=True)[:40])
    entry = AuditEntry.objects.get()
    assert entry.action == "items.sampled"
    assert (entry.evidence["sample"], entry.evidence["tolerance"]) == (sample.content_hash, 0.25)


def test_the_same_items_and_seed_give_the_same_sample_and_another_seed_another(stage, approver):
    first = draw(stage, approver)
    Sample.objects.all().delete()
    again = draw(stage, approver)
    Sample.objects.all().delete()
    stage.run.seed = 8
    other = draw(stage, approver)

    assert (again.items, again.content_hash) == (first.items, first.content_hash)
    assert other.items != first.items


def test_a_plan_that_could_show_nothing_is_refused_with_the_number_that_could(stage, approver):
    with pytest.raises(SampleRefused, match=r"up to 55.6% of the other 36 .* Draw \d+ at least"):
        draw(stage, approver, n=4, tolerance=0.05)
    with pytest.raises(SampleRefused, match="leave at least one"):
        draw(stage, approver, n=40)
    for tolerance in (0, 1, -0.1):
        with pytest.raises(SampleRefused, match="between 0 and 100"):
            draw(stage, approver, tolerance=tolerance)
    assert not Sample.objects.exists()


def test_the_number_that_is_planned_is_enough(stage, approver):
    n = sampling.plan(40, 0.1)

    with pytest.raises(SampleRefused):
        draw(stage, approver, n=n - 1, tolerance=0.1)
    sample = draw(stage, approver, n=n, tolerance=0.1)

    approve(sample, approver)
    assert sampling.outcome(sample).is_shown


def test_there_is_one_sample_a_round(stage, approver):
    draw(stage, approver)

    with pytest.raises(SampleRefused, match="has its sample"):
        draw(stage, approver)
    with pytest.raises(IntegrityError), transaction.atomic():
        Sample.objects.create(
            stage=stage, round=0, tolerance=0.1, items=[], others=[], content_hash=""
        )


def test_the_rest_is_approved_by_policy_with_the_name_of_who_signed(stage, approver):
    sample = draw(stage, approver)
    approve(sample, approver)
    found = sampling.outcome(sample)

    assert sampling.approve_rest(sample, actor=approver) == 28

    assert (found.bad, found.most_bad, found.is_shown) == (0, 7, True)
    assert found.bound == pytest.approx(7 / 28)
    assert not Item.objects.exclude(verdict=YES).exists()
    entry = AuditEntry.objects.get(action="items.sampled_approved")
    assert (entry.actor_kind, entry.actor) == (ActorKind.POLICY, approver.user)
    assert entry.actor_name == f"sampled review, signed by {approver.name}"
    assert entry.evidence["sample"] == sample.content_hash
    assert entry.evidence["bound"] == pytest.approx(7 / 28)
    assert entry.evidence["tolerance"] == 0.25
    assert Review.objects.filter(reviewed_as=ActorKind.POLICY).count() == 28
    assert signers.part_of(approver.user, stage).approved == 40
    audit.verify(stage.run)


def test_nothing_is_approved_while_the_sample_is_not_looked_at(stage, approver):
    sample = draw(stage, approver)
    approve_all_but_one = drawn(sample)[1:]
    for item in approve_all_but_one:
        items.approve(item, actor=approver, version=1)

    with pytest.raises(SampleRefused, match="1 of the 12 items of the sample has no person's"):
        sampling.approve_rest(sample, actor=approver)
    assert Item.objects.filter(verdict=YES).count() == 11


def test_too_many_bad_ones_refuse_the_rest_with_the_bound_and_the_tolerance(stage, approver):
    sample = draw(stage, approver)
    first, *others = drawn(sample)
    items.reject(first, actor=approver, version=1, reason="wrong")
    for item in others:
        items.approve(item, actor=approver, version=1)

    with pytest.raises(SampleRefused, match=r"1 of 12 were bad.*28.*others.*more than the 25.0%"):
        sampling.approve_rest(sample, actor=approver)
    assert not AuditEntry.objects.filter(action="items.sampled_approved").exists()


def test_an_item_that_was_mended_counts_as_bad_as_it_was_drawn(stage, approver):
    sample = draw(stage, approver)
    first = drawn(sample)[0]
    items.edit(first, actor=approver, version=1, question="What is 1 + 1?", solution="Answer: 2")
    items.approve(Item.objects.get(pk=first.pk), actor=approver, version=2)

    assert sampling.outcome(sample).bad == 1


def test_policys_verdict_on_a_drawn_item_is_no_look_at_it(stage, approver):
    sample = draw(stage, approver)
    items.approve_all(stage, actor=Actor.policy("only gates: clean items"), round=0)

    assert len(sampling.outcome(sample).undecided) == 12


def test_approving_all_together_leaves_the_sample_to_be_looked_at(stage, approver):
    sample = draw(stage, approver)

    assert items.approve_all(stage, actor=approver, round=0) == 28
    assert len(sampling.outcome(sample).undecided) == 12


def test_of_the_others_what_changed_since_is_left_and_what_was_rejected_counts(stage, approver):
    sample = draw(stage, approver)
    approve(sample, approver)
    others = [Item.objects.get(pk=pk) for pk, _ in sample.others[:3]]
    items.reject(others[0], actor=approver, version=1, reason="wrong")
    items.edit(
        others[1], actor=approver, version=1, question="What is 1 + 1?", solution="Answer: 2"
    )
    items.approve(others[2], actor=approver, version=1)

    found = sampling.outcome(sample)
    sampling.approve_rest(sample, actor=approver)

    assert len(found.others) == 25
    assert found.most_bad == 7 - 2
    assert Item.objects.get(pk=others[1].pk).verdict == Verdict.WAITING


def test_the_fewer_are_left_the_more_of_them_may_be_bad(stage, approver):
    sample = draw(stage, approver)
    approve(sample, approver)
    for pk, _ in sample.others[:8]:
        items.approve(Item.objects.get(pk=pk), actor=approver, version=1)

    assert sampling.outcome(sample).bound == pytest.approx(7 / 20)
    with pytest.raises(SampleRefused):
        sampling.approve_rest(sample, actor=approver)


def take_back(item, actor, reason="wrong"):
    items.undo(Item.objects.get(pk=item.pk), actor=actor, version=1)
    items.reject(Item.objects.get(pk=item.pk), actor=actor, version=1, reason=reason)


def test_an_approved_sample_says_what_it_shows_now_and_whether_it_bears(stage, approver):
    sample = draw(stage, approver)
    approve(sample, approver)
    assert sampling.worn(stage, 0) is None
    sampling.approve_rest(sample, actor=approver)
    sample.refresh_from_db()
    now = sampling.outcome(sample)
    assert (now.bad, len(now.others), now.is_shown) == (0, 28, True)
    assert now.bound == pytest.approx(7 / 28)
    assert sampling.worn(stage, 0) is None

    first, second, *_ = drawn(sample)
    items.undo(first, actor=approver, version=1)
    assert (sampling.outcome(sample).undecided, sampling.worn(stage, 0)[1].bad) == ([first.pk], 0)
    items.approve(Item.objects.get(pk=first.pk), actor=approver, version=1)
    assert sampling.worn(stage, 0) is None

    take_back(second, approver)
    _, now = sampling.worn(stage, 0)
    most = engine.most_bad(1, 12, 40, sample.confidence)
    assert (now.bad, now.undecided, now.most_bad, now.is_shown) == (1, [], most, False)
    assert now.bound == pytest.approx(most / 28)


def test_a_sample_bears_its_others_still_when_they_are_looked_through(stage, approver):
    sample = draw(stage, approver)
    approve(sample, approver)
    sampling.approve_rest(sample, actor=approver)
    sample.refresh_from_db()
    most = sampling.outcome(sample).most_bad
    bad, good, edited = [Item.objects.get(pk=pk) for pk, _ in sample.others[:3]]

    take_back(bad, approver)
    items.undo(good, actor=approver, version=1)
    items.approve(Item.objects.get(pk=good.pk), actor=approver, version=1)
    items.edit(edited, actor=approver, version=1, question="What is 1 + 1?", solution="Answer: 2")

    now = sampling.outcome(sample)
    assert (now.most_bad, len(now.others)) == (most - 2, len(sample.others) - 2)
    assert now.is_shown
    with pytest.raises(SampleRefused, match="approved on this sample already"):
        sampling.approve_rest(sample, actor=approver)


def test_a_sample_of_a_round_that_went_on_approves_nothing(stage, approver):
    sample = draw(stage, approver)
    approve(sample, approver)
    type(stage).objects.update(status="training")

    with pytest.raises(WrongMoment):
        sampling.approve_rest(Sample.objects.select_related("stage__run").get(), actor=approver)
    with pytest.raises(Overtaken):
        sampling.draw(stage, actor=approver, round=1, n=12, tolerance=0.25)


def test_of_two_signatures_at_once_one_approves(at_once, stage, approver):
    sample = draw(stage, approver)
    approve(sample, approver)

    def sign():
        found = Sample.objects.select_related("stage__run").get(pk=sample.pk)
        return sampling.approve_rest(found, actor=approver)

    results = at_once([sign] * 2)

    assert sorted(map(type, results), key=str) == sorted([int, SampleRefused], key=str)
    assert at_once([Review.objects.count]) == [40]


def test_a_verdict_on_one_of_the_rest_at_the_same_moment_stands(at_once, stage, approver):
    sample = draw(stage, approver, tolerance=0.3)
    approve(sample, approver)
    other = sample.others[0][0]

    def reject():
        return items.reject(Item.objects.get(pk=other), actor=approver, version=1, reason="no")

    def sign():
        found = Sample.objects.select_related("stage__run").get(pk=sample.pk)
        return sampling.approve_rest(found, actor=approver)

    rejected, approved = at_once([reject, sign])

    verdict = at_once([lambda: Item.objects.get(pk=other).verdict])[0]
    assert (approved, verdict) in [(27, "rejected"), (28, "approved")]
    assert isinstance(rejected, Item if verdict == "rejected" else Overtaken)


def test_of_two_draws_at_once_one_is_the_sample(at_once, stage, approver):
    results = at_once([lambda: draw(stage, approver)] * 2)

    assert sum(isinstance(result, SampleRefused) for result in results) == 1
    assert at_once([Sample.objects.count]) == [1]
