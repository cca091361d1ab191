"""Visits that belong together: the same one every few days, or one a fixed time before another.

One that cannot be at its own time does not sink the others: it gets the nearest time, and the reason is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from scheduling_core import booking, times, why
from scheduling_core.calendar import search
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import SchedulingError, WrongStateError
from scheduling_core.models import Appointment
from scheduling_core.why import Reason, Verdict

MOST = 52
_AROUND = dt.timedelta(days=3)  # how far from its own day a visit may go


@dataclass(frozen=True)
class Step:
    """One visit of a series: the time wished, the time it gets (None: none is near), and what stood against the wished one."""

    wanted: dt.datetime
    time: FreeTime | None
    against: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Booked:
    """What became of a step; `refused` is the sentence for staff where the time was lost meanwhile or there was none."""

    step: Step
    appointment: Appointment | None
    refused: str | None = None


def plan(session: Session, clinic: ClinicFile, request: Request, *, start: dt.datetime, every_days: int, count: int) -> list[Step]:
    """`count` times, the first at `start` (aware), the others every so many days at the same time on the clock. Changes nothing.

    Raises NotFoundError; WrongStateError for less than 1 day between or a count outside 1 to 52.
    """
    if every_days < 1 or not 1 <= count <= MOST:
        raise WrongStateError(f"{count} times every {every_days} days")
    zone = clinic.zone_of(request.location_id) if request.location_id in clinic.locations_by_id else clinic.zone
    wall = times.to_wall(start, zone)
    around = min(_AROUND, dt.timedelta(days=every_days) / 2)
    steps: list[Step] = []
    for number in range(count):
        wanted = times.from_wall(wall.date() + dt.timedelta(days=number * every_days), wall.time(), zone)
        steps.append(_step(session, clinic, request, wanted, wanted - around, wanted + around, steps))
    return steps


def linked(session: Session, clinic: ClinicFile, request: Request, *, main: FreeTime | Appointment, days_before: int) -> Step:
    """A time for a visit so many days before another, up to three days sooner or later but before it. Changes nothing.

    Raises NotFoundError; WrongStateError for less than 0 days or a main visit without a time.
    """
    if main.start is None or days_before < 0:
        raise WrongStateError(f"{days_before} days before")
    zone = clinic.zone_of(main.location_id) if main.location_id in clinic.locations_by_id else clinic.zone
    wall = times.to_wall(main.start, zone)
    wanted = times.from_wall(wall.date() - dt.timedelta(days=days_before), wall.time(), zone)
    length = dt.timedelta(minutes=clinic.services_by_id[request.service_id].minutes) if days_before == 0 else dt.timedelta(0)
    return _step(session, clinic, request, wanted - length, wanted - _AROUND, min(wanted + _AROUND, main.start - length), [])


def book(session: Session, clinic: ClinicFile, *, patient_id: str, steps: Sequence[Step], agent: str, key: str) -> list[Booked]:
    """Book each step that has a time; one that is refused leaves the others booked. The same key again books nothing twice."""
    done = []
    for number, step in enumerate(steps, start=1):
        if step.time is None:
            done.append(Booked(step, None, "no time was found near the one wished"))
            continue
        try:
            visit = booking.book(session, clinic, patient_id=patient_id, time=step.time, agent=agent, key=f"{key}:{number}")
            done.append(Booked(step, visit))
        except SchedulingError as refusal:
            done.append(Booked(step, None, str(refusal)))
    return done


def _step(
    session: Session,
    clinic: ClinicFile,
    request: Request,
    wanted: dt.datetime,
    earliest: dt.datetime,
    latest: dt.datetime,
    others: list[Step],
) -> Step:
    taken = [other.time for other in others if other.time]
    free = search.find(session, clinic, request, start=earliest, end=latest + dt.timedelta(minutes=1))
    free = [time for time in free if not any(time.start < other.end and other.start < time.end for other in taken)]
    best = min(free, key=lambda time: _distance(clinic, time, wanted), default=None)
    if best is not None and best.start == wanted:
        return Step(wanted, best)
    reasons = why.explain(session, clinic, request, wanted)
    return Step(wanted, best, tuple(one for one in reasons if one.verdict is not Verdict.ALLOWS))


def _distance(clinic: ClinicFile, time: FreeTime, wanted: dt.datetime) -> int:
    """In minutes of the clock on the wall; another day counts as two hours: the same hour of the next day is near."""
    zone = clinic.zone_of(time.location_id)
    found, wished = times.to_wall(time.start, zone), times.to_wall(wanted, zone)
    hours_apart = abs((found.hour - wished.hour) * 60 + found.minute - wished.minute)
    return hours_apart + 120 * abs((found.date() - wished.date()).days)
