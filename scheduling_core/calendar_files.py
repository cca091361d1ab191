"""A visit as an iCalendar file (RFC 5545, RFC 5546): made, moved, cancelled. When, where and which clinic; nothing of health."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import links, sending, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import LIVE, Appointment, Mode, Patient

_OCTETS = 75  # of a line, its end aside
_WORDS = {"en": ("Visit at {}", "To change it, call {}."), "es": ("Cita en {}", "Para cambiarla, llame al {}.")}


def for_link(session: Session, clinic: ClinicFile, visit: Appointment) -> tuple[str, str]:
    """The file behind a link, which others may open: without the address of who is to come. In the language of the patient."""
    patient = session.scalars(select(Patient).where(Patient.id == visit.patient_id)).one_or_none()
    language = sending.language_of(session, clinic, patient, sending.first_phone(patient) or "") if patient else ""
    return invitation(clinic, visit, attendee=None, language=language, video=links.video_link(session, clinic, visit))


def invitation(
    clinic: ClinicFile, visit: Appointment, *, attendee: str | None, language: str, video: str | None = None
) -> tuple[str, str]:
    """The file and its method, for the mail address of who is to come: REQUEST while the visit stands, CANCEL when it does not.

    A calendar knows the visit by its UID, whatever becomes of it, and takes a file with a higher SEQUENCE for the newer one: each
    move counts two, a cancelling one. `video`: the address of a visit by video. Raises ValueError for a place on the waitlist,
    which has no time.
    """
    if visit.start is None or visit.end is None:
        raise ValueError(f"Appointment/{visit.id} has no time")
    stands = visit.status in LIVE
    title, call = _WORDS.get(language, _WORDS["en"])
    who, now = clinic.clinic, times.now()
    place = clinic.locations_by_id.get(visit.location_id or "") if visit.mode is Mode.IN_PERSON else None
    where = place.address if place else video
    # RFC 5546 wants an organizer and an attendee in each of these; both are URIs, mail addresses or not
    organizer = f"mailto:{who.main_email}" if who.main_email else f"tel:{who.phone}"
    guest = f"mailto:{attendee}" if attendee else uuid.uuid5(uuid.NAMESPACE_OID, visit.id).urn
    method = "REQUEST" if stands else "CANCEL"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Frontdesk//Scheduler//EN",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{visit.id}@frontdesk",
        f"SEQUENCE:{2 * visit.sequence + (not stands)}",
        f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{visit.start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{visit.end:%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{escaped(title.format(who.name))}",
        f"DESCRIPTION:{escaped(call.format(who.phone))}",
        *([f"LOCATION:{escaped(where)}"] if where else []),
        f"STATUS:{'CONFIRMED' if stands else 'CANCELLED'}",
        "CLASS:PRIVATE",
        f"ORGANIZER;CN={_quoted(who.name)}:{organizer}",
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:{guest}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines), method


def escaped(text: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11)."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\n", "\\n")


def folded(line: str) -> str:
    """A content line in pieces of 75 octets at most, each but the first begun by a blank; no character is cut (RFC 5545, 3.1)."""
    pieces, piece, room = [], "", _OCTETS
    for char in line:
        size = len(char.encode())
        if size > room:
            pieces.append(piece)
            piece, room = "", _OCTETS - 1
        piece, room = piece + char, room - size
    return "\r\n ".join([*pieces, piece])


def _quoted(text: str) -> str:
    """A parameter's value in quotes, which cannot hold quotes or control characters (RFC 5545, 3.2)."""
    return '"' + "".join(char for char in text if char != '"' and char.isprintable()) + '"'
