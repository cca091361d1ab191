"""Worklists at the desk: each row's next step, and two clerks at one row."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from scheduling_core import accounts, booking, coverage, handoff, messaging, outreach, referrals, times, waitlist
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    Delivery,
    EligibilityCheck,
    Outreach,
    OutreachKind,
    OutreachStatus,
    ParticipationStatus,
    Patient,
    Referral,
    ReferralStatus,
    RequestCategory,
    ServiceRequest,
    Task,
    TaskStatus,
    new_id,
)
from tests.bot.console.conftest import Desks
from tests.factories import make_free_time, make_patient

HTMX = {"HX-Request": "true"}


def _task(database: Database, reason: str = "call-back", *, team: str = "desk", **more: Any) -> Task:
    with database.transaction() as session:
        return handoff.open_task(session, team=team, reason=reason, description="Please call about the bill", **more)


def _do(client: FlaskClient, task: Task, step: str, seen: str = "", status: int = 200, **more: str) -> str:
    answer = client.post(f"/console/tasks/{task.id}", data={"do": step, "seen": seen, **more}, headers=HTMX)
    assert answer.status_code == status, answer.text[:1500]
    return answer.text


def _now(database: Database, task: Task) -> Task:
    with database.reading() as session:
        return handoff.get_task(session, task.id)


def _page(client: FlaskClient, name: str, **query: str) -> str:
    answer = client.get(f"/console/worklists/{name}", query_string=query)
    assert answer.status_code == 200, answer.text[:1500]
    return answer.text


def _patient(database: Database, **more: Any) -> Patient:
    with database.transaction() as session:
        return make_patient(session, **more)


@pytest.mark.parametrize(
    "name",
    [
        "calls",
        "unconfirmed",
        "waitlist",
        "displaced",
        "late-cancellations",
        "failed-messages",
        "recalls",
        "referrals",
        "eligibility",
        "estimates",
    ],
)
def test_an_empty_list_says_what_will_appear_there(sqlite_desk: Desks, name: str) -> None:
    assert 'class="empty"' in _page(sqlite_desk("scheduler"), name)


def test_there_is_no_other_list(sqlite_desk: Desks) -> None:
    assert sqlite_desk("scheduler").get("/console/worklists/nothing").status_code == 404
    assert sqlite_desk("auditor").get("/console/worklists/calls").status_code == 403


def test_a_call_is_taken_done_and_closed_with_what_came_of_it(desk: Desks, loaded: Database) -> None:
    task = _task(loaded, phone="+14145550142")
    client = desk("scheduler", name="Nora")
    assert "tel:+14145550142" in _page(client, "calls")
    assert "yours" in _do(client, task, "take")
    mine = _now(loaded, task)
    assert mine.owner_name == "Nora Ellis"
    assert "Done." in _do(client, task, "done", seen=mine.owner_id or "", outcome="reached, paid")
    closed = _now(loaded, task)
    assert (closed.status, closed.outcome) == (TaskStatus.COMPLETED, "reached, paid")
    assert "Please call about the bill" not in _page(client, "calls")


def test_the_second_clerk_is_told_who_was_faster(desk: Desks, loaded: Database) -> None:
    task = _task(loaded)
    nora, paul = desk("scheduler", name="Nora"), desk("scheduler", name="Paul")
    _do(nora, task, "take")
    refused = _do(paul, task, "take", status=409)
    assert "Nora Ellis has this task by now." in refused
    assert f'id="task-{task.id}"' in refused, "the row as it is now, with a way to take it over"
    _do(paul, task, "done", status=409, outcome="x")
    assert "yours" in _do(paul, task, "take", seen=_now(loaded, task).owner_id or "")


def test_a_task_is_given_to_a_team_a_person_and_set_aside(desk: Desks, loaded: Database) -> None:
    task = _task(loaded)
    client = desk("scheduler", name="Nora")
    page = _page(client, "calls")
    _do(client, task, "give", to="team:billing")
    assert _now(loaded, task).team == "billing"
    assert "Please call" in _page(client, "calls", show="team:billing")
    assert "Please call" not in _page(client, "calls", show="team:clinical")
    desk("scheduler", name="Paul")
    with loaded.reading() as session:
        paul = accounts.by_email(session, "paul@maplegrove.example")
    assert paul
    _do(client, task, "give", to=f"person:{paul.id}")
    assert _now(loaded, task).owner_name == paul.name
    [until, *_] = re.findall(r'<option value="(20[^"]+)"', page)
    _do(client, task, "snooze", seen=paul.id, until=until)
    assert "Please call" not in _page(client, "calls")
    assert "Please call" in _page(client, "calls", show="asleep")
    _do(client, task, "due", seen=paul.id, day="2026-11-20")
    assert _now(loaded, task).due_at == times.from_wall(dt.date(2026, 11, 20), dt.time(17), _zone())


def _zone() -> ZoneInfo:
    return ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    "bad",
    [
        {"do": "nonsense"},
        {"do": "snooze", "until": "soon"},
        {"do": "snooze", "until": "9999-12-31T23:59:59-05:00"},
        {"do": "due", "day": "31-31"},
        {},
    ],
)
def test_a_step_that_there_is_not_changes_nothing(sqlite_desk: Desks, sqlite_loaded: Database, bad: dict[str, str]) -> None:
    task = _task(sqlite_loaded)
    assert sqlite_desk("scheduler").post(f"/console/tasks/{task.id}", data=bad, headers=HTMX).status_code == 400
    assert _now(sqlite_loaded, task).updated_at == task.updated_at


def test_without_scripts_a_step_leads_back_to_the_list(sqlite_desk: Desks, sqlite_loaded: Database) -> None:
    task = _task(sqlite_loaded, "late-cancellation")
    answer = sqlite_desk("scheduler").post(f"/console/tasks/{task.id}", data={"do": "take"})
    assert answer.location == "/console/worklists/late-cancellations"


def test_counts_stand_in_the_menu_and_follow_what_is_done(desk: Desks, loaded: Database) -> None:
    task = _task(loaded)
    client = desk("scheduler")
    counted = client.get("/console/menu-counts").json
    _do(client, task, "done", outcome="x")
    after = client.get("/console/menu-counts").json
    assert counted
    assert after
    assert counted["console.worklists_page"] - after["console.worklists_page"] == 1


def _book(database: Database, clinic: ClinicFile, patient: Patient, start: str = "2026-11-17T09:00") -> Appointment:
    with database.transaction() as session:
        time = make_free_time(clinic, start=start)
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="t", key=f"{patient.id}{start}")


def test_an_unconfirmed_visit_is_confirmed_by_phone(desk: Desks, loaded: Database, clinic: ClinicFile) -> None:
    visit = _book(loaded, clinic, _patient(loaded))
    client = desk("scheduler")
    assert "Ruth Novak" in _page(client, "unconfirmed")
    path = f"/console/worklists/visits/{visit.id}/confirm"
    assert "Confirmed." in client.post(path, headers=HTMX).text
    assert client.post(path, headers=HTMX).status_code == 200
    with loaded.reading() as session:
        assert session.scalars(select(Appointment.confirmation)).one() is ParticipationStatus.ACCEPTED
    assert "Ruth Novak" not in _page(client, "unconfirmed")


def test_who_waits_is_booked_on_the_phone_from_the_list(desk: Desks, loaded: Database, clinic: ClinicFile) -> None:
    patient = _patient(loaded)
    with loaded.transaction() as session:
        request = Request(service_id="follow-up", patient_id=patient.id)
        place = waitlist.join(session, clinic, request=request, wish=TimeWish(), agent="t", key="k")
    client = desk("scheduler")
    assert "Ruth Novak" in _page(client, "waitlist")
    found = client.get(f"/console/worklists/waitlist/{place.id}/times", headers=HTMX).text
    [time, *_] = re.findall(r'name="time" value="([^"]+)"', found)
    path = f"/console/worklists/waitlist/{place.id}/book"
    assert "This time is gone" in client.post(path, data={"time": "nobody north 2026"}, headers=HTMX).text
    assert "Booked." in client.post(path, data={"time": time}, headers=HTMX).text
    with loaded.reading() as session:
        assert session.scalars(select(Appointment.status).where(Appointment.id != place.id)).all() == [AppointmentStatus.BOOKED]
    assert "Ruth Novak" not in _page(client, "waitlist")


def test_who_waits_is_taken_off_the_list(desk: Desks, loaded: Database, clinic: ClinicFile) -> None:
    patient = _patient(loaded)
    with loaded.transaction() as session:
        request = Request(service_id="follow-up", patient_id=patient.id)
        place = waitlist.join(session, clinic, request=request, wish=TimeWish(), agent="t", key="k")
    client = desk("scheduler")
    assert "Taken off" in client.post(f"/console/worklists/waitlist/{place.id}/leave", headers=HTMX).text
    assert 'class="empty"' in _page(client, "waitlist")


def test_a_failed_message_is_sent_again_and_its_task_is_done(desk: Desks, loaded: Database) -> None:
    patient = _patient(loaded, phone="+14145550142")
    with loaded.transaction() as session:
        message = messaging.queue(session, phone="+14145550142", body="Hi", author="system", kind="news", patient_id=patient.id)
        message.status = Delivery.FAILED
        messaging.give_to_staff(session, message, reason="not-delivered")
        session.flush()
        task = session.scalars(select(Task)).one()
    client = desk("scheduler")
    assert "Send again" in _page(client, "failed-messages")
    assert "goes out again" in _do(client, task, "send-again")
    with loaded.reading() as session:
        assert session.scalars(select(Communication.status)).one() is Delivery.QUEUED
    assert _now(loaded, task).status is TaskStatus.COMPLETED


def test_what_a_recalled_patient_says_on_the_phone_is_kept(desk: Desks, loaded: Database, clinic: ClinicFile) -> None:
    patient = _patient(loaded)
    with loaded.transaction() as session:
        outreach.begin(
            session,
            kind=OutreachKind.RECALL,
            patient_id=patient.id,
            service_id="physical",
            due_on=times.now().date(),
            next_at=times.now(),
            key="r",
            agent="t",
        )
        one = session.scalars(select(Outreach)).one()
        one.tries = clinic.outreach.tries
        outreach.send_due(session, clinic)
        task = session.scalars(select(Task).where(Task.reason == "recall")).one()
    client = desk("scheduler")
    assert f"/console/day/book?patient={patient.id}" in _page(client, "recalls")
    _do(client, task, "elsewhere")
    with loaded.reading() as session:
        assert session.scalars(select(Outreach.status)).one() is OutreachStatus.ELSEWHERE
    assert _now(loaded, task).status is TaskStatus.COMPLETED


def test_an_insurance_problem_is_checked_again_by_billing(desk: Desks, loaded: Database) -> None:
    patient = _patient(loaded)
    with loaded.transaction() as session:
        coverage.record(session, patient_id=patient.id, payer_id="greatlakes", payer_name="GL", subscriber_id="GLM1", agent="t")
        session.connection().exec_driver_sql("DELETE FROM eligibility_check")
    task = _task(loaded, "coverage-rejected", team="billing", patient_id=patient.id)
    assert "is being asked" in _do(desk("billing"), task, "check")
    with loaded.reading() as session:
        assert session.scalars(select(EligibilityCheck.reason)).one() == "demand"
    assert desk("clinician").post(f"/console/tasks/{task.id}", data={"do": "check"}, headers=HTMX).status_code == 403


def test_an_estimate_that_is_due_leads_to_its_page(desk: Desks, loaded: Database, clinic: ClinicFile) -> None:
    patient = _patient(loaded)
    visit = _book(loaded, clinic, patient)
    _task(loaded, "good-faith-estimate", team="billing", patient_id=patient.id, appointment_id=visit.id)
    assert f"/console/visits/{visit.id}/estimate" in _page(desk("billing"), "estimates")


def test_a_referral_goes_step_by_step_to_its_end(desk: Desks, loaded: Database, clinic: ClinicFile) -> None:
    patient = _patient(loaded)
    with loaded.transaction() as session:
        request = ServiceRequest(
            id=new_id(),
            patient_id=patient.id,
            service_id="cardiology",
            category=RequestCategory.REFERRAL_OUT,
            created_at=times.now(),
        )
        session.add(request)
        session.flush()
        one = referrals.begin(session, clinic, request, agent="t")
    client = desk("scheduler")
    assert f"/console/referrals/{one.id}" in _page(client, "referrals")
    path = f"/console/referrals/{one.id}"
    assert "Lakefront Heart" in client.get(f"{path}/packet").text
    for step in (
        {"do": "sent"},
        {"do": "scheduled", "at": "2026-12-01T09:00"},
        {"do": "seen"},
        {"do": "closed", "outcome": "report"},
    ):
        assert client.post(path, data=step).status_code == 302, step
    with loaded.reading() as session:
        assert session.scalars(select(Referral.status)).one() is ReferralStatus.CLOSED
    assert client.post(path, data={"do": "sent"}).status_code == 409
    assert client.post(path, data={"do": "nonsense"}).status_code == 409
    assert client.get("/console/referrals/nothing").status_code == 404
