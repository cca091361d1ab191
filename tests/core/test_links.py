"""Links in messages: signed, ended in time, and telling nothing."""

from __future__ import annotations

import re

import pytest

from scheduling_core import booking, links
from scheduling_core.models import Appointment, Mode
from tests.factories import make_free_time, make_patient

PUBLIC = "https://texts.maplegrove.example"


@pytest.fixture(autouse=True)
def public(monkeypatch):
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", f"{PUBLIC}/")


def book(database, clinic, start="2026-11-19T13:00", **more) -> Appointment:
    with database.transaction() as session:
        patient = make_patient(session)
        time = make_free_time(clinic, start=start, **more)
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=f"book {start}")


def link(database, visit) -> str:
    with database.transaction() as session:
        return links.calendar_link(session, visit)


def found(database, token) -> str | None:
    with database.reading() as session:
        visit = links.visit_of(session, token)
        return visit.id if visit else None


def test_a_link_leads_to_its_visit_and_is_short(loaded, clinic):
    visit = book(loaded, clinic)
    made = link(loaded, visit)
    assert re.fullmatch(rf"{PUBLIC}/c/[A-Za-z0-9_-]{{39}}", made)
    assert link(loaded, visit) == made
    assert found(loaded, made.rsplit("/", 1)[1]) == visit.id


def test_a_link_ends_a_day_after_the_visit(loaded, clinic, clock):
    token = link(loaded, visit := book(loaded, clinic)).rsplit("/", 1)[1]
    clock.set("2026-11-20T13:19:00-06:00")
    assert found(loaded, token) == visit.id
    clock.set("2026-11-20T15:00:00-06:00")
    assert found(loaded, token) is None


def test_a_changed_or_invented_link_leads_nowhere(loaded, clinic):
    token = link(loaded, book(loaded, clinic)).rsplit("/", 1)[1]
    for at in range(len(token) - 1):  # the last character has bits that mean nothing
        other = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert found(loaded, other) is None
    for odd in ("", "x", token[:-1], token + "A", "A" * 39, "%" * 39, token + "\n"):
        assert found(loaded, odd) is None


def test_before_any_link_was_made_none_is_right(loaded):
    assert found(loaded, "A" * 39) is None


def test_without_a_public_address_there_is_no_link(loaded, clinic, monkeypatch):
    monkeypatch.delenv("FRONTDESK_PUBLIC_URL")
    assert link(loaded, book(loaded, clinic)) is None


def test_a_room_by_video_is_its_visits_alone_and_stays_when_the_visit_moves(loaded, clinic):
    by_video = clinic.model_validate(
        clinic.model_dump(by_alias=True) | {"video": {"link": "https://video.example/{room}?lang=en", "test": None}}
    )
    first = book(loaded, clinic, mode=Mode.VIDEO)
    second = book(loaded, clinic, start="2026-11-19T14:00", mode=Mode.VIDEO)
    here = book(loaded, clinic, start="2026-11-19T15:00")
    with loaded.transaction() as session:
        rooms = [links.video_link(session, by_video, visit) for visit in (first, second)]
        assert links.video_link(session, by_video, here) is None
        assert links.video_link(session, clinic, first) is None
        later = make_free_time(clinic, start="2026-11-24T14:00", mode=Mode.VIDEO)
        moved = booking.reschedule(session, clinic, appointment_id=first.id, time=later, agent="test", key="move")
        assert links.video_link(session, by_video, moved) == rooms[0]
    assert rooms[0] != rooms[1]
    assert all(re.fullmatch(r"https://video\.example/[a-z2-7]{16}\?lang=en", room) for room in rooms)
    assert first.id not in rooms[0]
