// Asks before words are lost that were typed and not saved: of forms that say data-guard. One that
// came back with what was wrong (data-unsaved) holds words that nothing else has.
"use strict";

(() => {
  const QUESTION = "What you wrote is not saved. Leave it behind?";
  const typed = "textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=file])";

  const changed = (form) =>
    [...form.querySelectorAll(typed)].find((field) => field.value !== field.defaultValue);
  const unsaved = () =>
    [...document.querySelectorAll("form[data-guard]")].filter(
      (form) => form.hasAttribute("data-unsaved") || changed(form),
    );

  // Links and buttons of htmx: what they replace may hold a form whose words they do not send.
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, target, verb } = event.detail;
    const lost = unsaved().find(
      (form) => target?.contains(form) && !(verb === "post" && form.contains(elt)),
    );
    if (!lost || window.confirm(QUESTION)) return;
    event.preventDefault();
    (changed(lost) || lost.querySelector(typed))?.focus();
  });

  // What the page asks by itself now and then must not take away what is being written: it is shown
  // once that is saved, or given up.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, target } = event.detail;
    if (requestConfig?.verb !== "get" || !/[?&]seen=/.test(requestConfig.path)) return;
    if (unsaved().some((form) => target.contains(form))) event.detail.shouldSwap = false;
  });

  // Everything else that leaves the page: the browser asks in its own words.
  let isSent = false;
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) isSent = event.target.matches("[data-guard]");
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isSent && unsaved().length) event.preventDefault();
  });
})();
