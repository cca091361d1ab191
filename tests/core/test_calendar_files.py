"""Visits as iCalendar files."""

from __future__ import annotations

import pytest

from scheduling_core import booking, calendar_files
from scheduling_core.calendar_files import escaped, folded, invitation
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Appointment
from tests.conftest import Clock
from tests.factories import make_free_time, make_patient

RUTH = "ruth@home.example"


def _unfolded(file: str) -> list[str]:
    assert file.endswith("\r\n")
    assert all(len(line.encode()) <= 75 for line in file.split("\r\n"))
    return file.replace("\r\n ", "").split("\r\n")


@pytest.fixture
def visit(sqlite_loaded: Database, clinic: ClinicFile) -> Appointment:
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        time = make_free_time(clinic, start="2026-11-19T13:00")
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book")


def test_a_visit_is_asked_for_in_utc_with_the_clinics_name_and_place(clinic: ClinicFile, visit: Appointment) -> None:
    file, method = invitation(clinic, visit, attendee=RUTH, language="en")
    lines = _unfolded(file)
    assert method == "REQUEST"
    assert lines[:5] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Frontdesk//Scheduler//EN", "METHOD:REQUEST", "BEGIN:VEVENT"]
    for line in (
        f"UID:{visit.id}@frontdesk",
        "SEQUENCE:0",
        "DTSTAMP:20261116T151000Z",
        "DTSTART:20261119T190000Z",
        "SUMMARY:Visit at Maple Grove Clinic",
        "LOCATION:410 N Maple St\\, Milwaukee\\, WI 53202",
        "STATUS:CONFIRMED",
        'ORGANIZER;CN="Maple Grove Clinic":mailto:desk@maplegrove.example',
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:mailto:{RUTH}",
    ):
        assert line in lines


def test_the_file_tells_nothing_of_health(clinic: ClinicFile, visit: Appointment) -> None:
    file, _ = invitation(clinic, visit, attendee=RUTH, language="es")
    low = "\n".join(_unfolded(file)).lower()
    assert "cita en maple grove clinic" in low
    assert not any(word in low for word in ("follow", "ferreira", "novak", "medicine", "dr."))


def test_a_move_and_a_cancelling_are_newer_than_what_was_before(
    sqlite_loaded: Database, clinic: ClinicFile, clock: Clock, visit: Appointment
) -> None:
    files = [invitation(clinic, visit, attendee=RUTH, language="en")]
    with sqlite_loaded.transaction() as session:
        later = make_free_time(clinic, start="2026-11-24T14:00")
        moved = booking.reschedule(session, clinic, appointment_id=visit.id, time=later, agent="test", key="move")
        files.append(invitation(clinic, moved, attendee=RUTH, language="en"))
    with sqlite_loaded.transaction() as session:
        gone = booking.cancel(session, clinic, appointment_id=visit.id, reason="patient", agent="test", key="cancel")
        files.append(invitation(clinic, gone, attendee=RUTH, language="en"))
    assert [method for _, method in files] == ["REQUEST", "REQUEST", "CANCEL"]
    lines = [_unfolded(file) for file, _ in files]
    assert [next(line for line in one if line.startswith("SEQUENCE")) for one in lines] == [
        "SEQUENCE:0",
        "SEQUENCE:2",
        "SEQUENCE:3",
    ]
    assert len({next(line for line in one if line.startswith("UID")) for one in lines}) == 1
    assert "STATUS:CANCELLED" in lines[2]


@pytest.mark.parametrize(
    ("text", "expected"), [("a,b;c\\d", "a\\,b\\;c\\\\d"), ("one\r\ntwo\nthree\rfour", "one\\ntwo\\nthree\\nfour"), ("a:b", "a:b")]
)
def test_signs_that_mean_something_in_the_file_are_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected


@pytest.mark.parametrize("text", ["x" * 75, "x" * 76, "x" * 400, "ñ" * 200, "x" + "🙂" * 60, ""])
def test_long_lines_are_folded_at_75_octets_and_no_character_is_cut(text: str) -> None:
    pieces = folded(text).split("\r\n")
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert all(piece.startswith(" ") for piece in pieces[1:])
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == text


def test_a_clinics_name_cannot_break_out_of_its_quotes(clinic: ClinicFile, visit: Appointment) -> None:
    odd = clinic.model_copy(update={"clinic": clinic.clinic.model_copy(update={"name": 'A"\r\nX-EVIL:1;B'})})
    lines = _unfolded(calendar_files.invitation(odd, visit, attendee=RUTH, language="en")[0])
    assert 'ORGANIZER;CN="AX-EVIL:1;B":mailto:desk@maplegrove.example' in lines
    assert not any(line.startswith("X-EVIL") for line in lines)
