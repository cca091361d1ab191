// The inbox while it is open: rows that change, sounds and the title, who else looks, and the keyboard.
"use strict";

(() => {
  const inbox = document.getElementById("inbox");
  const words = JSON.parse(inbox.dataset.words);
  const me = inbox.dataset.me;
  const marks = {}; // by conversation: the patient's last message that was read here
  const talk = () => document.getElementById("talk");
  const queue = () => document.getElementById("queue").dataset;
  const rows = () => document.getElementById("rows");
  const kept = (name, otherwise) => {
    try { return localStorage.getItem(name) ?? otherwise; } catch { return otherwise; }
  };
  const keep = (name, value) => {
    try { localStorage.setItem(name, value); } catch { /* a browser that keeps nothing */ }
  };

  // The clinic's clock, which a demo may stop.
  let ahead = 0;
  const now = () => Date.now() / 1000 + ahead;
  const tellTimes = () => {
    for (const time of document.querySelectorAll("#queue time.ago")) {
      const seconds = now() - Date.parse(time.dateTime) / 1000;
      time.dataset.wall ??= time.textContent;
      if (seconds < 60) time.textContent = words.now;
      else if (seconds < 3600) time.textContent = words.minutes.replace("#", Math.floor(seconds / 60));
      else if (seconds < 12 * 3600) time.textContent = words.hours.replace("##", String(Math.floor(seconds / 60) % 60).padStart(2, "0")).replace("#", Math.floor(seconds / 3600));
      else time.textContent = time.dataset.wall;
    }
  };

  // Which rows stand here, and in which order: as the server sorts them.
  const belongs = (row) => {
    const { state, assignee, team } = row.dataset;
    if (queue().team && queue().team !== team) return false;
    switch (queue().queue) {
      case "mine": return state === "assigned" && assignee === me;
      case "all": return ["assistant", "unassigned", "assigned"].includes(state);
      default: return state === queue().queue;
    }
  };
  const order = (row) => {
    const { urgency, waits, at, snoozed } = row.dataset;
    if (queue().queue === "resolved") return [-at];
    if (queue().queue === "snoozed") return [+snoozed];
    return [+urgency, waits ? +waits : Infinity, -at];
  };
  const before = (one, other) => {
    const [a, b] = [order(one), order(other)];
    const differs = a.findIndex((value, place) => value !== b[place]);
    return differs >= 0 && a[differs] < b[differs];
  };
  const dress = (row) => {
    row.classList.toggle("open", row.dataset.id === talk().dataset.id);
    row.classList.toggle("unread", row.dataset.state !== "assistant" && +row.dataset.in > (marks[row.dataset.id] ?? 0));
  };
  const place = (row) => {
    const list = rows();
    const next = [...list.children].find((other) => before(row, other));
    list.insertBefore(row, next ?? null);
  };
  const concernsMe = (row) => row.dataset.state === "unassigned" || (row.dataset.state === "assigned" && row.dataset.assignee === me);

  const known = {}; // by conversation: what was seen of it last
  const isNews = (row) => {
    const was = known[row.dataset.id];
    known[row.dataset.id] = { in: +row.dataset.in, state: row.dataset.state };
    if (!concernsMe(row)) return false;
    return !was || +row.dataset.in > was.in || (was.state !== row.dataset.state && row.dataset.state === "unassigned");
  };

  const takeRows = (html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const changed = [...fresh.content.children];
    const news = [];
    for (const row of changed) {
      const old = document.getElementById(row.id);
      const focused = old?.contains(document.activeElement);
      if (isNews(row)) news.push(row.dataset.who);
      old?.remove();
      if (!belongs(row)) continue;
      dress(row);
      place(row);
      htmx.process(row);
      if (focused) row.querySelector("a").focus({ preventScroll: true });
    }
    if (changed.some((row) => row.dataset.id === talk().dataset.id)) refreshTalk();
    document.getElementById("rows-empty").hidden = rows().children.length > 0;
    tellTimes();
    if (news.length) announce(news);
  };

  let audio = null;
  const chime = () => {
    if (kept("inbox-sound", "off") !== "on") return;
    audio ??= new AudioContext();
    [660, 880].forEach((hertz, step) => {
      const [tone, volume] = [audio.createOscillator(), audio.createGain()];
      const start = audio.currentTime + step * 0.14;
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.0001, start);
      volume.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.3);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.32);
    });
  };
  const announce = (names) => {
    chime();
    document.getElementById("inbox-news").textContent = words.news.replace("#", [...new Set(names)].join(", "));
  };

  const takeCounts = (counts) => {
    for (const [name, count] of Object.entries(counts)) {
      const tally = document.querySelector(`[data-queue-count="${name}"]`);
      if (tally) tally.textContent = count;
    }
    const waiting = counts.mine + counts.unassigned;
    document.title = `${waiting ? `(${waiting}) ` : ""}${document.title.replace(/^\(\d+\) /, "")}`;
    const menu = document.querySelector('[data-count="console.inbox_page"]');
    if (menu) {
      menu.textContent = waiting;
      menu.hidden = !waiting;
    }
  };

  let looking = {};
  const tellLooking = () => {
    const place = document.getElementById("talk-looking");
    if (!place) return;
    const names = (looking[talk().dataset.id] ?? []).filter(([id]) => id !== me).map(([, name]) => name);
    const sentence = names.length ? words.looking.replace("#", names.join(", ")) : "";
    if (place.textContent !== sentence) place.textContent = sentence;
  };

  // The open conversation.
  const lines = () => document.getElementById("talk-lines");
  const onPhone = () => matchMedia("(max-width: 52rem)").matches;
  const toEnd = () => {
    if (!lines()) return;
    if (onPhone()) lines().querySelector("ol").lastElementChild?.scrollIntoView({ block: "end" });
    else lines().scrollTop = lines().scrollHeight;
  };
  let refreshing = null;
  const refreshTalk = () => {
    clearTimeout(refreshing);
    refreshing = setTimeout(() => htmx.ajax("GET", talk().dataset.fresh, { source: talk(), swap: "none" }), 100);
  };
  let atEnd = true;
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id !== "talk-lines") return;
    atEnd = !onPhone() && event.detail.target.scrollHeight - event.detail.target.scrollTop - event.detail.target.clientHeight < 80;
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id === "talk-lines" && atEnd) toEnd();
    settle();
  });
  const settle = () => {
    const id = talk().dataset.id;
    if (id) {
      const row = document.getElementById(`row-${id}`);
      marks[id] = Math.max(marks[id] ?? 0, +(lines()?.dataset.seen ?? 0), +(row?.dataset.in ?? 0));
    }
    for (const row of rows().children) dress(row);
    tellLooking();
  };
  const beat = () => {
    if (!talk().dataset.looking || document.hidden) return;
    fetch(`${talk().dataset.looking}?seen=${lines().dataset.seen}`, { headers: { "HX-Request": "true" } }).catch(() => {});
  };

  const takeList = () => {
    ahead = +queue().now - Date.now() / 1000;
    Object.assign(marks, { ...JSON.parse(queue().marks), ...marks });
    for (const row of rows().children) known[row.dataset.id] = { in: +row.dataset.in, state: row.dataset.state };
    tellTimes();
    settle();
    showSound();
  };
  const showSound = () => document.getElementById("inbox-sound").setAttribute("aria-pressed", String(kept("inbox-sound", "off") === "on"));

  document.addEventListener("htmx:configRequest", (event) => {
    const link = event.detail.elt.closest?.(".talk-row > a, .plain-list a");
    if (link) event.detail.parameters.queue = queue().queue;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "queue" || event.target.id === "queue") takeList();
    if (event.target.id === "talk") {
      inbox.classList.toggle("has-talk", Boolean(talk().dataset.id));
      toEnd();
      settle();
    }
  });
  document.addEventListener("htmx:historyRestore", () => location.reload());

  document.addEventListener("inbox:written", () => {
    for (const id of ["reply-body", "note-body"]) document.getElementById(id).value = "";
    document.querySelector('#reply [name="key"]').value = crypto.randomUUID();
    document.getElementById("segments").textContent = "";
    document.getElementById("said").replaceChildren();
    toEnd();
  });

  inbox.addEventListener("htmx:sseBeforeMessage", (event) => {
    event.preventDefault();
    const { type, data } = event.detail;
    if (type === "rows") takeRows(data);
    if (type === "counts") takeCounts(JSON.parse(data));
    if (type === "looking") { looking = JSON.parse(data); tellLooking(); }
    if (type === "reload") reloadList();
  });
  const reloadList = () => {
    const address = new URL("/console/inbox", location.href);
    address.searchParams.set("queue", queue().queue);
    if (queue().team) address.searchParams.set("team", queue().team);
    htmx.ajax("GET", `${address.pathname}${address.search}`, { target: "#queue", swap: "outerHTML" });
    if (talk().dataset.id) refreshTalk();
  };

  // Writing.
  const choose = (name, focus = true) => {
    for (const tab of document.querySelectorAll(".tabs [role='tab']")) {
      const chosen = tab.id === `tab-${name}`;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
      if (chosen && focus) document.getElementById(`${name}-body`).focus();
    }
  };
  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[role='tab']");
    if (tab) choose(tab.getAttribute("aria-controls"));
    const shows = event.target.closest("[data-shows]");
    if (shows) document.getElementById(shows.dataset.shows).showModal();
    if (event.target.closest("#inbox-sound")) {
      keep("inbox-sound", kept("inbox-sound", "off") === "on" ? "off" : "on");
      showSound();
      chime();
    }
    for (const drop of document.querySelectorAll(".drop[open]")) if (!drop.contains(event.target)) drop.open = false;
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "canned" && event.target.value) {
      const field = document.getElementById("reply-body");
      field.setRangeText(event.target.value, field.selectionStart, field.selectionEnd, "end");
      event.target.value = "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    }
    if (event.target.id === "inbox-keys-on") keep("inbox-keys", event.target.checked ? "on" : "off");
  });

  // Keys.
  const step = (by) => {
    const links = [...rows().querySelectorAll(".talk-row > a")];
    if (!links.length) return;
    const at = links.findIndex((link) => link === document.activeElement || (!rows().contains(document.activeElement) && link.parentElement.classList.contains("open")));
    links[Math.max(0, Math.min(links.length - 1, at + by))].focus();
  };
  const press = (key) => {
    const found = [...talk().querySelectorAll(`[data-key="${key}"]`)].find((one) => one.offsetParent !== null);
    if (!found) return false;
    if (found.tagName === "SELECT") found.focus();
    else found.click();
    if (found.tagName === "SUMMARY") found.parentElement.querySelector(".drop-card button")?.focus();
    return true;
  };
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("#reply-body, #note-body")) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.key === "Escape") {
      const drop = document.querySelector(".drop[open]");
      if (drop) { drop.open = false; drop.querySelector("summary").focus(); }
      else if (field) field.blur();
      return;
    }
    if (event.target.matches("[role='tab']") && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      choose(event.target.id === "tab-reply" ? "note" : "reply", false);
      document.querySelector("[role='tab'][aria-selected='true']").focus();
      return;
    }
    if (field || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (kept("inbox-keys", "on") !== "on" && event.key !== "?") return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
    else if (key === "?") document.getElementById("inbox-keys").showModal();
    else if (key === "u") {
      if (onPhone()) talk().querySelector(".back")?.click();
      else (rows().querySelector(".open > a") ?? rows().querySelector("a"))?.focus();
    } else if (!("racgensu/".includes(key) && press(key))) return;
    event.preventDefault();
  });

  document.getElementById("inbox-keys-on").checked = kept("inbox-keys", "on") === "on";
  takeList();
  toEnd();
  setInterval(tellTimes, 20_000);
  setInterval(beat, 20_000);
  document.addEventListener("visibilitychange", beat);
})();
