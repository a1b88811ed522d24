// What every page needs: notices for answers that are not swapped in, a menu that closes, and a
// title that stays true. Pages work without this file.
"use strict";

(() => {
  const SAID = {
    0: "The server cannot be reached. What you entered is still here: try again in a moment.",
    403: "Your account may look at this, but not change it. Ask an administrator for another role.",
    404: "This is not there any more: it may have been planned again. Reload the page.",
  };
  const BROKEN = "The server made a mistake and wrote it into its log. Nothing was saved. Try again.";

  function notice(text) {
    const region = document.getElementById("notices");
    if (!region) return;
    const line = document.createElement("p");
    line.className = "notice error";
    line.textContent = text;
    region.replaceChildren(line);
    region.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("htmx:responseError", (event) => {
    // A form that was sent is answered in words; a poll just looks again.
    const { status, responseText } = event.detail.xhr;
    const type = event.detail.xhr.getResponseHeader("Content-Type") || "";
    const sentence = status === 403 && type.startsWith("text/plain") ? responseText : "";
    notice(sentence || SAID[status] || BROKEN);
  });
  document.addEventListener("htmx:sendError", () => notice(SAID[0]));

  // A success is old news with the next thing that is done.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig.verb !== "post" || event.detail.elt.id === "presence") return;
    document.querySelectorAll("#notices .notice.success").forEach((line) => line.remove());
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
