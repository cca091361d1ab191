"""What is looked for, and what is found."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from scheduling_core.models import Mode


@dataclass(frozen=True)
class Request:
    """A visit that somebody wants. What is left out does not matter to them.

    `mode` left out is the service's first. `moving` is the appointment that is being moved: its own time counts as free, and `who`,
    `needs_order` and `needs_referral` are not asked again for the same service.
    """

    service_id: str
    practitioners: tuple[str, ...] = ()
    gender: str | None = None
    language: str | None = None
    location_id: str | None = None
    mode: Mode | None = None
    patient_id: str | None = None
    moving: str | None = None


@dataclass(slots=True, unsafe_hash=True)
class FreeTime:
    """A time that can be booked. `start` and `end` are the patient's, in UTC; the ticks are the practitioner's, with buffers.

    Nobody changes one. It is not declared frozen because that makes it five times as slow to make, and a search makes thousands.
    """

    service_id: str
    practitioner_id: str
    location_id: str
    mode: Mode
    start: dt.datetime
    end: dt.datetime
    room_id: str | None
    first_tick: int
    end_tick: int
    moving: str | None = None  # the appointment whose own time counted as free
