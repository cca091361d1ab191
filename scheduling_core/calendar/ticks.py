"""Time in ticks: 5 minutes each, counted from 1970-01-01T00:00Z. They know no daylight saving; a stretch of ticks is half open."""

from __future__ import annotations

import datetime as dt

MINUTES = 5
A_DAY = 24 * 60 // MINUTES
_SECONDS = MINUTES * 60


def tick_of(instant: dt.datetime) -> int:
    """The tick in which an aware instant lies."""
    return int(instant.timestamp()) // _SECONDS


def tick_from(instant: dt.datetime) -> int:
    """The first tick that starts at this instant or later."""
    return -(-int(instant.timestamp()) // _SECONDS)


def instant_of(tick: int) -> dt.datetime:
    """The start of a tick, in UTC."""
    return dt.datetime.fromtimestamp(tick * _SECONDS, dt.UTC)


def ticks_in(minutes: int) -> int:
    """How many ticks hold this many minutes."""
    return -(-minutes // MINUTES)


def ones(length: int) -> int:
    """A bitmap of `length` set bits."""
    return (1 << length) - 1


def runs(bits: int, length: int) -> int:
    """A bit for each place from which `length` bits in a row are set."""
    done = 1
    while done < length and bits:
        step = min(done, length - done)
        bits &= bits >> step
        done += step
    return bits


def places(bits: int) -> list[int]:
    """The numbers of the set bits, lowest first."""
    digits = bin(bits)[:1:-1]
    found = []
    place = digits.find("1")
    while place >= 0:
        found.append(place)
        place = digits.find("1", place + 1)
    return found
