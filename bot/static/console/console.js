// What every page of the console does: CSRF tokens for htmx, failures said in place, counts in the menu, and the end of an idle
// session: a warning, then signing in again over the page, so that nothing that was typed is lost.
"use strict";

(() => {
  const meta = (name) => document.querySelector(`meta[name="${name}"]`);
  const said = document.getElementById("said");

  const say = (sentence, kind = "wrong") => {
    const line = document.createElement("p");
    line.className = `notice ${kind}`;
    line.textContent = sentence;
    said.replaceChildren(line);
  };
  window.frontdesk = { say };

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = meta("csrf-token").content;
  });
  document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline));
  // What became of each request of htmx, also where the button that asked is drawn anew meanwhile, which then tells nobody.
  const answered = [(xhr) => xhr.status >= 500 && say(document.body.dataset.offline)];
  document.addEventListener("htmx:beforeSend", ({ detail: { xhr, requestConfig } }) => {
    xhr.addEventListener("load", () => answered.forEach((look) => look(xhr, requestConfig)));
  });

  // What scrolls sideways can be reached and scrolled by keyboard.
  const reachScrolling = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  reachScrolling();
  addEventListener("resize", reachScrolling);
  document.addEventListener("htmx:afterSettle", reachScrolling);

  const again = document.getElementById("again");
  if (!again) return; // nobody is signed in

  // --- counts in the menu
  const menu = document.querySelector(".menu[data-counts]");
  const count = async () => {
    const answer = await fetch(menu.dataset.counts, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 401) return signInAgain();
    if (!answer?.ok) return;
    for (const [endpoint, number] of Object.entries(await answer.json())) {
      const badge = menu.querySelector(`[data-count="${endpoint}"]`);
      badge.textContent = number;
      badge.hidden = number === 0;
    }
  };
  if (menu) {
    count();
    setInterval(() => document.hidden || again.open || count(), 20_000);
  }

  // --- idle: the server ends a session in which nobody did anything; typing and clicking are told to it now and then
  const idleSeconds = Number(meta("idle-seconds").content);
  const warnSeconds = Math.min(120, idleSeconds / 2);
  const idle = document.getElementById("idle");
  const left = document.getElementById("idle-left");
  const KEY = "frontdesk-last-alive"; // shared by the tabs of one browser
  let told = Date.now();
  let toTell = false;

  const lastAlive = () => Math.max(told, Number(localStorage.getItem(KEY) ?? 0));
  const tell = async () => {
    toTell = false;
    const answer = await fetch(meta("alive").content, {
      method: "POST",
      headers: { "X-CSRFToken": meta("csrf-token").content, Accept: "application/json" },
    }).catch(() => null);
    if (answer?.status === 401) return signInAgain();
    if (answer?.ok) {
      told = Date.now();
      localStorage.setItem(KEY, String(told));
    }
  };
  localStorage.setItem(KEY, String(told));
  for (const sign of ["keydown", "pointerdown"]) {
    document.addEventListener(sign, () => { toTell = true; }, { passive: true, capture: true });
  }
  document.getElementById("idle-stay").addEventListener("click", () => idle.close());
  idle.addEventListener("close", () => again.open || tell());
  setInterval(() => {
    const quiet = (Date.now() - lastAlive()) / 1000;
    if (again.open) return;
    if (quiet >= idleSeconds) {
      signInAgain();
      idle.close();
    } else if (quiet >= idleSeconds - warnSeconds) {
      if (!idle.open) idle.showModal();
      left.textContent = `${Math.ceil(idleSeconds - quiet)} s`;
    } else {
      if (idle.open) idle.close(); // another tab said that somebody is here
      if (toTell && quiet > Math.min(60, idleSeconds / 4)) tell();
    }
  }, 500);

  // --- signing in again over the page
  const waiting = []; // htmx requests that the server refused since the session was over
  let resend = null; // a form that was about to be sent when the session turned out to be over
  const wrong = document.getElementById("again-wrong");
  const password = document.getElementById("again-password");
  const code = document.getElementById("again-code");

  const useToken = (csrf) => {
    meta("csrf-token").content = csrf;
    for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = csrf;
  };
  const complain = (sentence) => {
    wrong.textContent = sentence;
    wrong.hidden = !sentence;
  };
  const ask = async (url, options) => {
    const answer = await fetch(url, { ...options, headers: { Accept: "application/json", ...options?.headers } });
    const text = await answer.json();
    if (!answer.ok) throw new Error(text.sentence);
    if (text.csrf) useToken(text.csrf);
    return text;
  };
  const signInAgain = async () => {
    if (again.open) return;
    again.showModal();
    password.hidden = false;
    code.hidden = true;
    complain("");
    password.elements.password.focus();
    await ask(again.dataset.password).catch(() => complain(again.dataset.failed));
  };
  const goOn = () => {
    password.reset();
    code.reset();
    again.close();
    told = Date.now();
    localStorage.setItem(KEY, String(told));
    resend?.();
    resend = null;
    for (const { verb, path, elt, target, parameters } of waiting.splice(0)) {
      const values = {};
      for (const name of new Set(parameters.keys())) values[name] = parameters.getAll(name);
      if ("csrf_token" in values) values.csrf_token = meta("csrf-token").content;
      // the page may have been drawn anew meanwhile: then the same button asks
      const source = elt.isConnected ? elt : document.querySelector(`[hx-${verb}="${CSS.escape(path)}"]`);
      if (source) htmx.ajax(verb, path, { source, target: target.isConnected ? target : undefined, values });
      else say(again.dataset.lost);
    }
  };
  const step = (form, url) => form.addEventListener("submit", async (event) => {
    event.preventDefault();
    complain("");
    const body = new URLSearchParams(new FormData(form));
    try {
      const answer = await ask(url, { method: "POST", body, headers: { "X-CSRFToken": meta("csrf-token").content } });
      if (answer.done) return goOn();
      password.hidden = true;
      code.hidden = false;
      code.elements.code.focus();
    } catch (error) {
      complain(error.message || again.dataset.failed);
    }
  });
  document.getElementById("again-key").addEventListener("click", async () => {
    try {
      useToken((await window.frontdeskPasskey(again.dataset.passkey)).csrf);
      goOn();
    } catch (error) {
      if (error.name !== "NotAllowedError") complain(error.message || again.dataset.failed);
    }
  });
  step(password, again.dataset.password);
  step(code, again.dataset.second);
  again.addEventListener("cancel", (event) => event.preventDefault()); // Escape would leave a page that can do nothing

  // A form of the plain kind leaves the page, so it is sent only when the session is sure to be there.
  document.addEventListener("submit", async (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || form.method !== "post" || again.contains(form) || Date.now() - told < 20_000) return;
    event.preventDefault();
    resend = () => form.requestSubmit(submitter);
    await tell();
    if (again.open) return;
    told = Date.now(); // where the server does not answer, the browser says so
    resend?.();
    resend = null;
  });

  answered.push((xhr, request) => {
    if (xhr.status !== 401) return;
    waiting.push(request);
    signInAgain();
  });
})();
