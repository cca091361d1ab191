"""Who is told that a visit was booked, moved or cancelled: each once, and of what is so."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from scheduling_core import booking, handoff, messaging, news, orders, staff_mail
from scheduling_core import coverage as coverages
from scheduling_core.models import (
    Appointment,
    AuditEvent,
    Channel,
    Communication,
    Delivery,
    Mode,
    Patient,
    Task,
    TaskStatus,
    ToldVisit,
)
from tests.factories import make_free_time, make_patient

RUTH = "ruth@home.example"
FERREIRA, TANAKA = "ferreira@maplegrove.example", "tanaka@maplegrove.example"


@pytest.fixture
def mailing(clinic):
    """The tests' clinic, with addresses."""
    content = clinic.model_dump(by_alias=True)
    for who in content["practitioners"]:
        who["email"] = {"ferreira": FERREIRA, "tanaka": TANAKA}.get(who["id"])
    content["staff_mail"] = {"teams": {"billing": "billing@maplegrove.example"}}
    return type(clinic).model_validate(content)


@pytest.fixture
def patient(loaded) -> str:
    with loaded.transaction() as session:
        one = make_patient(session)
        one.email = RUTH
        return one.id


def book(database, clinic, patient_id, start="2026-11-23T13:00", **more) -> str:
    with database.transaction() as session:
        time = make_free_time(clinic, start=start, **more)
        return booking.book(session, clinic, patient_id=patient_id, time=time, agent="test", key=f"book {start}").id


def move(database, clinic, visit, start, **more) -> None:
    with database.transaction() as session:
        time = make_free_time(clinic, start=start, **more)
        booking.reschedule(session, clinic, appointment_id=visit, time=time, agent="test", key=f"move {start}")


def cancel(database, clinic, visit) -> None:
    with database.transaction() as session:
        booking.cancel(session, clinic, appointment_id=visit, agent="test", key=f"cancel {visit}")


def tell(database, clinic) -> int:
    """What a worker does until nothing is left to tell."""
    looked = 0
    while True:
        with database.transaction() as session:
            if not news.any_to_tell(session):
                return looked
            looked += news.tell(session, clinic)


def mails(database, kind="invitation") -> list[Communication]:
    with database.reading() as session:
        return list(session.scalars(select(Communication).where(Communication.kind == kind).order_by(Communication.sequence)))


def tasks(database, reason) -> list[Task]:
    with database.reading() as session:
        return list(session.scalars(select(Task).where(Task.reason == reason).order_by(Task.created_at, Task.idempotency_key)))


# the patient


def test_who_has_an_address_is_mailed_when_a_visit_is_booked_moved_and_cancelled(loaded, clinic, patient):
    visit = book(loaded, clinic, patient)
    assert tell(loaded, clinic) == 1
    move(loaded, clinic, visit, "2026-11-24T14:00")
    tell(loaded, clinic)
    cancel(loaded, clinic, visit)
    tell(loaded, clinic)
    sent = mails(loaded)
    assert [(mail.channel, mail.phone, mail.appointment_id) for mail in sent] == [(Channel.EMAIL, RUTH, visit)] * 3
    booked, moved, gone = (mail.body for mail in sent)
    assert "is booked for Monday, November 23 at 1:00 PM" in booked
    assert "It is now on Tuesday, November 24 at 2:00 PM" in moved
    assert "on Tuesday, November 24 at 2:00 PM is cancelled" in gone
    assert not any(word in booked + moved + gone for word in ("Ferreira", "Follow", "Novak"))


def test_telling_again_tells_nothing(loaded, clinic, patient):
    book(loaded, clinic, patient)
    tell(loaded, clinic)
    assert tell(loaded, clinic) == 0
    with loaded.transaction() as session:
        session.scalars(select(Appointment)).one().changed_at = session.scalars(select(Appointment)).one().created_at
    assert tell(loaded, clinic) == 1
    assert len(mails(loaded)) == 1


def test_what_came_and_went_before_anybody_was_told_is_told_to_nobody(loaded, clinic, patient):
    cancel(loaded, clinic, book(loaded, clinic, patient))
    tell(loaded, clinic)
    assert mails(loaded) == []
    with loaded.reading() as session:
        assert session.scalars(select(ToldVisit)).all() == []


def test_a_visit_that_moved_twice_and_back_is_as_it_was(loaded, clinic, patient):
    visit = book(loaded, clinic, patient)
    tell(loaded, clinic)
    move(loaded, clinic, visit, "2026-11-24T14:00")
    move(loaded, clinic, visit, "2026-11-23T13:00")
    tell(loaded, clinic)
    assert len(mails(loaded)) == 1


def test_a_mail_that_was_overtaken_does_not_go_out(loaded, clinic, patient):
    visit = book(loaded, clinic, patient)
    tell(loaded, clinic)
    move(loaded, clinic, visit, "2026-11-24T14:00")
    with loaded.transaction() as session:
        assert messaging.claim_due(session, worker="w", limit=10, lease_seconds=60) == []
    tell(loaded, clinic)
    with loaded.transaction() as session:
        [mail] = messaging.claim_due(session, worker="w", limit=10, lease_seconds=60)
        assert "It is now on Tuesday" in mail.body
    assert [mail.status for mail in mails(loaded)] == [Delivery.WITHHELD, Delivery.SENDING]


def test_a_clinic_without_mail_and_a_patient_without_address_are_left_alone(loaded, clinic, patient):
    content = clinic.model_dump(by_alias=True)
    content["reminders"]["channels"] = ["sms"]
    book(loaded, clinic, patient)
    tell(loaded, type(clinic).model_validate(content))
    with loaded.transaction() as session:
        session.scalars(select(Patient)).one().email = None
    book(loaded, clinic, patient, start="2026-11-24T09:00")
    tell(loaded, clinic)
    assert mails(loaded) == []


def test_who_wants_no_mail_gets_none(loaded, clinic, patient):
    with loaded.transaction() as session:
        messaging.record_opt_out(session, RUTH, out=True, source="staff", channel=Channel.EMAIL)
    book(loaded, clinic, patient)
    tell(loaded, clinic)
    assert mails(loaded) == []


def test_of_a_visit_that_is_over_nobody_is_told(loaded, clinic, clock, patient):
    book(loaded, clinic, patient)
    clock.set("2026-11-24T09:00:00-06:00")
    assert tell(loaded, clinic) == 1
    assert mails(loaded) == []


def test_a_mail_in_spanish(loaded, clinic, patient):
    with loaded.transaction() as session:
        session.scalars(select(Patient)).one().language = "es"
    book(loaded, clinic, patient)
    tell(loaded, clinic)
    assert "Su cita en Maple Grove Clinic es el lunes 23 de noviembre, 1:00 PM" in mails(loaded)[0].body


def test_four_workers_at_once_tell_each_change_once(loaded, mailing, clock):
    clock.set("2026-11-23T07:00:00-06:00")
    with loaded.transaction() as session:
        people = [make_patient(session, given=f"P{number}") for number in range(12)]
        for number, one in enumerate(people):
            one.email, one.needs = f"p{number}@home.example", ["wheelchair"]
    for number, one in enumerate(people):
        start = f"2026-11-23T{13 + number // 3}:{number % 3 * 20:02}"
        book(loaded, mailing, one.id, start=start, practitioner_id="ferreira")
    with loaded.transaction() as session:
        staff_mail.send_sheets(session, mailing)
    mishaps: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                with loaded.transaction() as session:
                    if not news.any_to_tell(session):
                        return
                    news.tell(session, mailing, limit=2)
        except BaseException as mishap:
            mishaps.append(mishap)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert mishaps == []
    assert len(mails(loaded)) == len(mails(loaded, "day-change")) == len(tasks(loaded, "need-at-visit")) == 12


# the practitioner


def test_a_change_of_today_is_mailed_at_once_to_whom_it_concerns(loaded, mailing, clock, patient):
    visit = book(loaded, mailing, patient, start="2026-11-16T13:00")
    tell(loaded, mailing)
    move(loaded, mailing, visit, "2026-11-16T14:00", practitioner_id="tanaka", location_id="south")
    tell(loaded, mailing)
    cancel(loaded, mailing, visit)
    tell(loaded, mailing)
    changes = [(mail.phone, mail.body) for mail in mails(loaded, "day-change")]
    assert changes == [
        (FERREIRA, "New today: 1:00 PM-1:20 PM  R. N.  Follow-up visit; Maple Grove North; not confirmed"),
        (FERREIRA, "Moved away today: 1:00 PM  R. N.  Follow-up visit"),
        (TANAKA, "New today: 2:00 PM-2:20 PM  R. N.  Follow-up visit; Maple Grove South; not confirmed"),
        (TANAKA, "Cancelled today: 2:00 PM  R. N.  Follow-up visit"),
    ]


def test_a_move_within_the_day_is_one_mail_and_one_to_another_day_says_that_it_is_gone(loaded, mailing, patient):
    visit = book(loaded, mailing, patient, start="2026-11-16T13:00")
    tell(loaded, mailing)
    move(loaded, mailing, visit, "2026-11-16T15:00")
    tell(loaded, mailing)
    move(loaded, mailing, visit, "2026-11-24T14:00")
    tell(loaded, mailing)
    _, within, away = (mail.body for mail in mails(loaded, "day-change"))
    assert within.startswith("Moved today: 1:00 PM  R. N.  Follow-up visit\nnow: 3:00 PM-3:20 PM  R. N.")
    assert away == "Moved away today: 3:00 PM  R. N.  Follow-up visit"


def test_changes_of_other_days_and_those_before_the_day_sheet_are_not_mailed(loaded, mailing, clock, patient):
    book(loaded, mailing, patient)
    clock.set("2026-11-23T05:00:00-06:00")
    book(loaded, mailing, patient, start="2026-11-23T15:00")
    tell(loaded, mailing)
    assert mails(loaded, "day-change") == []


# teams


def need(database, *needs) -> None:
    with database.transaction() as session:
        session.scalars(select(Patient)).one().needs = list(needs)


def test_each_need_on_record_is_a_task_of_its_team_for_each_visit(loaded, clinic, patient):
    need(loaded, "interpreter:pl", "wheelchair")
    visit = book(loaded, clinic, patient)
    tell(loaded, clinic)
    assert [(task.team, task.appointment_id) for task in tasks(loaded, "need-at-visit")] == [
        ("language-access", visit),
        ("mobility", visit),
    ]
    said = "Needed at a visit: interpreter:pl. Follow-up visit with Dr. Joana Ferreira, Monday, November 23, 1:00 PM, "
    assert tasks(loaded, "need-at-visit")[0].description == f"{said}Maple Grove North."


def test_no_ramp_is_asked_for_at_home(loaded, clinic, patient):
    need(loaded, "interpreter:pl", "wheelchair")
    book(loaded, clinic, patient, mode=Mode.VIDEO)
    tell(loaded, clinic)
    assert [task.team for task in tasks(loaded, "need-at-visit")] == ["language-access"]


def test_what_was_arranged_is_asked_for_anew_after_a_move_and_called_off_after_a_cancelling(loaded, clinic, patient):
    need(loaded, "interpreter:pl")
    visit = book(loaded, clinic, patient)
    tell(loaded, clinic)
    with loaded.transaction() as session:
        handoff.close_task(session, task_id=tasks(loaded, "need-at-visit")[0].id, agent="staff:nora")
    move(loaded, clinic, visit, "2026-11-24T14:00")
    tell(loaded, clinic)
    [anew] = [task for task in tasks(loaded, "need-at-visit") if task.status in handoff.OPEN]
    assert "Tuesday, November 24, 2:00 PM" in anew.description
    assert "It was arranged for Follow-up visit with Dr. Joana Ferreira, Monday, November 23, 1:00 PM" in anew.description
    cancel(loaded, clinic, visit)
    tell(loaded, clinic)
    [last] = [task for task in tasks(loaded, "need-at-visit") if task.status in handoff.OPEN]
    assert last.description.startswith("No longer needed, the visit is cancelled: interpreter:pl.")


def test_what_nobody_has_arranged_yet_goes_with_the_visit(loaded, clinic, patient):
    need(loaded, "wheelchair")
    visit = book(loaded, clinic, patient)
    tell(loaded, clinic)
    cancel(loaded, clinic, visit)
    tell(loaded, clinic)
    assert [task.status for task in tasks(loaded, "need-at-visit")] == [TaskStatus.CANCELLED]


def test_labs_that_are_ordered_and_have_no_time_are_told_before_the_visit(loaded, clinic, patient):
    with loaded.transaction() as session:
        orders.add(session, patient_id=patient, service_id="blood-draw", intent="order", note=None, agent="test")
    visit = book(loaded, clinic, patient)
    tell(loaded, clinic)
    [task] = tasks(loaded, "labs-before-visit")
    assert (task.team, task.appointment_id) == ("clinical", visit)
    assert task.description.startswith("Lab blood draw is ordered and has no time yet; the next visit is Follow-up visit with Dr.")


def test_labs_that_have_a_time_before_the_visit_need_no_word(loaded, clinic, patient):
    with loaded.transaction() as session:
        orders.add(session, patient_id=patient, service_id="blood-draw", intent="order", note=None, agent="test")
    book(loaded, clinic, patient, start="2026-11-20T09:00", service_id="blood-draw", practitioner_id="nurse-abara")
    book(loaded, clinic, patient)
    tell(loaded, clinic)
    assert tasks(loaded, "labs-before-visit") == []


# billing


def insure(database, patient_id, payer="pinecrest") -> None:
    with database.transaction() as session:
        coverages.record(
            session,
            patient_id=patient_id,
            payer_id=payer,
            payer_name=payer,
            subscriber_id="44",
            agent="test",
            key=f"insure {payer}",
        )


def test_a_move_that_leaves_the_price_as_it_is_is_nothing_for_billing(loaded, clinic, patient):
    insure(loaded, patient)
    visit = book(loaded, clinic, patient)
    tell(loaded, clinic)
    move(loaded, clinic, visit, "2026-11-24T14:00")
    tell(loaded, clinic)
    assert tasks(loaded, "copay-changed") == []


def test_what_a_move_costs_the_patient_more_is_told_to_billing(loaded, clinic, patient):
    content = clinic.model_dump(by_alias=True)
    for payer in content["payers"]:
        if payer["id"] == "pinecrest":
            payer["not_covered"], payer["allowed_amounts"] = [], {"follow-up": 80}
    priced = type(clinic).model_validate(content)
    insure(loaded, patient)
    visit = book(loaded, priced, patient)
    tell(loaded, priced)
    move(loaded, priced, visit, "2026-11-25T15:00", practitioner_id="tanaka", location_id="south")
    tell(loaded, priced)
    [task] = tasks(loaded, "copay-changed")
    assert (task.team, task.appointment_id) == ("billing", visit)
    assert "the patient's part was $0 to $80 and is $0 to $105" in task.description
    cancel(loaded, priced, visit)
    tell(loaded, priced)
    assert tasks(loaded, "copay-changed")[0].status is TaskStatus.CANCELLED


def test_another_insurance_with_visits_ahead_is_told_to_billing_once(loaded, clinic, patient):
    insure(loaded, patient, "greatlakes")
    assert tasks(loaded, "coverage-changed") == []
    book(loaded, clinic, patient)
    insure(loaded, patient)
    insure(loaded, patient)
    [task] = tasks(loaded, "coverage-changed")
    assert task.team == "billing"
    assert "1 visit ahead" in task.description


def test_looks_for_mails_are_audited(loaded, mailing, patient):
    book(loaded, mailing, patient, start="2026-11-16T13:00")
    tell(loaded, mailing)
    with loaded.reading() as session:
        looks = select(AuditEvent).where(AuditEvent.agent == "worker", AuditEvent.patient_id == patient)
        assert {(look.action, look.detail.get("for")) for look in session.scalars(looks)} >= {("R", "day-change")}
