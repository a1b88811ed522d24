"""Where lines run in the drawing of the graph: behind no box that they have nothing to do with."""

from __future__ import annotations

import re
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from curriculum.models import Prerequisite, Skill
from curriculum.views import drawing
from curriculum.views.drawing import HEIGHT, WIDTH
from distill.domains import load

FINE = 16  # points that a curve is looked at in
no_hurry = settings(  # no test of speed
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def graph_of(keys, pairs):
    """Nothing of it is stored."""
    skills = {key: Skill(pk=n, key=key, title=key) for n, key in enumerate(keys, start=1)}
    edges = [Prerequisite(source=skills[a], target=skills[b]) for a, b in pairs]
    return list(skills.values()), edges


def foundations():
    domain = load("foundations")
    pairs = [(edge.source, edge.target) for edge in domain.edges()]
    return graph_of([skill.id for skill in domain.skills], pairs)


@st.composite
def graphs(draw):
    """Without circles; the skills come in any order."""
    keys = [f"K{n}" for n in range(draw(st.integers(1, 14)))]
    possible = list(combinations(keys, 2))
    pairs = draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    return graph_of(draw(st.permutations(keys)), pairs)


def points(path):
    """Of a path of M, H, V, C, and q and c, which are relative: its ends, and between them."""
    at, there = 0j, []
    for letter, words in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        n = [float(word) for word in re.findall(r"-?\d+", words)]
        if letter in "HV":
            n = [n[0], at.imag] if letter == "H" else [at.real, n[0]]
        turns = [complex(*pair) for pair in zip(n[::2], n[1::2], strict=True)]
        if letter.islower():
            turns = [at + turn for turn in turns]
        there += [bent([at, *turns], step / FINE) for step in range(1, FINE + 1)]
        at = turns[-1]
        if letter == "M":
            there = [at]
    return [(point.real, point.imag) for point in there]


def bent(turns, share):
    """A point of a Bézier curve, by de Casteljau."""
    while len(turns) > 1:
        turns = [a + (b - a) * share for a, b in zip(turns, turns[1:], strict=False)]
    return turns[0]


def is_in(box, point, air=0):
    x, y = point
    return -air < x - box.x < WIDTH + air and -air < y - box.y < HEIGHT + air


def behind(drawn, air=0):
    """Each line with the boxes that it touches, or comes nearer to than `air`."""
    lines = [(line.says, points(line.path)) for line in drawn.lines]
    return {
        says: {box.skill.key for box in drawn.boxes for at in there if is_in(box, at, air)}
        for says, there in lines
    }


def ends(says):
    return set(re.findall(r"\w+", says.removesuffix(", refused")))


@no_hurry
@given(graphs())
def test_no_line_passes_a_box_that_is_not_its_end(graph):
    drawn = drawing.draw(*graph)

    assert not any(behind(drawn).values())
    for says, near in behind(drawn, air=8).items():
        assert near <= ends(says), says


@no_hurry
@given(graphs(), st.data())
def test_nor_does_the_line_that_was_refused(graph, data):
    skills, edges = graph
    assume(edges)
    net = nx.DiGraph((edge.source.key, edge.target.key) for edge in edges)
    first = data.draw(st.sampled_from([key for key in net if net.out_degree(key)]))
    last = data.draw(st.sampled_from(sorted(nx.descendants(net, first))))
    circle = [*nx.shortest_path(net, first, last), first]

    drawn = drawing.draw(skills, edges, circle)

    assert [line.is_refused for line in drawn.lines] == [False] * len(edges) + [True]
    assert not any(behind(drawn).values())
    assert {box.skill.key: (box.x, box.y) for box in drawn.boxes} == {
        box.skill.key: (box.x, box.y) for box in drawing.draw(skills, edges).boxes
    }
    for x, y in points(drawn.lines[-1].path):
        assert 0 < x < drawn.width
        assert 0 < y < drawn.height


@no_hurry
@given(graphs())
def test_boxes_are_apart_and_lines_begin_and_end_at_theirs(graph):
    skills, edges = graph
    drawn = drawing.draw(skills, edges)

    for a, b in combinations(drawn.boxes, 2):
        assert abs(a.x - b.x) > WIDTH or abs(a.y - b.y) >= HEIGHT + drawing.BETWEEN_ROWS
    at = {box.skill.key: box for box in drawn.boxes}
    for edge, line in zip(edges, drawn.lines, strict=True):
        there, source, target = points(line.path), at[edge.source.key], at[edge.target.key]
        assert there[0] == (source.x + WIDTH, source.y + HEIGHT // 2)
        assert there[-1] == (target.x, target.y + HEIGHT // 2)
        assert all(0 < x < drawn.width and 0 < y < drawn.height for x, y in there)
    assert all(0 < box.y < box.y + HEIGHT < drawn.height for box in drawn.boxes)


@no_hurry
@given(graphs())
def test_the_same_graph_is_drawn_the_same(graph):
    assert drawing.draw(*graph) == drawing.draw(*graph)


def test_the_built_in_domain_has_long_lines_and_none_is_behind_a_box():
    drawn = drawing.draw(*foundations())

    assert "M1 → W2" in {line.says for line in drawn.lines}
    assert all(near <= ends(says) for says, near in behind(drawn, air=8).items())


def test_lines_that_need_not_cross_do_not():
    drawn = drawing.draw(*graph_of("ABCD", ["AD", "BC"]))

    y = {box.skill.key: box.y for box in drawn.boxes}
    assert y["A"] == y["D"]
    assert y["B"] == y["C"]


def test_what_nothing_connects_stands_in_the_first_layer_below_the_others():
    drawn = drawing.draw(*graph_of("ZABC", ["AB", "AC"]))

    at = {box.skill.key: box for box in drawn.boxes}
    assert at["Z"].x == at["A"].x
    assert at["Z"].y > at["A"].y


def test_a_skill_that_would_require_itself_has_its_line_below_it():
    drawn = drawing.draw(*graph_of("AB", ["AB"]), circle=["A", "A"])

    assert [line.is_refused for line in drawn.lines] == [False, True]
    (a,) = (box for box in drawn.boxes if box.skill.key == "A")
    assert all(a.y + HEIGHT <= y < drawn.height for _, y in points(drawn.lines[1].path))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Adds two", "Adds two"),
        ("Adds two numbers", "Adds two…"),
        ("分数を半分に", "分数を半…"),
        ("分数を半", "分数を半"),
        ("e\u0301" * 9, "e\u0301" * 9),
        ("e\u0301" * 10, "e\u0301" * 8 + "…"),
    ],
)
def test_what_is_too_long_for_a_box_is_shortened_by_how_wide_it_is(text, shown):
    assert drawing.shortened(text, 9) == shown


def test_a_long_key_leaves_room_for_the_gap():
    key = "very-long-skill-identifier-0123456789-ab"
    without, beside = Skill(key=key, title=key), Skill(key=key, title=key, gap=1.0)

    assert drawing.Box(without, 0, 0).key == "very-long-skill-id…"
    assert drawing.Box(beside, 0, 0).key == "very-long-…"


def test_hundreds_of_skills_are_drawn():
    keys = [f"K{n}" for n in range(300)]
    pairs = [(keys[n], keys[n + far]) for far in (1, 40) for n in range(260) if n % 7]

    drawn = drawing.draw(*graph_of(keys, pairs))

    assert len(drawn.lines) == len(pairs)
    assert not any(behind(drawn).values())
