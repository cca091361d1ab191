"""Red flags."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Alarm:
    flag: str
    language: str


def find(text: str) -> Alarm | None:
    return Alarm("chest-pain", "en") if "chest pain" in text.lower() else None


def red_flag(text: str) -> str | None:
    alarm = find(text)
    return alarm.flag if alarm else None
