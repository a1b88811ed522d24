"""Two plans compared, in sentences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum.views.differences import differences


def plan(*stages):
    """Each stage as its skills, a letter each."""
    return [{"title": "", "skills": list(stage)} for stage in stages]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["ab", "c"], ["ab", "c"], []),
        (["ab", "c"], ["ba", "c"], []),
        ([], ["ab", "c"], ["planned: 2 stages"]),
        (["ab"], [], ["all stages are given up"]),
        (["ab", "c"], ["a", "bc"], ["b moved from stage 1 to stage 2"]),
        (["abc", "d"], ["a", "bc", "d"], ["stage 1 is split: a in stage 1 and b, c in stage 2"]),
        (["ab", "c", "d"], ["ab", "cd"], ["stages 2 and 3 are merged: c, d in stage 2"]),
        (["a", "b", "c"], ["abc"], ["stages 1, 2 and 3 are merged: a, b, c in stage 1"]),
        (["a", "b"], ["b", "a"], ["stage 2 (b) is now stage 1"]),
        (["a", "b", "c"], ["c", "a", "b"], ["stage 3 (c) is now stage 1"]),
        (
            ["a", "bc", "d"],
            ["b", "a", "c", "d"],
            ["stage 2 is split: b in stage 1 and c in stage 3"],
        ),
        (["a", "b", "c", "d"], ["a", "d", "bc"], ["stages 2 and 3 are merged: b, c in stage 3"]),
        (
            ["a", "b", "c", "d"],
            ["d", "a", "bc"],
            ["stages 2 and 3 are merged: b, c in stage 3", "stage 4 (d) is now stage 1"],
        ),
        (["ab", "c"], ["ab", "cx"], ["x is put in stage 2"]),
        (["ab", "cx"], ["ab", "c"], ["x is taken out of stage 2"]),
        (["a", "b"], ["a", "b", "c"], ["c is put in stage 3"]),
        (["a", "ab"], ["a", "b"], ["a is taken out of stage 2"]),  # its bridge stays
        (
            ["abc", "def"],
            ["ab", "cx", "de", "f"],
            [
                "stage 2 is split: d, e in stage 3 and f in stage 4",
                "c moved from stage 1 to stage 2",
                "x is put in stage 2",
            ],
        ),
        (
            ["a", "bc", "d"],
            ["d", "a", "b", "c"],
            ["stage 2 is split: b in stage 3 and c in stage 4", "stage 3 (d) is now stage 1"],
        ),
        (
            ["ab", "cd"],
            ["ad", "bc"],
            ["b moved from stage 1 to stage 2", "d moved from stage 2 to stage 1"],
        ),
        (
            ["abc"],
            ["a", "b", "c"],
            ["stage 1 is split: a in stage 1, b in stage 2 and c in stage 3"],
        ),
        (
            ["ab", "cd", "e"],
            ["ac", "e", "bd"],
            [
                "b moved from stage 1 to stage 3",
                "c moved from stage 2 to stage 1",
                "stage 3 (e) is now stage 2",
            ],
        ),
    ],
)
def test_a_change_is_told_in_the_words_of_what_was_done(before, after, told):
    assert differences(plan(*before), plan(*after)) == told


plans = st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), max_size=4).map(
    lambda stages: plan(*(sorted(stage) for stage in stages))
)


@settings(max_examples=60)
@given(plans, plans)
def test_nothing_is_told_exactly_when_nothing_has_changed(before, after):
    same = [set(s["skills"]) for s in before] == [set(s["skills"]) for s in after]

    assert (differences(before, after) == []) is same
