"""The one clock of clinic facts, and the two edges between UTC and wall time."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from zoneinfo import ZoneInfo

UTC = dt.UTC


def now() -> dt.datetime:
    """The present in UTC. With FRONTDESK_CLOCK set, the instant in that file, read anew at each look (tests and demos).

    Raises ValueError when the file holds no ISO 8601 instant with an offset.
    """
    clock = os.environ.get("FRONTDESK_CLOCK")
    if not clock:
        return dt.datetime.now(UTC)
    instant = dt.datetime.fromisoformat(Path(clock).read_text(encoding="utf-8").strip())
    if instant.tzinfo is None:
        raise ValueError(f"{clock}: the instant needs an offset, as in 2026-11-16T09:10:00-06:00")
    return instant.astimezone(UTC)


def to_wall(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """An instant as aware wall time of a zone."""
    return instant.astimezone(zone)


def from_wall(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """Wall time as a UTC instant. A time that the clock skips is the instant after the gap; one that comes twice is the first."""
    wall = dt.datetime.combine(day, time)
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)  # of a skipped time, the two folds lie on both sides of the gap
    offset = before.astimezone(zone).utcoffset()
    while before.astimezone(zone).utcoffset() == offset:
        before += dt.timedelta(minutes=1)
    return before
