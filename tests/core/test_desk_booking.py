"""Booking and moving as the desk does it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core import attendance, booking, desk_booking
from scheduling_core.calendar.requests import Request
from scheduling_core.desk_booking import MovedMeanwhileError, PatientIsHereError, RefusedTimeError
from scheduling_core.errors import WrongStateError
from scheduling_core.models import Appointment
from tests.factories import make_free_time, make_patient


def at(clinic, wall, location="north"):
    return make_free_time(clinic, start=wall, location_id=location).start


def wanted(session, who="ferreira", service_id="follow-up", **person):
    return Request(service_id, practitioners=(who,), patient_id=make_patient(session, **person).id)


def book(session, clinic, wall="2026-11-17T09:00", who="ferreira", key="k"):
    return desk_booking.book(session, clinic, request=wanted(session, who), start=at(clinic, wall), agent="staff:nora", key=key)


def move(session, clinic, visit, wall, who="ferreira", sequence=0, key="m"):
    return desk_booking.move(
        session,
        clinic,
        appointment_id=visit.id,
        practitioner_id=who,
        start=at(clinic, wall),
        sequence=sequence,
        agent="staff:nora",
        key=key,
    )


def test_a_visit_is_booked_wherever_the_practitioner_is_then(loaded, clinic):
    with loaded.transaction() as session:
        visit = book(session, clinic, "2026-11-19T14:20", who="tanaka")
        assert (visit.location_id, visit.status) == ("north", "booked")
        assert book(session, clinic, "2026-11-19T14:20", who="tanaka").id == visit.id, "the same key books once"


def test_a_refusal_gives_every_reason(loaded, clinic):
    with loaded.transaction() as session:
        book(session, clinic)
        with pytest.raises(RefusedTimeError, match=r"Dr\. Joana Ferreira has a visit from 9:00 AM to 9:20 AM") as refused:
            book(session, clinic, "2026-11-17T09:10", key="other")
        assert refused.value.may_be_overbooked
        with pytest.raises(RefusedTimeError, match="does not work on Fridays") as refused:
            book(session, clinic, "2026-11-20T09:00", key="third")
        assert not refused.value.may_be_overbooked
        with pytest.raises(RefusedTimeError, match=r"None of those asked for gives Vaccination; given by: Ada Abara RN\."):
            desk_booking.book(
                session,
                clinic,
                request=wanted(session, service_id="vaccine"),
                start=at(clinic, "2026-11-17T10:00"),
                agent="s",
                key="v",
            )


def test_a_time_on_offer_is_not_overbooked(loaded, clinic):
    with loaded.transaction() as session:
        booking.hold(session, clinic, time=make_free_time(clinic), held_for="talk", agent="test")
        reasons = desk_booking.against(session, clinic, wanted(session), at(clinic, "2026-11-17T09:00"))
        assert [one.code for one in reasons] == ["taken"]
        assert not desk_booking.may_be_overbooked(reasons)


def test_a_scheduler_overbooks_with_a_reason_and_no_other_rule_gives_way(loaded, clinic):
    with loaded.transaction() as session:
        book(session, clinic)

        def overbook(wall, key):
            return desk_booking.overbook(
                session,
                clinic,
                request=wanted(session),
                start=at(clinic, wall),
                reason="pain since Sunday",
                agent="staff:nora@maplegrove.example",
                key=key,
            )

        assert overbook("2026-11-17T09:00", "o").lane == 1
        with pytest.raises(RefusedTimeError, match="kept for urgent visits"):
            overbook("2026-11-17T11:00", "p")


def test_a_visit_moves_to_another_practitioner_and_keeps_what_it_is(loaded, clinic):
    with loaded.transaction() as session:
        visit = book(session, clinic)
        moved = move(session, clinic, visit, "2026-11-17T09:35", who="sorensen")
        assert (moved.id, moved.practitioner_id, moved.sequence) == (visit.id, "sorensen", 1)


def test_a_refused_move_says_why_and_changes_nothing(loaded, clinic):
    with loaded.transaction() as session:
        visit = book(session, clinic)
        book(session, clinic, "2026-11-17T10:00", key="other")
        with pytest.raises(RefusedTimeError, match="has a visit from 10:00 AM"):
            move(session, clinic, visit, "2026-11-17T09:50")
        with pytest.raises(RefusedTimeError, match="given by"):
            move(session, clinic, visit, "2026-11-17T09:00", who="nurse-abara", key="n")
        assert session.scalars(select(Appointment.sequence).where(Appointment.id == visit.id)).one() == 0


def test_of_two_who_move_one_visit_the_second_is_told(loaded, clinic):
    with loaded.transaction() as session:
        visit = book(session, clinic)
        move(session, clinic, visit, "2026-11-17T09:30")
        with pytest.raises(MovedMeanwhileError):
            move(session, clinic, visit, "2026-11-17T10:30", key="second")
        assert move(session, clinic, visit, "2026-11-17T09:30", key="m").sequence == 1, "the same key moves once"


def test_a_visit_dropped_where_it_was_is_not_moved(loaded, clinic):
    with loaded.transaction() as session:
        visit = book(session, clinic)
        assert move(session, clinic, visit, "2026-11-17T09:00").sequence == 0


def test_who_is_here_is_not_moved_to_another_day(loaded, clinic, clock):
    with loaded.transaction() as session:
        visit = book(session, clinic, "2026-11-16T10:30")
        attendance.check_in(session, clinic, appointment_id=visit.id, agent="staff:nora")
        with pytest.raises(PatientIsHereError):
            move(session, clinic, visit, "2026-11-17T10:30")
        assert move(session, clinic, visit, "2026-11-16T10:40", who="sorensen", key="n").status == "arrived"
        attendance.finish(session, clinic, appointment_id=visit.id, agent="staff:nora")
        with pytest.raises(WrongStateError):
            move(session, clinic, visit, "2026-11-16T11:00", sequence=1, key="o")


def test_the_free_times_of_a_day(loaded, clinic):
    with loaded.transaction() as session:
        found = desk_booking.free_on(session, clinic, wanted(session), make_free_time(clinic).start.date())
        assert f"{found[0].start.astimezone(clinic.zone):%H:%M}" == "08:00"
        assert {one.practitioner_id for one in found} == {"ferreira"}
