"""Recalls: who is due, written to at a rate, until there is a visit, an answer, or a task for staff."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import delete, select, update

from scheduling_core import booking, messaging, outreach, recalls, sending
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    Delivery,
    Outreach,
    OutreachStatus,
    Patient,
    PatientPhone,
    Sex,
    Task,
    TaskStatus,
    new_id,
)
from tests.core.clinics import load, make_clinic
from tests.factories import make_free_time, make_patient

PHONE = "+14145550142"


def had(session, patient_id, day, service_id="physical", status=AppointmentStatus.FULFILLED):
    """A visit of the past."""
    start = dt.datetime.fromisoformat(f"{day}T15:00:00+00:00")
    visit = Appointment(
        id=new_id(),
        status=status,
        service_id=service_id,
        patient_id=patient_id,
        start=start,
        end=start + dt.timedelta(minutes=40),
        created_at=start - dt.timedelta(days=7),
        updated_at=start,
    )
    session.add(visit)
    session.flush()
    return visit


def patient_with(database, day="2025-10-01", **who):
    """The id of a patient whose last physical was on that day."""
    with database.transaction() as session:
        patient = make_patient(session, **who)
        if day:
            had(session, patient.id, day)
        return patient.id


def find(database, clinic):
    """A day's look through the patients; how many were found."""
    found = 0
    while True:
        with database.transaction() as session:
            if not recalls.any_to_find(session, clinic):
                return found
            found += recalls.find(session, clinic)


def send(database, clinic):
    """What a worker does until nothing is due; what goes out."""
    while True:
        with database.transaction() as session:
            if not outreach.any_due(session, clinic):
                break
            assert outreach.send_due(session, clinic) > 0
    with database.transaction() as session:
        claimed = messaging.claim_due(session, worker="w", limit=1000, lease_seconds=60)
        for message in claimed:
            messaging.mark_sent(session, communication_id=message.id, external_id=f"SM{message.id}"[:34])
        return [message.body for message in claimed]


def settle(database, clinic):
    with database.transaction() as session:
        return outreach.settle(session, clinic) if outreach.any_to_settle(session) else 0


def rows(database):
    with database.reading() as session:
        return list(session.scalars(select(Outreach).order_by(Outreach.created_at, Outreach.id)))


def tasks(database):
    with database.reading() as session:
        return list(session.scalars(select(Task).order_by(Task.created_at, Task.id)))


def book(database, clinic, patient_id, key="book", **more):
    with database.transaction() as session:
        time = make_free_time(clinic, **{"service_id": "physical", "start": "2026-11-19T09:00"} | more)
        return booking.book(session, clinic, patient_id=patient_id, time=time, agent="test", key=key)


@pytest.fixture
def overdue(loaded):
    return patient_with(loaded, phone=PHONE)


def answer(database, clinic, said, key="answer"):
    with database.transaction() as session:
        asked = outreach.asked_last(session, phone=PHONE)
        return outreach.answer(session, clinic, outreach_id=asked.id, said=said, agent="test", key=key).status


def test_who_had_the_yearly_visit_long_ago_is_asked_for_a_day(loaded, clinic, overdue):
    assert find(loaded, clinic) == 1
    assert send(loaded, clinic) == [
        "Maple Grove Clinic: it is time for your yearly visit. Which day would suit you? "
        'You can also say "not now". Text STOP to end texts.'
    ]
    assert send(loaded, clinic) == []
    assert [str(one.due_on) for one in rows(loaded)] == ["2026-10-01"]


@pytest.mark.parametrize(
    ("day", "status", "count"),
    [
        ("2025-12-06", "fulfilled", 1),  # due within the days ahead
        ("2025-12-20", "fulfilled", 0),
        ("2025-10-01", "booked", 1),  # nobody marked it, and it is over
        ("2025-10-01", "noshow", 0),
        ("2025-10-01", "cancelled", 0),
        (None, None, 0),
    ],
)
def test_history_tells_who_is_due(loaded, clinic, day, status, count):
    patient_id = patient_with(loaded, day=None)
    if day:
        with loaded.transaction() as session:
            had(session, patient_id, day, status=AppointmentStatus(status))
    assert find(loaded, clinic) == count


def test_a_missed_visit_since_does_not_count_as_had(loaded, clinic, overdue):
    with loaded.transaction() as session:
        had(session, overdue, "2026-09-01", status=AppointmentStatus.NOSHOW)
    assert find(loaded, clinic) == 1


@pytest.mark.parametrize(("birth_date", "count"), [("2008-11-16", 1), ("2008-11-17", 0), ("1931-01-01", 1)])
def test_age_is_counted_in_whole_years_today(loaded, clinic, birth_date, count):
    patient_with(loaded, birth_date=birth_date)
    assert find(loaded, clinic) == count


@pytest.mark.parametrize(("birth_date", "sex", "count"), [
    ("1961-11-17", Sex.FEMALE, 1), ("1961-11-16", Sex.FEMALE, 1), ("1960-11-16", Sex.FEMALE, 0),
    ("1980-01-01", Sex.MALE, 0), ("1980-01-01", Sex.UNKNOWN, 0),
])  # fmt: skip
def test_sex_and_the_oldest_age_are_of_the_clinic_file(database, clock, birth_date, sex, count):
    rule = {"every_months": 36, "ages": "21-65", "sex": "female", "also_never_had": True}
    clinic = load(database, make_clinic(service={"recall": rule}))
    patient_with(database, day=None, birth_date=birth_date, sex=sex)
    assert find(database, clinic) == count


def test_who_never_had_it_is_due_only_where_the_clinic_file_says_so(database, clock):
    silent = load(database, make_clinic(service={"recall": {"every_months": 12}}))
    patient_with(database, day=None)
    assert find(database, silent) == 0
    clock.set("2026-11-17T09:10:00-06:00")
    asking = load(database, make_clinic(service={"recall": {"every_months": 12, "also_never_had": True}}))
    assert find(database, asking) == 1


def test_who_has_a_visit_to_come_is_not_recalled(loaded, clinic, overdue):
    book(loaded, clinic, overdue)
    assert find(loaded, clinic) == 0


def test_inactive_patients_and_those_not_seen_yet_are_left_in_peace(loaded, clinic, overdue):
    patient_with(loaded, day=None, new=True)
    with loaded.transaction() as session:
        session.execute(update(Patient).where(Patient.id == overdue).values(active=False))
    assert find(loaded, clinic) == 0


def test_the_patients_are_looked_through_once_a_day(loaded, clinic, clock, overdue):
    assert find(loaded, clinic) == 1
    patient_with(loaded)
    assert find(loaded, clinic) == 0
    clock.set("2026-11-17T00:10:00-06:00")
    assert find(loaded, clinic) == 1


def test_no_more_go_out_in_an_hour_and_a_day_than_the_clinic_file_allows(database, clock):
    rule = {"recall": {"every_months": 12, "also_never_had": True}}
    clinic = load(database, make_clinic(service=rule, outreach={"per_hour": 3, "per_day": 5}))
    for _ in range(9):
        patient_with(database, day=None)
    assert find(database, clinic) == 9
    assert len(send(database, clinic)) == 3
    assert len(send(database, clinic)) == 0
    clock.set("2026-11-16T10:20:00-06:00")
    assert len(send(database, clinic)) == 2
    clock.set("2026-11-16T18:00:00-06:00")
    assert len(send(database, clinic)) == 0
    clock.set("2026-11-17T09:00:00-06:00")
    assert len(send(database, clinic)) == 3


def test_workers_at_once_keep_to_the_rate_together(database, clock):
    rule = {"recall": {"every_months": 12, "also_never_had": True}}
    clinic = load(database, make_clinic(service=rule, outreach={"per_hour": 5, "per_day": 50}))
    for _ in range(12):
        patient_with(database, day=None)
    find(database, clinic)
    mishaps: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(4):
                with database.transaction() as session:
                    outreach.send_due(session, clinic, limit=2)
        except Exception as mishap:
            mishaps.append(mishap)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert mishaps == []
    assert sum(one.tries for one in rows(database)) == 5
    with database.reading() as session:
        assert len(session.scalars(select(Communication.id)).all()) == 5


def test_nothing_goes_out_at_night(loaded, clinic, clock, overdue):
    clock.set("2026-11-16T22:00:00-06:00")
    find(loaded, clinic)
    assert send(loaded, clinic) == []
    clock.set("2026-11-17T08:00:00-06:00")
    assert len(send(loaded, clinic)) == 1


def test_after_the_last_try_staff_are_asked_to_call(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    sent = []
    for day in ("2026-11-16", "2026-11-20", "2026-11-26", "2026-12-07", "2026-12-18", "2027-01-10"):
        clock.set(f"{day}T10:00:00-06:00")
        sent.append(len(send(loaded, clinic)))
    assert sent == [1, 0, 1, 1, 0, 0]
    assert [(task.reason, task.team, task.patient_id) for task in tasks(loaded)] == [("recall", "desk", overdue)]
    with loaded.reading() as session:
        assert [one.patient_id for one in outreach.waiting_for_staff(session)] == [overdue]


@pytest.mark.parametrize("why", ["no number", "no texts"])
def test_who_cannot_be_written_to_is_left_to_staff(loaded, clinic, overdue, why):
    with loaded.transaction() as session:
        if why == "no texts":
            messaging.record_opt_out(session, PHONE, out=True, source="keyword")
        else:
            session.execute(delete(PatientPhone))
    find(loaded, clinic)
    assert send(loaded, clinic) == []
    assert len(tasks(loaded)) == 1


def test_a_booking_closes_it_however_it_came_about(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    send(loaded, clinic)
    visit = book(loaded, clinic, overdue)
    assert settle(loaded, clinic) == 1
    [one] = rows(loaded)
    assert (one.status, one.appointment_id, one.next_at) == (OutreachStatus.BOOKED, visit.id, None)
    assert settle(loaded, clinic) == 0
    clock.set("2026-11-20T10:00:00-06:00")
    assert settle(loaded, clinic) == 1
    assert rows(loaded)[0].status is OutreachStatus.DONE
    assert settle(loaded, clinic) == 0
    assert find(loaded, clinic) == 0


def test_a_booking_takes_back_the_task_and_what_waits_to_go_out(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    with loaded.transaction() as session:
        outreach.send_due(session, clinic)
    book(loaded, clinic, overdue)
    settle(loaded, clinic)
    assert send(loaded, clinic) == []
    with loaded.reading() as session:
        assert session.scalars(select(Communication.status)).all() == [Delivery.WITHHELD]


def test_a_late_booking_closes_the_task(loaded, clinic, clock, overdue):
    with loaded.transaction() as session:
        messaging.record_opt_out(session, PHONE, out=True, source="keyword")
    find(loaded, clinic)
    send(loaded, clinic)
    book(loaded, clinic, overdue)
    settle(loaded, clinic)
    assert [task.status for task in tasks(loaded)] == [TaskStatus.CANCELLED]


def test_a_cancelled_visit_takes_the_recall_up_again(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    send(loaded, clinic)
    visit = book(loaded, clinic, overdue)
    settle(loaded, clinic)
    with loaded.transaction() as session:
        booking.cancel(session, clinic, appointment_id=visit.id, agent="test", key="cancel")
    assert settle(loaded, clinic) == 1
    assert send(loaded, clinic) == []
    clock.set("2026-11-27T10:00:00-06:00")
    assert len(send(loaded, clinic)) == 1


def test_not_now_asks_again_later(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    send(loaded, clinic)
    assert answer(loaded, clinic, outreach.Answer.NOT_NOW) is OutreachStatus.DECLINED
    clock.set("2026-12-20T10:00:00-06:00")
    assert find(loaded, clinic) == 0
    assert send(loaded, clinic) == []
    clock.set("2027-01-16T10:00:00-06:00")
    assert len(send(loaded, clinic)) == 1
    assert tasks(loaded) == []


def test_had_elsewhere_counts_for_this_round(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    send(loaded, clinic)
    assert answer(loaded, clinic, outreach.Answer.ELSEWHERE) is OutreachStatus.ELSEWHERE
    clock.set("2027-10-01T10:00:00-06:00")
    assert find(loaded, clinic) == 0
    clock.set("2027-11-20T10:00:00-06:00")
    assert find(loaded, clinic) == 1


def test_who_wants_no_recalls_gets_none_ever(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    send(loaded, clinic)
    assert answer(loaded, clinic, outreach.Answer.STOP) is OutreachStatus.STOPPED
    clock.set("2029-11-20T10:00:00-06:00")
    assert find(loaded, clinic) == 0
    assert send(loaded, clinic) == []


def test_the_same_answer_twice_counts_once(loaded, clinic, overdue):
    find(loaded, clinic)
    send(loaded, clinic)
    [one] = rows(loaded)
    for _ in range(2):
        with loaded.transaction() as session:
            outreach.answer(session, clinic, outreach_id=one.id, said=outreach.Answer.NOT_NOW, agent="test", key="turn")
    assert rows(loaded)[0].status is OutreachStatus.DECLINED


def test_an_answer_from_a_number_that_was_not_asked_is_for_nobody(loaded, clinic, overdue):
    find(loaded, clinic)
    send(loaded, clinic)
    with loaded.reading() as session:
        assert outreach.asked_last(session, phone="+14145550199") is None
        assert outreach.asked_last(session, phone=PHONE).patient_id == overdue


def test_an_answer_years_later_still_counts_and_one_to_a_settled_recall_does_not(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    send(loaded, clinic)
    clock.set("2029-03-01T10:00:00-06:00")
    assert answer(loaded, clinic, outreach.Answer.ELSEWHERE) is OutreachStatus.ELSEWHERE
    with loaded.reading() as session:
        assert outreach.asked_last(session, phone=PHONE) is None


def test_a_number_of_two_tells_who_is_meant(loaded, clinic, overdue):
    with loaded.transaction() as session:
        make_patient(session, given="Ida", phone=PHONE)
    find(loaded, clinic)
    [text] = send(loaded, clinic)
    assert "it is time for Ruth's yearly visit" in text


def test_spanish_patients_are_asked_in_spanish_within_two_segments(loaded, clinic, overdue):
    with loaded.transaction() as session:
        session.execute(update(Patient).values(language="es"))
    find(loaded, clinic)
    [text] = send(loaded, clinic)
    assert text.startswith("Maple Grove Clinic: ya es tiempo de su visita anual. ¿Qué día")
    assert len(text) <= 306
    assert sending.shortest_needed(text, "") == text


def test_the_clinics_own_sentence_is_said_word_for_word(database, clock):
    rule = {"every_months": 12, "also_never_had": True, "say": "It is time for your flu shot."}
    clinic = load(database, make_clinic(service={"recall": rule}))
    patient_with(database, day=None)
    find(database, clinic)
    assert send(database, clinic)[0].startswith("Small Clinic: It is time for your flu shot. Which day")


def test_a_clock_that_goes_back_sends_nothing_twice(loaded, clinic, clock, overdue):
    find(loaded, clinic)
    assert len(send(loaded, clinic)) == 1
    clock.set("2026-11-10T09:10:00-06:00")
    assert find(loaded, clinic) == 0
    assert send(loaded, clinic) == []


def test_the_report_tells_who_was_due_asked_and_what_came_of_it(loaded, clinic, clock, overdue):
    other = patient_with(loaded)
    find(loaded, clinic)
    send(loaded, clinic)
    answer(loaded, clinic, outreach.Answer.NOT_NOW)
    book(loaded, clinic, other)
    settle(loaded, clinic)
    with loaded.reading() as session:
        since = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
        [line] = recalls.report(session, since=since, until=since + dt.timedelta(days=60))
    assert (line.service_id, line.due, line.asked, line.texts) == ("physical", 2, 2, 2)
    assert line.count(OutreachStatus.BOOKED) == line.count(OutreachStatus.DECLINED) == 1


def test_months_end_where_the_month_does():
    assert recalls.months_after(dt.date(2024, 2, 29), 12) == dt.date(2025, 2, 28)
    assert recalls.months_after(dt.date(2026, 11, 30), 3) == dt.date(2027, 2, 28)
    assert recalls.months_after(dt.date(2026, 1, 31), -2) == dt.date(2025, 11, 30)
