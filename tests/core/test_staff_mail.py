"""Day sheets at their time, and mails that a task waits: each once, with no more of a patient than the clinic file wants."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import select

from scheduling_core import booking, handoff, staff_mail
from scheduling_core.errors import NotFoundError
from scheduling_core.models import AuditEvent, Channel, Communication, Mode
from tests.factories import make_free_time, make_patient

FERREIRA = "ferreira@maplegrove.example"


def reworked(clinic, *, patients="initials", at="06:30"):
    """The tests' clinic, with a practitioner and a team who get mail."""
    content = clinic.model_dump(by_alias=True)
    content["staff_mail"] = {"teams": {"billing": "billing@maplegrove.example"}, "patients": patients, "day_sheet_at": at}
    content["practitioners"][0]["email"] = FERREIRA
    return type(clinic).model_validate(content)


def book(database, clinic, start="2026-11-17T13:00", given="Ruth", needs=(), **more) -> str:
    with database.transaction() as session:
        patient = make_patient(session, given=given)
        patient.needs = list(needs)
        time = make_free_time(clinic, start=start, **more)
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=f"book {start}").id


def run(database, clinic) -> None:
    """What a worker does."""
    with database.transaction() as session:
        if staff_mail.any_sheet_due(session, clinic):
            assert staff_mail.send_sheets(session, clinic) > 0
    with database.transaction() as session:
        if staff_mail.any_task_to_tell(session, clinic):
            assert staff_mail.tell_tasks(session, clinic) > 0


def mails(database) -> list[Communication]:
    with database.reading() as session:
        return list(session.scalars(select(Communication).order_by(Communication.sequence)))


def test_the_day_sheet_goes_out_at_its_time_once_and_lists_the_day(loaded, clinic, clock):
    mailing = reworked(clinic)
    visit = book(loaded, clinic, start="2026-11-17T13:00", needs=["wheelchair"])
    book(loaded, clinic, start="2026-11-17T09:00", given="Ida", mode=Mode.VIDEO)
    book(loaded, clinic, start="2026-11-18T09:00", given="Tomorrow")
    with loaded.transaction() as session:
        booking.confirm(session, appointment_id=visit, agent="test", key="confirm")
    clock.set("2026-11-17T06:29:59-06:00")
    run(loaded, mailing)
    assert mails(loaded) == []
    for _ in range(2):
        clock.set("2026-11-17T06:30:00-06:00")
        run(loaded, mailing)
    [sheet] = mails(loaded)
    assert (sheet.kind, sheet.channel, sheet.phone, sheet.patient_id) == ("day-sheet", Channel.EMAIL, FERREIRA, None)
    assert sheet.body == (
        "Dr. Joana Ferreira: Tuesday, November 17, 2 visits\n\n"
        "9:00 AM-9:20 AM  I. N.  Follow-up visit; by video; not confirmed\n"
        "1:00 PM-1:20 PM  R. N.  Follow-up visit; Maple Grove North; confirmed; needs wheelchair"
    )


def test_a_worker_that_was_away_sends_the_sheet_while_visits_are_to_come_and_not_after(loaded, clinic, clock):
    mailing = reworked(clinic)
    book(loaded, clinic)
    book(loaded, clinic, start="2026-11-18T09:00", given="Ida")
    clock.set("2026-11-17T12:30:00-06:00")
    run(loaded, mailing)
    assert len(mails(loaded)) == 1
    clock.set("2026-11-18T17:30:00-06:00")
    run(loaded, mailing)
    assert len(mails(loaded)) == 1


def test_a_clock_that_jumps_back_sends_no_sheet_twice(loaded, clinic, clock):
    mailing = reworked(clinic)
    book(loaded, clinic)
    for at in ("2026-11-17T07:00:00-06:00", "2026-11-17T05:00:00-06:00", "2026-11-17T08:00:00-06:00"):
        clock.set(at)
        run(loaded, mailing)
    assert len(mails(loaded)) == 1


@pytest.mark.parametrize(
    ("before", "at", "start"),
    [
        # the clock skips 2:30 on the night of 14 March 2027, and shows 1:30 twice on that of 7 November 2027
        ("2027-03-14T01:59:59-06:00", "2027-03-14T03:00:00-05:00", "2027-03-14T09:00"),
        ("2027-11-07T01:29:59-05:00", "2027-11-07T01:30:00-05:00", "2027-11-07T09:00"),
    ],
)
def test_in_the_nights_when_the_clock_changes_the_sheet_goes_out_once(loaded, clinic, clock, before, at, start):
    content = reworked(clinic, at="02:30" if "03-14" in at else "01:30").model_dump(by_alias=True)
    content["locations"][0]["hours"] = {"mon-sun": "08:00-17:00"}
    content["practitioners"][0]["schedule"] = [{"days": "mon-sun", "at": "north", "time": "08:00-17:00"}]
    content["practitioners"][0]["blocks"] = []
    content["holiday_calendar"] = None
    mailing = type(clinic).model_validate(content)
    clock.set(f"{start[:10]}T00:10:00{before[-6:]}")
    book(loaded, mailing, start=start)
    clock.set(before)
    run(loaded, mailing)
    assert mails(loaded) == []
    for later in (0, 1):
        clock.set((dt.datetime.fromisoformat(at) + dt.timedelta(hours=later)).isoformat())
        run(loaded, mailing)
    assert len(mails(loaded)) == 1


def test_who_sees_nobody_gets_no_sheet(loaded, clinic, clock):
    clock.set("2026-11-17T07:00:00-06:00")
    run(loaded, reworked(clinic))
    assert mails(loaded) == []


def test_names_stand_there_only_where_the_clinic_wants_them(loaded, clinic, clock):
    book(loaded, clinic)
    clock.set("2026-11-17T07:00:00-06:00")
    run(loaded, reworked(clinic, patients="names"))
    assert "Ruth Novak" in mails(loaded)[0].body


def test_each_look_at_a_patient_is_audited(loaded, clinic, clock):
    visit = book(loaded, clinic)
    clock.set("2026-11-17T07:00:00-06:00")
    run(loaded, reworked(clinic))
    with loaded.reading() as session:
        [look] = session.scalars(select(AuditEvent).where(AuditEvent.action == "R")).all()
    assert (look.agent, look.entity_id, look.detail) == ("worker", visit, {"for": "day-sheet"})


def test_a_sheet_of_nobody_is_refused(loaded, clinic):
    with loaded.transaction() as session, pytest.raises(NotFoundError):
        staff_mail.day_sheet(session, clinic, practitioner_id="nobody", day=dt.date(2026, 11, 17))


def test_a_team_with_an_address_is_mailed_that_a_task_waits_and_nothing_of_the_patient(loaded, clinic):
    with loaded.transaction() as session:
        patient = make_patient(session, given="Ruth")
        for team in ("billing", "desk"):
            handoff.open_task(session, team=team, reason="why", description="Ruth owes", patient_id=patient.id, key=team)
    for _ in range(2):
        run(loaded, reworked(clinic))
    [mail] = mails(loaded)
    assert (mail.kind, mail.phone, mail.patient_id) == ("task-news", "billing@maplegrove.example", None)
    assert mail.body.startswith("A task waits for billing: why, routine. Please see the worklist, Task/")
    assert "Ruth" not in mail.body


def test_tasks_of_long_ago_and_those_that_are_done_are_not_mailed(loaded, clinic, clock):
    with loaded.transaction() as session:
        handoff.open_task(session, team="billing", reason="old", description="", key="old")
        done = handoff.open_task(session, team="billing", reason="done", description="", key="done")
        handoff.close_task(session, task_id=done.id, agent="test")
    clock.set("2026-11-18T09:10:00-06:00")
    run(loaded, reworked(clinic))
    assert mails(loaded) == []


def test_several_workers_at_once_send_each_mail_once(loaded, clinic, clock):
    mailing = reworked(clinic)
    book(loaded, clinic)
    clock.set("2026-11-17T07:00:00-06:00")
    with loaded.transaction() as session:
        for number in range(10):
            handoff.open_task(session, team="billing", reason="why", description="", key=f"{number}")
    mishaps: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(3):
                with loaded.transaction() as session:
                    staff_mail.send_sheets(session, mailing)
                with loaded.transaction() as session:
                    staff_mail.tell_tasks(session, mailing, limit=4)
        except BaseException as mishap:
            mishaps.append(mishap)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert mishaps == []
    assert sorted(mail.kind for mail in mails(loaded)) == ["day-sheet"] + ["task-news"] * 10
