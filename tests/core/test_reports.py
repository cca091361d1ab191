"""Reports count what happened in the clinic's days, and divide nothing by nothing."""

from __future__ import annotations

import datetime as dt

from scheduling_core import attendance, booking, handoff, messaging, reports
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Channel, Delivery, Direction
from scheduling_core.reports import Report, Span
from tests.conftest import Clock
from tests.factories import make_conversation, make_free_time, make_message, make_patient

WEEK = Span(dt.date(2026, 11, 16), dt.date(2026, 11, 22))


def read(database: Database, clinic: ClinicFile, name: str, span: Span = WEEK) -> Report:
    with database.reading() as session:
        return reports.REPORTS[name](session, clinic, span)


def book(database: Database, clinic: ClinicFile, start: str, agent: str) -> str:
    with database.transaction() as session:
        who = make_patient(session)
        time = make_free_time(clinic, start=start)
        return booking.book(session, clinic, patient_id=who.id, time=time, agent=agent, key=f"book:{start}").id


def test_nothing_in_a_week_is_told_without_an_error(loaded: Database, clinic: ClinicFile) -> None:
    for name in reports.REPORTS:
        assert isinstance(read(loaded, clinic, name), Report)


def test_bookings_are_counted_by_the_hour_of_the_clinic_and_by_who_booked(
    loaded: Database, clinic: ClinicFile, clock: Clock
) -> None:
    with loaded.transaction() as session:
        call = make_conversation(session, channel=Channel.VOICE).id
    book(loaded, clinic, "2026-11-17T09:00", f"assistant:{call}")
    book(loaded, clinic, "2026-11-17T10:00", "staff:nora@maplegrove.example")
    clock.set("2026-11-16T23:30:00-06:00")  # in UTC it is tomorrow
    book(loaded, clinic, "2026-11-18T09:00", f"assistant:{call}")
    found = read(loaded, clinic, "bookings", Span(WEEK.first, WEEK.first))
    assert found.columns == ("hour", "voice", "staff")
    assert found.rows == (("09:00", 1, 1), ("23:00", 1, 0))


def test_a_conversation_with_a_task_or_an_owner_needed_staff(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        alone, asked, taken = (make_conversation(session, phone=f"+1414555020{number}").id for number in range(3))
        handoff.open_task(session, team="desk", reason="asked", description="A person, please.", conversation_id=asked)
        handoff.take_over(session, conversation_id=taken, owner_name="Nora", agent="staff:nora@maplegrove.example")
    assert alone
    assert read(loaded, clinic, "without-staff").rows[0] == ("2026-11-16", 3, 1, 0.333)


def test_who_did_not_come_is_a_share_of_those_who_were_expected(loaded: Database, clinic: ClinicFile, clock: Clock) -> None:
    came = book(loaded, clinic, "2026-11-17T09:00", "staff:nora@maplegrove.example")
    missed = book(loaded, clinic, "2026-11-17T10:00", "staff:nora@maplegrove.example")
    clock.set("2026-11-17T10:30:00-06:00")
    with loaded.transaction() as session:
        attendance.check_in(session, clinic, appointment_id=came, agent="staff:nora@maplegrove.example")
        attendance.finish(session, clinic, appointment_id=came, agent="staff:nora@maplegrove.example")
        attendance.mark_no_show(session, clinic, appointment_id=missed, agent="staff:nora@maplegrove.example")
    (row,) = read(loaded, clinic, "no-shows").rows
    assert row[1:] == (1, 1, 0.5)


def test_utilisation_is_booked_of_working_time(loaded: Database, clinic: ClinicFile) -> None:
    book(loaded, clinic, "2026-11-17T09:00", "staff:nora@maplegrove.example")
    busy = [row for row in read(loaded, clinic, "utilisation").rows if row[2]]
    assert len(busy) == 1
    _, opened, booked, share = busy[0]
    assert share == round(booked / opened, 3)  # type: ignore[operator]


def test_answers_and_messages_are_told_with_how_long_and_what_became_of_them(
    loaded: Database, clinic: ClinicFile, clock: Clock
) -> None:
    with loaded.transaction() as session:
        talk = make_conversation(session)
        asked = make_message(session, talk, "hello?")
        clock.set("2026-11-16T09:12:00-06:00")
        answer = make_message(session, talk, "Hello!", author="assistant", direction=Direction.OUT, status=Delivery.DELIVERED)
        answer.in_reply_to = asked.id
        messaging.queue(session, phone=talk.phone, body="See you", author="system", kind="reminder")
    assert read(loaded, clinic, "time-to-answer").rows == (("assistant", 1, 120.0, 120.0),)
    assert read(loaded, clinic, "messages").rows == (("reminder", 0, 0, 1, 0, 0), ("reply", 1, 0, 0, 0, 0))
