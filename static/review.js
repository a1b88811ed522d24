// Keys for the review queue: each presses the button that says it (data-key), so that keyboard
// and mouse do the same, and a button that is not there cannot be pressed.
"use strict";

(() => {
  const queue = () => document.querySelector("[data-review]");
  const keyed = (key) =>
    [...queue().querySelectorAll("[data-key]")].find((each) =>
      each.dataset.key.split(" ").includes(key),
    );

  function isTyping(element) {
    return element.matches("input:not([type=hidden]), textarea, select, [contenteditable]");
  }

  document.addEventListener("keydown", (event) => {
    if (!queue()) return;
    const target = event.target;
    if (isTyping(target)) {
      if (event.key === "Escape") leave(target);
      const isSave = event.key === "Enter" && (event.ctrlKey || event.metaKey);
      if (isSave && target.form) target.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const button = keyed(event.key);
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
    if (event.key === "r") queue().querySelector("#reject-panel[open] input[name=reason]")?.focus();
  });

  function leave(field) {
    const panel = field.closest("#reject-panel");
    if (panel) {
      panel.open = false;
      panel.querySelector("summary").focus();
      return;
    }
    const back = keyed("leave-edit");
    if (back && field.closest("#edit-form")) back.click();
    else field.blur();
  }

  // While an answer is on its way a second press would decide the item behind it.
  let isBusy = false;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!queue() || event.detail.target.id !== "review") return;
    if (isBusy) event.preventDefault();
    else isBusy = true;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target?.id === "review") isBusy = false;
  });

  document.addEventListener("htmx:afterSettle", () => {
    const words = document.querySelector("#edit-form [autofocus]");
    if (words && !document.activeElement.closest("#edit-form")) words.focus();
  });
})();
