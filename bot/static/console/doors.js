// Passkeys: the browser's own dialog, between two questions to the server.
"use strict";

(() => {
  const token = () => document.querySelector('meta[name="csrf-token"]').content;
  const here = typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

  const post = async (url, body) => {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token() },
      body: JSON.stringify(body ?? {}),
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok && !said.to) throw new Error(said.sentence ?? "");
    return said;
  };

  const complain = (sentence) => {
    const line = document.getElementById("door-wrong");
    line.textContent = sentence;
    line.hidden = !sentence;
  };

  // Answers what the server says to a passkey that the person showed.
  const show = async (url) => {
    const options = PublicKeyCredential.parseRequestOptionsFromJSON(await post(`${url}/ask`));
    const key = await navigator.credentials.get({ publicKey: options });
    return post(url, key.toJSON());
  };
  window.frontdeskPasskey = here ? show : null;
  if (!here) return;

  for (const hidden of document.querySelectorAll("[data-needs-passkeys]")) hidden.hidden = false;

  for (const button of document.querySelectorAll("button[data-passkey]")) {
    button.addEventListener("click", async () => {
      try {
        await show(button.dataset.passkey);
        location.assign(button.dataset.next);
      } catch (error) {
        if (error.name !== "NotAllowedError") complain(error.message); // not allowed: the person closed the dialog
      }
    });
  }

  const fresh = document.getElementById("new-passkey");
  fresh?.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const asked = await post(fresh.dataset.ask);
      if (asked.to) return void location.assign(asked.to);
      const key = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) });
      const kept = await post(fresh.dataset.keep, { name: fresh.elements.name.value, answer: key.toJSON() });
      location.assign(kept.to);
    } catch (error) {
      complain(error.message || fresh.dataset.refused);
      if (error.name === "SecurityError") complain(fresh.dataset.refused);
    }
  });
})();
