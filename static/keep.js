// What a person has opened stays open when a part of the page is replaced, and the focus stays
// where it was, or near it. Beside htmx, which keeps it where the same id comes back in sight.
// What was asked for and comes in (data-arrive: what it is about) is gone to.
"use strict";

(() => {
  let opened = [];
  let around = []; // ids: what had the focus, then what it stood in, from the inside out
  let arrived; // what the page had gone to before
  const asked = () => document.querySelector("[data-arrive]");

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail;
    if (!target || target === document.body) return; // another page begins afresh
    opened = [...target.querySelectorAll("details[data-keep][open]")].map((each) => each.id);
    around = [];
    arrived = asked()?.dataset.arrive;
    if (target.matches("[data-review]")) return; // review.js knows a better place
    let each = target.contains(document.activeElement) ? document.activeElement : null;
    for (; each && each !== document.body; each = each.parentElement) {
      if (each.id) around.push(each.id);
    }
  });

  document.addEventListener("htmx:afterSettle", () => {
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    opened = [];
    const isLost = !document.activeElement || document.activeElement === document.body;
    if (isLost) around.some(isFocused);
    const panel = around.length ? asked() : null;
    around = [];
    if (!panel || panel.dataset.arrive === arrived) return;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView();
  });

  // What was pressed may stand elsewhere now, or be out of sight: the focus brings it into view.
  function isFocused(id) {
    const element = document.getElementById(id);
    if (!element) return false;
    element.focus();
    if (document.activeElement === element) return true;
    element.tabIndex = -1;
    element.focus();
    return document.activeElement === element;
  }
})();
