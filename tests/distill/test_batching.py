"""What a local model answers together."""

from hypothesis import given
from hypothesis import strategies as st

from distill.backends import batching
from distill.backends.base import Prompt
from distill.backends.batching import MIN_OWN_TOKENS, batches
from distill.settings import Sampling

OWN = {"A": [1] * MIN_OWN_TOKENS, "B": [2] * MIN_OWN_TOKENS}


def shown(skills: str, *, most: int = 64) -> tuple[list[Prompt], list[list[int]], int]:
    """A prompt for each letter: its skill's examples, then a question of its own."""
    prompts = [Prompt("?", Sampling(max_tokens=8), skill=skill) for skill in skills]
    rows = [[0, *OWN.get(skill, []), 100 + i, 0] for i, skill in enumerate(skills)]
    return prompts, rows, most


def test_skills_with_a_long_beginning_of_their_own_are_not_mixed():
    assert list(batches(*shown("ABABCD"))) == [[0, 2], [1, 3], [4, 5]]


def test_where_all_begin_alike_nothing_is_parted():
    assert list(batches(*shown("AAA"))) == [[0, 1, 2]]
    assert list(batches(*shown("CDCD"))) == [[0, 1, 2, 3]]


def test_a_beginning_of_one_prompt_is_nothing_that_is_shared():
    assert list(batches(*shown("ABC"))) == [[2, 0, 1]]  # by length


def test_a_batch_is_no_larger_than_it_may_be(monkeypatch):
    assert list(batches(*shown("CCCCC", most=2))) == [[0, 1], [2, 3], [4]]
    monkeypatch.setattr(batching, "MAX_BATCH_TOKENS", 3 * (3 + 8))
    assert list(batches(*shown("CCCCC"))) == [[0, 1, 2], [3, 4]]


def test_temperatures_part_a_batch_and_seeds_do_not():
    prompts = [
        Prompt("?", Sampling(temperature=t, seed=seed)) for t, seed in [(0, 1), (1, 1), (0, 2)]
    ]
    assert list(batches(prompts, [[1, 2]] * 3, 64)) == [[0, 2], [1]]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABCD"),
            st.lists(st.integers(0, 9), min_size=1, max_size=5),
            st.sampled_from([0.0, 1.0]),
        ),
        max_size=40,
    ),
    st.integers(1, 9),
)
def test_each_prompt_is_in_one_batch(drawn, size):
    prompts = [Prompt("?", Sampling(temperature=t), skill=skill) for skill, _, t in drawn]
    rows = [[*OWN.get(skill, []), *ids] for skill, ids, _ in drawn]

    made = list(batches(prompts, rows, size))

    assert sorted(i for batch in made for i in batch) == list(range(len(drawn)))
    assert all(0 < len(batch) <= size for batch in made)
    assert all(len({prompts[i].sampling.temperature for i in batch}) == 1 for batch in made)
