"""What is ticked can be told from what is not, in either scheme: axe looks at no picture."""

from __future__ import annotations

import re

import pytest

from tests.factories import ItemFactory, StageFactory

STYLE = "box => { const s = getComputedStyle(box); return [s.backgroundImage, s.backgroundColor] }"


def luminance(colour: str) -> float:
    """Of `rgb(r, g, b)`, 0..1, as WCAG 2 defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_tick_stands_out_from_its_box(school, visit, scheme):
    item = ItemFactory(stage=StageFactory(reviewing=True, skills=["A1"]))
    page = visit(school.bob)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"/stages/{item.stage_id}/review/")
    box = page.get_by_role("checkbox", name="Use single-letter keys")
    box.check()

    page.wait_for_function(
        "box => getComputedStyle(box).backgroundImage.includes('stroke')",
        arg=box.element_handle(),
    )
    tick, behind = box.evaluate(STYLE)
    drawn = re.search(r"rgb\([^)]*\)", tick)[0]
    light, dark = sorted((luminance(drawn), luminance(behind)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3  # WCAG 1.4.11
