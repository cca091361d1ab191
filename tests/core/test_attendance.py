"""How a visit goes at the desk."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import select

from scheduling_core import attendance, booking, no_show
from scheduling_core.errors import TimeTakenError, WrongStateError
from scheduling_core.models import Appointment, AppointmentStatus, Attendance, Task, TaskStatus, occupancy
from tests.factories import make_free_time, make_patient

TODAY = "2026-11-16T10:30"


def booked(session, clinic, *, start=TODAY, who="ferreira", patient_id=None, service_id="follow-up"):
    time = make_free_time(clinic, start=start, practitioner_id=who, service_id=service_id)
    patient_id = patient_id or make_patient(session).id
    return booking.book(session, clinic, patient_id=patient_id, time=time, agent="test", key=f"{who} {start} {patient_id}").id


def ticks(session, appointment_id):
    return session.execute(select(occupancy.c.tick).where(occupancy.c.appointment_id == appointment_id)).all()


def row(session, appointment_id):
    return session.scalars(select(Attendance).where(Attendance.appointment_id == appointment_id)).one()


def test_a_visit_goes_from_the_door_to_a_room_and_out(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic)
        clock.set("2026-11-16T10:21:00-06:00")
        visit = attendance.check_in(session, clinic, appointment_id=one, agent="staff:nora")
        assert (visit.status, visit.confirmation, visit.next_reminder_at) == (AppointmentStatus.ARRIVED, "accepted", None)
        clock.set("2026-11-16T10:34:00-06:00")
        assert attendance.take_to_room(session, clinic, appointment_id=one, agent="staff:nora").status == "checked-in"
        clock.set("2026-11-16T10:49:00-06:00")
        assert attendance.finish(session, clinic, appointment_id=one, agent="staff:nora").status == "fulfilled"
        kept = row(session, one)
        assert [f"{at.astimezone(clinic.zone):%H:%M}" for at in (kept.arrived_at, kept.roomed_at, kept.done_at)] == [
            "10:21",
            "10:34",
            "10:49",
        ]
        assert ticks(session, one), "the time stays taken"


def test_the_second_clerk_is_told_who_was_first_and_a_double_click_is_no_refusal(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic)
        attendance.check_in(session, clinic, appointment_id=one, agent="staff:nora")
        attendance.check_in(session, clinic, appointment_id=one, agent="staff:nora")
        with pytest.raises(attendance.MarkedAlreadyError) as refused:
            attendance.check_in(session, clinic, appointment_id=one, agent="staff:paul")
        assert (refused.value.status, refused.value.agent) == ("arrived", "staff:nora")
        assert refused.value.at is not None


def test_of_two_clerks_at_once_one_marks_the_visit(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic)
    outcomes = []

    def act(mark, agent):
        try:
            with loaded.transaction() as session:
                mark(session, clinic, appointment_id=one, agent=agent)
            outcomes.append("done")
        except attendance.MarkedAlreadyError:
            outcomes.append("refused")

    clock.set("2026-11-16T10:45:00-06:00")
    both = [
        threading.Thread(target=act, args=(mark, agent))
        for mark, agent in ((attendance.check_in, "staff:nora"), (attendance.mark_no_show, "staff:paul"))
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]


def test_who_did_not_come_frees_the_time_leaves_a_task_and_is_remembered(loaded, clinic, clock):
    with loaded.transaction() as session:
        patient = make_patient(session).id
        one = booked(session, clinic, patient_id=patient)
        with pytest.raises(attendance.NotBegunError):
            attendance.mark_no_show(session, clinic, appointment_id=one, agent="staff:nora")
        clock.set("2026-11-16T10:50:00-06:00")
        assert attendance.mark_no_show(session, clinic, appointment_id=one, agent="staff:nora").status == "noshow"
        assert ticks(session, one) == []
        task = session.scalars(select(Task)).one()
        assert (task.reason, task.appointment_id) == ("no-show", one)
        assert task.description.startswith("Did not come: Follow-up visit with Dr. Joana Ferreira, Monday")
        clock.set("2026-11-17T10:50:00-06:00")
        assert no_show._histories(session, [patient])[patient].outcomes[0][1] is True


def test_a_visit_marked_as_missed_by_mistake_takes_its_time_again(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic)
        before = ticks(session, one)
        clock.set("2026-11-16T10:40:00-06:00")
        attendance.mark_no_show(session, clinic, appointment_id=one, agent="staff:nora")
        undone = attendance.step_back(session, clinic, appointment_id=one, was=AppointmentStatus.NOSHOW, agent="staff:nora")
        assert undone.status == "booked"
        assert len(ticks(session, one)) == len(before)
        assert session.scalars(select(Task)).one().status is TaskStatus.CANCELLED


def test_a_missed_visit_does_not_come_back_onto_somebody_elses(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic, who="sorensen", service_id="sick")
        clock.set("2026-11-16T10:31:00-06:00")
        attendance.mark_no_show(session, clinic, appointment_id=one, agent="staff:nora")
        other = booked(session, clinic, start="2026-11-16T10:35", who="sorensen", service_id="sick")
        with pytest.raises(TimeTakenError):
            attendance.step_back(session, clinic, appointment_id=one, was=AppointmentStatus.NOSHOW, agent="staff:nora")
        assert session.get(Appointment, ("clinic", one)).status == "noshow"
        assert ticks(session, other)


def test_steps_are_taken_back_one_by_one(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic)
        attendance.take_to_room(session, clinic, appointment_id=one, agent="staff:nora")
        for was, then in (("checked-in", "arrived"), ("arrived", "booked")):
            found = attendance.step_back(session, clinic, appointment_id=one, was=AppointmentStatus(was), agent="staff:nora")
            assert found.status == then
        assert row(session, one).arrived_at is None
        assert found.next_reminder_at is None, "its reminders would have gone out already"
        with pytest.raises(attendance.MarkedAlreadyError):
            attendance.step_back(session, clinic, appointment_id=one, was=AppointmentStatus.ARRIVED, agent="staff:nora")


def test_nobody_is_checked_in_on_another_day(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic, start="2026-11-17T09:00")
        for mark in (attendance.check_in, attendance.take_to_room):
            with pytest.raises(attendance.AnotherDayError):
                mark(session, clinic, appointment_id=one, agent="staff:nora")


def test_a_late_patient_is_expected_later(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic)
        attendance.expect_late(session, clinic, appointment_id=one, minutes=15, agent="staff:nora")
        assert row(session, one).expected_at == dt.datetime(2026, 11, 16, 16, 45, tzinfo=dt.UTC)
        with pytest.raises(WrongStateError):
            attendance.expect_late(session, clinic, appointment_id=one, minutes=0, agent="staff:nora")
        attendance.check_in(session, clinic, appointment_id=one, agent="staff:nora")
        with pytest.raises(attendance.MarkedAlreadyError):
            attendance.expect_late(session, clinic, appointment_id=one, minutes=20, agent="staff:nora")


def test_a_clinic_that_cancels_at_short_notice_blames_nobody(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = booked(session, clinic)
        booking.cancel(session, clinic, appointment_id=one, agent="staff:nora", key="c", reason="ill", by_clinic=True)
        assert session.scalars(select(Task)).all() == []
