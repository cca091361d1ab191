"""`frontdesk chat`: a phone in a terminal."""

from __future__ import annotations

import sys
import threading
from typing import Any

import httpx

from bot.processes import CannotRunError
from bot.settings import Settings
from bot.up import running_at

_LOOK_SECONDS = 1.0


def chat(settings: Settings, *, sender: str) -> None:
    """Sends each line of standard input as a text from `sender` and prints what comes back, until the end of input.

    Raises CannotRunError when no assistant runs here, or it has no phone to lend (in production).
    """
    url = running_at(settings.data_dir) or f"http://127.0.0.1:{settings.port}"
    with httpx.Client(base_url=f"{url}/phone", timeout=60, trust_env=False) as phone:
        screen = _Screen(phone, sender, url)
        screen.skip_what_is_old()
        if sys.stdin.isatty():
            print(f"Texting as {sender} to {url}. Ctrl-D ends.")
        over = threading.Event()
        looking = threading.Thread(target=screen.look_until, args=(over,), daemon=True)
        looking.start()
        try:
            for line in sys.stdin:
                if line.strip():
                    screen.send(line.rstrip("\n"))
        except KeyboardInterrupt:
            pass
        finally:
            over.set()
            looking.join(timeout=5)
        screen.look()


class _Screen:
    """The messages of one number, shown once each in their order."""

    def __init__(self, phone: httpx.Client, sender: str, url: str) -> None:
        self._phone, self._sender, self._url = phone, sender, url
        self._last = 0
        self._lock = threading.Lock()

    def skip_what_is_old(self) -> None:
        while messages := self._new_messages():
            self._last = messages[-1]["sequence"]

    def send(self, body: str) -> None:
        self._ask("POST", json={"from": self._sender, "body": body})
        self.look()

    def look(self) -> None:
        with self._lock:
            for message in self._new_messages():
                self._last = message["sequence"]
                if not message["mine"]:
                    print(f"  {message['body']}".replace("\n", "\n  "), flush=True)

    def look_until(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_SECONDS):
            try:
                self.look()
            except CannotRunError:
                return  # the next text says what is wrong

    def _new_messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", params={"from": self._sender, "after": self._last})["messages"]
        return found

    def _ask(self, method: str, **content: Any) -> dict[str, Any]:
        try:
            answer = self._phone.request(method, "/messages", **content)
        except httpx.HTTPError:
            raise CannotRunError(f"No assistant answers at {self._url}; start one with: frontdesk up") from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise CannotRunError(f"The assistant at {self._url} has no phone to lend; that is for demo and test only")
        found: dict[str, Any] = answer.json()
        if answer.is_error:
            raise CannotRunError(found["error"])
        return found
