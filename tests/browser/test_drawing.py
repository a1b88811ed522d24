from __future__ import annotations

from xml.etree import ElementTree

from distill.comparison.document import name_of
from distill.comparison.drawing import draw
from distill.comparison.sections import Section

WORDS = "uniform <b>bold</b>"


def section(value, title="The arms"):
    trace = {"type": "bar", "name": WORDS, "x": ["a", "b"], "y": [value, 0.5]}
    return Section(title, "", [], [], [trace], {"yaxis": {"title": {"text": "mastery & more"}}})


def test_pictures_are_drawn_once_and_those_of_other_figures_go(chromium, tmp_path):
    (tmp_path / "notes.txt").write_text("kept")
    silent = Section("No picture", "", [], [])

    (first,) = draw([section(0.1), silent], tmp_path, chromium)
    again = draw([section(0.1)], tmp_path, chromium)
    (second,) = draw([section(0.2)], tmp_path, chromium)

    assert again == []
    assert first.name == name_of(section(0.1)) != second.name == name_of(section(0.2))
    assert {p.name for p in tmp_path.iterdir()} == {second.name, "notes.txt"}
    picture = ElementTree.fromstring(second.read_text())
    assert (picture.get("width"), picture.get("height")) == ("900", "380")
    assert "mastery & more" in {t.text for t in picture.iter() if t.text}
