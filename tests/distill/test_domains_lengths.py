"""About how long a domain's solutions are."""

from __future__ import annotations

import pytest

from distill.domains import load
from distill.domains.lengths import DRAWN, about_tokens, solution_lengths

DOMAIN = load("foundations")
LONG = " then ".join(f"{n} + 1 = {n + 1}" for n in range(40))
FILE = f"""
domain: long
title: Long ways
skills:
  - id: L1
    title: Count on
    statement: Counts on by ones.
    probes:
      - {{question: "What is 1 + 2?", reference: "3", split: diagnose}}
      - {{question: "What is 1 + 3?", reference: "4", split: gate}}
      - {{question: "What is 1 + 4?", reference: "5", split: final}}
    items:
      - {{question: "Count on from 0 to 40.", answer: "40", solution: "{LONG}. Answer: 40"}}
  - id: L2
    title: Add ten
    statement: Adds ten.
    probes:
      - {{question: "What is 1 + 10?", reference: "11", split: diagnose}}
      - {{question: "What is 2 + 10?", reference: "12", split: gate}}
      - {{question: "What is 3 + 10?", reference: "13", split: final}}
    items:
      - {{question: "What is 4 + 10?", answer: "14", solution: "Answer: 14"}}
"""


def test_a_length_for_each_skill_that_is_taught_and_none_for_what_is_measured():
    found = solution_lengths(DOMAIN)

    assert set(found) == {skill.id for skill in DOMAIN.skills if not skill.is_transfer}
    assert all(0 < n <= 96 for n in found.values())  # an answer's default
    assert found["A1"] < found["A3"]


def test_of_a_file_the_longest_counts(tmp_path):
    path = tmp_path / "long.yaml"
    path.write_text(FILE)

    found = solution_lengths(load(str(path)))

    assert found["L1"] > 400
    assert found["L2"] == about_tokens("Answer: 14") == 5


@pytest.mark.torch  # as all tests of the real student are
@pytest.mark.student
def test_the_real_student_s_tokenizer_makes_as_many(student_folder):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(student_folder / "tokenizer.json"))
    worked = [p.worked for s in DOMAIN.skills for p in DOMAIN.problems(s.id, DRAWN, seed=0)]

    shares = [len(tokenizer.encode(text).ids) / about_tokens(text) for text in worked]

    assert min(shares) >= 1
    assert max(shares) <= 1.15
