"""Visits, and the ticks of time that they occupy."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, String, Table, text
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base, new_id, refers, words


class AppointmentStatus(StrEnum):
    """FHIR R4 AppointmentStatus. `proposed` is a hold."""

    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    CHECKED_IN = "checked-in"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    ENTERED_IN_ERROR = "entered-in-error"
    WAITLIST = "waitlist"


LIVE = (AppointmentStatus.PENDING, AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN)


class Mode(StrEnum):
    IN_PERSON = "in-person"
    VIDEO = "video"


class ParticipationStatus(StrEnum):
    """FHIR R4 ParticipationStatus of the patient: needs-action until the visit is confirmed."""

    NEEDS_ACTION = "needs-action"
    ACCEPTED = "accepted"
    DECLINED = "declined"


IS_GONE = "status IN ('cancelled', 'noshow') AND hold_expires_at IS NULL"  # visits; what was a hold to its end is not
HAS_TIME = "status IN ('proposed', 'pending', 'booked', 'arrived', 'checked-in', 'fulfilled')"


def _of_taken_time(name: str, actor: str) -> Index:
    """What a search reads, all of it from the index; what was cancelled is not in it."""
    columns = ("end_tick", "first_tick", "status", "hold_expires_at", "held_for", "id")
    return Index(name, "organization_id", actor, *columns, sqlite_where=text(HAS_TIME), postgresql_where=text(HAS_TIME))


class Appointment(Base):
    """A visit, a hold (`proposed`, with an end of life) or a place on the waitlist (no practitioner or time yet)."""

    __tablename__ = "appointment"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    status: Mapped[AppointmentStatus] = mapped_column(words(AppointmentStatus))
    service_id: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str | None] = mapped_column(String(64))  # a hold may not know it yet
    practitioner_id: Mapped[str | None] = mapped_column(String(64))
    location_id: Mapped[str | None] = mapped_column(String(64))
    room_id: Mapped[str | None] = mapped_column(String(64))
    mode: Mapped[Mode] = mapped_column(words(Mode), default=Mode.IN_PERSON)
    start: Mapped[dt.datetime | None]
    end: Mapped[dt.datetime | None]
    # the busy stretch of practitioner and room with buffers, in ticks of 5 minutes since 1970-01-01T00:00Z, end excluded
    first_tick: Mapped[int | None]
    end_tick: Mapped[int | None]
    lane: Mapped[int] = mapped_column(default=0)  # above 0: overbooked on purpose
    confirmation: Mapped[ParticipationStatus] = mapped_column(words(ParticipationStatus), default=ParticipationStatus.NEEDS_ACTION)
    hold_expires_at: Mapped[dt.datetime | None]
    held_for: Mapped[str | None] = mapped_column(String(64))  # the conversation that was offered this time
    wish: Mapped[dict[str, Any] | None]  # of a place on the waitlist
    next_reminder_at: Mapped[dt.datetime | None]  # of a visit; None: no reminder is to come
    changed_at: Mapped[dt.datetime | None]  # of a visit booked, moved or cancelled that nobody was told of yet (`news`)
    comment: Mapped[str | None] = mapped_column(String(2000))
    cancelled_reason: Mapped[str | None] = mapped_column(String(200))
    sequence: Mapped[int] = mapped_column(default=0)  # counts moves
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (
        refers("patient_id", "patient"),
        refers("practitioner_id", "practitioner"),
        refers("location_id", "location"),
        refers("service_id", "healthcare_service"),
        _of_taken_time("ix_appointment_taken_of_practitioner", "practitioner_id"),
        _of_taken_time("ix_appointment_taken_of_room", "room_id"),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "held_for"),
        Index(
            "ix_appointment_next_reminder_at",
            "organization_id",
            "next_reminder_at",
            sqlite_where=text("next_reminder_at IS NOT NULL"),
            postgresql_where=text("next_reminder_at IS NOT NULL"),
        ),
        Index(
            "ix_appointment_changed_at",
            "organization_id",
            "changed_at",
            sqlite_where=text("changed_at IS NOT NULL"),
            postgresql_where=text("changed_at IS NOT NULL"),
        ),
        Index(
            "ix_appointment_hold_expires_at",
            "organization_id",
            "hold_expires_at",
            sqlite_where=text("status = 'proposed'"),
            postgresql_where=text("status = 'proposed'"),
        ),
        Index(
            "ix_appointment_gone",
            "organization_id",
            "start",
            sqlite_where=text(IS_GONE),
            postgresql_where=text(IS_GONE),
        ),
        Index(
            "ix_appointment_waiting",
            "organization_id",
            "service_id",
            "created_at",
            "id",
            sqlite_where=text("status = 'waitlist'"),
            postgresql_where=text("status = 'waitlist'"),
        ),
        CheckConstraint('start < "end"', name="starts_before_it_ends"),
        CheckConstraint("first_tick < end_tick", name="occupies_time"),
    )


class Attendance(Base):
    """How a visit went at the desk; there is a row once somebody said something of it."""

    __tablename__ = "attendance"

    appointment_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    expected_at: Mapped[dt.datetime | None]  # when a patient who is late says they will be here
    arrived_at: Mapped[dt.datetime | None]
    roomed_at: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]

    __table_args__ = (refers("appointment_id", "appointment"),)


class ToldVisit(Base):
    """A visit as those whom it concerns were told of it last: what its next change is a change from."""

    __tablename__ = "told_visit"

    appointment_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    status: Mapped[AppointmentStatus] = mapped_column(words(AppointmentStatus))
    service_id: Mapped[str] = mapped_column(String(64))
    practitioner_id: Mapped[str] = mapped_column(String(64))
    location_id: Mapped[str | None] = mapped_column(String(64))
    mode: Mapped[Mode] = mapped_column(words(Mode))
    start: Mapped[dt.datetime]
    sequence: Mapped[int]
    told_at: Mapped[dt.datetime]

    __table_args__ = (refers("appointment_id", "appointment"),)


class FreedTime(Base):
    """A practitioner's time that came free: offered to one place on the waitlist after the other until `next_look_at` is None."""

    __tablename__ = "freed_time"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    practitioner_id: Mapped[str] = mapped_column(String(64))
    start: Mapped[dt.datetime]
    first_tick: Mapped[int]
    end_tick: Mapped[int]
    given_up_by: Mapped[str | None] = mapped_column(String(64))  # the patient whose time it was: not offered it again
    freed_at: Mapped[dt.datetime]
    next_look_at: Mapped[dt.datetime | None]

    __table_args__ = (
        refers("practitioner_id", "practitioner"),
        refers("given_up_by", "patient"),
        Index(
            "ix_freed_time_next_look_at",
            "organization_id",
            "next_look_at",
            sqlite_where=text("next_look_at IS NOT NULL"),
            postgresql_where=text("next_look_at IS NOT NULL"),
        ),
    )


class OfferStatus(StrEnum):
    """What became of an offer. `lapsed`: no answer in time, or somebody else was faster."""

    OPEN = "open"
    ACCEPTED = "accepted"
    PASSED = "passed"
    LAPSED = "lapsed"


class WaitlistOffer(Base):
    """A freed time on hold for who waits for one. A freed time is offered to a place once, and a number has one open offer."""

    __tablename__ = "waitlist_offer"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    freed_id: Mapped[str] = mapped_column(String(64))
    place_id: Mapped[str] = mapped_column(String(64))
    hold_id: Mapped[str] = mapped_column(String(64))  # becomes the visit; of offers made at once the same
    phone: Mapped[str] = mapped_column(String(40))
    status: Mapped[OfferStatus] = mapped_column(words(OfferStatus), default=OfferStatus.OPEN)
    expires_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (
        refers("freed_id", "freed_time"),
        refers("place_id", "appointment"),
        refers("hold_id", "appointment"),
        Index("uq_waitlist_offer_freed_id_place_id", "organization_id", "freed_id", "place_id", unique=True),
        Index(
            "uq_waitlist_offer_open_phone",
            "organization_id",
            "phone",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(None, "organization_id", "place_id"),
        Index(None, "organization_id", "created_at"),
    )


# One row a tick and actor ("practitioner:ID", "room:ID", "patient:ID", "device:ID"). The primary key is what refuses a double
# booking. Lane 0 is everybody's; a higher lane is a scheduler's deliberate overbooking. Core only: the hot path never builds
# objects of it.
occupancy = Table(
    "occupancy",
    Base.metadata,
    Column("organization_id", String(64), primary_key=True),
    Column("actor", String(80), primary_key=True),
    Column("tick", Integer, primary_key=True, autoincrement=False),
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("appointment_id", String(64), nullable=False),
    ForeignKeyConstraint(["organization_id", "appointment_id"], ["appointment.organization_id", "appointment.id"]),
    Index(None, "organization_id", "appointment_id"),
    sqlite_with_rowid=False,
)
