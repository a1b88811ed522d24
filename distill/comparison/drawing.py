"""The pictures of docs/evidence.md, drawn by the Plotly that the pages use, in Chromium.

python -m distill.comparison.drawing docs [CHROMIUM]

Needs the extra `dev`. A picture is named by what it shows, so that one of other figures is never
taken for it; those of figures that are gone are removed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from distill.comparison.document import FOLDER, compared, name_of
from distill.comparison.page import VENDORED
from distill.comparison.program import Misused, run
from distill.comparison.sections import Section
from distill.disk import write_beside
from distill.errors import DistillError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZE = {"width": 900, "height": 380}  # px
LAYOUT: Mapping[str, Any] = {
    "paper_bgcolor": "#fff",
    "font": {"family": "sans-serif", "size": 13, "color": "#1d2129"},
    "margin": {"t": 12, "r": 12, "l": 56, "b": 64},
    "legend": {"orientation": "h", "y": -0.18},
}
DRAW = """
([traces, layout, size]) => Plotly.toImage({data: traces, layout}, {format: 'svg', ...size})
"""


def draw(sections: Sequence[Section], folder: Path, browser: Browser) -> list[Path]:
    """Write the pictures that are not there, remove those of other figures, and return the new.

    Raises `DistillError` where this installation has no Plotly.
    """
    if not VENDORED.is_file():
        raise DistillError("Plotly is not here: draw from a clone.")
    wanted = {name_of(s): s for s in sections if s.traces}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        if old.name not in wanted:
            old.unlink()
    missing = {name: s for name, s in wanted.items() if not (folder / name).exists()}
    page = browser.new_page()
    page.add_script_tag(path=VENDORED)
    for name, section in missing.items():
        layout = {**LAYOUT, **section.layout}
        url = page.evaluate(DRAW, [list(section.traces), layout, SIZE])
        write_beside(folder / name, unquote(url.partition(",")[2]) + "\n")
    page.close()
    return [folder / name for name in missing]


def main(words: Sequence[str]) -> None:
    """Raises `DistillError`; of its kinds `Misused` where no folder is named."""
    from playwright.sync_api import sync_playwright

    if len(words) not in (1, 2):
        raise Misused
    docs, chromium = [*words, CHROMIUM][:2]
    if not Path(chromium).is_file():
        raise DistillError(f"There is no Chromium at {chromium}: say where it is.")
    told = json.loads((Path(docs) / "evidence.json").read_text(encoding="utf-8"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        draw([s for s, _ in compared(told)], Path(docs) / FOLDER, browser)
        browser.close()


if __name__ == "__main__":
    sys.exit(run(main, sys.argv[1:], __doc__))
