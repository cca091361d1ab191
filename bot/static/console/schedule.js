// The calendar under people's hands: opening, walking and moving by mouse and by keys, and staying fresh.
"use strict";

(() => {
  const frame = document.getElementById("frame");
  const panel = document.getElementById("panel");
  const panelBody = document.getElementById("panel-body");
  const trail = document.getElementById("trail");
  const body = document.body;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Forms and links that work wherever they stand.

  document.addEventListener("change", (event) => event.target.closest("[data-sends-itself]")?.requestSubmit());

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) return window.print();
    const time = event.target.closest("[data-at]");
    if (time) takeTime(time);
  });

  const takeTime = (button) => {
    const input = $('input[name="at"]', button.form);
    input.value = button.dataset.at;
    $('select[name="who"]', button.form).value = button.dataset.who;
    if (button.type === "button") input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  if (!panel) return;

  // The panel beside the calendar.

  let opener = null;

  const showPanel = (takesFocus) => {
    hideTrail();
    panel.hidden = false;
    if (takesFocus) ($("[data-autofocus]", panelBody) || panel).focus();
  };

  const load = (verb, url, values, takesFocus = true) =>
    htmx.ajax(verb, url, { target: "#panel-body", swap: "innerHTML", values }).then(() => showPanel(takesFocus));

  const openPanel = (link) => {
    opener = link.closest("#panel") ? opener : link.getAttribute("href") || link;
    $$('.v[aria-expanded="true"]').forEach((one) => one.removeAttribute("aria-expanded"));
    if (link.matches(".v")) link.setAttribute("aria-expanded", "true");
    return load("GET", link.href);
  };

  const closePanel = () => {
    panel.hidden = true;
    panelBody.replaceChildren();
    $$('.v[aria-expanded="true"]').forEach((one) => one.removeAttribute("aria-expanded"));
    const back = typeof opener === "string" ? $(`a[href="${CSS.escape(opener)}"]`) : opener;
    (back?.isConnected ? back : current())?.focus();
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) return closePanel();
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest("a[data-panel], a.v");
    if (!link) return;
    event.preventDefault();
    if (!justDragged) openPanel(link);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (!trail.hidden) hideTrail();
    else if (!panel.hidden) closePanel();
    else document.getElementById("said").replaceChildren();
  });

  // How it looks is the reader's choice, and stays.

  const choice = (id, name) => {
    const button = document.getElementById(id);
    if (!button) return;
    const set = (is) => {
      body.classList.toggle(name, is);
      button.setAttribute("aria-pressed", String(is));
      try { localStorage.setItem(name, is ? "1" : ""); } catch { /* a private window keeps nothing */ }
    };
    let kept = "";
    try { kept = localStorage.getItem(name); } catch { /* as above */ }
    set(kept === "1");
    button.addEventListener("click", () => {
      const length = () => parseFloat(getComputedStyle(body).getPropertyValue("--tick"));
      const row = (frame?.scrollTop || 0) / length();
      set(!body.classList.contains(name));
      if (frame) frame.scrollTop = row * length();
    });
  };
  choice("dense", "dense");
  choice("hide-gone", "gone-hidden");

  if (!frame) return;

  // Rows and columns. A row is five minutes; the classes of a thing say where it stands.

  const { first, rows, step } = Object.fromEntries(["first", "rows", "step"].map((name) => [name, Number(frame.dataset[name])]));
  const mayBook = "mayBook" in frame.dataset;
  const mayMark = "mayMark" in frame.dataset;
  const columns = () => $$(".col", frame);
  const number = (thing, letter) => Number(new RegExp(`(?:^| )${letter}(\\d+)(?: |$)`).exec(thing.className)?.[1] || 0);
  const rowOf = (thing) => number(thing, "h") * 12 + number(thing, "m");
  const lengthOf = (thing) => number(thing, "e") * 12 + number(thing, "d");
  const tick = () => parseFloat(getComputedStyle(body).getPropertyValue("--tick"));
  const clock = (row) => {
    const minutes = (first + row) * 5;
    return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  };
  const title = (column) => $("h2", column).textContent.trim();
  const onGrid = (row, length) => {
    const snapped = Math.round((first + row) / step) * step - first;
    return Math.max(0, Math.min(snapped, rows - length));
  };

  // Walking with the arrow keys: one thing of the calendar is a stop for Tab.

  const things = (root = frame) => $$(".v, .g", root).filter((one) => one.offsetParent);
  const current = () => $('.v[tabindex="0"], .g[tabindex="0"]', frame);
  const tame = (root) => $$(".v, .g", root).forEach((one) => { one.tabIndex = -1; one.draggable = false; });
  const stopAt = (thing) => {
    if (!thing) return;
    const old = current();
    if (old && old !== thing) old.tabIndex = -1;
    thing.tabIndex = 0;
  };
  const go = (thing) => { stopAt(thing); thing?.focus(); };

  const neighbour = (thing, by) => {
    const all = columns();
    const row = rowOf(thing);
    for (let at = all.indexOf(thing.closest(".col")) + by; all[at]; at += by) {
      const there = things(all[at]);
      if (there.length) return there.reduce((best, one) => (Math.abs(rowOf(one) - row) < Math.abs(rowOf(best) - row) ? one : best));
    }
    return null;
  };

  frame.addEventListener("focusin", (event) => { if (event.target.matches(".v, .g")) stopAt(event.target); });

  frame.addEventListener("keydown", (event) => {
    const thing = event.target;
    if (!thing.matches(".v, .g") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (moving) return steer(event);
    const own = things(thing.closest(".col"));
    const at = own.indexOf(thing);
    const walk = {
      ArrowDown: () => own[at + 1], ArrowUp: () => own[at - 1], Home: () => own[0], End: () => own.at(-1),
      ArrowRight: () => neighbour(thing, 1), ArrowLeft: () => neighbour(thing, -1),
    }[event.key];
    if (walk) { event.preventDefault(); return go(walk()); }
    const key = event.key.toLowerCase();
    if (key === "m" && mayBook && isMovable(thing)) { event.preventDefault(); return lift(thing); }
    if (key === "b" && mayBook) { event.preventDefault(); return book(thing.closest(".col"), rowOf(thing), thing); }
    const mark = { c: "check-in", r: "room", d: "done" }[key];
    if (mark && mayMark && thing.matches(".v")) {
      event.preventDefault();
      opener = thing.getAttribute("href");
      load("POST", `${thing.href}/mark`, { step: mark }, false);
    }
  });

  // Booking in free time: where it was pressed says when.

  const book = (column, row, from) => {
    opener = from;
    const asked = new URLSearchParams({ who: column.dataset.who, day: column.dataset.day, at: clock(row) });
    return load("GET", `book?${asked}`);
  };

  frame.addEventListener("click", (event) => {
    const gap = event.target.closest(".g");
    if (!gap || !mayBook) return;
    const inside = event.detail ? Math.floor((event.clientY - gap.getBoundingClientRect().top) / tick()) : 0; // 0: by a key
    const row = Math.ceil((first + rowOf(gap) + (inside > 0 ? Math.floor(inside / step) * step : 0)) / step) * step - first;
    book(gap.closest(".col"), row, gap);
  });

  // Moving, by keys and by mouse: a ghost shows where, the clinic's rules answer.

  let moving = null;
  let justDragged = false;
  const spoken = document.createElement("div");
  spoken.className = "unseen";
  spoken.setAttribute("aria-live", "assertive");
  body.append(spoken);

  const isMovable = (thing) => thing.matches(".v:not(.hold, .done, .no-show, .cancelled)");

  const show = () => {
    const { ghost, column, row, length, name } = moving;
    $(".lane", column).append(ghost);
    ghost.style.top = `${row * tick()}px`;
    ghost.style.height = `${length * tick()}px`;
    ghost.textContent = `${clock(row)} ${name}`;
  };

  const begin = (visit) => {
    hideTrail();
    const ghost = document.createElement("div");
    ghost.className = "ghost";
    const name = [...visit.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE).map((one) => one.data).join("").trim();
    moving = { visit, ghost, name, column: visit.closest(".col"), row: rowOf(visit), length: lengthOf(visit) };
    visit.classList.add("moving");
    show();
  };

  const end = () => {
    moving.ghost.remove();
    moving.visit.classList.remove("moving");
    frame.classList.remove("dragging");
    moving = null;
  };

  const drop = () => {
    const { visit, column, row } = moving;
    const stays = column === visit.closest(".col") && row === rowOf(visit);
    end();
    if (stays) return document.getElementById("said").replaceChildren();
    wanted = visit.getAttribute("href");
    htmx.ajax("POST", `${visit.href}/move`, {
      target: "#said",
      swap: "innerHTML",
      values: { who: column.dataset.who, day: column.dataset.day, at: clock(row), seq: visit.dataset.q || 0, key: crypto.randomUUID() },
    });
  };

  const lift = (visit) => {
    begin(visit);
    frontdesk.say(frame.dataset.moving, "warn");
    visit.focus();
  };

  const steer = (event) => {
    const all = columns();
    const by = event.shiftKey ? 12 : step;
    const to = {
      ArrowDown: [0, by], ArrowUp: [0, -by], ArrowRight: [1, 0], ArrowLeft: [-1, 0],
    }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      document.getElementById("said").replaceChildren();
      return end();
    }
    if (event.key === "Enter") { event.preventDefault(); return drop(); }
    if (!to) return;
    event.preventDefault();
    moving.column = all[all.indexOf(moving.column) + to[0]] || moving.column;
    moving.row = onGrid(moving.row + to[1], moving.length);
    show();
    moving.ghost.scrollIntoView({ block: "nearest", inline: "nearest" });
    spoken.textContent = `${clock(moving.row)}, ${title(moving.column)}`;
  };

  frame.addEventListener("dragstart", (event) => event.preventDefault());

  frame.addEventListener("pointerdown", (event) => {
    const visit = event.target.closest(".v");
    if (!visit || event.button || event.pointerType === "touch" || !mayBook || !isMovable(visit) || moving) return;
    const from = { x: event.clientX, y: event.clientY };
    const grip = event.clientY - visit.getBoundingClientRect().top;
    justDragged = false;

    const drag = (at) => {
      if (!moving) {
        if (Math.hypot(at.clientX - from.x, at.clientY - from.y) < 6) return;
        begin(visit);
        frame.classList.add("dragging");
      }
      const box = frame.getBoundingClientRect();
      if (at.clientX > box.right - 30) frame.scrollLeft += 20;
      if (at.clientX < box.left + 90) frame.scrollLeft -= 20;
      if (at.clientY > box.bottom - 30) frame.scrollTop += 14;
      if (at.clientY < box.top + 80) frame.scrollTop -= 14;
      const column = columns().find((one) => {
        const { left, right } = one.getBoundingClientRect();
        return left <= at.clientX && at.clientX < right;
      });
      moving.column = column || moving.column;
      const top = $(".lane", moving.column).getBoundingClientRect().top;
      moving.row = onGrid(Math.round((at.clientY - grip - top) / tick()), moving.length);
      show();
    };
    const stop = (at) => {
      document.removeEventListener("pointermove", drag);
      document.removeEventListener("pointerup", stop);
      document.removeEventListener("pointercancel", stop);
      document.removeEventListener("keydown", giveUp, true);
      if (!moving) return;
      justDragged = true;
      setTimeout(() => { justDragged = false; }, 0);
      if (at.type === "pointerup") drop();
      else end();
    };
    const giveUp = (pressed) => {
      if (pressed.key !== "Escape") return;
      pressed.preventDefault();
      stop(pressed);
    };
    document.addEventListener("pointermove", drag);
    document.addEventListener("pointerup", stop);
    document.addEventListener("pointercancel", stop);
    document.addEventListener("keydown", giveUp, true);
  });

  // Who did what, after a moment's rest on a visit.

  let rest = 0;
  let told = null;

  const hideTrail = () => {
    clearTimeout(rest);
    told?.removeAttribute("aria-describedby");
    told = null;
    trail.hidden = true;
  };

  const tell = (visit) => {
    if (!visit.isConnected || moving || !panel.hidden) return;
    htmx.ajax("GET", `${visit.href}/trail`, { target: "#trail", swap: "innerHTML" }).then(() => {
      if (told !== visit || moving || !panel.hidden) return;
      const box = visit.getBoundingClientRect();
      trail.hidden = false;
      trail.style.left = `${Math.max(8, Math.min(box.right + 8, innerWidth - trail.offsetWidth - 8))}px`;
      trail.style.top = `${Math.max(8, Math.min(box.top, innerHeight - trail.offsetHeight - 8))}px`;
      visit.setAttribute("aria-describedby", "trail");
    });
  };

  const wait = (event) => {
    const visit = event.target.closest(".v");
    if (visit === told) return;
    hideTrail();
    if (!visit || event.pointerType === "touch") return;
    told = visit;
    rest = setTimeout(() => tell(visit), 700);
  };
  frame.addEventListener("pointerover", wait);
  frame.addEventListener("pointerleave", hideTrail);
  frame.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible")) wait(event); });
  frame.addEventListener("focusout", hideTrail);
  frame.addEventListener("scroll", hideTrail, { passive: true });

  // The present.

  const loadedAt = performance.now();
  const drawNow = () => {
    $$(".now", frame).forEach((one) => one.remove());
    const row = Number(frame.dataset.now) + (performance.now() - loadedAt) / 300000;
    if (!frame.dataset.today || row < 0 || row > rows) return;
    for (const column of [$(".axis", frame), ...columns().filter((one) => one.dataset.day === frame.dataset.today)]) {
      const line = document.createElement("div");
      line.className = "now";
      line.style.top = `calc(var(--tick) * ${row.toFixed(2)}${column.matches(".axis") ? " + 3.5rem" : ""})`;
      ($(".lane", column) || column).append(line);
    }
  };
  setInterval(drawNow, 30000);

  // Staying fresh: the page says which marks it has, the server sends the columns that changed.

  let wanted = null; // what had the focus, or was moved, before columns are replaced

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id !== "live") return;
    event.detail.parameters.have = columns().map((one) => `${one.id.slice(2)}:${one.dataset.mark}`).join(",");
    event.detail.parameters.frame = event.detail.elt.dataset.frame;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id === "live" && moving) event.preventDefault();
  });
  let isOutgrown = false; // somebody new is in, or the day is longer: a new page, once nobody is in the middle of a form
  const reloadWhenIdle = () => {
    if (isOutgrown && panel.hidden && !moving) location.reload();
  };
  document.addEventListener("schedule-outgrown", () => { isOutgrown = true; reloadWhenIdle(); });
  new MutationObserver(reloadWhenIdle).observe(panel, { attributeFilter: ["hidden"] });

  document.addEventListener("htmx:oobBeforeSwap", () => {
    const active = document.activeElement;
    if (active?.matches(".v")) wanted = active.getAttribute("href");
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const column = document.getElementById(event.detail.target.id);
    if (!column) return;
    tame(column);
    drawNow();
    const found = wanted && $(`a[href="${CSS.escape(wanted)}"]`, column);
    if (found && panel.hidden) { go(found); wanted = null; }
    if (!current()) stopAt(things()[0]);
  });

  // Where to begin: at the present, and on a narrow screen at one practitioner.

  tame(frame);
  drawNow();
  const row = frame.dataset.today ? Number(frame.dataset.now) : Math.min(...$$(".v", frame).map(rowOf), rows);
  frame.scrollTop = Math.max(0, (row - 9) * tick());
  stopAt(things().find((one) => rowOf(one) >= row - 3) || things()[0]);

  const jump = document.getElementById("jump-to");
  const showColumn = (id) => {
    const column = document.getElementById(id);
    if (column) frame.scrollLeft = column.offsetLeft - $(".axis", frame).offsetWidth;
  };
  if (jump) {
    jump.addEventListener("change", () => showColumn(jump.value));
    $$("[data-jump]").forEach((button) => button.addEventListener("click", () => {
      jump.selectedIndex = Math.max(0, Math.min(jump.selectedIndex + Number(button.dataset.jump), jump.length - 1));
      showColumn(jump.value);
    }));
    frame.addEventListener("scroll", () => {
      const at = frame.scrollLeft + $(".axis", frame).offsetWidth + 40;
      const seen = columns().find((one) => one.offsetLeft <= at && at < one.offsetLeft + one.offsetWidth);
      if (seen) jump.value = seen.id;
    }, { passive: true });
  }
  const who = new URLSearchParams(location.search).get("who");
  const isWeek = frame.matches(".week");
  const wished = columns().find((one) => (isWeek ? one.dataset.day === frame.dataset.today : one.dataset.who === who));
  if (wished) showColumn(wished.id);
})();
