"""Asking the dialogue server, over its REST channel on a private address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx


class DialogueDownError(Exception):
    """The dialogue gave no answer that can be used. `reason` is a code, never words of a patient."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class DialogueAnswer:
    """The texts in order; `handoff` when a person was promised or asked for; `silent` when saying nothing is meant.

    On a call `asked` tells what is open now, None where that is as before, `booked` that a visit was booked or moved, and
    `danger` that the words were read as danger to life.
    """

    texts: tuple[str, ...]
    handoff: bool = False
    silent: bool = False
    asked: dict[str, Any] | None = None
    booked: bool = False
    danger: bool = False


class DialogueClient:
    """One pool of connections to the dialogue server."""

    def __init__(self, url: str, *, seconds: float = 30.0) -> None:
        self._url = url
        self._http = httpx.Client(
            timeout=httpx.Timeout(seconds, connect=2.0), limits=httpx.Limits(max_connections=64), trust_env=False
        )

    def ask(self, conversation_id: str, text: str, metadata: dict[str, str]) -> DialogueAnswer:
        """What the dialogue says to `text`. Raises DialogueDownError when it is not reachable, too slow, broken or speechless."""
        try:
            response = self._http.post(
                f"{self._url}/webhooks/rest/webhook", json={"sender": conversation_id, "message": text, "metadata": metadata}
            )
            response.raise_for_status()
            said = response.json()
        except httpx.HTTPStatusError as error:
            raise DialogueDownError(f"status-{error.response.status_code}") from None
        except (httpx.HTTPError, ValueError) as error:
            raise DialogueDownError(type(error).__name__) from None
        answer = _read(said)
        if not (answer.texts or answer.silent or answer.handoff):
            raise DialogueDownError("no-words")  # its action server failed, most likely
        return answer

    def alive(self) -> bool:
        try:
            return self._http.get(f"{self._url}/", timeout=2.0).is_success
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self._http.close()


def _read(said: Any) -> DialogueAnswer:
    if not isinstance(said, list) or not all(isinstance(part, dict) for part in said):
        raise DialogueDownError("not-a-list")
    marks: dict[str, Any] = {}
    for part in said:
        if isinstance(custom := part.get("custom"), dict):
            marks |= custom
    texts = tuple(part["text"].strip() for part in said if isinstance(part.get("text"), str) and part["text"].strip())
    return DialogueAnswer(
        texts,
        handoff=bool(marks.get("handoff")),
        silent=bool(marks.get("silent")),
        asked=marks.get("asked"),
        booked=bool(marks.get("booked")),
        danger=bool(marks.get("danger")),
    )
