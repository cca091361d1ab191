"use strict";

// A call: what the clinic says is shown and, where the browser has a voice, spoken; what you say is typed, spoken or keyed.
const SILENCE = 12000; // milliseconds without an answer before the line is told so, once
const KEYED = 2500; // after the last key

let call = null; // {sid, next, waitsFor, from}
let keyed = "";
let keyTimer = null, silenceTimer = null;
let ear = null;

const voice = window.speechSynthesis;
const Ear = window.SpeechRecognition || window.webkitSpeechRecognition;
$("sound-label").hidden = !voice;
$("listen").hidden = !Ear;

$("texting").addEventListener("click", () => view(false));
$("calling").addEventListener("click", () => view(true));
$("dial").addEventListener("click", () => { if (!call) { $("said").replaceChildren(); turn({}); } });
$("hang-up").addEventListener("click", hangUp);
$("listen").addEventListener("click", () => (ear ? ear.stop() : listen()));
$("speak").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = $("words").value.trim();
  $("words").value = "";
  if (!words || !call) return;
  hear(words);
  turn(call.waitsFor === "recording" ? { recorded: "5" } : { speech: words });
});
$("keys").addEventListener("click", (event) => { if (event.target.dataset.key) press(event.target.dataset.key); });
$("desk").addEventListener("click", (event) => { if (event.target.dataset.dialled) turn({ dialled: event.target.dataset.dialled }); });
$("number").addEventListener("change", () => { if (call) hangUp(); });
window.addEventListener("pagehide", () => {
  if (call) navigator.sendBeacon("calls/end", new Blob([JSON.stringify({ from: call.from, sid: call.sid })], { type: "application/json" }));
});
show();

function view(calling) {
  $("texts").hidden = calling;
  $("call").hidden = !calling;
  $("texting").setAttribute("aria-pressed", String(!calling));
  $("calling").setAttribute("aria-pressed", String(calling));
  (calling ? (call ? $("words") : $("dial")) : $("body")).focus();
}

function press(key) {
  if (!call) return;
  quiet();
  keyed += key;
  $("call-state").textContent = "Keys: " + keyed;
  clearTimeout(keyTimer);
  if (key === "#") sendKeys(); else keyTimer = setTimeout(sendKeys, KEYED);
}

function sendKeys() {
  clearTimeout(keyTimer);
  const digits = keyed;
  keyed = "";
  if (!digits) return;
  hear(digits);
  turn({ digits });
}

async function turn(heard) {
  quiet();
  clearTimeout(silenceTimer);
  tell("call-error", "");
  const before = call;
  const asked = before ? { from: before.from, sid: before.sid, next: before.next, ...heard } : { from: $("number").value };
  if (before) before.waitsFor = "answer";
  show("The clinic answers");
  let said;
  try {
    const answer = await fetch("calls", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) });
    said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
  } catch (error) {
    call = null;
    show();
    tell("call-error", error.message || "The call was cut off.");
    return;
  }
  if (call !== before) return; // hung up meanwhile
  call = said.next ? { sid: said.sid, next: said.next, waitsFor: said.waits_for, from: asked.from } : null;
  const now = call;
  for (const step of said.steps) $("said").append(bubble(step.say, false, ""));
  $("said").scrollTop = $("said").scrollHeight;
  show();
  if (now && !before) $("words").focus();
  await speak(said.steps);
  if (call !== now || !now) return;
  if (now.waitsFor === "nothing") { turn({}); return; }
  if (now.waitsFor === "words") silenceTimer = setTimeout(() => { if (call === now && !keyed && !$("words").value && !ear) turn({}); }, SILENCE);
}

function hangUp() {
  if (!call) return;
  const ended = call;
  call = null;
  quiet();
  clearTimeout(silenceTimer);
  show();
  fetch("calls/end", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ from: ended.from, sid: ended.sid }) })
    .catch(() => tell("call-error", "The clinic does not know yet that you hung up."));
}

function hear(words) {
  $("said").append(bubble(words, true, ""));
  $("said").scrollTop = $("said").scrollHeight;
}

function show(words) {
  const states = { words: "It is your turn", nothing: "One moment", person: "Ringing at the front desk", recording: "Leave your message", answer: "The clinic answers" };
  $("call-state").textContent = words || (call ? states[call.waitsFor] : "Not in a call");
  $("dial").hidden = Boolean(call);
  $("hang-up").hidden = !call;
  $("desk").hidden = !(call && call.waitsFor === "person");
  const open = call && ["words", "recording"].includes(call.waitsFor);
  for (const each of document.querySelectorAll("#keys button, #say, #listen")) each.disabled = !open;
}

// The browser's own voice and ear, where it has them.

function speak(steps) {
  if (!voice || !$("sound").checked || !steps.length) return Promise.resolve();
  return new Promise((done) => {
    const over = setTimeout(done, 20000); // a browser without any voice never says that it has spoken
    steps.forEach((step, place) => {
      const words = Object.assign(new SpeechSynthesisUtterance(step.say), { lang: step.language });
      if (place === steps.length - 1) words.onend = words.onerror = () => { clearTimeout(over); done(); };
      voice.speak(words);
    });
    if (!voice.getVoices().length) { clearTimeout(over); done(); }
  });
}

function quiet() { if (voice) voice.cancel(); }

function listen() {
  if (!call) return;
  quiet();
  ear = new Ear();
  ear.lang = navigator.language;
  ear.onresult = (event) => { $("words").value = event.results[0][0].transcript; $("speak").requestSubmit(); };
  ear.onerror = () => tell("call-error", "The browser could not hear you. Please type what you want to say.");
  ear.onend = () => { ear = null; $("listen").setAttribute("aria-pressed", "false"); };
  $("listen").setAttribute("aria-pressed", "true");
  ear.start();
}
