"""Items: sizes, and what a round gets written."""

from __future__ import annotations

import pytest

from distill import domains
from distill.adapter.checks import Fits, NotLeak
from distill.adapter.operations import PROCEDURAL_OPERATIONS, Operation, levels
from distill.adapter.writing import Order, write
from distill.backends.chat import Rendered
from distill.domains.base import question_key
from distill.errors import DomainError
from distill.records import Split
from tests.distill.samples import MEASURED, Numbered, skill_of


def written(domain, *orders, round_key="s1r0", **more):
    more = {"seed": 3, "operations": PROCEDURAL_OPERATIONS} | more
    return write(domain, orders, round_key=round_key, **more)


# --- levels -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mastery", "starts_small", "expected"),
    [
        (0.5, False, [3] * 10),
        (0.49, False, [1, 2] + [3] * 8),
        (0.9, True, [1, 1, 2, 2] + [3] * 6),
        (0.0, True, [1, 1, 2, 2] + [3] * 6),
    ],
)
def test_sizes_rise_and_small_ones_are_for_those_who_need_them(mastery, starts_small, expected):
    assert levels(10, mastery, starts_small=starts_small) == expected


@pytest.mark.parametrize("n", range(8))
def test_there_is_a_size_for_each_item_however_few(n):
    assert len(levels(n, 0.0, starts_small=True)) == n


# --- writing ----------------------------------------------------------------------------------


def test_as_many_items_are_written_as_were_ordered_and_all_pass():
    domain = domains.load("foundations")

    items = written(domain, Order("A2", 30), Order("M2", 50, 0.6))

    assert [i.skill for i in items] == ["A2"] * 30 + ["M2"] * 50
    assert len({i.key for i in items}) == len({question_key(i.question) for i in items}) == 80
    assert not any(i.is_flagged for i in items)


def test_items_are_the_same_for_the_same_seed_and_round_and_others_for_other():
    domain = domains.load("foundations")

    items = written(domain, Order("M2", 20))

    assert written(domain, Order("M2", 20)) == items
    assert written(domain, Order("M2", 20), seed=4) != items
    assert {i.question for i in written(domain, Order("M2", 20), round_key="s1r1")} != {
        i.question for i in items
    }


def test_every_item_carries_the_results_of_all_standard_checks():
    (item,) = written(domains.load("foundations"), Order("A2", 1))

    assert [(c.id, c.version) for c in item.checks] == [
        ("parses", 1),
        ("safety", 1),
        ("fits", 2),
        ("template", 1),
        ("skill", 1),
        ("answer", 2),
        ("duplicate", 2),
        ("leak", 3),
    ]


def test_what_the_student_cannot_take_in_is_written_and_flagged():
    (item,) = written(
        domains.load("foundations"),
        Order("A2", 1),
        fits=Fits(lambda question, solution: Rendered((1,) * 513, 500), most_tokens=512),
    )

    assert [c.id for c in item.checks if not c.passed] == ["fits"]


def test_no_probe_of_any_split_is_ever_among_the_items():
    domain = domains.load("foundations")
    probes = {p.id for s in MEASURED for p in domain.probes("A1", s, 9999, seed=0)}

    items = written(domain, Order("A1", 9999), leak=NotLeak(probes))

    assert len(items) == domain.size("A1", Split.TRAIN)
    assert not {question_key(i.question) for i in items} & probes


def test_smaller_instances_come_first_and_say_so():
    items = written(Numbered((skill_of("A"),)), Order("A", 10, 0.0))

    assert [i.level for i in items] == [1, 2, *[3] * 8]
    assert [Operation.LIMIT_LOAD in i.operations for i in items] == [True, True, *[False] * 8]


def test_where_small_instances_run_out_larger_ones_step_in():
    items = written(Numbered((skill_of("A"),), small=1), Order("A", 20, 0.0, starts_small=True))

    assert [i.level for i in items] == [1, 2, *[3] * 18]


def test_operations_decide_the_words_and_stand_on_the_item():
    domain = Numbered((skill_of("A"),))

    (bare,) = written(domain, Order("A", 1, 1.0), operations=frozenset())
    (worked,) = written(domain, Order("A", 1, 1.0), operations={Operation.DECOMPOSE})

    assert (bare.solution, bare.operations) == ("Answer: 0", ())
    assert (worked.solution, worked.operations) == ("It is 0. Answer: 0", (Operation.DECOMPOSE,))


def test_a_later_round_asks_new_questions_while_there_are_some():
    domain = Numbered((skill_of("A"),), sizes=dict.fromkeys(Split, 30))
    first = written(domain, Order("A", 20, 1.0))
    earlier = [i.question for i in first]

    second = written(domain, Order("A", 20, 1.0), round_key="s1r1", earlier=earlier)

    asked_again = set(earlier) & {i.question for i in second}
    assert len(second) == len({i.question for i in second}) == 20
    assert len(asked_again) == 10
    assert not any(i.is_flagged for i in second)
    assert not {i.key for i in first} & {i.key for i in second}


def test_a_round_of_a_skill_whose_questions_are_all_used_up_can_still_be_written():
    domain = domains.load("foundations")
    first = written(domain, Order("A1", 400))

    again = written(
        domain,
        Order("A1", 400),
        round_key="s1r1",
        earlier=[i.question for i in first],
    )

    assert len(again) == len(first) == domain.size("A1", Split.TRAIN)


def test_items_are_told_of_one_by_one():
    sunk, beats = [], []

    items = written(
        Numbered((skill_of("A"), skill_of("B"))),
        Order("A", 2),
        Order("B", 1),
        beat=lambda done, total: beats.append((len(sunk), done, total)),
        sink=sunk.append,
    )

    assert sunk == items
    assert beats == [(1, 1, 3), (2, 2, 3), (3, 3, 3)]


def test_where_a_domain_has_not_as_many_the_work_ends_at_what_was_written():
    domain, beats = Numbered((skill_of("A"),), sizes=dict.fromkeys(Split, 5)), []

    items = written(domain, Order("A", 9, 1.0), beat=lambda *told: beats.append(told))

    assert len(items) == 5
    assert beats[-2:] == [(5, 9), (5, 5)]


def test_a_skill_without_a_generator_is_refused_with_what_to_do():
    domain = Numbered((skill_of("A"),), sizes=dict.fromkeys(Split, 0), small=0)

    with pytest.raises(DomainError, match="Nothing can be written for A: .*or to go without"):
        written(domain, Order("A", 5))


def test_an_order_for_nothing_writes_nothing():
    assert written(Numbered((skill_of("A"),)), Order("A", 0)) == []
