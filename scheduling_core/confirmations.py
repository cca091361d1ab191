"""A text with what was booked and how to get there, for who asked for it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from scheduling_core import messaging, patients, sending
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Appointment, Communication, Mode

DETAILS = "details"


def queue(session: Session, clinic: ClinicFile, visit: Appointment, *, phone: str, conversation_id: str, key: str) -> Communication:
    """Put the text about this visit into the outbox. The same key and visit: the same text."""
    return messaging.queue(
        session,
        phone=phone,
        body=words(session, clinic, visit, phone),
        author="assistant",
        kind=DETAILS,
        conversation_id=conversation_id,
        patient_id=visit.patient_id,
        appointment_id=visit.id,
        key=f"{DETAILS}:{key}:{visit.id}",
    )


def words(session: Session, clinic: ClinicFile, visit: Appointment, phone: str) -> str:
    """Day, time, who and where; directions and parking as far as two segments go."""
    assert visit.start
    assert visit.patient_id
    language = sending.language_of(session, clinic, patients.get(session, visit.patient_id), phone)
    es = language == "es"
    place = clinic.locations_by_id.get(visit.location_id or "")
    practitioner = clinic.practitioners_by_id.get(visit.practitioner_id or "")
    zone = clinic.zone_of(place.id) if place else clinic.zone
    day, time = sending.start_in_words(visit.start, zone, language)
    whom = f" {'con' if es else 'with'} {practitioner.name.split(',')[0]}" if practitioner else ""
    said = f"{clinic.clinic.name}: {'su cita es el' if es else 'your visit is on'} {day}{',' if es else ' at'} {time}{whom}"
    if visit.mode is Mode.VIDEO or place is None:
        return f"{said}{' por video' if es else ' by video'}." if visit.mode is Mode.VIDEO else f"{said}."
    at = f"{said}{', en ' if es else ', at '}{', '.join(filter(None, (place.name, place.address)))}."
    return sending.shortest_needed(
        " ".join(filter(None, (at, place.directions, place.parking))), " ".join(filter(None, (at, place.directions))), at
    )
