"""The calendar file behind a link: as the visit stands, for who has the link, and nothing of health."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core import booking, links
from scheduling_core.models import AuditEvent
from tests.factories import make_free_time, make_patient


@pytest.fixture
def visit(sqlite_house, clinic, monkeypatch):
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.clinic.example")
    with sqlite_house.database.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        patient.email, patient.language = "ruth@home.example", "es"
        time = make_free_time(clinic, start="2026-11-19T13:00")
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book")


def link(house, visit) -> str:
    """The link as it comes in to the house, behind the clinic's proxy."""
    with house.database.transaction() as session:
        return links.calendar_link(session, visit).replace("https://texts.clinic.example", house.url)


def lines(answer) -> list[str]:
    assert answer.status_code == 200
    return answer.text.replace("\r\n ", "").split("\r\n")


def test_the_link_answers_the_visit_as_it_stands_from_booking_to_cancelling(sqlite_house, clinic, visit):
    address = link(sqlite_house, visit)
    got = [sqlite_house.http.get(address)]
    with sqlite_house.database.transaction() as session:
        later = make_free_time(clinic, start="2026-11-24T14:00")
        booking.reschedule(session, clinic, appointment_id=visit.id, time=later, agent="test", key="move")
    got.append(sqlite_house.http.get(address))
    with sqlite_house.database.transaction() as session:
        booking.cancel(session, clinic, appointment_id=visit.id, agent="test", key="cancel")
    got.append(sqlite_house.http.get(address))
    assert [answer.headers["Content-Type"] for answer in got] == [
        f"text/calendar; charset=utf-8; method={method}" for method in ("REQUEST", "REQUEST", "CANCEL")
    ]
    files = [lines(answer) for answer in got]
    assert [next(line for line in file if line.startswith("SEQUENCE")) for file in files] == [
        "SEQUENCE:0",
        "SEQUENCE:2",
        "SEQUENCE:3",
    ]
    assert len({next(line for line in file if line.startswith("UID")) for file in files}) == 1
    assert "DTSTART:20261119T190000Z" in files[0]
    assert "DTSTART:20261124T200000Z" in files[1]
    assert "STATUS:CANCELLED" in files[2]


def test_the_file_tells_neither_who_comes_nor_why(sqlite_house, visit):
    answer = sqlite_house.http.get(link(sqlite_house, visit))
    said = "\n".join(lines(answer)).lower()
    assert "cita en maple grove clinic" in said
    assert not any(
        word in said for word in ("ruth", "novak", "ferreira", "follow", "medicine", "home.example", "5550142", "patient")
    )
    assert "attendee;" in said
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_forged_link_and_one_that_has_ended_are_not_found(sqlite_house, clock, visit):
    address = link(sqlite_house, visit)
    for odd in (address[:-2] + "AA", f"{sqlite_house.url}/c/", f"{sqlite_house.url}/c/x", f"{sqlite_house.url}/c/{'A' * 39}"):
        assert sqlite_house.http.get(odd).status_code == 404
    clock.set("2026-11-21T13:00:00-06:00")
    assert sqlite_house.http.get(address).status_code == 404


def test_each_look_is_written_down(sqlite_house, visit):
    sqlite_house.http.get(link(sqlite_house, visit))
    with sqlite_house.database.reading() as session:
        looks = session.scalars(select(AuditEvent).where(AuditEvent.agent == "calendar-link")).all()
        assert [(look.action, look.entity_id, look.patient_id) for look in looks] == [("R", visit.id, visit.patient_id)]
