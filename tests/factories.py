"""People and times for tests: everything has a value, a test names what it is about."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from scheduling_core import accounts, patients, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.inbox import Clerk
from scheduling_core.models import Channel, Communication, Conversation, Delivery, Direction, Mode, Patient, Role, Sex, new_id

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


def make_clerk(session: Session, *, name: str = "Nora Ellis", role: Role = Role.SCHEDULER) -> Clerk:
    """A colleague with an account."""
    address = f"{name.lower().replace(' ', '.')}@maplegrove.example"
    return Clerk.of(accounts.add_staff(session, email=address, name=name, role=role, agent="test"))


def make_message(
    session: Session,
    conversation: Conversation,
    body: str,
    *,
    author: str = "patient",
    direction: Direction = Direction.IN,
    status: Delivery = Delivery.ANSWERED,
) -> Communication:
    """A message of a conversation: of the patient, and dealt with, unless the test says otherwise."""
    message = Communication(
        id=new_id(),
        conversation_id=conversation.id,
        patient_id=conversation.patient_id,
        channel=conversation.channel,
        direction=direction,
        phone=conversation.phone,
        body=body,
        author=author,
        status=status,
        created_at=times.now(),
    )
    session.add(message)
    session.flush()
    return message


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
