"""People and times for tests: everything has a value, a test names what it is about."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from scheduling_core import patients, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Channel, Conversation, Mode, Patient, Sex, new_id

if TYPE_CHECKING:
    from scheduling_core.calendar.search import FreeTime

_numbers = itertools.count(1000)


def make_patient(
    session: Session,
    *,
    given: str = "Ruth",
    family: str = "Novak",
    birth_date: dt.date | str = "1980-04-19",
    phone: str | None = None,
    sex: Sex = Sex.FEMALE,
    new: bool = False,
) -> Patient:
    """A patient on file, with a number of their own unless one is given."""
    return patients.register(
        session,
        given=given,
        family=family,
        birth_date=dt.date.fromisoformat(birth_date) if isinstance(birth_date, str) else birth_date,
        phone=phone or f"+1414555{next(_numbers):04d}",
        sex=sex,
        new=new,
        agent="test",
    )


def make_conversation(session: Session, *, phone: str = "+14145550142", channel: Channel = Channel.SMS) -> Conversation:
    """An open conversation that the assistant owns."""
    now = times.now()
    conversation = Conversation(
        id=new_id(), channel=channel, phone=phone, last_turn_at=now, created_at=now, claim={}, state={}, wrong_birth_dates=0
    )
    session.add(conversation)
    session.flush()
    return conversation


def make_free_time(
    clinic: ClinicFile,
    *,
    start: str = "2026-11-17T09:00",
    service_id: str = "follow-up",
    practitioner_id: str = "ferreira",
    location_id: str = "north",
    mode: Mode = Mode.IN_PERSON,
) -> FreeTime:
    """A time as a search would answer it, whether it is free or not. `start` is wall time of the location."""
    from scheduling_core.calendar.search import FreeTime

    service = clinic.services_by_id[service_id]
    zone: ZoneInfo = clinic.zone_of(location_id)
    begins = dt.datetime.fromisoformat(start).replace(tzinfo=zone).astimezone(dt.UTC)
    ends = begins + dt.timedelta(minutes=service.minutes)
    room = next((room.id for room in clinic.locations_by_id[location_id].rooms if room.kind == service.room), None)
    return FreeTime(
        service_id=service_id,
        practitioner_id=practitioner_id,
        location_id=location_id,
        mode=mode,
        start=begins,
        end=ends,
        room_id=room,
        first_tick=int(begins.timestamp()) // 300 - service.buffer_before_minutes // 5,
        end_tick=int(ends.timestamp()) // 300 + service.buffer_after_minutes // 5,
    )
