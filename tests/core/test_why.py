"""The reasons for and against a time, in words."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scheduling_core import booking, coverage, why
from scheduling_core.calendar.search import Request, find
from scheduling_core.errors import NotFoundError
from scheduling_core.models import Mode
from tests.core.calendar.agreement import CLINIC, NOW, of_a_person, take_some
from tests.core.calendar.test_explaining import REQUESTS
from tests.core.clinics import load
from tests.factories import make_free_time, make_patient


def wall(clinic, text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=clinic.zone).astimezone(dt.UTC)


def test_a_time_is_found_exactly_when_every_rule_allows_it(sqlite_database, clock):
    load(sqlite_database, CLINIC)
    clock.set(NOW.isoformat())
    with sqlite_database.transaction() as session:
        people = {"adult": make_patient(session).id, "child": make_patient(session, birth_date="2008-10-31").id}

    @settings(
        max_examples=12,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(request=REQUESTS, others=st.lists(st.tuples(st.integers(0, 400), REQUESTS), max_size=6), day=st.integers(-1, 7))
    def agree(request: Request, others: list[tuple[int, Request]], day: int) -> None:
        with sqlite_database.transaction() as session:
            taken = session.begin_nested()
            request = of_a_person(request, people, take_some(session, others, people))
            start = dt.datetime.combine(NOW.date() + dt.timedelta(days=day), dt.time(0), CLINIC.zone).astimezone(dt.UTC)
            end = start + dt.timedelta(days=1)
            found = {one.start for one in find(session, CLINIC, request, start=start, end=end)}
            for tick in range(day % 3, 288, 3):
                instant = start + dt.timedelta(minutes=5 * tick)
                reasons = why.explain(session, CLINIC, request, instant)
                assert (instant in found) == why.is_offered(reasons), f"{instant}: {reasons}"
                assert all(reason.staff for reason in reasons)
                assert all(reason.patient for reason in reasons if reason.verdict is not why.Verdict.ALLOWS)
            taken.rollback()

    agree()


@pytest.mark.parametrize(
    ("service", "who", "start", "code", "staff"),
    [
        ("follow-up", "ferreira", "2026-11-17T11:30", "blocked", "kept for urgent visits until Tuesday, November 17 at 7:00 AM"),
        ("follow-up", "ferreira", "2026-11-17T13:30", "works", "works at Maple Grove North from 1:00 PM to 5:00 PM"),
        ("follow-up", "sorensen", "2026-12-22T09:00", "absent", "away until Thursday, December 31 (vacation)"),
        ("follow-up", "ferreira", "2026-12-24T09:00", "closed", "The clinic is closed on Thursday, December 24: Christmas Eve."),
        ("follow-up", "ferreira", "2026-11-26T09:00", "holiday", "a public holiday (Thanksgiving"),
        ("follow-up", "ferreira", "2026-11-20T09:00", "not-working", "does not work on Fridays"),
        ("follow-up", "ferreira", "2026-11-16T09:15", "notice", "60 minutes ahead at least"),
        ("follow-up", "ferreira", "2026-11-16T08:00", "past", "in the past"),
        ("follow-up", "ferreira", "2027-05-17T09:00", "horizon", "120 days ahead, until Tuesday, March 16"),
        ("vaccine", "ferreira", "2026-11-17T09:00", "no-practitioner", "given by: Ada Abara RN"),
    ],
)
def test_each_rule_says_what_it_knows(sqlite_loaded, clinic, service, who, start, code, staff):
    with sqlite_loaded.transaction() as session:
        reasons = why.explain(session, clinic, Request(service, practitioners=(who,)), wall(clinic, start))
    [reason] = [one for one in reasons if one.code == code]
    assert staff in reason.staff


def test_a_block_keeps_a_time_until_its_release(sqlite_loaded, clinic):
    start = wall(clinic, "2026-11-18T11:30")
    with sqlite_loaded.transaction() as session:
        [kept] = [
            one
            for one in why.explain(session, clinic, Request("follow-up", practitioners=("ferreira",)), start)
            if one.verdict is not why.Verdict.ALLOWS
        ]
        assert kept.verdict is why.Verdict.KEEPS
        assert kept.until == wall(clinic, "2026-11-18T07:00")
        assert why.is_offered(why.explain(session, clinic, Request("sick", practitioners=("ferreira",)), start))


def test_what_is_taken_is_told_to_staff_and_not_to_patients(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        other = make_patient(session, given="Otto", family="Quist")
        time = make_free_time(clinic, start="2026-11-17T09:00", service_id="physical")
        booking.book(session, clinic, patient_id=other.id, agent="test", key="k", time=time)
        [taken] = [
            one
            for one in why.explain(session, clinic, Request("follow-up", practitioners=("ferreira",)), time.start)
            if one.code == "taken"
        ]
    assert taken.staff == "Dr. Joana Ferreira has a visit from 9:00 AM to 9:40 AM (Annual physical)."
    assert taken.patient == "That time is taken."


def test_a_hold_keeps_a_time_and_a_buffer_is_told(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        time = make_free_time(clinic, start="2026-11-17T09:00", service_id="sick")
        booking.hold(session, clinic, time=time, held_for="talk", agent="test")
        request = Request("follow-up", practitioners=("ferreira",))
        [held] = [one for one in why.explain(session, clinic, request, time.start) if one.code == "taken"]
        assert (held.verdict, held.until) == (why.Verdict.KEEPS, dt.datetime(2026, 11, 16, 15, 18, tzinfo=dt.UTC))
        patient = make_patient(session)
        booking.book(
            session,
            clinic,
            patient_id=patient.id,
            agent="test",
            key="k",
            time=make_free_time(clinic, start="2026-11-17T10:00", service_id="sick"),
        )
        [near] = [one for one in why.explain(session, clinic, request, wall(clinic, "2026-11-17T10:20")) if one.code == "taken"]
    assert near.staff.endswith("the buffers of the two visits overlap.")


def test_the_first_practitioner_who_can_is_told_of_alone(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        reasons = why.explain(session, clinic, Request("follow-up"), wall(clinic, "2026-11-20T09:00"))
        assert why.is_offered(reasons)
        assert {one.practitioner_id for one in reasons} == {"tanaka"}
        nobody = why.explain(session, clinic, Request("follow-up"), wall(clinic, "2026-11-22T09:00"))
        assert {one.practitioner_id for one in nobody} == {"ferreira", "tanaka", "brandt", "sorensen"}


def test_the_network_is_told_and_forbids_nothing(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        coverage.record(
            session, patient_id=patient.id, payer_id="pinecrest", payer_name="Pinecrest", subscriber_id=None, agent="test"
        )
        reasons = why.explain(
            session,
            clinic,
            Request("follow-up", practitioners=("tanaka",), patient_id=patient.id),
            wall(clinic, "2026-11-20T09:00"),
        )
    [network] = [one for one in reasons if one.code == "network"]
    assert network.staff == "Dr. Kenji Tanaka is out of network for Pinecrest Health Plan."
    assert why.is_offered(reasons)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request("blood-draw"), "needs-order"),
        (Request("minor-procedure"), "needs-referral"),
        (Request("new-patient"), "who-new"),
        (Request("well-child"), "age"),
        (Request("physical", mode=Mode.VIDEO), "mode"),
        (Request("physical", location_id="south", practitioners=("ferreira",)), "location"),
    ],
)
def test_a_rule_that_no_time_can_mend_comes_first(sqlite_loaded, clinic, request_, code):
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        asked = Request(**{**request_.__dict__, "patient_id": patient.id})
        reasons = why.explain(session, clinic, asked, wall(clinic, "2026-11-18T14:00"))
    assert (reasons[0].code, reasons[0].verdict) == (code, why.Verdict.FORBIDS)


def test_a_service_that_does_not_exist_is_refused(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session, pytest.raises(NotFoundError):
        why.explain(session, clinic, Request("astrology"), wall(clinic, "2026-11-18T14:00"))
