"use strict";

// The page keeps nothing but the numbers that were used: what was said is asked from the server, so late replies come by themselves.
const $ = (id) => document.getElementById(id);
const QUIET = 1500; // milliseconds between looks
const BUSY = 300; // while an answer is awaited

let number = $("number").value;
let shown = new Map(); // sequence to list item
let sending = []; // texts on their way to the server: {body, item, sid}
let looking = null;

const used = JSON.parse(localStorage.getItem("numbers") || "[]");
if (used.length) number = $("number").value = used[0];
listNumbers();

$("me").addEventListener("submit", (event) => { event.preventDefault(); choose($("number").value); });
$("number").addEventListener("change", () => choose($("number").value));
$("fresh").addEventListener("click", () => {
  choose("+1312555" + String(Math.floor(1000 + Math.random() * 9000)));
  $("body").focus();
});
$("write").addEventListener("submit", (event) => { event.preventDefault(); send($("body").value); });
$("body").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send($("body").value); }
});
$("body").addEventListener("input", fit);
for (const idea of document.querySelectorAll(".idea")) idea.addEventListener("click", () => send(idea.textContent));
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
look();

function choose(value) {
  let digits = value.replace(/[\s().-]/g, "");
  if (/^\d{10}$/.test(digits)) digits = "+1" + digits;
  const right = /^\+[1-9]\d{6,14}$/.test(digits);
  tell("number-error", right ? "" : "Please write a number such as +13125550142.");
  if (!right) return;
  number = $("number").value = digits;
  localStorage.setItem("numbers", JSON.stringify([number, ...used.filter((each) => each !== number)].slice(0, 8)));
  used.unshift(number);
  listNumbers();
  $("talk").replaceChildren();
  shown = new Map();
  sending = [];
  look();
}

function listNumbers() {
  $("numbers").replaceChildren(...[...new Set(used)].map((each) => Object.assign(document.createElement("option"), { value: each })));
}

async function send(body) {
  $("body").value = "";
  fit();
  tell("error", "");
  const item = bubble(body, true, "Sending");
  const text = { body, item, sid: null, from: number };
  sending.push(text);
  $("talk").append(item);
  toEnd();
  typing(true);
  look(BUSY);
  try {
    const answer = await fetch("messages", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ from: number, body }),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    text.sid = said.sid;
  } catch (error) {
    sending = sending.filter((each) => each !== text);
    mark(item, "Not delivered");
    tell("error", "That text could not be delivered. " + (error.message || ""));
  }
  look();
}

async function look(wait = 0) {
  clearTimeout(looking);
  if (wait) { looking = setTimeout(look, wait); return; }
  const asked = number;
  let busy = sending.length > 0;
  try {
    const answer = await fetch("messages?from=" + encodeURIComponent(asked));
    if (!answer.ok) throw new Error();
    const said = await answer.json();
    if (asked !== number) return;
    show(said.messages);
    typing(said.typing || sending.some((each) => !each.sid));
    busy = said.typing || sending.length > 0;
    $("state").textContent = "Connected";
  } catch {
    $("state").textContent = "No connection, trying again";
    typing(false);
  }
  clearTimeout(looking);
  if (!document.hidden) looking = setTimeout(look, busy ? BUSY : QUIET);
}

function show(messages) {
  let fresh = false;
  for (const message of messages) {
    let item = shown.get(message.sequence);
    if (!item) {
      const own = message.mine && sending.find((each) => each.sid ? each.sid === message.sid : each.body === message.body);
      item = own ? own.item : bubble(message.body, message.mine, "");
      sending = sending.filter((each) => each !== own);
      shown.set(message.sequence, item);
      if (!item.isConnected) $("talk").append(item);
      fresh = true;
    }
    if (message.mine) mark(item, "Delivered");
  }
  if (!fresh) return;
  // A late reply may have an earlier place than what came at once.
  const inOrder = [...shown.keys()].sort((a, b) => a - b).map((sequence) => shown.get(sequence));
  const items = [...inOrder, ...sending.map((each) => each.item)];
  items.forEach((item, place) => { if ($("talk").children[place] !== item) $("talk").insertBefore(item, $("talk").children[place] || null); });
  toEnd();
}

function bubble(body, mine, state) {
  const item = document.createElement("li");
  if (mine) item.className = "mine";
  const words = Object.assign(document.createElement("div"), { className: "bubble", textContent: body || " " });
  const who = Object.assign(document.createElement("span"), { className: "words", textContent: mine ? "You: " : "Clinic: " });
  words.prepend(who);
  item.append(words);
  if (state) mark(item, state);
  return item;
}

function mark(item, state) {
  const known = item.querySelector(".mark");
  if (known) { if (known.textContent !== state) known.textContent = state; return; }
  item.append(Object.assign(document.createElement("span"), { className: "mark", textContent: state }));
}

function typing(on) { $("typing").hidden = !on; if (on) toEnd(); }
function tell(id, words) { $(id).textContent = words; $(id).hidden = !words; }
function toEnd() { $("talk").scrollTop = $("talk").scrollHeight; }
function fit() { const field = $("body"); field.style.height = "auto"; field.style.height = field.scrollHeight + 2 + "px"; }
