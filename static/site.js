// What every page needs: notices for answers that are not swapped in, a menu that closes, and a
// title that stays true. Pages work without this file.
"use strict";

(() => {
  const SAID = {
    0: "The server could not be reached. What you entered is still here: try again in a moment.",
    403: "Your account may look at this, but not change it. Ask an administrator for another role.",
    404: "This is not there any more: it may have been planned again. Reload the page.",
  };
  const AWAY = "The server does not answer. What you see may be out of date; this page goes on asking.";
  const BROKEN = "The server made a mistake and wrote it into its log. Nothing was saved. Try again.";

  function notice(text) {
    const region = document.getElementById("notices");
    if (!region) return;
    const line = document.createElement("p");
    line.className = "notice error";
    line.textContent = text;
    region.replaceChildren(line);
    region.scrollIntoView({ block: "nearest" });
    return line;
  }

  // Without an answer, the line stands until there is one: of a person's act until the next act is
  // answered, as that one was not done; of what the page asks by itself until anything is.
  const isAct = (event) => Boolean(event.detail.requestConfig.triggeringEvent);
  function lost(event, text) {
    if (!isAct(event) && document.querySelector("#notices [data-lost]")) return; // has been said
    const line = notice(isAct(event) ? text : AWAY);
    if (line) line.dataset.lost = isAct(event) ? "act" : "poll";
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    const over = isAct(event) ? "[data-lost]" : "[data-lost=poll]";
    document.querySelectorAll(`#notices ${over}`).forEach((line) => line.remove());
  });

  document.addEventListener("htmx:responseError", (event) => {
    // A form that was sent is answered in words; a poll just looks again.
    const { status, responseText } = event.detail.xhr;
    const type = event.detail.xhr.getResponseHeader("Content-Type") || "";
    const sentence = status === 403 && type.startsWith("text/plain") ? responseText : "";
    if (status >= 500) lost(event, BROKEN);
    else notice(sentence || SAID[status] || BROKEN);
  });
  document.addEventListener("htmx:sendError", (event) => lost(event, SAID[0]));

  // htmx sees a button's own address only where the button stands inside its form: one beside it,
  // with form="…", would send to the form's.
  document.addEventListener("htmx:configRequest", (event) => {
    const submitter = event.detail.triggeringEvent?.submitter;
    if (submitter?.hasAttribute("formaction") && event.detail.elt === submitter.form) {
      event.detail.path = submitter.getAttribute("formaction");
    }
  });

  // An answer that says what was wrong has an address that takes no second look: the page's stays,
  // unless the answer says that it is another page.
  document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (!xhr || xhr.status < 400 || requestConfig?.verb === "get") return;
    if (xhr.getResponseHeader("HX-Replace-Url")) return;
    Object.assign(event.detail.history, { type: "replace", path: location.href });
  });

  // Another page begins at its top, and is where the keyboard goes on; the same page stays put.
  let here = location.pathname;
  document.addEventListener("htmx:pushedIntoHistory", () => {
    if (location.pathname === here) return;
    here = location.pathname;
    document.addEventListener(
      "htmx:afterSettle",
      () => {
        if (location.hash) return;
        window.scrollTo(0, 0);
        document.getElementById("content")?.focus({ preventScroll: true });
      },
      { once: true },
    );
  });

  // What was done is old news with the next thing that is done. Its place is kept until the answer
  // to that is here: what is pressed next shall not move away from under the mouse.
  const told = (kind) => [...document.querySelectorAll(`#notices .notice${kind}`)];
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig.verb !== "post" || event.detail.elt.id === "presence") return;
    told(":is(.success, .warning)").forEach((line) => line.classList.add("is-old"));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.verb !== "post") return;
    told(".is-old").forEach((line) => line.remove());
  });

  // And so it is once the page has found that more is so by now.
  document.addEventListener("htmx:afterSwap", (event) => {
    const { requestConfig, target } = event.detail;
    if (requestConfig?.verb !== "get" || !/[?&]seen=/.test(requestConfig.path)) return;
    if (target.id === "live") return; // the progress alone
    told(":is(.success, .warning)").forEach((line) => line.remove());
  });

  // What went wrong must be seen, wherever on the page it was caused.
  document.addEventListener("htmx:afterSettle", (event) => {
    const status = event.detail.xhr ? event.detail.xhr.status : 200;
    if (status < 400) return;
    const wrong = document.querySelector("[aria-invalid='true']");
    if (wrong) wrong.focus();
    else document.getElementById("notices")?.scrollIntoView({ block: "nearest" });
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("#dismiss")) {
      document.getElementById("notices").replaceChildren();
      document.getElementById("content").focus({ preventScroll: true });
    }
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();
