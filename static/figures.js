// Draws the page's Plotly figures from their JSON, in the colours of the page's scheme, and again
// when the numbers or the scheme change. Plotly is fetched only by a page that has a figure.
"use strict";

(() => {
  const SOURCE = document.currentScript.dataset.plotly;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let loading = null;

  function plotly() {
    if (window.Plotly) return Promise.resolve(window.Plotly);
    loading ||= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = SOURCE;
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  // Colours arrive as names of tokens ("--teacher"): put in what they are now.
  function coloured(value, style) {
    if (typeof value === "string") {
      return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
    }
    if (Array.isArray(value)) return value.map((each) => coloured(each, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(
        Object.entries(value).map(([key, each]) => [key, coloured(each, style)]),
      );
    }
    return value;
  }

  function template(style) {
    const ink = style.getPropertyValue("--ink").trim();
    const muted = style.getPropertyValue("--muted").trim();
    const line = style.getPropertyValue("--line").trim();
    const axis = {
      gridcolor: line,
      linecolor: line,
      zerolinecolor: line,
      tickfont: { color: muted, size: 12 },
      title: { font: { color: muted, size: 12 }, standoff: 12 },
      automargin: true,
    };
    return {
      layout: {
        font: { family: getComputedStyle(document.body).fontFamily, color: ink, size: 13 },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        margin: { l: 48, r: 16, t: 8, b: 40 },
        // Of the whole picture: a share of the plot would be further off the more rows it has.
        legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "top", yref: "container" },
        hoverlabel: { font: { size: 12 } },
        xaxis: axis,
        yaxis: axis,
      },
    };
  }

  async function draw(box) {
    const source = document.getElementById(box.dataset.figure);
    if (!source) return;
    box.parentElement.classList.add("has-figures");
    const Plotly = await plotly();
    const style = getComputedStyle(document.documentElement);
    const figure = coloured(JSON.parse(source.textContent), style);
    const layout = { ...figure.layout, template: template(style), autosize: true };
    if (still.matches) layout.transition = { duration: 0 };
    // On a resize Plotly asks the box how tall it is: the box has to know.
    box.style.height = `${layout.height}px`;
    await Plotly.react(box, figure.data, layout, { displayModeBar: false, responsive: true });
    box.dataset.points = Math.max(...figure.data.map((trace) => trace.x.length));
  }

  function drawAll() {
    document.querySelectorAll("[data-figure]").forEach((box) => {
      draw(box).catch(() => box.remove()); // the table beside it has the same numbers
    });
  }

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:afterSettle", drawAll);
  dark.addEventListener("change", drawAll);

  // Paper is light, and narrower than most windows. What was drawn once is drawn again at once.
  const PAPER = "17cm";
  function turn(theme, width) {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    document.querySelectorAll("[data-figure]").forEach((box) => (box.style.width = width));
    drawAll();
  }
  window.addEventListener("beforeprint", () => turn("light", PAPER));
  window.addEventListener("afterprint", () => turn("", ""));
})();
