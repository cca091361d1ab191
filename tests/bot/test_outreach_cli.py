"""Recalls and referrals from the command line."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from scheduling_core import booking, sending, waitlist
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.models import Outreach, OutreachStatus, Patient, Referral, Task
from tests.bot.test_craft import frontdesk  # noqa: F401 - a fixture
from tests.core.test_recalls import find, patient_with, rows, send
from tests.core.test_referrals import refer
from tests.factories import make_free_time, make_patient


def test_the_report_counts_and_the_worklist_names_whom_to_call(frontdesk, sqlite_loaded, clinic):  # noqa: F811
    patient_id = patient_with(sqlite_loaded)
    find(sqlite_loaded, clinic)
    send(sqlite_loaded, clinic)
    assert frontdesk("outreach", "report").splitlines()[1].split() == ["physical", "1", "1", "1", "0", "0", "0", "0", "0"]
    with sqlite_loaded.transaction() as session:
        session.execute(update(Outreach).values(status=OutreachStatus.FOR_STAFF))
    [one] = rows(sqlite_loaded)
    assert f"Patient/{patient_id}" in frontdesk("outreach", "waiting")
    assert frontdesk("outreach", "answer", one.id, "elsewhere") == "elsewhere\n"
    assert frontdesk("outreach", "waiting") == ""


def test_whom_the_waitlist_asked_is_told_by_group(frontdesk, sqlite_loaded, clinic):  # noqa: F811
    with sqlite_loaded.transaction() as session:
        request = Request("follow-up", patient_id=make_patient(session).id)
        waitlist.join(session, clinic, request=request, wish=TimeWish(), agent="test", key="join")
    told = [line.split() for line in frontdesk("outreach", "fairness").splitlines()]
    assert ["channel", "texts", "1", "0", "0", "0", "0", "0"] in told


def test_a_referral_goes_its_way(frontdesk, sqlite_loaded, clinic, clock):  # noqa: F811
    with sqlite_loaded.transaction() as session:
        patient_id = make_patient(session).id
    refer(sqlite_loaded, clinic, patient_id)
    with sqlite_loaded.reading() as session:
        one = session.scalars(select(Referral.id)).one()
    assert "<h1>Referral</h1>" in frontdesk("referral", "packet", one)
    assert json.loads(frontdesk("referral", "packet", one, "--fhir"))["resourceType"] == "Bundle"
    assert frontdesk("referral", "choose", one, "lakefront-heart").endswith("next: Send the packet\n")
    assert frontdesk("referral", "step", one, "sent") == "sent; next: Ask whether the patient has an appointment there\n"
    assert frontdesk("referral", "step", one, "scheduled", "--at", "2026-12-03T10:00").startswith("scheduled")
    clock.set("2026-12-20T10:00:00-06:00")
    assert one in frontdesk("referral", "late")
    assert frontdesk("referral", "step", one, "closed", "--outcome", "Report is back") == "closed\n"
    assert frontdesk("referral", "late") == ""


def test_a_word_that_is_none_is_explained(frontdesk):  # noqa: F811
    with pytest.raises(BaseException, match="none of"):
        frontdesk("outreach", "answer", "x", "perhaps")


def test_the_desk_sees_a_practitioners_day_and_the_links_of_a_visit(frontdesk, sqlite_loaded, clinic, monkeypatch):  # noqa: F811
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.example")
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        time = make_free_time(clinic, start="2026-11-17T09:00")
        visit = booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book").id
    sheet = frontdesk("outreach", "day-sheet", "ferreira", "--day", "2026-11-17")
    assert sheet.startswith("Dr. Joana Ferreira: Tuesday, November 17, 1 visit\n\n9:00 AM-9:20 AM  R. N.  Follow-up visit;")
    assert frontdesk("outreach", "day-sheet", "ferreira") == "Dr. Joana Ferreira: Monday, November 16, 0 visits\n\n"
    assert frontdesk("outreach", "links", visit).startswith("https://texts.example/c/")


def test_mail_that_came_back_is_noted(frontdesk, sqlite_loaded):  # noqa: F811
    with sqlite_loaded.transaction() as session:
        make_patient(session).email = "ruth@home.example"
    said = frontdesk("outreach", "bounced", "Ruth@home.example")
    assert said == "Nothing more goes there. 1 patient has this address.\n"
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["wrong-address"]
        [patient] = session.scalars(select(Patient)).all()
        assert sending.mail_address(session, patient) is None
