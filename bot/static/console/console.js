// What every page of the console does: sends the CSRF token with htmx, says failures, keeps the counts of the menu.
"use strict";

(() => {
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;
  const said = document.getElementById("said");

  const say = (sentence, kind = "wrong") => {
    const line = document.createElement("p");
    line.className = `notice ${kind}`;
    line.textContent = sentence;
    said.replaceChildren(line);
  };
  window.frontdesk = { say, meta };

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = meta("csrf-token");
  });
  document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline));
})();
