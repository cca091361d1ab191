"""Visits over others on purpose: who may, where they go, and how they come down."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduling_core import accounts, booking, overbooking, why
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.search import find
from scheduling_core.errors import NotBookableError, NotFoundError, PatientBusyError, TimeTakenError, WrongStateError
from scheduling_core.models import Appointment, AppointmentStatus, AuditEvent, Mode, Role, StaffAccount, occupancy
from scheduling_core.plans import NotAllowedError
from tests.core.clinics import load, make_clinic
from tests.core.test_races import at_once
from tests.factories import make_patient

SCHEDULER = "staff:nora@small.example"
MANAGER = "staff:paul@small.example"
MONDAY = "2026-11-16T09:10:00-06:00"


class Day:
    """A practitioner's Tuesday, nine to twelve, and one patient after the other."""

    def __init__(self, database, clinic) -> None:
        self.database, self.clinic, self.number = database, clinic, 0
        with database.transaction() as session:
            for name, role in (("nora", Role.SCHEDULER), ("paul", Role.MANAGER), ("bill", Role.BILLING)):
                accounts.add_staff(session, email=f"{name}@small.example", name=name, role=role, agent="test")

    def at(self, clock: str) -> dt.datetime:
        wall = dt.datetime.combine(dt.date(2026, 11, 17), dt.time.fromisoformat(clock), self.clinic.zone)
        return wall.astimezone(dt.UTC)

    def patient(self) -> str:
        with self.database.transaction() as session:
            return make_patient(session).id

    def book(self, clock: str, service: str = "visit", patient: str | None = None) -> Appointment:
        with self.database.transaction() as session:
            start, self.number = self.at(clock), self.number + 1
            [time, *_] = find(session, self.clinic, Request(service), start=start, end=start + dt.timedelta(minutes=5))
            patient = patient or make_patient(session).id
            return booking.book(session, self.clinic, patient_id=patient, time=time, agent="test", key=f"book {self.number}")

    def overbook(self, clock: str, service="visit", patient=None, agent=SCHEDULER, key=None, reason="severe pain", mode=None):
        with self.database.transaction() as session:
            self.number += 1
            patient = patient or make_patient(session).id
            request = Request(service, practitioners=("lindgren",), patient_id=patient, mode=mode)
            return overbooking.overbook(
                session,
                self.clinic,
                request=request,
                start=self.at(clock),
                reason=reason,
                agent=agent,
                key=key or f"over {self.number}",
            )

    def cancel(self, visit: Appointment) -> None:
        with self.database.transaction() as session:
            booking.cancel(session, self.clinic, appointment_id=visit.id, agent="test", key=f"cancel {visit.id}")

    def move(self, visit: Appointment, clock: str, key: str = "move") -> Appointment:
        with self.database.transaction() as session:
            start, end = self.at(clock), self.at(clock) + dt.timedelta(minutes=5)
            request = Request(visit.service_id, moving=visit.id)
            [time, *_] = find(session, self.clinic, request, start=start, end=end)
            return booking.reschedule(
                session, self.clinic, appointment_id=visit.id, time=time, agent="test", key=f"{key} {visit.id} {clock}"
            )

    def lane(self, visit: Appointment) -> int:
        """The lane of a visit, as row and ticks agree on it."""
        with self.database.reading() as session:
            lane = session.scalars(select(Appointment.lane).where(Appointment.id == visit.id)).one()
            rows = session.execute(select(occupancy).where(occupancy.c.appointment_id == visit.id)).all()
        mine = {row.lane for row in rows if row.actor.startswith("practitioner:")}
        assert mine in ({lane}, set())
        assert {row.lane for row in rows if not row.actor.startswith("practitioner:")} <= {0}
        assert len(rows) == len({(row.actor, row.tick) for row in rows})
        return lane

    def free(self) -> list[str]:
        with self.database.reading() as session:
            found = find(session, self.clinic, Request("visit"), start=self.at("00:00"), end=self.at("23:00"))
        return [f"{one.start.astimezone(self.clinic.zone):%H:%M}" for one in found]


def make_day(database, clock, **parts) -> Day:
    clock.set(MONDAY)
    return Day(database, load(database, make_clinic(sessions=["09:00-12:00"], clinic={"grid_minutes": 30}, **parts)))


@pytest.fixture
def day(database, clock) -> Day:
    return make_day(database, clock)


def test_a_scheduler_puts_a_visit_over_another_with_a_reason(day):
    day.book("09:00")
    visit = day.overbook("09:00")
    assert (visit.status, visit.start, day.lane(visit)) == (AppointmentStatus.BOOKED, day.at("09:00"), 1)
    with day.database.reading() as session:
        [row] = session.scalars(select(AuditEvent).where(AuditEvent.entity_id == visit.id)).all()
    assert (row.agent, row.action, row.patient_id) == (SCHEDULER, "C", visit.patient_id)
    assert (row.detail["overbooked"], row.detail["lane"]) == ("severe pain", 1)
    assert day.free() == ["09:30", "10:00", "10:30", "11:00", "11:30"]


def test_a_manager_may_too_and_nobody_else(day):
    day.book("09:00")
    with day.database.transaction() as session:
        accounts.add_staff(session, email="gone@small.example", name="gone", role=Role.SCHEDULER, agent="test")
        session.scalars(select(StaffAccount).where(StaffAccount.name == "gone")).one().active = False
    others = (
        "staff:bill@small.example",
        "staff:gone@small.example",
        "staff:nobody@small.example",
        "assistant:1",
        "worker",
        "token:ehr",
    )
    for agent in (*others, "nora@small.example"):
        with pytest.raises(NotAllowedError):
            day.overbook("09:00", agent=agent)
    assert day.lane(day.overbook("09:00", agent=MANAGER)) == 1


def test_the_assistant_has_no_way_to_overbook():
    root = Path(__file__).parents[2]
    sources = [*(root / "actions").rglob("*.py"), root / "bot" / "turn.py", root / "bot" / "conversation.py"]
    assert sources
    assert not [file for file in sources if "overbook" in file.read_text(encoding="utf-8")]


def test_as_many_lie_over_a_time_as_the_clinic_file_allows(database, clock):
    day = make_day(database, clock, overbooking={"extra_at_once": 2})
    day.book("09:00")
    assert [day.lane(day.overbook("09:00")) for _ in range(2)] == [1, 2]
    with pytest.raises(TimeTakenError):
        day.overbook("09:00")
    with database.transaction() as session:
        assert len(session.scalars(select(Appointment)).all()) == 3


def test_a_clinic_may_forbid_it(database, clock):
    day = make_day(database, clock, overbooking={"extra_at_once": 0})
    day.book("09:00")
    with pytest.raises(TimeTakenError):
        day.overbook("09:00")


def test_the_lowest_free_lane_is_taken(database, clock):
    day = make_day(database, clock, overbooking={"extra_at_once": 2}, services=[{"id": "long", "minutes": 60}])
    day.book("09:00", "long")
    first, second = day.overbook("09:00"), day.overbook("09:30")
    assert [day.lane(first), day.lane(second)] == [1, 1]
    assert day.lane(day.overbook("09:00", "long")) == 2


def test_a_time_that_is_free_is_booked_as_any_other_past_the_daily_maximum(database, clock):
    day = make_day(database, clock, practitioner={"max_visits_per_day": 1})
    day.book("09:00")
    visit = day.overbook("10:00")
    assert day.lane(visit) == 0


def test_the_patients_own_time_is_never_given_twice(day):
    mine = day.book("09:00")
    with pytest.raises(PatientBusyError):
        day.overbook("09:00", patient=mine.patient_id)


def test_a_room_is_never_given_twice(database, clock):
    services = [{"id": "procedure", "minutes": 30, "room": "procedure"}]
    day = make_day(database, clock, services=services, rooms=["red"])
    day.book("09:00", "procedure")
    with pytest.raises(NotBookableError) as refused:
        day.overbook("09:00", "procedure")
    assert refused.value.rule == "room"
    day.book("10:00")
    assert day.overbook("10:00", "procedure").room_id == "red"


def test_every_other_rule_holds(database, clock):
    blocks = [{"days": "mon-sun", "time": "11:00-12:00", "keep_for": "urgent", "release_hours": 1}]
    day = make_day(database, clock, practitioner={"blocks": blocks}, services=[{"id": "sick", "minutes": 30, "urgency": "urgent"}])
    day.book("11:00", "sick")
    for start, rule in (("11:00", "blocked"), ("12:00", "not-working"), ("09:10", "off-grid")):
        with pytest.raises(NotBookableError) as refused:
            day.overbook(start)
        assert refused.value.rule == rule
    assert day.lane(day.overbook("11:00", "sick")) == 1
    with pytest.raises(NotFoundError):
        day.overbook("09:00", patient="nobody")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_a_reason_is_asked_for(sqlite_database, clock, reason):
    day = make_day(sqlite_database, clock)
    day.book("09:00")
    with pytest.raises(WrongStateError):
        day.overbook("09:00", reason=reason)


def test_the_same_key_again_answers_the_same_visit(day):
    day.book("09:00")
    patient = day.patient()
    one, other = (day.overbook("09:00", patient=patient, key="one") for _ in range(2))
    assert one.id == other.id
    with pytest.raises(WrongStateError):
        day.overbook("09:30", key="book 1")


def test_a_time_that_somebody_decides_about_is_left_to_them(day, clock):
    with day.database.transaction() as session:
        [time] = find(session, day.clinic, Request("visit"), start=day.at("09:00"), end=day.at("09:30"))
        booking.hold(session, day.clinic, time=time, held_for="talk", agent="test")
    with pytest.raises(TimeTakenError):
        day.overbook("09:00")
    clock.set("2026-11-16T09:30:00-06:00")
    assert day.lane(day.overbook("09:00")) == 0  # the hold has expired


def test_the_higher_visit_comes_down_when_the_lower_one_is_cancelled(day):
    below = day.book("09:00")
    above = day.overbook("09:00")
    day.cancel(below)
    assert day.lane(above) == 0
    with day.database.reading() as session:
        changes = session.scalars(select(AuditEvent.detail).where(AuditEvent.entity_id == above.id, AuditEvent.action == "U")).all()
    assert changes == [{"lane": {"old": 1, "new": 0}}]
    assert "09:00" not in day.free()
    day.cancel(above)
    assert "09:00" in day.free()


def test_the_higher_visit_comes_down_when_the_lower_one_moves(day):
    below = day.book("09:00")
    above = day.overbook("09:00")
    moved = day.move(below, "10:00")
    assert (day.lane(moved), day.lane(above)) == (0, 0)


def test_it_stays_up_until_all_of_its_time_is_free(database, clock):
    day = make_day(database, clock, services=[{"id": "long", "minutes": 60}])
    first, second = day.book("09:00"), day.book("09:30")
    above = day.overbook("09:00", "long")
    day.cancel(first)
    assert day.lane(above) == 1
    assert "09:00" not in day.free()
    day.cancel(second)
    assert day.lane(above) == 0


def test_of_two_above_one_comes_down(database, clock):
    day = make_day(database, clock, overbooking={"extra_at_once": 2})
    below = day.book("09:00")
    one, other = day.overbook("09:00"), day.overbook("09:00")
    day.cancel(below)
    assert [day.lane(one), day.lane(other)] == [0, 2]
    day.cancel(one)
    assert day.lane(other) == 0


def test_an_overbooked_visit_that_moves_goes_to_a_time_of_its_own(day):
    below = day.book("09:00")
    above = day.overbook("09:00")
    moved = day.move(above, "10:30")
    assert day.lane(moved) == 0
    assert day.lane(below) == 0
    with day.database.reading() as session:
        assert not session.execute(select(occupancy).where(occupancy.c.lane > 0)).all()


def test_an_overbooked_visit_is_cancelled_as_any_other(day):
    below, above = day.book("09:00"), day.overbook("09:00")
    day.cancel(above)
    assert day.lane(below) == 0
    assert "09:00" not in day.free()
    with day.database.reading() as session:
        assert not session.execute(select(occupancy).where(occupancy.c.appointment_id == above.id)).all()


def test_staff_are_told_that_a_time_is_overbooked_and_patients_are_not(day):
    day.book("09:00")
    day.overbook("09:00")
    with day.database.reading() as session:
        reasons = why.explain(session, day.clinic, Request("visit", practitioners=("lindgren",)), day.at("09:00"))
    [taken] = [one for one in reasons if one.code == "taken"]
    assert taken.staff == "Dr. Lindgren has a visit from 9:00 AM to 9:30 AM (Visit). The time is overbooked, by 1 visit."
    assert taken.patient == "That time is taken."


def test_many_at_once_want_the_one_place_above_a_visit_and_one_gets_it(day):
    day.book("09:00")
    patients = [day.patient() for _ in range(12)]
    outcome = at_once(12, lambda one: day.overbook("09:00", patient=patients[one], key=f"race {one}"))
    assert outcome == {"done": 1, "time-taken": 11}


def test_a_cancellation_beside_overbookings_leaves_nobody_above_a_free_time(database, clock):
    day = make_day(database, clock, overbooking={"extra_at_once": 2}, services=[{"id": "long", "minutes": 60}])
    for turn, start in enumerate(("09:00", "10:00", "11:00")):
        later = f"{start[:2]}:30"
        visits = [day.book(start), day.book(later), day.overbook(start, "long")]
        patients = [day.patient() for _ in range(4)]

        def act(one: int, visits=visits, patients=patients, turn=turn, start=start) -> None:
            if one < 3:
                day.cancel(visits[one])
            else:
                day.overbook(start, "long", patient=patients[one - 3], key=f"{turn} {one}")

        assert set(at_once(7, act)) <= {"done", "time-taken"}
        with database.reading() as session:
            rows = session.execute(
                select(occupancy.c.tick, occupancy.c.lane, occupancy.c.appointment_id).where(
                    occupancy.c.actor == "practitioner:lindgren", occupancy.c.tick >= int(day.at(start).timestamp()) // 300
                )
            ).all()
        below = {row.tick for row in rows if row.lane == 0}
        higher = {row.appointment_id for row in rows if row.lane > 0}
        for one in higher:  # each has somebody under it
            assert below & {row.tick for row in rows if row.appointment_id == one}


def test_a_visit_and_the_one_above_it_move_to_one_time_at_once_without_a_deadlock(day):
    for turn, start in enumerate(("09:30", "10:00", "10:30", "11:00")):
        both = [day.book("09:00"), day.overbook("09:00")]

        def move(one: int, both=both, start=start, turn=turn) -> None:
            _move(day, both[one], start, f"turn {turn}")

        assert at_once(2, move) == {"done": 1, "time-taken": 1}
        assert [day.lane(one) for one in both] == [0, 0]
        for one in both:
            day.cancel(one)


def _move(day: Day, visit: Appointment, start: str, key: str) -> None:
    from scheduling_core.calendar.requests import FreeTime

    first = int(day.at(start).timestamp()) // 300
    time = FreeTime(
        "visit", "lindgren", "here", Mode.IN_PERSON, day.at(start), day.at(start) + dt.timedelta(minutes=30), None, first, first + 6
    )
    with day.database.transaction() as session:
        booking.reschedule(session, day.clinic, appointment_id=visit.id, time=time, agent="test", key=f"{key} {visit.id}")


def test_the_best_place_is_over_who_stands_before_a_gap(day):
    day.book("09:00")
    day.book("09:30")
    day.book("11:00")
    with day.database.transaction() as session:
        request = Request("visit", patient_id=make_patient(session).id)
        places = overbooking.best_place_to_overbook(session, day.clinic, request, day=dt.date(2026, 11, 17), agent=SCHEDULER)
    assert [f"{one.time.start.astimezone(day.clinic.zone):%H:%M}" for one in places] == ["09:30", "11:00", "09:00"]
    assert places[0].minutes < places[2].minutes
    assert "9:30 AM with Dr. Lindgren: over the visit of 9:30 AM (10% may not come)" in places[0].staff
    with day.database.transaction() as session:  # what is proposed can be done
        made = overbooking.overbook(
            session,
            day.clinic,
            request=Request("visit", practitioners=(places[0].time.practitioner_id,), patient_id=request.patient_id),
            start=places[0].time.start,
            reason="pain",
            agent=SCHEDULER,
            key="best",
        )
    assert made.lane == 1
