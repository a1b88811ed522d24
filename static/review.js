// Keys for the review queue: each presses the button that says it (data-key), so that keyboard
// and mouse do the same, and a button that is not there cannot be pressed.
"use strict";

(() => {
  const queue = () => document.querySelector("[data-review]");
  const keyed = (key) =>
    [...queue().querySelectorAll("[data-key]")].find((each) =>
      each.dataset.key.split(" ").includes(key),
    );
  const nothingToUndo =
    "There is nothing of yours left to undo here, or what you did last cannot be undone.";
  const field =
    "input:not([type=hidden], [type=checkbox]), textarea, select, [contenteditable]";

  document.addEventListener("keydown", (event) => {
    if (!queue() || event.isComposing) return;
    const target = event.target;
    if (hasLetterKeys && byNumber(event, target)) return;
    if (target.matches(field)) {
      if (event.key === "Escape") leave(target, event);
      if (event.key === "Enter") isDone = isBrief(target);
      const isSave = event.key === "Enter" && (event.ctrlKey || event.metaKey);
      if (isSave && target.form) target.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!hasLetterKeys && event.key.length === 1) return;
    const button = keyed(event.key);
    if (areWords(event) || isBusy) {
      if (button) event.preventDefault();
      return;
    }
    if (!button && event.key === "z") say(nothingToUndo);
    if (!button || button.disabled) return;
    event.preventDefault();
    if (button.matches("input")) {
      show(button);
      return;
    }
    button.click();
    if (event.key === "r") queue().querySelector("#reject-panel[open] input[name=reason]")?.focus();
  });

  // Who speaks to the machine, or rests a hand on it, can switch off all keys of one character.
  // The browser remembers that, where it may.
  const KEPT = "ioa-single-keys";
  let hasLetterKeys = true;
  try {
    hasLetterKeys = localStorage.getItem(KEPT) !== "off";
  } catch {
    // nothing is remembered here: the switch holds until the page is left
  }
  function showSwitch() {
    document.documentElement.toggleAttribute("data-no-single-keys", !hasLetterKeys);
    const box = document.getElementById("single-keys");
    if (box) box.checked = hasLetterKeys;
  }
  document.addEventListener("htmx:load", showSwitch);
  document.addEventListener("change", (event) => {
    if (event.target.id !== "single-keys") return;
    hasLetterKeys = event.target.checked;
    showSwitch();
    try {
      localStorage.setItem(KEPT, hasLetterKeys ? "on" : "off");
    } catch {
      // as above
    }
  });

  // The reason by its number: while the panel is open and no words have been begun.
  function byNumber(event, target) {
    if (!/^[1-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return false;
    const isFree = !target.matches(field) || (target.id === "reject-reason" && !target.value);
    const reason = queue().querySelector(`#reject-panel[open] [data-reason="${event.key}"]`);
    if (!isFree || !reason) return false;
    event.preventDefault();
    reason.click();
    return true;
  }

  function show(input) {
    for (let each = input.closest("details"); each; each = each.parentElement.closest("details"))
      each.open = true;
    input.focus();
  }

  // Fields from which the keys go on with the item: Enter is all there was to say in them.
  let isDone = false;
  const isBrief = (input) => ["filter-q", "tag-word"].includes(input.id);
  const toItem = () => document.getElementById("item-heading")?.focus();

  function leave(left, event) {
    if (left.id === "filter-q") {
      event.preventDefault(); // browsers empty a field for searching
      if (left.value !== left.defaultValue) left.form.requestSubmit();
      toItem();
      return;
    }
    const panel = left.closest("#reject-panel");
    if (panel) {
      panel.open = false;
      panel.querySelector("summary").focus();
      return;
    }
    const back = keyed("leave-edit");
    if (back && left.closest("#edit-form")) back.click();
    else left.blur();
  }

  function say(text) {
    const line = document.createElement("p");
    line.className = "notice success";
    line.textContent = text;
    document.getElementById("notices")?.replaceChildren(line);
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

  // Who writes in a field that an answer takes away writes on for a moment: no key of that is a
  // verdict, until there was time to look up.
  const PAUSE = 700; // ms
  let lastOfWords = -Infinity;
  function areWords(event) {
    if (event.timeStamp - lastOfWords > PAUSE) return false;
    lastOfWords = event.timeStamp;
    return true;
  }
  const isWriting = (form) => {
    const { activeElement } = document;
    if (!queue()?.contains(activeElement) || !activeElement.matches("input, textarea")) return false;
    return activeElement.value !== activeElement.defaultValue && activeElement.form !== form;
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "review" || !event.detail.shouldSwap) return;
    if (isWriting(event.detail.requestConfig.elt.closest("form"))) lastOfWords = event.timeStamp;
  });

  // The answer to a search takes the field away with what was typed since: that is put back, and
  // looked for next. Spaces at the end, which an answer leaves out, stay: words go on behind them.
  let search = null;
  const searched = () => document.getElementById("filter-q");
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, shouldSwap, target } = event.detail;
    if (target?.id !== "review") return;
    const field = searched();
    search = null;
    if (!field || !shouldSwap) return;
    const isSearch = requestConfig.elt === field.form;
    const asked = isSearch ? requestConfig.parameters.q : field.defaultValue;
    search = { asked, said: field.value, caret: [field.selectionStart, field.selectionEnd] };
  });
  document.addEventListener("htmx:afterSettle", () => {
    const field = searched();
    if (!field || !search) return;
    const { asked, said, caret } = search;
    search = null;
    const isHere = document.activeElement === field;
    if (field.value === said || (said === asked && !isHere)) return;
    field.value = said;
    if (isHere) field.setSelectionRange(...caret);
    if (said !== asked) field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Nor may the second press of a double click: what came to stand there has not been read.
  document.addEventListener(
    "click",
    (event) => {
      if (event.detail < 2 || !event.target.closest("#review form button")) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );

  // The focus stays near where it was.
  let hadFocus = false;
  let row = -1; // of the list, from above
  const rows = () => [...document.querySelectorAll("#review .items tbody tr")];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "review") return;
    hadFocus = event.detail.target.contains(document.activeElement);
    row = rows().findIndex((each) => each.contains(document.activeElement));
  });
  function toRow() {
    const now = rows();
    const next = now[Math.min(row, now.length - 1)];
    const button = next?.querySelector("button") ?? next?.querySelector("a");
    if (button) button.focus({ preventScroll: true });
    else toItem();
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    const words = document.querySelector("#edit-form [autofocus]");
    if (words && !document.activeElement.closest("#edit-form")) words.focus();
    const { activeElement } = document;
    if (hadFocus && (!activeElement || activeElement === document.body)) toRow();
    const isRefused = event.detail.xhr?.status >= 400; // what was wrong is set right in the field
    if (isDone && hadFocus && !isRefused && isBrief(activeElement)) toItem();
    if (hadFocus) isDone = false;
    hadFocus = false;
  });
})();
