"""What the assistant makes of sentences, each by itself: `frontdesk understand`."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from actions import names, when
from bot import emergency
from bot.processes import CannotRunError
from bot.training import DIALOGUE, dialogue_environ, dialogue_python
from scheduling_core import times
from scheduling_core.clinic_file.schema import ClinicFile

# Our intents under the coarse names that evaluations use, where the two differ.
_COARSE = {
    "ask_clinic": "request_info",
    "ask_cost": "request_info",
    "ask_hours": "request_info",
    "ask_location": "request_info",
    "ask_parking": "request_info",
    "ask_prep": "request_info",
    "ask_video": "request_info",
    "billing": "out_of_scope",
    "complaint": "out_of_scope",
    "emergency": "out_of_scope",
    "confirm_visit": "affirm",
    "join_waitlist": "check_availability",
    "medical_question": "out_of_scope",
    "needs": "inform",
    "nlu_fallback": "out_of_scope",
    "opt_out": "stop",
    "running_late": "mention_existing",
    "update_details": "inform",
    "wrong_number": "out_of_scope",
}
_SHARE = 100  # sentences that one more process is worth


class BadLineError(Exception):
    """Lines that cannot be read, each named by its number, one a line."""


@dataclass(frozen=True)
class Sentence:
    id: Any
    text: str
    now: dt.datetime  # wall time


def understand(clinic: ClinicFile, model: Path, sentences: Sequence[Sentence], *, as_json: bool) -> None:
    """Writes to standard output what is made of each sentence, in order. Raises CannotRunError for a model that cannot be read."""
    share = max(_SHARE, -(-len(sentences) // (os.cpu_count() or 1)))
    with ExitStack() as stack:
        readers = [_start_reading(model, sentences[at : at + share], stack) for at in range(0, len(sentences), share)]
        found = [_resolved(clinic, sentence) for sentence in sentences]  # meanwhile
        intents = [line for reader in readers for line in _what_was_read(*reader)]
        for sentence, rest, line in zip(sentences, found, intents, strict=True):
            read = json.loads(line)
            intent = _COARSE.get(read["intent"], read["intent"])
            danger = rest.pop("emergency") or read["intent"] == "emergency"
            _write(
                {"id": sentence.id, "intent": intent, "confidence": read["confidence"], **rest, "emergency": danger},
                sentence.text,
                as_json=as_json,
            )


_Reader = tuple[subprocess.Popen[str], IO[str]]


def _start_reading(model: Path, sentences: Sequence[Sentence], stack: ExitStack) -> _Reader:
    """A process that reads intents on one core: several threads of one would spend half of their time waiting for each other."""
    asked = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115 - the stack closes it
    answered = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115 - the stack closes it
    for number, sentence in enumerate(sentences):
        alarm = emergency.find(sentence.text)
        asked.write(json.dumps({"id": number, "text": sentence.text, "alarm": alarm is not None and not alarm.sure}) + "\n")
    asked.seek(0)
    process = subprocess.Popen(
        [dialogue_python(), "-m", "parse", str(model)],
        cwd=DIALOGUE,
        env=dialogue_environ() | {"OMP_NUM_THREADS": "1"},
        stdin=asked,
        stdout=answered,
        text=True,
    )
    stack.callback(process.wait)
    return process, answered


def _what_was_read(process: subprocess.Popen[str], answered: IO[str]) -> Iterator[str]:
    if process.wait():
        raise CannotRunError("The trained model could not be read; its reason stands above")
    answered.seek(0)
    yield from answered


def read(lines: Iterable[str], clinic: ClinicFile, *, as_json: bool) -> list[Sentence]:
    """The sentences in lines of text, or of JSON with "id", "text" and "now". Raises BadLineError."""
    sentences: list[Sentence] = []
    mistakes = []
    present = times.to_wall(times.now(), clinic.zone).replace(tzinfo=None)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not as_json:
            sentences.append(Sentence(number, line.strip(), present))
            continue
        try:
            given = json.loads(line)
            now = dt.datetime.fromisoformat(given["now"]).replace(tzinfo=None) if given.get("now") else present
            sentences.append(Sentence(given["id"], str(given["text"]), now))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else 'it is not {"id", "text", "now"} in JSON'
            mistakes.append(f"standard input:{number}: {reason}")
    if mistakes:
        raise BadLineError("\n".join(mistakes))
    return sentences


def _resolved(clinic: ClinicFile, sentence: Sentence) -> dict[str, Any]:
    text = sentence.text
    mentions = names.mentioned(clinic, text)
    return {
        "when": when.as_contract(when.read(text, sentence.now, hours=_hours(clinic), gone=True)),
        "services": list(mentions.services),
        "practitioners": list(mentions.practitioners),
        "payers": list(mentions.payers),
        "locations": list(mentions.locations),
        "emergency": bool((alarm := emergency.find(text)) and alarm.sure),
    }


def _hours(clinic: ClinicFile) -> tuple[dt.time, dt.time]:
    """From the earliest opening to the latest closing of the week, anywhere."""
    spans = [span for location in clinic.locations for span in location.hours.values()]
    return min(span.start for span in spans), max(span.end for span in spans)


def _write(found: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    rest = {key: value for key, value in found.items() if value and key not in ("id", "intent", "confidence")}
    said = [f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in rest.items()]
    print("\n  ".join([text, f"intent {found['intent']} ({found['confidence']:.2f})", *said]))
