"""A text turn from the webhook to the reply, one patient at a time: how long, how much of it is ours, how it grows.

python -m benchmarks.turns
"""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import time
import uuid
from pathlib import Path

import httpx

from benchmarks.report import report
from tests.conftest import CLINICS
from tests.journeys import assistant as running
from tests.journeys.assistant import Assistant

COMMAND = "python -m benchmarks.turns"
_CONVERSATIONS = 20
_LONG_CONVERSATIONS = 5
_LONG = 64
_PAIRS = 60
_BIRTH_DATE = dt.date(1984, 5, 12)
# What one patient says: each text stands for a kind of turn (a question, a search, a choice, identity, reading visits).
_TEXTS = (
    "Hi there",
    "What are your hours?",
    "When is my next appointment?",
    "05/12/1984",
    "I'd like to book a follow-up visit next week",
    "Mornings would be better",
    "The second one",
    "Yes that's right",
    "Where do I park?",
    "Can I move it to the week after?",
    "The first one please",
    "Sounds good",
    "Please cancel my visit",
    "Yes, go ahead",
    "Thanks",
)
# A turn with one call of an action, and one that Rasa answers by itself with a reply of the domain.
_WITH_AN_ACTION, _BARE = "What are your hours?", "Thank you so much"
_LONG_TEXTS = ("What are your hours?", "Where do I park?", "Do you have anything on Tuesday?", "Something later please", "Thanks")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running.running(Path(folder), CLINICS / "maple.yml") as assistant:
        _conversation(assistant, _TEXTS)  # the first of all loads what is loaded late
        turns = [seconds for _ in range(_CONVERSATIONS) for seconds in _conversation(assistant, _TEXTS)]
        long = [
            _conversation(assistant, [_LONG_TEXTS[turn % len(_LONG_TEXTS)] for turn in range(_LONG)])
            for _ in range(_LONG_CONVERSATIONS)
        ]
        over = _over_a_bare_turn(assistant)
    median, p95 = 1000 * statistics.median(turns), 1000 * statistics.quantiles(turns, n=20)[-1]
    early = statistics.median(seconds for conversation in long for seconds in conversation[2:7])
    late = statistics.median(seconds for conversation in long for seconds in conversation[57:62])
    report("Text turn, webhook to reply, median", round(median, 1), "ms", "120 or less", median <= 120, COMMAND)
    report("Text turn, webhook to reply, p95", round(p95, 1), "ms", "300 or less", p95 <= 300, COMMAND)
    report("Text turn with one action call, over a bare Rasa turn, median", round(over, 1), "ms", "30 or less", over <= 30, COMMAND)
    report(
        "Turn 60 of one conversation against turn 5", round(late / early, 2), "times", "1.5 or less", late / early <= 1.5, COMMAND
    )


def _conversation(assistant: Assistant, texts: tuple[str, ...] | list[str]) -> list[float]:
    """Seconds of each turn of one patient on file."""
    phone = assistant.new_phone()
    assistant.put_on_file(given="Rosa", family="Benchmark", birth_date=_BIRTH_DATE, phone=phone)
    seconds = []
    for text in texts:
        began = time.perf_counter()
        reply = assistant.text(phone, text)
        seconds.append(time.perf_counter() - began)
        if not reply:
            raise RuntimeError(f"no reply to: {text}")
    return seconds


def _over_a_bare_turn(assistant: Assistant) -> float:
    """Milliseconds at the median from the webhook to the reply of a turn with one action call, less those of a turn that Rasa alone
    answers, asked on its own REST channel. The two take turns, each time in a new conversation."""
    [served] = [process.cmdline() for process in assistant.processes() if "serve" in process.cmdline()]
    channel = f"http://127.0.0.1:{served[served.index('--port') + 1]}/webhooks/rest/webhook"
    ours, bare = [], []
    with httpx.Client(timeout=40, trust_env=False) as rasa:
        for _ in range(_PAIRS):
            ours += _conversation(assistant, [_WITH_AN_ACTION])
            began = time.perf_counter()
            said = rasa.post(channel, json={"sender": uuid.uuid4().hex, "message": _BARE}).raise_for_status().json()
            bare.append(time.perf_counter() - began)
            if not said:
                raise RuntimeError(f"no reply to: {_BARE}")
    return 1000 * (statistics.median(ours) - statistics.median(bare))


if __name__ == "__main__":
    main()
