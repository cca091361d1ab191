"""Holding, booking, moving and cancelling, one step at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from scheduling_core import booking
from scheduling_core.calendar.search import Request, find
from scheduling_core.errors import (
    HoldExpiredError,
    NotBookableError,
    NotFoundError,
    PatientBusyError,
    SchedulingError,
    TimeTakenError,
    WrongStateError,
)
from scheduling_core.models import Appointment, AppointmentStatus, AuditEvent, ParticipationStatus, Task, occupancy
from tests.core.clinics import load, make_clinic
from tests.factories import make_free_time, make_patient

CHICAGO = ZoneInfo("America/Chicago")


@pytest.fixture
def patient(loaded) -> str:
    with loaded.transaction() as session:
        return make_patient(session).id


def book(database, clinic, patient_id, time, key="book", **more):
    with database.transaction() as session:
        return booking.book(session, clinic, patient_id=patient_id, time=time, agent="test", key=key, **more)


def hold(database, clinic, time, held_for="talk", **more):
    with database.transaction() as session:
        return booking.hold(session, clinic, time=time, held_for=held_for, agent="test", **more)


def move(database, clinic, appointment_id, time=None, key="move", **more):
    with database.transaction() as session:
        return booking.reschedule(session, clinic, appointment_id=appointment_id, time=time, agent="test", key=key, **more)


def cancel(database, clinic, appointment_id, key="cancel"):
    with database.transaction() as session:
        return booking.cancel(session, clinic, appointment_id=appointment_id, agent="test", key=key)


def ticks_of(database, appointment_id) -> list[tuple[str, int]]:
    with database.reading() as session:
        rows = session.execute(select(occupancy.c.actor, occupancy.c.tick).where(occupancy.c.appointment_id == appointment_id))
        return sorted((actor, tick) for actor, tick in rows)


def appointments(database) -> list[Appointment]:
    with database.reading() as session:
        return list(session.scalars(select(Appointment).order_by(Appointment.created_at)))


def test_a_hold_takes_practitioner_and_room_but_not_the_patient(loaded, clinic, patient):
    time = make_free_time(clinic, service_id="sick")
    held = hold(loaded, clinic, time, patient_id=patient)
    assert held.status is AppointmentStatus.PROPOSED
    assert held.hold_expires_at == dt.datetime(2026, 11, 16, 15, 18, tzinfo=dt.UTC)
    assert {actor for actor, _ in ticks_of(loaded, held.id)} == {"practitioner:ferreira"}
    assert len(ticks_of(loaded, held.id)) == 5  # 20 minutes and the buffer


def test_a_booked_visit_takes_the_patients_time_without_buffers(database, clock):
    service = {"buffer_before_minutes": 10, "buffer_after_minutes": 15, "room": "procedure"}
    clinic = load(database, make_clinic(service=service, rooms=["red"]))
    with database.transaction() as session:
        patient_id = make_patient(session).id
        start = dt.datetime(2026, 11, 17, tzinfo=CHICAGO)
        time = find(session, clinic, Request("visit"), start=start, end=start + dt.timedelta(days=1))[0]
    visit = book(database, clinic, patient_id, time, comment="first floor")
    owned = [actor for actor, _ in ticks_of(database, visit.id)]
    assert (owned.count("practitioner:lindgren"), owned.count("room:red"), owned.count(f"patient:{patient_id}")) == (11, 11, 6)
    assert (visit.status, visit.room_id, visit.comment) == (AppointmentStatus.BOOKED, "red", "first floor")
    assert visit.confirmation is ParticipationStatus.NEEDS_ACTION


def test_booking_from_a_hold_keeps_the_appointment(loaded, clinic, patient):
    held = hold(loaded, clinic, make_free_time(clinic))
    with loaded.transaction() as session:
        visit = booking.book(session, clinic, patient_id=patient, hold_id=held.id, agent="test", key="book")
    assert (visit.id, visit.status, visit.patient_id, visit.held_for) == (held.id, AppointmentStatus.BOOKED, patient, None)
    assert {actor for actor, _ in ticks_of(loaded, visit.id)} == {"practitioner:ferreira", f"patient:{patient}"}


def test_a_taken_time_is_refused(loaded, clinic, patient):
    book(loaded, clinic, patient, make_free_time(clinic, start="2026-11-17T09:00"))
    with loaded.transaction() as session:
        other = make_patient(session).id
    for start in ("08:45", "09:00", "09:15"):
        with pytest.raises(TimeTakenError):
            book(loaded, clinic, other, make_free_time(clinic, start=f"2026-11-17T{start}"), key=start)
        with pytest.raises(TimeTakenError):
            hold(loaded, clinic, make_free_time(clinic, start=f"2026-11-17T{start}"))
    book(loaded, clinic, other, make_free_time(clinic, start="2026-11-17T09:20"), key="after")
    book(loaded, clinic, other, make_free_time(clinic, start="2026-11-17T08:40"), key="before")


def test_a_patient_cannot_be_at_two_places(loaded, clinic, patient):
    book(loaded, clinic, patient, make_free_time(clinic))
    elsewhere = make_free_time(clinic, start="2026-11-17T09:10", practitioner_id="sorensen")
    with pytest.raises(PatientBusyError):
        book(loaded, clinic, patient, elsewhere, key="other")
    held = hold(loaded, clinic, elsewhere, patient_id=patient)  # two offers may be at one hour
    with pytest.raises(PatientBusyError), loaded.transaction() as session:
        booking.book(session, clinic, patient_id=patient, hold_id=held.id, agent="test", key="from the hold")


def test_a_refused_booking_leaves_nothing_behind(loaded, clinic, patient):
    book(loaded, clinic, patient, make_free_time(clinic))
    with loaded.transaction() as session:
        other = make_patient(session).id
        with pytest.raises(SchedulingError):
            booking.book(session, clinic, patient_id=other, time=make_free_time(clinic), agent="test", key="again")
    assert len(appointments(loaded)) == 1
    later = make_free_time(clinic, start="2026-11-17T10:00")
    assert book(loaded, clinic, other, later, key="again").start == later.start  # the key of a refused write is free


def test_what_the_caller_says_of_length_and_place_is_not_believed(loaded, clinic, patient):
    time = make_free_time(clinic, service_id="physical")
    short = replace(time, end=time.start + dt.timedelta(minutes=5), end_tick=time.first_tick + 1)
    assert book(loaded, clinic, patient, short).end == time.end
    free = make_free_time(clinic, service_id="physical", start="2026-11-17T10:00")
    with pytest.raises(NotBookableError, match="location"):
        book(loaded, clinic, patient, replace(free, location_id="south"), key="elsewhere")


@pytest.mark.parametrize(
    ("time", "rule"),
    [
        ({"start": "2026-11-16T09:30"}, "notice"),
        ({"start": "2026-11-16T08:30"}, "past"),
        ({"start": "2026-11-20T09:00"}, "not-working"),
        ({"start": "2026-11-24T11:30"}, "blocked"),
        ({"start": "2026-11-26T09:00"}, "holiday"),
        ({"start": "2027-04-01T09:00"}, "horizon"),
        ({"service_id": "new-patient"}, "who-new"),
        ({"service_id": "vaccine"}, "no-practitioner"),
        ({"service_id": "minor-procedure", "practitioner_id": "brandt"}, "needs-referral"),
    ],
)
def test_booking_asks_every_rule(loaded, clinic, patient, time, rule):
    with pytest.raises(NotBookableError) as refusal:
        book(loaded, clinic, patient, make_free_time(clinic, **time))
    assert refusal.value.rule == rule
    assert appointments(loaded) == []


def test_an_expired_hold_gives_its_time_to_who_wants_it(loaded, clinic, patient, clock):
    held = hold(loaded, clinic, make_free_time(clinic))
    with pytest.raises(TimeTakenError):
        book(loaded, clinic, patient, make_free_time(clinic), key="early")
    clock.set("2026-11-16T09:18:00-06:00")
    visit = book(loaded, clinic, patient, make_free_time(clinic), key="late")
    assert ticks_of(loaded, held.id) == []
    assert {one.id: one.status for one in appointments(loaded)} == {
        held.id: AppointmentStatus.CANCELLED,
        visit.id: AppointmentStatus.BOOKED,
    }


def test_an_expired_hold_cannot_be_booked(loaded, clinic, patient, clock):
    held = hold(loaded, clinic, make_free_time(clinic))
    clock.set("2026-11-16T09:18:00-06:00")
    with pytest.raises(HoldExpiredError), loaded.transaction() as session:
        booking.book(session, clinic, patient_id=patient, hold_id=held.id, agent="test", key="book")


def test_a_held_time_can_be_booked_when_notice_has_passed_meanwhile(loaded, clinic, patient, clock):
    held = hold(loaded, clinic, make_free_time(clinic, start="2026-11-16T10:10"))
    clock.set("2026-11-16T09:15:00-06:00")
    with loaded.transaction() as session:
        visit = booking.book(session, clinic, patient_id=patient, hold_id=held.id, agent="test", key="book")
    assert visit.status is AppointmentStatus.BOOKED


def test_another_patients_hold_cannot_be_booked(loaded, clinic, patient):
    with loaded.transaction() as session:
        other = make_patient(session).id
    held = hold(loaded, clinic, make_free_time(clinic), patient_id=other)
    with pytest.raises(WrongStateError), loaded.transaction() as session:
        booking.book(session, clinic, patient_id=patient, hold_id=held.id, agent="test", key="book")


def test_several_times_are_held_at_once_and_taken_ones_left_out(loaded, clinic, patient):
    book(loaded, clinic, patient, make_free_time(clinic, start="2026-11-17T09:00"))
    wanted = [make_free_time(clinic, start=f"2026-11-17T{start}") for start in ("10:00", "09:00", "09:30", "10:10")]
    with loaded.transaction() as session:
        held = booking.hold_all(session, clinic, free_times=wanted, held_for="talk", agent="test", key="offers")
    assert [one.start for one in held] == [wanted[0].start, wanted[2].start]
    with loaded.transaction() as session:
        again = booking.hold_all(session, clinic, free_times=wanted, held_for="talk", agent="test", key="offers")
    assert [one.id for one in again] == [one.id for one in held]


def test_released_holds_free_their_time_and_kept_ones_do_not(loaded, clinic, patient):
    held = [hold(loaded, clinic, make_free_time(clinic, start=f"2026-11-17T{start}")) for start in ("09:00", "10:00", "10:30")]
    other = hold(loaded, clinic, make_free_time(clinic, start="2026-11-17T08:00"), held_for="other talk")
    with loaded.transaction() as session:
        assert booking.release(session, held_for="talk", keep=[held[0].id], agent="test") == 2
    assert [bool(ticks_of(loaded, one.id)) for one in (*held, other)] == [True, False, False, True]
    with pytest.raises(HoldExpiredError), loaded.transaction() as session:
        booking.book(session, clinic, patient_id=patient, hold_id=held[1].id, agent="test", key="book")


def test_the_same_key_again_books_once(loaded, clinic, patient):
    first = book(loaded, clinic, patient, make_free_time(clinic))
    assert book(loaded, clinic, patient, make_free_time(clinic)).id == first.id
    other_time = make_free_time(clinic, start="2026-11-17T10:00")
    assert book(loaded, clinic, patient, other_time).start == first.start
    assert len(appointments(loaded)) == 1


def test_every_write_can_be_repeated_by_its_key(loaded, clinic, patient):
    held = hold(loaded, clinic, make_free_time(clinic), key="hold")
    assert hold(loaded, clinic, make_free_time(clinic), key="hold").id == held.id
    with loaded.transaction() as session:
        visit = booking.book(session, clinic, patient_id=patient, hold_id=held.id, agent="test", key="book")
    with loaded.transaction() as session:
        assert booking.book(session, clinic, patient_id=patient, hold_id=held.id, agent="test", key="book").id == visit.id
    there = make_free_time(clinic, start="2026-11-18T09:00")
    assert [move(loaded, clinic, visit.id, there).sequence for _ in range(2)] == [1, 1]
    for _ in range(2):
        with loaded.transaction() as session:
            confirmed = booking.confirm(session, appointment_id=visit.id, agent="test", key="confirm")
        assert confirmed.confirmation is ParticipationStatus.ACCEPTED
    assert [cancel(loaded, clinic, visit.id).status for _ in range(2)] == [AppointmentStatus.CANCELLED] * 2
    assert book(loaded, clinic, patient, make_free_time(clinic), key="book").status is AppointmentStatus.CANCELLED


def test_a_key_belongs_to_one_operation(loaded, clinic, patient):
    visit = book(loaded, clinic, patient, make_free_time(clinic), key="one")
    with pytest.raises(WrongStateError):
        cancel(loaded, clinic, visit.id, key="one")


def test_a_moved_visit_stays_the_same_and_must_be_confirmed_anew(loaded, clinic, patient):
    visit = book(loaded, clinic, patient, make_free_time(clinic))
    with loaded.transaction() as session:
        booking.confirm(session, appointment_id=visit.id, agent="test", key="confirm")
    there = make_free_time(clinic, start="2026-11-18T14:00", practitioner_id="tanaka", location_id="south")
    moved = move(loaded, clinic, visit.id, there)
    assert (moved.id, moved.start, moved.practitioner_id, moved.location_id) == (visit.id, there.start, "tanaka", "south")
    assert (moved.sequence, moved.confirmation) == (1, ParticipationStatus.NEEDS_ACTION)
    assert {actor for actor, _ in ticks_of(loaded, visit.id)} == {"practitioner:tanaka", f"patient:{patient}"}
    assert min(tick for _, tick in ticks_of(loaded, visit.id)) == there.first_tick


@pytest.mark.parametrize("held", [False, True])
def test_a_visit_moves_a_little_over_its_own_time(loaded, clinic, patient, held):
    visit = book(loaded, clinic, patient, make_free_time(clinic, service_id="physical"))
    request = Request("physical", practitioners=("ferreira",), patient_id=patient, moving=visit.id)
    with loaded.reading() as session:
        found = find(session, clinic, request, start=visit.start + dt.timedelta(minutes=20), end=visit.end)
    assert found[0].start == visit.start + dt.timedelta(minutes=20)
    if held:
        kept = hold(loaded, clinic, found[0], patient_id=patient)
        moved = move(loaded, clinic, visit.id, hold_id=kept.id)
        assert ticks_of(loaded, kept.id) == []
    else:
        moved = move(loaded, clinic, visit.id, found[0])
    assert moved.start == found[0].start
    assert len(ticks_of(loaded, visit.id)) == 16
    assert {tick for _, tick in ticks_of(loaded, visit.id)} == set(range(moved.first_tick, moved.end_tick))


def test_a_move_to_a_taken_time_leaves_the_visit_where_it_is(loaded, clinic, patient):
    with loaded.transaction() as session:
        other = make_patient(session).id
    there = make_free_time(clinic, start="2026-11-17T10:00")
    book(loaded, clinic, other, there, key="other")
    visit = book(loaded, clinic, patient, make_free_time(clinic))
    before = ticks_of(loaded, visit.id)
    with pytest.raises(TimeTakenError):
        move(loaded, clinic, visit.id, there)
    assert ticks_of(loaded, visit.id) == before


def test_a_first_visit_that_moves_is_not_asked_again_whether_the_patient_is_new(loaded, clinic, clock):
    with loaded.transaction() as session:
        newcomer = make_patient(session, new=True).id
    first = book(loaded, clinic, newcomer, make_free_time(clinic, service_id="new-patient", start="2026-11-18T09:00"))
    second = make_free_time(clinic, service_id="new-patient", start="2026-11-23T09:00")
    assert move(loaded, clinic, first.id, second).start == second.start


def test_a_visit_does_not_become_another_service_by_moving(loaded, clinic, patient):
    visit = book(loaded, clinic, patient, make_free_time(clinic))
    with pytest.raises(WrongStateError):
        move(loaded, clinic, visit.id, make_free_time(clinic, service_id="physical", start="2026-11-18T09:00"))


def test_a_late_cancellation_leaves_a_task_for_the_desk(loaded, clinic, patient):
    soon = book(loaded, clinic, patient, make_free_time(clinic, start="2026-11-17T09:00"), key="soon")
    far = book(loaded, clinic, patient, make_free_time(clinic, start="2026-11-18T09:00"), key="far")
    cancel(loaded, clinic, soon.id, key="cancel soon")
    cancel(loaded, clinic, far.id, key="cancel far")
    with loaded.reading() as session:
        tasks = list(session.scalars(select(Task)))
    assert [(task.team, task.reason, task.appointment_id, task.patient_id) for task in tasks] == [
        ("desk", "late-cancellation", soon.id, patient)
    ]
    assert "23 hours" in tasks[0].description
    assert "Tuesday, November 17" in tasks[0].description


def test_what_is_over_or_cancelled_cannot_be_changed(loaded, clinic, patient, clock):
    visit = book(loaded, clinic, patient, make_free_time(clinic))
    clock.set("2026-11-17T10:00:00-06:00")
    with pytest.raises(WrongStateError):
        cancel(loaded, clinic, visit.id)
    with pytest.raises(WrongStateError):
        move(loaded, clinic, visit.id, make_free_time(clinic, start="2026-11-18T09:00"))
    clock.set("2026-11-16T09:10:00-06:00")
    cancel(loaded, clinic, visit.id)
    with pytest.raises(WrongStateError):
        cancel(loaded, clinic, visit.id, key="again")
    with pytest.raises(WrongStateError), loaded.transaction() as session:
        booking.confirm(session, appointment_id=visit.id, agent="test", key="confirm")


def test_what_does_not_exist_is_not_found(loaded, clinic, patient):
    with pytest.raises(NotFoundError):
        cancel(loaded, clinic, "nothing")
    with pytest.raises(NotFoundError):
        book(loaded, clinic, "nobody", make_free_time(clinic))
    with pytest.raises(NotFoundError), loaded.transaction() as session:
        booking.book(session, clinic, patient_id=patient, hold_id="nothing", agent="test", key="book")


def test_the_daily_maximum_counts_the_offers_of_one_conversation_as_one_visit(database, clock):
    clinic = load(database, make_clinic(practitioner={"max_visits_per_day": 2}))
    with database.transaction() as session:
        patient_id = make_patient(session).id
        start = dt.datetime(2026, 11, 17, tzinfo=CHICAGO)
        times = find(session, clinic, Request("visit"), start=start, end=start + dt.timedelta(days=1))[::6]
    book(database, clinic, patient_id, times[0])
    with database.transaction() as session:
        held = booking.hold_all(session, clinic, free_times=times[1:4], held_for="talk", agent="test")
    assert len(held) == 3
    with pytest.raises(NotBookableError, match="daily-maximum"):
        hold(database, clinic, times[4], held_for="other talk")
    with database.transaction() as session:
        booking.book(session, clinic, patient_id=patient_id, hold_id=held[0].id, agent="test", key="from the hold")
    with pytest.raises(NotBookableError, match="daily-maximum"), database.transaction() as session:
        booking.book(session, clinic, patient_id=patient_id, hold_id=held[1].id, agent="test", key="one too many")


def test_upcoming_visits_are_live_and_not_over(loaded, clinic, patient, clock):
    early = book(loaded, clinic, patient, make_free_time(clinic, start="2026-11-17T09:00"), key="1")
    late = book(loaded, clinic, patient, make_free_time(clinic, start="2026-11-19T09:00"), key="2")
    gone = book(loaded, clinic, patient, make_free_time(clinic, start="2026-11-18T09:00"), key="3")
    cancel(loaded, clinic, gone.id)
    hold(loaded, clinic, make_free_time(clinic, start="2026-11-18T10:00"), patient_id=patient)

    def ids() -> list[str]:
        with loaded.reading() as session:
            return [one.id for one in booking.upcoming(session, patient_id=patient)]

    assert ids() == [early.id, late.id]
    clock.set("2026-11-17T09:20:00-06:00")
    assert ids() == [late.id]


def test_every_write_is_audited(loaded, clinic, patient):
    held = hold(loaded, clinic, make_free_time(clinic), patient_id=patient)
    with loaded.transaction() as session:
        booking.book(session, clinic, patient_id=patient, hold_id=held.id, agent="assistant:talk", key="book")
    move(loaded, clinic, held.id, make_free_time(clinic, start="2026-11-18T09:00"))
    with loaded.transaction() as session:
        booking.confirm(session, appointment_id=held.id, agent="test", key="confirm")
    cancel(loaded, clinic, held.id)
    with loaded.reading() as session:
        rows = list(session.scalars(select(AuditEvent).where(AuditEvent.entity_id == held.id).order_by(AuditEvent.sequence)))
    assert [(row.action, row.agent) for row in rows] == [
        ("C", "test"),
        ("U", "assistant:talk"),
        ("U", "test"),
        ("U", "test"),
        ("U", "test"),
    ]
    assert rows[2].detail["old"]["start"] == "2026-11-17T15:00:00+00:00"
