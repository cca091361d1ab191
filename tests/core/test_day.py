"""What a day looks like at the desk."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import event, select

from scheduling_core import attendance, booking, day, overbooking
from scheduling_core.calendar.requests import Request
from scheduling_core.day import State
from scheduling_core.errors import NotFoundError
from scheduling_core.models import AuditEvent
from tests.factories import make_free_time, make_patient

MONDAY, TUESDAY = dt.date(2026, 11, 16), dt.date(2026, 11, 17)


def book(session, clinic, start, *, who="ferreira", service_id="follow-up", **person):
    time = make_free_time(clinic, start=start, practitioner_id=who, service_id=service_id)
    patient = make_patient(session, **person)
    return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=f"{who} {start}").id


def of(found, who):
    return next(column for column in found if column.practitioner.id == who)


def rows(things):
    return [(f"{one.row // 12}:{one.row % 12 * 5:02d}", f"{one.end_row // 12}:{one.end_row % 12 * 5:02d}") for one in things]


def test_each_visit_stands_at_its_wall_time_with_its_state(loaded, clinic, clock):
    with loaded.transaction() as session:
        booked = book(session, clinic, "2026-11-16T10:30", given="Ana", family="Ruiz")
        confirmed = book(session, clinic, "2026-11-16T11:00", who="sorensen")
        booking.confirm(session, appointment_id=confirmed, agent="test", key="c")
        here = book(session, clinic, "2026-11-16T10:20", who="sorensen")
        attendance.check_in(session, clinic, appointment_id=here, agent="test")
        late = book(session, clinic, "2026-11-16T10:40", who="sorensen")
        attendance.expect_late(session, clinic, appointment_id=late, minutes=10, agent="test")
        gone = book(session, clinic, "2026-11-16T11:20", who="sorensen")
        booking.cancel(session, clinic, appointment_id=gone, agent="test", key="g")
        held = make_free_time(clinic, start="2026-11-16T14:00")
        booking.hold(session, clinic, time=held, held_for="talk", agent="test")
        found = day.columns(session, clinic, days=[MONDAY])
        ferreira, sorensen = of(found, "ferreira"), of(found, "sorensen")
        assert [(one.state, one.id) for one in ferreira.entries] == [(State.BOOKED, booked), (State.HOLD, ferreira.entries[1].id)]
        assert rows(ferreira.entries) == [("10:30", "10:50"), ("14:00", "14:20")]
        assert (ferreira.entries[0].given, ferreira.entries[0].family) == ("Ana", "Ruiz")
        assert [one.state for one in sorensen.entries] == ["arrived", "late", "confirmed", "cancelled"]
        clock.set("2026-11-16T10:46:00-06:00")
        [late, behind] = day.columns(session, clinic, days=[MONDAY], practitioners=["ferreira", "sorensen"])
        assert late.entries[0].state is State.OVERDUE
        assert behind.behind == 26


def test_what_was_a_hold_to_its_end_is_no_cancelled_visit(loaded, clinic, clock):
    with loaded.transaction() as session:
        booking.hold(session, clinic, time=make_free_time(clinic, start="2026-11-16T14:00"), held_for="talk", agent="test")
        booking.release(session, held_for="talk", agent="test")
        assert of(day.columns(session, clinic, days=[MONDAY]), "ferreira").entries == ()


def test_gaps_are_what_is_left_of_the_day_cut_at_blocks(loaded, clinic, clock):
    with loaded.transaction() as session:
        book(session, clinic, "2026-11-16T10:30")
        gaps = of(day.columns(session, clinic, days=[MONDAY]), "ferreira").gaps
        assert rows(gaps) == [("9:10", "10:30"), ("10:50", "12:00"), ("13:00", "17:00")], "what was released is free to all"
        tuesday = of(day.columns(session, clinic, days=[TUESDAY]), "ferreira")
        assert rows(tuesday.gaps) == [("8:00", "11:00"), ("11:00", "12:00"), ("13:00", "17:00")]
        assert [gap.kept is None for gap in tuesday.gaps] == [True, False, True]
        assert rows(tuesday.bands) == [("11:00", "12:00")]


def test_buffers_and_scraps_too_short_for_any_visit_are_not_free(loaded, clinic, clock):
    with loaded.transaction() as session:
        book(session, clinic, "2026-11-16T10:00", who="sorensen", service_id="sick")  # to 10:20, then 5 minutes
        book(session, clinic, "2026-11-16T10:35", who="sorensen")
        gaps = of(day.columns(session, clinic, days=[MONDAY]), "sorensen").gaps
        assert rows(gaps) == [("9:10", "10:00"), ("10:55", "12:00")]


def test_a_location_shows_who_is_there(loaded, clinic, clock):
    with loaded.reading() as session:
        thursday = dt.date(2026, 11, 19)
        north = day.columns(session, clinic, days=[thursday], location_id="north")
        assert [column.practitioner.id for column in north] == ["ferreira", "tanaka", "brandt", "sorensen", "nurse-abara"]
        assert rows(of(north, "tanaka").gaps) == [("14:00", "17:00")]
        south = day.columns(session, clinic, days=[thursday], location_id="south")
        assert [column.practitioner.id for column in south] == ["tanaka"]
        with pytest.raises(NotFoundError):
            day.columns(session, clinic, days=[thursday], location_id="moon")
        with pytest.raises(NotFoundError):
            day.columns(session, clinic, days=[thursday], practitioners=["nobody"])


def test_who_is_away_is_shown_with_the_reason_and_who_is_not_expected_is_not(loaded, clinic, clock):
    with loaded.reading() as session:
        away = of(day.columns(session, clinic, days=[dt.date(2026, 12, 22)]), "sorensen").away
        assert [(one.kind, one.reason, one.until) for one in away] == [("absent", "vacation", dt.date(2026, 12, 31))]
        closed = of(day.columns(session, clinic, days=[dt.date(2026, 12, 4)]), "tanaka").away
        assert [(one.kind, one.reason) for one in closed] == [("closed", "Staff training")]
        holiday = day.columns(session, clinic, days=[dt.date(2026, 11, 26)])
        assert {(one.kind, one.reason) for column in holiday for one in column.away} == {("holiday", "Thanksgiving Day")}
        assert day.columns(session, clinic, days=[dt.date(2026, 11, 22)]) == []


def test_a_week_is_a_column_a_day_also_where_nothing_is(loaded, clinic, clock):
    with loaded.transaction() as session:
        book(session, clinic, "2026-11-18T13:20", who="brandt")
        week = [MONDAY + dt.timedelta(days=ahead) for ahead in range(7)]
        found = day.columns(session, clinic, days=week, practitioners=["brandt"])
        assert [column.day for column in found] == week
        assert [len(column.entries) for column in found] == [0, 0, 1, 0, 0, 0, 0]


def test_a_day_on_which_the_clock_changes_is_drawn_by_the_wall(loaded, clinic, clock):
    clock.set("2026-10-30T09:00:00-05:00")
    with loaded.transaction() as session:
        sunday, monday = dt.date(2026, 11, 1), dt.date(2026, 11, 2)
        book(session, clinic, "2026-11-02T08:00")
        found = day.columns(session, clinic, days=[sunday, monday], practitioners=["ferreira"])
        assert rows(found[1].entries) == [("8:00", "8:20")]


def test_an_overbooked_visit_stands_beside_the_other(loaded, clinic, clock):
    with loaded.transaction() as session:
        book(session, clinic, "2026-11-16T10:30")
        overbooking.overbook(
            session,
            clinic,
            request=Request("follow-up", practitioners=("ferreira",), patient_id=make_patient(session).id),
            start=make_free_time(clinic, start="2026-11-16T10:30").start,
            reason="pain",
            agent="staff:nora@maplegrove.example",
            key="o",
        )
        assert [one.lane for one in of(day.columns(session, clinic, days=[MONDAY]), "ferreira").entries] == [0, 1]


def test_two_statements_read_a_week_of_everybody_from_the_indexes(loaded, clinic, clock):
    with loaded.transaction() as session:
        statements = []
        engine = session.connection().engine
        listen = lambda connection, cursor, statement, parameters, context, many: statements.append((statement, parameters))  # noqa: E731
        event.listen(engine, "before_cursor_execute", listen)
        day.columns(session, clinic, days=[MONDAY + dt.timedelta(days=ahead) for ahead in range(7)])
        event.remove(engine, "before_cursor_execute", listen)
        assert len(statements) == 2
        if engine.dialect.name == "sqlite":
            for (statement, parameters), index in zip(
                statements, ("ix_appointment_taken_of_practitioner", "ix_appointment_gone"), strict=True
            ):
                plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                assert any(index in step[3] for step in plan), plan


def test_a_look_at_a_day_is_on_record_with_what_it_showed(loaded, clinic, clock):
    with loaded.transaction() as session:
        book(session, clinic, "2026-11-16T10:30")
        shown = day.columns(session, clinic, days=[MONDAY], practitioners=["ferreira"])
        day.record_look(session, agent="staff:nora", days=[MONDAY], shown=shown, location_id=None)
        session.flush()
        noted = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
        assert (noted.agent, noted.action, noted.entity) == ("staff:nora", "R", "Schedule")
        assert (noted.detail["practitioners"], noted.detail["visits"], noted.detail["from"]) == (["ferreira"], 1, "2026-11-16")


def test_one_visit_is_read_alone_and_a_place_on_the_waitlist_is_none(loaded, clinic, clock):
    with loaded.transaction() as session:
        one = book(session, clinic, "2026-11-16T10:30")
        assert rows([day.entry(session, clinic, appointment_id=one)]) == [("10:30", "10:50")]
        with pytest.raises(NotFoundError):
            day.entry(session, clinic, appointment_id="nothing")


def test_the_load_counts_chairs_people_and_rooms(loaded, clinic, clock):
    with loaded.transaction() as session:
        book(session, clinic, "2026-11-16T10:30")
        book(session, clinic, "2026-11-16T10:30", who="sorensen")
        shown = day.columns(session, clinic, days=[MONDAY])
        load = day.room_load(clinic, shown, location_id="north")
        told = [(f"{one.start.astimezone(clinic.zone):%H:%M}", one.waiting, one.seen, one.rooms) for one in load]
        assert told == [("10:00", 2, 0, {}), ("10:30", 0, 2, {})]
        assert day.room_load(clinic, shown, location_id="south") == []
