"""Telling those whom a visit concerns that it was booked, moved or cancelled, whoever did it and how.

Who changes a visit notes only the time of it. A worker compares the visit with what was told of it last and tells the difference:
the patient by mail with the calendar file, the practitioner of changes of the day, teams and billing by tasks. What came and went
in between is told to nobody.
"""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from scheduling_core import messaging, patients, sending, staff_mail, times, visit_tasks, visit_texts
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import LIVE, Appointment, Channel, ToldVisit
from scheduling_core.visit_changes import Change, Kind, change_of


def any_to_tell(session: Session) -> bool:
    """Whether `tell` has something to do: one look at an index."""
    untold = (Appointment.organization_id == session.info["organization"], Appointment.changed_at.is_not(None))
    return bool(session.scalar(select(exists().where(*untold))))


def tell(session: Session, clinic: ClinicFile, *, limit: int = 20) -> int:
    """Tell what changed; how many visits were looked at, 0 when none is left. Each change is told once, however many workers run.

    Of visits that are over nobody is told.
    """
    now = times.now()
    changed = select(Appointment).where(Appointment.changed_at.is_not(None)).order_by(Appointment.changed_at, Appointment.id)
    found = session.scalars(changed.limit(limit).with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    told = {
        one.appointment_id: one
        for one in session.scalars(select(ToldVisit).where(ToldVisit.appointment_id.in_([v.id for v in found])))
    }
    for visit in found:
        before = told.get(visit.id)
        change = change_of(visit, before)
        if change and visit.patient_id and visit.practitioner_id and visit.end and visit.end > now:
            _mail_patient(session, clinic, change)
            staff_mail.tell_change(session, clinic, change)
            visit_tasks.tell_teams(session, clinic, change)
        _remember(session, visit, before)
        visit.changed_at = None
    session.flush()
    return len(found)


def _remember(session: Session, visit: Appointment, before: ToldVisit | None) -> None:
    """What was told, for the next time. Of what was never told and is gone nothing is kept."""
    if before is None:
        if visit.status not in LIVE or visit.practitioner_id is None:
            return
        before = ToldVisit(appointment_id=visit.id)
        session.add(before)
    assert visit.practitioner_id
    assert visit.start
    before.status, before.sequence, before.told_at = visit.status, visit.sequence, times.now()
    before.service_id, before.practitioner_id, before.location_id = visit.service_id, visit.practitioner_id, visit.location_id
    before.mode, before.start = visit.mode, visit.start


def _mail_patient(session: Session, clinic: ClinicFile, change: Change) -> None:
    """Who has an address gets the visit as it stands now as a mail, with its calendar file; the worker attaches that."""
    visit = change.visit
    patient = patients.get(session, visit.patient_id or "")
    address = sending.mail_address(session, patient) if "email" in clinic.reminders.channels else None
    if address is None or not patient.active:
        return
    language = sending.language_of(session, clinic, patient, sending.first_phone(patient) or "")
    zone = clinic.zone_of(visit.location_id) if visit.location_id in clinic.locations_by_id else clinic.zone
    assert visit.start
    day, time = sending.start_in_words(visit.start, zone, language)
    words = _WORDS[language]
    more = (
        []
        if change.kind is Kind.CANCELLED
        else [visit_texts.prep(clinic, visit), *visit_texts.video(session, clinic, visit, language)]
    )
    phone = sending.as_dialled(clinic.clinic.phone)
    paragraphs = [
        words[change.kind].format(who=clinic.clinic.name, day=day, time=time),
        "\n".join(filter(None, more)),
        words["call"].format(phone=phone),
    ]
    messaging.queue(
        session,
        phone=address,
        channel=Channel.EMAIL,
        body="\n\n".join(filter(None, paragraphs)),
        author="system",
        kind=sending.INVITATION,
        patient_id=patient.id,
        appointment_id=visit.id,
        key=sending.invitation_key(visit),
    )


# Clinic and time alone, as in the calendar file: others may read a mail.
_WORDS = {
    "en": {
        Kind.BOOKED: "Your visit at {who} is booked for {day} at {time}. The file in this mail puts it into your calendar.",
        Kind.MOVED: "Your visit at {who} was moved. It is now on {day} at {time}. The file in this mail changes your calendar.",
        Kind.CANCELLED: "Your visit at {who} on {day} at {time} is cancelled. The file in this mail takes it out of your calendar.",
        "call": "To change something, call or text {phone}. You do not want these mails? Tell us at the same number.",
    },
    "es": {
        Kind.BOOKED: "Su cita en {who} es el {day}, {time}. El archivo de este correo la pone en su calendario.",
        Kind.MOVED: "Su cita en {who} cambió. Ahora es el {day}, {time}. El archivo de este correo cambia su calendario.",
        Kind.CANCELLED: "Su cita en {who} del {day}, {time}, está cancelada. El archivo de este correo la quita de su calendario.",
        "call": "Para cambiar algo, llame o escriba al {phone}. ¿No quiere estos correos? Díganoslo en el mismo número.",
    },
}
