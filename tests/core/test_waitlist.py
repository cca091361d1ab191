"""Waiting for a time, and what is offered to who waits."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter

import pytest
from sqlalchemy import select

from scheduling_core import booking, freed, messaging, times, waitlist
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.search import find
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import (
    HoldExpiredError,
    NotBookableError,
    NotFoundError,
    SchedulingError,
    TimeTakenError,
    WrongStateError,
)
from scheduling_core.fhir.directory import Directory
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    AuditEvent,
    Communication,
    Delivery,
    FreedTime,
    OfferStatus,
    WaitlistOffer,
    occupancy,
)
from tests.core.clinics import load, make_clinic
from tests.factories import make_patient

DAY = dt.date(2026, 12, 2)
THE_DAY = TimeWish(days=(Days(DAY, DAY),))
ANY = TimeWish()


class Line:
    """A practitioner whose day is full, and people who wait for it."""

    def __init__(self, database, clinic) -> None:
        self.database, self.clinic, self.visits = database, clinic, []

    def fill(self, day=DAY, service="visit", practitioner="lindgren") -> list[Appointment]:
        zone = self.clinic.zone
        start = dt.datetime.combine(day, dt.time(0), zone)
        while True:
            with self.database.transaction() as session:
                request = Request(service, practitioners=(practitioner,))
                free = find(session, self.clinic, request, start=start, end=start + dt.timedelta(days=1), limit=1)
                if not free:
                    return self.visits
                filler = make_patient(session, given="Filler").id
                key = f"fill {len(self.visits)} {day}"
                self.visits.append(booking.book(session, self.clinic, patient_id=filler, time=free[0], agent="test", key=key))

    def wait(self, given="Ann", wish=THE_DAY, phone=None, service="visit", **wanted) -> Appointment:
        with self.database.transaction() as session:
            patient = make_patient(session, given=given, phone=phone)
            request = Request(service, patient_id=patient.id, **wanted)
            return waitlist.join(session, self.clinic, request=request, wish=wish, agent="test", key=f"join {patient.id}")

    def cancel(self, visit: Appointment) -> None:
        with self.database.transaction() as session:
            booking.cancel(session, self.clinic, appointment_id=visit.id, agent="test", key=f"cancel {visit.id}")

    def work(self) -> None:
        """What a worker does until there is nothing to do."""
        for _ in range(50):
            with self.database.transaction() as session:
                if not freed.any_to_offer(session):
                    return
                assert freed.offer_freed(session, self.clinic)
        raise AssertionError("the worker finds no end")

    def sent(self) -> list[str]:
        """Whom the worker writes to now, and sends it."""
        self.work()
        with self.database.transaction() as session:
            claimed = messaging.claim_due(session, worker="w", limit=50, lease_seconds=60)
            for message in claimed:
                messaging.mark_sent(session, communication_id=message.id, external_id=message.id)
            return [message.appointment_id for message in claimed if message.kind == "offer"]

    def offer(self, place: Appointment) -> waitlist.Offer | None:
        with self.database.reading() as session:
            return waitlist.open_offer(session, phone=self.phone(place))

    def answerable(self, place: Appointment) -> waitlist.Offer | None:
        with self.database.reading() as session:
            return waitlist.answerable_offer(session, phone=self.phone(place))

    def phone(self, place: Appointment) -> str:
        from scheduling_core import patients

        with self.database.reading() as session:
            return patients.get(session, place.patient_id).phones[0].phone

    def accept(self, place: Appointment, key="accept") -> Appointment:
        with self.database.transaction() as session:
            return waitlist.accept(session, self.clinic, place_id=place.id, agent="test", key=f"{key} {place.id}")

    def accept_at_once(self, places: list[Appointment]) -> list[str]:
        """They all answer yes in the same moment; what became of each."""
        ready, outcomes = threading.Barrier(len(places)), []

        def accept(place: Appointment) -> None:
            ready.wait()
            try:
                self.accept(place)
                outcomes.append("booked")
            except TimeTakenError:
                outcomes.append("taken")

        threads = [threading.Thread(target=accept, args=(place,)) for place in places]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return outcomes

    def pass_on(self, place: Appointment, key="pass") -> None:
        with self.database.transaction() as session:
            waitlist.pass_on(session, place_id=place.id, agent="test", key=f"{key} {place.id}")

    def leave(self, place: Appointment) -> None:
        with self.database.transaction() as session:
            waitlist.leave(session, place_id=place.id, agent="test", key=f"leave {place.id}")

    def status(self, appointment_id: str) -> AppointmentStatus:
        with self.database.reading() as session:
            return session.scalars(select(Appointment.status).where(Appointment.id == appointment_id)).one()

    def offers(self) -> list[OfferStatus]:
        with self.database.reading() as session:
            return list(session.scalars(select(WaitlistOffer.status).order_by(WaitlistOffer.created_at)))


@pytest.fixture
def line(database, clock) -> Line:
    clock.set("2026-11-30T09:10:00-06:00")
    return make_line(database)


def make_line(database, **parts) -> Line:
    """One after the other is asked, unless the test says otherwise."""
    parts = {"waitlist": {"offer_at_once": 1}} | parts
    found = Line(database, load(database, make_clinic(sessions=["09:00-12:00"], **parts)))
    found.fill()
    return found


def test_a_freed_time_is_offered_accepted_and_booked_once(line):
    place = line.wait()
    assert line.sent() == []
    line.cancel(line.visits[4])
    assert line.sent() == [place.id]
    assert line.sent() == []
    offer = line.offer(place)
    assert offer
    assert (offer.place_id, offer.patient_id, offer.start) == (place.id, place.patient_id, line.visits[4].start)
    assert offer.expires_at == times.now() + dt.timedelta(minutes=20)
    visit = line.accept(place)
    assert (visit.status, visit.start, visit.patient_id) == (AppointmentStatus.BOOKED, line.visits[4].start, place.patient_id)
    assert line.accept(place, key="another text").id == visit.id
    assert line.status(place.id) is AppointmentStatus.CANCELLED
    assert line.offer(place) is None
    with line.database.reading() as session:
        mine = select(Appointment).where(Appointment.patient_id == place.patient_id, Appointment.status == "booked")
        assert len(session.scalars(mine).all()) == 1
        assert waitlist.places(session, patient_id=place.patient_id) == []
    assert line.sent() == []


def test_the_offer_names_clinic_and_time_alone(line, clock):
    place = line.wait(phone="+14145550142")
    line.cancel(line.visits[4])
    line.sent()
    with line.database.reading() as session:
        [body] = session.scalars(select(Communication.body).where(Communication.kind == "offer")).all()
    assert body == (
        "A time opened at Small Clinic: Wednesday, December 2 at 11:00 AM. "
        "Reply 1 to take it or 2 to pass. We keep it for you for 20 minutes."
    )
    assert place.status is AppointmentStatus.WAITLIST


def test_what_is_on_offer_is_on_hold_for_offer_minutes(line, clock):
    line.wait()
    line.cancel(line.visits[0])
    line.sent()
    start = dt.datetime.combine(DAY, dt.time(0), line.clinic.zone)

    def is_free() -> bool:
        with line.database.reading() as session:
            return bool(find(session, line.clinic, Request("visit"), start=start, end=start + dt.timedelta(days=1)))

    assert not is_free()
    clock.set("2026-11-30T09:29:59-06:00")
    assert not is_free()
    clock.set("2026-11-30T09:30:00-06:00")
    assert is_free()


def test_nobody_answers_and_the_next_in_line_is_asked(line, clock):
    first, second = line.wait("Ann"), line.wait("Ben")
    clock.set("2026-11-30T10:00:00-06:00")
    third = line.wait("Cem")
    line.cancel(line.visits[0])
    order = []
    for minute in (0, 20, 40, 60, 80):
        clock.set(f"2026-11-30T{10 + minute // 60}:{minute % 60:02}:00-06:00")
        order += line.sent()
    assert sorted(order[:2]) == sorted([first.id, second.id])
    assert order[2:] == [third.id]
    assert set(line.offers()) == {OfferStatus.LAPSED}
    with line.database.reading() as session:
        assert not freed.any_to_offer(session)
    assert [line.status(place.id) for place in (first, second, third)] == [AppointmentStatus.WAITLIST] * 3
    assert line.accept(first).start == line.visits[0].start  # late, and there still


def test_who_passes_keeps_the_place_and_the_next_is_asked_at_once(line):
    first, second = line.wait("Ann", practitioners=("lindgren",)), line.wait("Ben")
    line.cancel(line.visits[0])
    [asked] = line.sent()
    line.pass_on(first if asked == first.id else second)
    [next_one] = line.sent()
    assert {asked, next_one} == {first.id, second.id}
    assert line.status(asked) is AppointmentStatus.WAITLIST
    line.cancel(line.visits[3])
    assert line.sent() == [asked]  # another time, without penalty: the other one's offer is open


def test_passing_when_nothing_is_open_does_nothing(line):
    place = line.wait()
    line.pass_on(place)
    line.cancel(line.visits[0])
    assert line.sent() == [place.id]
    line.pass_on(place)  # the same text again
    assert line.offer(place)
    line.pass_on(place, key="another")
    assert line.offer(place) is None


def test_a_moved_visit_frees_its_old_time(line):
    place = line.wait()
    with line.database.transaction() as session:
        start = dt.datetime.combine(DAY + dt.timedelta(days=1), dt.time(9), line.clinic.zone)
        [time] = find(session, line.clinic, Request("visit"), start=start, end=start + dt.timedelta(minutes=5))
        booking.reschedule(session, line.clinic, appointment_id=line.visits[2].id, time=time, agent="test", key="move")
    assert line.sent() == [place.id]


def test_only_who_wished_such_a_time_is_asked(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, practitioners=["lindgren", "marsh"])
    people = [{**line.clinic.practitioners[0].model_dump(), "gender": "female"}]
    people += [{**line.clinic.practitioners[1].model_dump(), "gender": "male", "languages": ["es"]}]
    line.clinic = load(database, ClinicFile.model_validate(line.clinic.model_dump() | {"practitioners": people}))
    line.fill(practitioner="marsh")
    other_day = TimeWish(days=(Days(DAY + dt.timedelta(days=1), None),))
    line.wait("other day", wish=other_day)
    line.wait("other hour", wish=TimeWish(days=(Days(DAY, DAY),), hours=(Hours(dt.time(10), None),)))
    line.wait("other person", practitioners=("marsh",))
    line.wait("a man", gender="male")
    line.wait("another language", language="es")
    fitting = line.wait("fits", wish=TimeWish(hours=(Hours(dt.time(8), dt.time(10)),)), practitioners=("lindgren", "marsh"))
    visit = next(visit for visit in line.visits if visit.practitioner_id == "lindgren")
    line.cancel(visit)  # at nine
    with line.database.transaction() as session:
        [row] = session.scalars(select(FreedTime)).all()
        assert [one.place.id for one in freed.best_for(session, line.clinic, row, count=10, agent="test")] == [fitting.id]
    assert line.sent() == [fitting.id]


def test_the_line_goes_by_need_then_who_was_not_asked_then_fit_then_wait(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    shorter = {"id": "short", "minutes": 10}
    urgent = {"id": "sick", "minutes": 20, "urgency": "urgent"}
    line = make_line(database, services=[shorter, urgent])
    short = line.wait("short", service="short")
    clock.set("2026-11-30T09:11:00-06:00")
    early = line.wait("early")
    clock.set("2026-11-30T09:12:00-06:00")
    late = line.wait("late")
    clock.set("2026-11-30T09:13:00-06:00")
    sick = line.wait("sick", service="sick")
    line.cancel(line.visits[0])
    with line.database.transaction() as session:
        [row] = session.scalars(select(FreedTime)).all()
        ranked = [one.place.id for one in freed.best_for(session, line.clinic, row, count=10, agent="test")]
    assert ranked == [sick.id, early.id, late.id, short.id]
    assert line.sent() == [sick.id]
    line.pass_on(sick)
    assert line.sent() == [early.id]
    line.pass_on(early)
    line.cancel(line.visits[4])
    line.work()
    with line.database.reading() as session:
        asked = Counter(session.scalars(select(WaitlistOffer.place_id)))
    assert asked[late.id] == 1  # not early again


def test_a_longer_visit_may_use_what_is_free_beside(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, services=[{"id": "long", "minutes": 60}])
    place = line.wait(service="long")
    line.cancel(line.visits[0])
    assert line.sent() == []
    line.cancel(line.visits[1])
    assert line.sent() == [place.id]
    assert line.accept(place).start == line.visits[0].start


def test_what_a_shorter_visit_leaves_goes_to_the_next(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, services=[{"id": "short", "minutes": 15}])
    first, second = line.wait(service="short"), line.wait(service="short")
    line.cancel(line.visits[0])
    [asked] = line.sent()
    line.accept(first if asked == first.id else second)
    [other] = line.sent()
    assert {asked, other} == {first.id, second.id}


def test_nobody_is_asked_at_night_and_the_time_is_offered_in_the_morning(line, clock):
    place = line.wait()
    clock.set("2026-12-01T21:30:00-06:00")
    line.cancel(line.visits[5])
    assert line.sent() == []
    clock.set("2026-12-02T07:59:00-06:00")
    assert line.sent() == []
    clock.set("2026-12-02T08:00:00-06:00")
    assert line.sent() == [place.id]  # 11:30 is more than two hours ahead


def test_what_is_too_soon_is_not_offered(line, clock):
    line.wait()
    clock.set("2026-12-02T09:01:00-06:00")
    line.cancel(line.visits[4])  # at eleven
    assert line.sent() == []
    clock.set("2026-12-02T09:00:00-06:00")
    line.cancel(line.visits[5])  # at half past
    assert len(line.sent()) == 1


def test_who_opted_out_or_has_found_a_visit_or_gave_the_time_up_is_not_asked(line):
    out, found = line.wait("out", phone="+14145550142"), line.wait("found")
    with line.database.transaction() as session:
        messaging.record_opt_out(session, "+14145550142", out=True, source="keyword")
    with line.database.transaction() as session:  # Ann gives up a visit of her own, and waits for another on the day
        request = Request("visit", patient_id=line.visits[0].patient_id)
        waitlist.join(session, line.clinic, request=request, wish=THE_DAY, agent="test", key="own")
    line.cancel(line.visits[3])
    [asked] = line.sent()
    assert asked == found.id
    line.accept(found)
    line.cancel(line.visits[0])
    assert line.sent() == []
    assert line.status(out.id) is AppointmentStatus.WAITLIST


def test_one_number_is_asked_one_thing_at_a_time(line, clock):
    first, second = line.wait("Ann", phone="+14145550142"), line.wait("Ben", phone="+14145550142")
    line.cancel(line.visits[0])
    line.cancel(line.visits[3])
    [asked] = line.sent()
    line.accept(first if asked == first.id else second)
    clock.set("2026-11-30T09:30:00-06:00")
    [other] = line.sent()
    assert {asked, other} == {first.id, second.id}
    with line.database.reading() as session:
        bodies = session.scalars(select(Communication.body).where(Communication.kind == "offer")).all()
    assert {body.split(" at ")[0] for body in bodies} == {"A time opened for Ann", "A time opened for Ben"}


def test_leaving_ends_the_offer_and_the_next_is_asked(line):
    first, second = line.wait("Ann"), line.wait("Ben")
    line.cancel(line.visits[0])
    [asked] = line.sent()
    line.leave(first if asked == first.id else second)
    line.leave(first if asked == first.id else second)
    assert line.status(asked) is AppointmentStatus.CANCELLED
    assert len(line.sent()) == 1


def test_a_place_that_staff_cancel_gets_nothing_more(line, clock):
    place = line.wait()
    line.cancel(line.visits[0])
    line.sent()
    line.cancel(place)
    with pytest.raises(HoldExpiredError):
        line.accept(place)
    clock.set("2026-11-30T09:30:00-06:00")
    assert line.sent() == []
    assert line.offers() == [OfferStatus.LAPSED]


@pytest.mark.parametrize("has_looked", [False, True])
def test_a_late_answer_gets_the_time_that_nobody_else_has(line, clock, has_looked):
    place = line.wait()
    line.cancel(line.visits[0])
    line.sent()
    clock.set("2026-11-30T09:30:00-06:00")
    if has_looked:
        line.work()
    assert line.offer(place) is None
    assert line.answerable(place).place_id == place.id
    visit = line.accept(place)
    assert (visit.status, visit.start, visit.patient_id) == (AppointmentStatus.BOOKED, line.visits[0].start, place.patient_id)
    assert line.accept(place, key="again").id == visit.id
    assert line.answerable(place) is None
    assert line.sent() == []


def test_a_late_answer_does_not_take_what_is_kept_for_the_next(line, clock):
    people = [line.wait("Ann"), line.wait("Ben")]
    line.cancel(line.visits[0])
    first = line.sent()[0]
    clock.set("2026-11-30T09:30:00-06:00")
    assert len(line.sent()) == 1
    late, next_one = sorted(people, key=lambda place: place.id != first)
    with pytest.raises(HoldExpiredError):
        line.accept(late)
    assert line.accept(next_one).start == line.visits[0].start
    with pytest.raises(TimeTakenError):
        line.accept(late)
    assert line.status(late.id) is AppointmentStatus.WAITLIST


def test_a_late_answer_to_what_went_to_several_is_the_first_answer(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, waitlist={"offer_at_once": 2})
    people = {place.id: place for place in (line.wait(name) for name in ("Ann", "Ben", "Cem", "Dai"))}
    line.cancel(line.visits[0])
    late, _ = line.sent()
    clock.set("2026-11-30T09:30:00-06:00")
    asked_next = line.sent()
    assert len(asked_next) == 2
    outcomes = line.accept_at_once([people[late], people[asked_next[0]]])
    assert Counter(outcomes) == {"booked": 1, "taken": 1}
    with line.database.reading() as session:
        taken = select(Appointment).where(Appointment.start == line.visits[0].start, Appointment.status == "booked")
        assert len(session.scalars(taken).all()) == 1
    assert Counter(line.offers())[OfferStatus.ACCEPTED] == 1
    assert Counter(line.offers())[OfferStatus.OPEN] == 0


def test_a_lapsed_offer_is_answered_until_something_else_is_said(line, clock):
    place = line.wait()
    line.cancel(line.visits[0])
    line.sent()
    clock.set("2026-11-30T10:10:00-06:00")
    line.work()
    assert line.answerable(place).status is OfferStatus.LAPSED
    with line.database.transaction() as session:
        messaging.queue(session, phone=line.phone(place), body="Something else.", author="system", kind="reply")
        for message in messaging.claim_due(session, worker="w", limit=5, lease_seconds=60):
            messaging.mark_sent(session, communication_id=message.id, external_id=message.id)
    assert line.answerable(place) is None


def test_a_late_answer_after_the_start_is_none(line, clock):
    place = line.wait()
    line.cancel(line.visits[0])
    line.sent()
    clock.set("2026-12-02T09:10:00-06:00")
    assert line.answerable(place) is None
    with pytest.raises(SchedulingError):
        line.accept(place)
    assert line.status(place.id) is AppointmentStatus.WAITLIST


def test_accepting_without_any_offer_is_refused(line):
    place = line.wait()
    with pytest.raises(WrongStateError):
        line.accept(place)
    with pytest.raises(SchedulingError), line.database.transaction() as session:
        waitlist.accept(session, line.clinic, place_id="nothing", agent="test", key="x")
    with pytest.raises(NotFoundError), line.database.transaction() as session:
        waitlist.pass_on(session, place_id="nothing", agent="test", key="y")


def test_of_several_asked_at_once_one_gets_the_time(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, waitlist={"offer_at_once": 3})
    people = [line.wait(name) for name in ("Ann", "Ben", "Cem", "Dai")]
    line.cancel(line.visits[0])
    sent = line.sent()
    asked = [place for place in people if place.id in sent]
    assert len(asked) == 3
    outcomes = line.accept_at_once(asked)
    assert Counter(outcomes) == {"booked": 1, "taken": 2}
    assert sorted(line.status(place.id) for place in asked) == ["cancelled", "waitlist", "waitlist"]
    assert Counter(line.offers()) == {OfferStatus.ACCEPTED: 1, OfferStatus.LAPSED: 2}


def test_in_the_place_of_who_passes_another_is_asked_at_once(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, waitlist={"offer_at_once": 2})
    people = {place.id: place for place in (line.wait(name) for name in ("Ann", "Ben", "Cem", "Dai"))}
    line.cancel(line.visits[0])
    one, other = line.sent()
    clock.set("2026-11-30T09:15:00-06:00")
    line.pass_on(people[one])
    [third] = line.sent()
    assert third not in (one, other)
    clock.set("2026-11-30T09:30:00-06:00")  # the second has not answered, the third has time until 35 past
    [fourth] = line.sent()
    assert {one, other, third, fourth} == set(people)
    assert Counter(line.offers()) == {OfferStatus.PASSED: 1, OfferStatus.LAPSED: 1, OfferStatus.OPEN: 2}
    clock.set("2026-11-30T09:34:00-06:00")
    assert line.accept(people[third]).start == line.visits[0].start
    assert Counter(line.offers())[OfferStatus.OPEN] == 0


def test_who_comes_next_is_not_passed_over_because_the_open_offers_are_of_another_visit(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, services=[{"id": "talk", "minutes": 30}], waitlist={"offer_at_once": 2})
    first, second = line.wait("Ann"), line.wait("Ben")
    clock.set("2026-11-30T09:11:00-06:00")
    next_one = line.wait("Cem", service="talk")
    clock.set("2026-11-30T09:12:00-06:00")
    line.wait("Dai")
    line.cancel(line.visits[0])
    assert set(line.sent()) == {first.id, second.id}
    line.pass_on(first)
    assert line.sent() == []
    line.pass_on(second)
    assert line.sent() == [next_one.id]


def test_who_waits_for_an_earlier_time_is_asked_beside_who_has_none(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, waitlist={"offer_at_once": 3})
    with line.database.transaction() as session:
        patient = make_patient(session).id
        start = dt.datetime.combine(DAY + dt.timedelta(days=5), dt.time(9), line.clinic.zone)
        [time] = find(session, line.clinic, Request("visit"), start=start, end=start + dt.timedelta(minutes=5))
        visit = booking.book(session, line.clinic, patient_id=patient, time=time, agent="test", key="own")
        request = Request("visit", patient_id=patient, moving=visit.id)
        mover = waitlist.join(session, line.clinic, request=request, wish=THE_DAY, agent="test", key="join")
    others = [line.wait("Ben"), line.wait("Cem")]
    line.cancel(line.visits[2])
    assert set(line.sent()) == {mover.id, *(place.id for place in others)}
    moved = line.accept(mover)
    assert (moved.id, moved.start) == (visit.id, line.visits[2].start)
    assert line.accept(mover, key="again").id == visit.id
    for place in others:
        with pytest.raises(TimeTakenError):
            line.accept(place)


def test_two_texts_of_one_patient_in_the_same_second_book_once(line):
    place = line.wait()
    line.cancel(line.visits[0])
    line.sent()
    ready = threading.Barrier(2)
    visits: list[str] = []

    def accept(key: str) -> None:
        ready.wait()
        visits.append(line.accept(place, key=key).id)

    threads = [threading.Thread(target=accept, args=(key,)) for key in "ab"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(visits) == 2
    assert len(set(visits)) == 1


def test_many_workers_at_once_make_each_offer_once_and_block_nobody(line, clock):
    people = [line.wait(f"P{number}") for number in range(12)]
    for visit in line.visits:
        line.cancel(visit)
    mishaps: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(30):
                with line.database.transaction() as session:
                    freed.offer_freed(session, line.clinic)
        except Exception as mishap:
            mishaps.append(mishap)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert mishaps == []
    with line.database.reading() as session:
        rows = session.execute(select(WaitlistOffer.freed_id, WaitlistOffer.place_id, WaitlistOffer.hold_id)).all()
        messages = session.scalars(select(Communication.appointment_id).where(Communication.kind == "offer")).all()
    assert len(rows) == len(line.visits)
    assert len({place for _, place, _ in rows}) == len({hold for _, _, hold in rows}) == len(rows)
    assert sorted(messages) == sorted(place for _, place, _ in rows)
    assert len(people) > len(rows)


def test_a_time_that_a_conversation_holds_is_looked_at_again_when_the_hold_ends(line, clock):
    place = line.wait()
    line.cancel(line.visits[0])
    with line.database.transaction() as session:
        start = line.visits[0].start
        [time] = find(session, line.clinic, Request("visit"), start=start, end=start + dt.timedelta(minutes=5))
        booking.hold(session, line.clinic, time=time, held_for="somebody", agent="test")
    assert line.sent() == []
    clock.set("2026-11-30T09:18:00-06:00")
    assert line.sent() == [place.id]


def test_joining_twice_with_one_wish_is_one_place(line):
    with line.database.transaction() as session:
        patient_id = make_patient(session).id
        request = Request("visit", practitioners=("lindgren",), patient_id=patient_id)
        ask = {"request": request, "agent": "test"}
        one = waitlist.join(session, line.clinic, wish=THE_DAY, key="a", **ask)
        assert waitlist.join(session, line.clinic, wish=THE_DAY, key="a", **ask).id == one.id
        assert waitlist.join(session, line.clinic, wish=THE_DAY, key="b", **ask).id == one.id
        other = waitlist.join(session, line.clinic, wish=ANY, key="c", **ask)
        assert [place.id for place in waitlist.places(session, patient_id=patient_id)] == sorted(
            [one.id, other.id], key=lambda id_: (one.created_at, id_)
        )
        assert waitlist.wish_of(one) == (request, THE_DAY)
        assert one.practitioner_id == "lindgren"


def test_a_place_is_a_waitlist_appointment_for_others_to_read(line):
    place = line.wait()
    with line.database.reading() as session:
        from scheduling_core.fhir.scheduling import to_appointment

        resource = to_appointment(place, Directory(line.clinic, line.database.organization))
        audited = session.scalars(select(AuditEvent.action).where(AuditEvent.entity_id == place.id)).all()
    assert resource["status"] == "waitlist"
    assert resource["start"].startswith("2026-12-02")
    assert audited == ["C"]


def test_what_no_time_can_mend_gets_no_place(loaded, clinic):
    with loaded.transaction() as session:
        patient_id = make_patient(session).id
        with pytest.raises(NotBookableError, match="needs-order"):
            waitlist.join(session, clinic, request=Request("blood-draw", patient_id=patient_id), wish=ANY, agent="t", key="a")
        with pytest.raises(NotFoundError):
            waitlist.join(session, clinic, request=Request("follow-up"), wish=ANY, agent="t", key="b")
        with pytest.raises(NotFoundError):
            waitlist.join(session, clinic, request=Request("nothing", patient_id=patient_id), wish=ANY, agent="t", key="c")


def test_waiting_for_an_earlier_time_moves_the_visit(line, clock):
    with line.database.transaction() as session:
        patient = make_patient(session).id
        start = dt.datetime.combine(DAY + dt.timedelta(days=5), dt.time(9), line.clinic.zone)
        [time] = find(session, line.clinic, Request("visit"), start=start, end=start + dt.timedelta(minutes=5))
        visit = booking.book(session, line.clinic, patient_id=patient, time=time, agent="test", key="own")
        request = Request("visit", patient_id=patient, moving=visit.id)
        place = waitlist.join(session, line.clinic, request=request, wish=THE_DAY, agent="test", key="join")
    line.cancel(line.visits[2])
    assert line.sent() == [place.id]
    moved = line.accept(place)
    assert (moved.id, moved.start, moved.sequence) == (visit.id, line.visits[2].start, 1)
    assert line.accept(place, key="again").id == visit.id
    with line.database.reading() as session:
        assert [one.id for one in booking.upcoming(session, patient_id=patient)] == [visit.id]


def test_a_released_block_is_offered_to_who_waited_for_it(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    blocks = [{"days": "mon-sun", "time": "10:00-11:00", "keep_for": "urgent", "release_hours": 24}]
    line = make_line(database, practitioner={"blocks": blocks})
    place = line.wait()

    def note() -> int:
        with line.database.transaction() as session:
            if not freed.any_released(session, line.clinic):
                return 0
            return freed.note_released_blocks(session, line.clinic)

    assert note() == 1  # today's at ten: nobody waits for it
    assert line.sent() == []
    clock.set("2026-12-01T09:59:00-06:00")
    assert note() == 1  # tomorrow's, which was released while no worker ran
    assert line.sent() == []
    clock.set("2026-12-01T10:00:00-06:00")
    assert note() == 1
    assert note() == 0
    assert line.sent() == [place.id]


def test_places_whose_days_are_over_end(line, clock):
    past, open_end = line.wait(), line.wait(wish=TimeWish(weekdays=frozenset({2})))
    clock.set("2026-12-02T23:00:00-06:00")

    def end() -> int:
        with line.database.transaction() as session:
            found = waitlist.any_past_place(session, line.clinic)
            ended = waitlist.end_past_places(session, line.clinic)
            assert found is bool(ended)
            return ended

    assert end() == 0
    clock.set("2026-12-03T00:30:00-06:00")
    assert end() == 1
    assert end() == 0
    assert line.status(past.id) is AppointmentStatus.CANCELLED
    assert line.status(open_end.id) is AppointmentStatus.WAITLIST


def test_an_offer_that_ended_before_it_was_sent_is_withdrawn(line, clock):
    line.wait()
    line.cancel(line.visits[0])
    line.work()
    clock.set("2026-11-30T09:30:00-06:00")
    with line.database.transaction() as session:
        assert messaging.claim_due(session, worker="w", limit=5, lease_seconds=60) == []
        [message] = session.scalars(select(Communication).where(Communication.kind == "offer")).all()
        assert message.status is Delivery.WITHHELD


def test_a_clock_that_goes_back_offers_nothing_twice(line, clock):
    line.wait()
    line.cancel(line.visits[0])
    sent = []
    for now in ("2026-11-30T09:10", "2026-11-30T18:00", "2026-11-30T09:10", "2026-11-29T09:10", "2026-11-30T18:00"):
        clock.set(f"{now}:00-06:00")
        sent += line.sent()
    assert len(sent) == 1


def test_nothing_of_an_offer_stays_on_the_books_when_all_is_over(line, clock):
    place = line.wait()
    line.cancel(line.visits[0])
    line.sent()
    line.pass_on(place)
    line.work()
    with line.database.reading() as session:
        holding = select(Appointment.id).where(Appointment.status.in_(("proposed", "booked")))
        assert session.execute(select(occupancy.c.tick).where(occupancy.c.appointment_id.not_in(holding))).all() == []
        assert session.scalars(select(Appointment).where(Appointment.status == "proposed")).all() == []


def test_spanish_speakers_are_asked_in_spanish(database, clock):
    clock.set("2026-11-30T09:10:00-06:00")
    line = make_line(database, clinic={"languages": ["en", "es"]})
    with line.database.transaction() as session:
        patient = make_patient(session)
        patient.language = "es"
        request = Request("visit", patient_id=patient.id)
        waitlist.join(session, line.clinic, request=request, wish=THE_DAY, agent="test", key="join")
    line.cancel(line.visits[0])
    line.sent()
    with line.database.reading() as session:
        [body] = session.scalars(select(Communication.body).where(Communication.kind == "offer")).all()
    assert body == (
        "Small Clinic: hay una cita libre: miércoles 2 de diciembre, 9:00 AM. "
        "Responda 1 para tomarla o 2 para dejarla. La guardamos 20 minutos."
    )
