"""At most one message a day and three a week to a number of what the clinic starts."""

from __future__ import annotations

from sqlalchemy import select

from scheduling_core import booking, messaging, reminders, sending
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Communication, Delivery, Task
from tests.conftest import Clock
from tests.factories import make_free_time, make_patient

RUTH = "+14145550142"  # a number of Milwaukee
AFTER_VISIT = sending.AFTER_VISIT


def _queue(database: Database, body: str, *, kind: str = AFTER_VISIT, phone: str = RUTH) -> None:
    with database.transaction() as session:
        messaging.queue(session, phone=phone, body=body, author="system", kind=kind)


def _go_out(database: Database) -> list[str]:
    bodies = []
    while True:
        with database.transaction() as session:
            claimed = messaging.claim_due(session, worker="w", limit=10, lease_seconds=60)
            for message in claimed:
                messaging.mark_sent(session, communication_id=message.id, external_id=f"SM{message.id}"[:34])
        if not claimed:
            return bodies
        bodies += [message.body for message in claimed]


def test_one_a_day_and_three_in_any_seven_days(sqlite_loaded: Database, clock: Clock) -> None:
    for number in range(5):
        _queue(sqlite_loaded, str(number))
    went_out = {}
    for day in range(16, 27):
        clock.set(f"2026-11-{day}T09:10:00-06:00")
        went_out[day] = _go_out(sqlite_loaded)
    assert {day: found for day, found in went_out.items() if found} == {16: ["0"], 17: ["1"], 18: ["2"], 23: ["3"], 24: ["4"]}


def test_the_next_day_begins_when_the_quiet_hours_end(sqlite_loaded: Database, clock: Clock) -> None:
    _queue(sqlite_loaded, "first")
    _queue(sqlite_loaded, "second")
    assert _go_out(sqlite_loaded) == ["first"]
    clock.set("2026-11-17T07:59:00-06:00")
    assert _go_out(sqlite_loaded) == []
    clock.set("2026-11-17T08:00:00-06:00")
    assert _go_out(sqlite_loaded) == ["second"]


def test_replies_and_other_numbers_are_not_counted(sqlite_loaded: Database, clock: Clock) -> None:
    for number in range(3):
        _queue(sqlite_loaded, f"reply {number}", kind="reply")
    _queue(sqlite_loaded, "ours")
    _queue(sqlite_loaded, "theirs", phone="+14145550143")
    _queue(sqlite_loaded, "reply 3", kind="reply")
    assert sorted(_go_out(sqlite_loaded)) == ["ours", "reply 0", "reply 1", "reply 2", "reply 3", "theirs"]


def test_what_did_not_go_out_is_not_counted(sqlite_loaded: Database, clock: Clock) -> None:
    _queue(sqlite_loaded, "first")
    with sqlite_loaded.transaction() as session:
        [message] = messaging.claim_due(session, worker="w", limit=1, lease_seconds=60)
        messaging.mark_failed(session, communication_id=message.id, error="30006", permanent=True)
    _queue(sqlite_loaded, "second")
    assert _go_out(sqlite_loaded) == ["second"]


def test_a_reminder_that_would_come_too_late_goes_to_staff_with_its_reason(
    sqlite_loaded: Database, clinic: ClinicFile, clock: Clock
) -> None:
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session, phone=RUTH)
        time = make_free_time(clinic, start="2026-11-19T09:00", practitioner_id="sorensen", location_id="north")
        booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book")
    clock.set("2026-11-18T09:00:00-06:00")
    for day in (16, 17, 18):
        clock.set(f"2026-11-{day}T08:50:00-06:00")
        _queue(sqlite_loaded, f"{day}")
        assert _go_out(sqlite_loaded) == [f"{day}"]
    clock.set("2026-11-18T09:10:00-06:00")
    with sqlite_loaded.transaction() as session:
        assert reminders.send_due(session, clinic) == 1
    assert _go_out(sqlite_loaded) == []
    with sqlite_loaded.reading() as session:
        [reminder] = session.scalars(select(Communication).where(Communication.kind == "reminder"))
        [task] = session.scalars(select(Task))
    assert (reminder.status, reminder.error) == (Delivery.WITHHELD, "over-limit")
    assert (task.reason, task.patient_id) == ("over-limit", patient.id)
    assert reminder.body in task.description
