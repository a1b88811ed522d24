"""How numbers, times and bars look, and what figures are made of."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.utils import timezone

from curriculum import figures
from curriculum.templatetags import ioa


def score(mean, low, high, n=64):
    return SimpleNamespace(mean=mean, low=low, high=high, n=n)


def skill_row(key, before, after=None, teacher=None):
    return SimpleNamespace(
        skill=SimpleNamespace(key=key),
        student=before,
        before=before,
        after=after,
        teacher=teacher or score(1.0, 0.94, 1.0),
    )


@pytest.mark.parametrize(
    ("share", "text"), [(0.957, "96%"), (0, "0%"), (1.2, "120%"), (None, "–"), ("", "–")]
)
def test_shares_are_percent_without_decimals(share, text):
    assert ioa.percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (75, "1 min 15 s"), (600, "10 min"), (3725, "1 h 2 min")],
)
def test_durations_are_said_as_people_say_them(seconds, text):
    assert ioa.duration(seconds) == text


def test_an_interval_stands_in_brackets_and_is_left_out_when_there_is_none():
    assert ioa.interval(0.905, 0.99) == "[90 to 99]"
    assert ioa.interval(None, 0.9) == ""


def test_a_time_is_relative_and_exact_on_hover():
    html = ioa.ago(timezone.now() - timedelta(minutes=3))

    assert "3\xa0minutes ago" in html
    assert "UTC" in html


def test_a_bar_draws_mean_interval_and_threshold_in_a_hundred_steps():
    template = Template('{% load ioa %}{% bar "not_yet" 0.71 0.62 0.79 0.9 %}')

    html = template.render(Context())

    assert 'class="not_yet" x="0" y="4" width="71.0%"' in html
    assert 'x1="62.0%" x2="79.0%"' in html
    assert 'class="threshold" x1="90.0%"' in html
    assert 'aria-hidden="true"' in html


def test_a_student_better_than_its_teacher_fills_the_bar_and_no_more():
    template = Template('{% load ioa %}{% bar "mastered" 1.4 1.1 1.6 %}')

    assert 'width="100.0%"' in template.render(Context())


LONG_KEYS = ["A1", "very-long-skill-identifier-0123456789-ab"]


def test_every_figure_is_plain_json_and_names_its_colours_by_token():
    steps = [
        SimpleNamespace(step=i, loss=1 / i, learning_rate=1e-4, tokens_per_second=400)
        for i in (1, 2)
    ]
    rows = [skill_row("A1", score(0.1, 0.05, 0.2), score(0.9, 0.8, 0.95))]

    made = [
        figures.gaps(rows, 0.3),
        figures.report(rows),
        figures.loss(steps),
    ]

    text = json.dumps(made, allow_nan=False)
    assert '"--teacher"' in text
    assert "#" not in text


def test_the_gap_chart_marks_where_a_skill_is_deficient():
    figure = figures.gaps([skill_row("A1", score(0.1, 0, 0.2), teacher=score(0.8, 0.7, 0.9))], 0.3)

    assert figure["data"][0]["x"] == [pytest.approx(0.56)]


def test_a_key_that_is_too_long_is_cut_beside_its_row_and_whole_in_what_is_said_of_it():
    rows = [skill_row(key, score(0.1, 0, 0.2), teacher=score(0.8, 0.7, 0.9)) for key in LONG_KEYS]

    figure = figures.gaps(rows, 0.3)

    assert figure["layout"]["yaxis"]["ticktext"] == ["A1", "very-long-skill-i…"]
    assert figure["data"][1]["y"] == LONG_KEYS


@pytest.mark.parametrize("n", [1, 14, 15, 40])
def test_rows_are_as_far_apart_however_many_there_are_and_a_long_chart_has_two_scales(n):
    rows = [skill_row(f"A{i}", score(0.1, 0, 0.2), teacher=score(1, 1, 1)) for i in range(n)]

    layout = figures.gaps(rows, 0.3)["layout"]

    assert layout["yaxis"]["range"] == [n - 0.5, -0.5]
    assert (layout["height"] - 24 * n) == (104 if n < 15 else 124)
    assert ("xaxis2" in layout) == (n >= 15)


def test_an_interval_is_drawn_as_far_as_it_goes_on_each_side():
    bars = figures.report([skill_row("A1", score(0.5, 0.4, 0.7), score(0.9, 0.8, 0.95))])

    error = bars["data"][0]["error_y"]
    assert error["array"] == [pytest.approx(0.2)]
    assert error["arrayminus"] == [pytest.approx(0.1)]


def test_people_of_one_name_have_a_row_each_and_no_name_is_markup():
    counts = {"approved": 1, "rejected": 0, "left": 2}
    names = ["Ada <b>No</b> (ada)", "Ada <b>No</b> (ada2)", "Tom & Co"]

    figure = figures.people([SimpleNamespace(label=name, **counts) for name in names])

    axis = figure["layout"]["yaxis"]
    assert [trace["y"] for trace in figure["data"]] == [axis["tickvals"]] * 3 == [[0, 1, 2]] * 3
    assert axis["ticktext"][:2] == [f"Ada &lt;b&gt;No&lt;/b&gt; ({who})" for who in ("ada", "ada2")]
    assert figure["data"][0]["customdata"] == axis["ticktext"]
