"""Who is on the other end of a call, from what Twilio tells of it."""

from __future__ import annotations

from bot.channels.voice.callbacks import ANONYMOUS
from scheduling_core.models import Direction

# What Twilio gives for a number that is hidden: the words ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a keypad.
_HIDDEN = ("+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253")


def direction(told: str) -> Direction:
    return Direction.OUT if told.startswith("outbound") else Direction.IN


def other_party(told: str, *, caller: str, called: str) -> str:
    """The patient's number: who calls, or who was called by us; "anonymous" for whatever stands for a hidden one."""
    number = caller if direction(told) is Direction.IN else called
    return ANONYMOUS if number in _HIDDEN or not number.startswith("+") else number
