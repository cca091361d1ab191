"""What reminders say besides the time: the video's address, the preparation that the clinic file allows, the calendar."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core import booking, reminders
from scheduling_core.models import Communication, Mode, PatientPhone
from scheduling_core.segments import on_air, segments
from tests.factories import make_free_time, make_patient

VIDEO = {"link": "https://video.example/{room}", "test": "https://video.example/test"}
LONG = "Please bring a list of all your medicines, glasses, and somebody who can drive you home afterwards."


def reworked(clinic, *, video=None, prep=None, calendar=False, name="Maple Grove Clinic"):
    """The tests' clinic with these wishes."""
    content = clinic.model_dump(by_alias=True)
    content["video"] = video
    content["clinic"]["name"] = name
    content["reminders"]["calendar_link"] = calendar
    for service in content["services"]:
        service["prep_in_texts"] = prep
    return type(clinic).model_validate(content)


def remind(database, clinic, clock, *, language="en", mail=False, mode=Mode.VIDEO) -> str:
    with database.transaction() as session:
        patient = make_patient(session)
        patient.language, patient.email = language, "ruth@home.example"
        time = make_free_time(clinic, start="2026-11-19T13:00", mode=mode)
        booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book")
        if mail:
            session.delete(session.scalars(select(PatientPhone)).one())
    clock.set("2026-11-18T13:00:00-06:00")
    with database.transaction() as session:
        assert reminders.send_due(session, clinic) == 1
        return session.scalars(select(Communication.body).where(Communication.kind == "reminder")).one()


@pytest.mark.parametrize(
    ("language", "join", "fails"),
    [
        ("en", "Join by video: https://video.example/", "If the video fails, call (414) 555-0100."),
        ("es", "Entre por video: https://video.example/", "Si el video falla, llame al (414) 555-0100."),
    ],
)
def test_a_visit_by_video_is_reminded_of_with_its_link_how_to_try_it_and_what_to_do_when_it_fails(
    sqlite_loaded, clinic, clock, language, join, fails
):
    said = remind(sqlite_loaded, reworked(clinic, video=VIDEO), clock, language=language)
    assert join in said
    assert "https://video.example/test" in said
    assert said.endswith(fails)
    assert segments(on_air(said)) <= 2


def test_a_mailed_reminder_holds_the_same(sqlite_loaded, clinic, clock):
    said = remind(sqlite_loaded, reworked(clinic, video=VIDEO, prep="Please fast for 8 hours."), clock, mail=True)
    for words in ("Please fast for 8 hours.", "Join by video: https://video.example/", "Try it before: https://video.example/test"):
        assert words in said


def test_the_clinics_own_words_say_what_to_do_when_the_video_fails(sqlite_loaded, clinic, clock):
    own = VIDEO | {"if_it_fails": "We phone you if you do not appear."}
    assert remind(sqlite_loaded, reworked(clinic, video=own), clock).endswith("We phone you if you do not appear.")


def test_a_visit_in_person_has_no_link(sqlite_loaded, clinic, clock):
    assert "http" not in remind(sqlite_loaded, reworked(clinic, video=VIDEO), clock, mode=Mode.IN_PERSON)


def test_of_the_preparation_only_what_texts_may_tell_is_said(sqlite_loaded, clinic, clock):
    said = remind(sqlite_loaded, reworked(clinic, prep="Please drink nothing but water for 8 hours."), clock, mode=Mode.IN_PERSON)
    assert said.endswith("Please drink nothing but water for 8 hours.")


def test_without_that_key_nothing_is_said_of_it(sqlite_loaded, clinic, clock):
    content = clinic.model_dump(by_alias=True)
    for service in content["services"]:
        service["prep"] = "Stop your blood thinners."
    assert "blood" not in remind(sqlite_loaded, type(clinic).model_validate(content), clock)


@pytest.mark.parametrize(
    "name", ["Maple Grove Clinic", "Centro Médico de la Asunción y San José", "A Very Long Name of a Clinic " * 4]
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_whatever_there_is_to_say_two_segments_hold_it_and_the_video_link_comes_first(
    sqlite_loaded, clinic, clock, monkeypatch, name, language
):
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.maplegrove.example")
    full = reworked(clinic, video=VIDEO, prep=LONG, calendar=True, name=name.strip())
    said = remind(sqlite_loaded, full, clock, language=language)
    assert segments(on_air(said)) <= 2
    assert "https://video.example/" in said
    assert "R" in said


def test_the_calendar_link_goes_into_reminders_where_the_clinic_wants_it(sqlite_loaded, clinic, clock, monkeypatch):
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.maplegrove.example")
    said = remind(sqlite_loaded, reworked(clinic, calendar=True), clock, mode=Mode.IN_PERSON)
    assert "For your calendar: https://texts.maplegrove.example/c/" in said
    assert segments(on_air(said)) == 2


def test_else_a_reminder_stays_one_text(sqlite_loaded, clinic, clock, monkeypatch):
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.maplegrove.example")
    assert segments(on_air(remind(sqlite_loaded, clinic, clock, mode=Mode.IN_PERSON))) == 1
