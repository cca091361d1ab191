"""What texts and mails say of a visit besides its time: how a video visit is joined, tried and saved, and what to prepare.

Others may read along: of the preparation only what the clinic file allows in texts.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from scheduling_core import links, sending
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Appointment


def video(session: Session, clinic: ClinicFile, visit: Appointment, language: str) -> list[str]:
    """How a visit by video is joined, then how to try it before, then what to do when it fails; nothing for other visits."""
    address = links.video_link(session, clinic, visit)
    if address is None or clinic.video is None:
        return []
    found = [f"{_WORDS[language]['join']} {address}"]
    if clinic.video.test:
        found.append(f"{_WORDS[language]['test']} {clinic.video.test}")
    return [*found, if_video_fails(clinic, language)]


def if_video_fails(clinic: ClinicFile, language: str) -> str:
    """What to do then: in the clinic's words in its first language, else to call."""
    own = clinic.video.if_it_fails if clinic.video else None
    if own and language == clinic.clinic.languages[0][:2]:
        return own
    return _WORDS[language]["fails"].format(phone=sending.as_dialled(clinic.clinic.phone))


def prep(clinic: ClinicFile, visit: Appointment) -> str:
    """What may be said of the preparation where others read along, in the clinic's words; empty where nothing may."""
    service = clinic.services_by_id.get(visit.service_id)
    return (service.prep_in_texts or "") if service else ""


def calendar(session: Session, visit: Appointment, language: str) -> str:
    """The link to the calendar file; empty where there is none."""
    link = links.calendar_link(session, visit)
    return f"{_WORDS[language]['calendar']} {link}" if link else ""


# A blank before each address and none after it: a full stop there becomes part of the link on many phones.
_WORDS = {
    "en": {
        "join": "Join by video:",
        "test": "Try it before:",
        "fails": "If the video fails, call {phone}.",
        "calendar": "For your calendar:",
    },
    "es": {
        "join": "Entre por video:",
        "test": "Pruebe antes:",
        "fails": "Si el video falla, llame al {phone}.",
        "calendar": "Para su calendario:",
    },
}
