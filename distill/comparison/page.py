"""A comparison as one HTML page that needs no server and, for the tables, no JavaScript."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from distill.comparison.results import made_with
from distill.comparison.sections import Section, sections
from distill.disk import write_beside

PAGE, PLOTLY = "report.html", "plotly-basic.min.js"
VENDORED = Path(__file__).resolve().parents[2] / "static" / "vendor" / "plotly" / PLOTLY

STYLE = """
:root { color-scheme: light dark; --ink: #1d2129; --paper: #fff; --line: #d5d9e0; --soft: #5b6270 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ec; --paper: #16181d; --line: #3a3f4a; --soft: #a4abb8 } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 0 auto; padding: 1rem }
p, li { max-width: 48rem } .soft { color: var(--soft) }
code { overflow-wrap: anywhere }
.wide { overflow-x: auto } .wide:focus-visible { outline: 2px solid #4457c7 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
caption { text-align: left; color: var(--soft) }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap }
th:first-child, td:first-child { text-align: left }
.plot { height: 24rem }
"""

SCRIPT = """
const styles = getComputedStyle(document.documentElement);
const ink = styles.getPropertyValue('--ink');
const line = styles.getPropertyValue('--line');
const axis = {gridcolor: line, zerolinecolor: ink};
for (const element of document.querySelectorAll('.plot')) {
  const {traces, layout} = JSON.parse(document.getElementById(element.dataset.figure).textContent);
  for (const trace of traces) if (trace.error_y) trace.error_y.color = ink;
  const whole = {paper_bgcolor: 'transparent', plot_bgcolor: 'transparent', font: {color: ink},
    margin: {t: 16}, legend: {orientation: 'h', y: -0.2}, ...layout,
    xaxis: {...axis, ...layout.xaxis}, yaxis: {...axis, ...layout.yaxis}};
  Plotly.newPlot(element, traces, whole, {responsive: true, displaylogo: false});
}
"""


def html(told: Mapping[str, Any], *, with_plots: bool = True) -> str:
    """The whole page. Names of skills and arms are text in it, never markup. Pure."""
    about = (
        f"{told['student']} taught {told['domain']} by {told['teacher']}, "
        f"{told['items']} items, seeds {', '.join(str(s) for s in told['seeds'])}"
    )
    parts = [_section(i, section, with_plots) for i, section in enumerate(sections(told))]
    arms = "".join(f"<li><b>{escape(k)}</b>: {escape(v)}</li>" for k, v in told["says"].items())
    made = escape(made_with(told))
    scripts = f'<script src="{PLOTLY}"></script><script>{SCRIPT}</script>' if with_plots else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Methods compared</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Methods compared at equal budget</h1><p>{escape(about)}.</p>"
        f"<p>Made by <code>{escape(told['command'])}</code></p><ul>{arms}</ul>"
        f'{"".join(parts)}<p class="soft">{made}</p></main>{scripts}</body></html>\n'
    )


def write(out: Path, told: Mapping[str, Any]) -> Path:
    """Write report.html, and Plotly beside it where this installation has it."""
    if has_plotly := VENDORED.is_file():
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(VENDORED, out / PLOTLY)
    write_beside(out / PAGE, html(told, with_plots=has_plotly))
    return out / PAGE


def _section(number: int, section: Section, with_plots: bool) -> str:
    title = escape(section.title)
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in section.head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in section.rows
    )
    plot = ""
    if with_plots and section.traces:
        figure = json.dumps({"traces": section.traces, "layout": section.layout})
        plot = (
            f'<div class="plot" data-figure="figure-{number}" role="img" '
            f'aria-label="{title}: the numbers are in the table"></div>'
            f'<script type="application/json" id="figure-{number}">'
            f"{figure.replace('<', chr(92) + 'u003c')}</script>"
        )
    return (
        f"<h2>{title}</h2><p>{escape(section.words)}</p>{plot}"
        f'<div class="wide" tabindex="0" role="region" aria-label="{title}, table"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
