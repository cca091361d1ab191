"""Reminding patients of their visits, at the clinic file's times.

Every visit carries the instant of its next reminder, set when it is booked and when it is moved: a reminder whose time was past
then is not sent late (booked 80 hours ahead: both of 72 and 24; booked 71 hours ahead: the one of 24). The workers look at one
index.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from scheduling_core import messaging, patients, sending, times, visit_texts
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Channel,
    Communication,
    Direction,
    ParticipationStatus,
    Patient,
)

_REMINDED = (AppointmentStatus.BOOKED, AppointmentStatus.PENDING)  # who has arrived needs no reminder


def first_after(clinic: ClinicFile, start: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """When the next reminder of a visit at `start` is to go out, quiet hours aside; None when all of them are past."""
    due = [start - dt.timedelta(hours=hours) for hours in clinic.reminders.send_before_hours]
    return min((instant for instant in due if instant > now), default=None)


def any_due(session: Session, clinic: ClinicFile) -> bool:
    """Whether `send_due` has something to do: one look at an index."""
    return bool(session.scalar(select(exists().where(*_due(session, clinic, times.now())))))


def send_due(session: Session, clinic: ClinicFile, *, limit: int = 20) -> int:
    """Put the reminders that are due into the outbox; how many visits were looked at, 0 when nothing is due.

    Each is sent once, whatever the clock does and however many workers run. Of several that became due at once only the latest is
    sent. In quiet hours a reminder waits for their end; what would come less than an hour before the visit is left out.
    """
    now = times.now()
    due = select(Appointment).where(*_due(session, clinic, now)).order_by(Appointment.next_reminder_at, Appointment.id).limit(limit)
    visits = list(session.scalars(due.with_for_update(skip_locked=True).execution_options(populate_existing=True)))
    for visit in visits:
        visit.next_reminder_at = _remind(session, clinic, visit, now)
    session.flush()
    return len(visits)


def _due(session: Session, clinic: ClinicFile, now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """Visits to come. The earliest reminder bounds the look at the index, whatever old visits left in it."""
    longest = dt.timedelta(hours=max(clinic.reminders.send_before_hours, default=0))
    return (
        Appointment.organization_id == session.info["organization"],
        Appointment.next_reminder_at >= now - longest,
        Appointment.next_reminder_at <= now,
        Appointment.start > now,
        Appointment.status.in_(_REMINDED),
    )


def _remind(session: Session, clinic: ClinicFile, visit: Appointment, now: dt.datetime) -> dt.datetime | None:
    """Queue the reminder that is due, or not; when to look at the visit again."""
    assert visit.start
    following = first_after(clinic, visit.start, now)
    due = [hours for hours in clinic.reminders.send_before_hours if visit.start - dt.timedelta(hours=hours) <= now]
    if not due or visit.patient_id is None:
        return following
    patient = patients.get(session, visit.patient_id)
    way = sending.way_to(session, clinic, patient)
    if way is None or not patient.active:
        return following
    channel, address = way
    hours = min(due)
    quiet_until = sending.quiet_until(clinic, phone=address, at=now, location_id=visit.location_id)
    if visit.start - (quiet_until or now) < min(sending.LEAST_NOTICE, dt.timedelta(hours=hours) / 2):
        return following
    if quiet_until:
        return quiet_until
    messaging.queue(
        session,
        phone=address,
        channel=channel,
        body=_body(session, clinic, visit, patient, channel, address),
        author="system",
        kind=sending.REMINDER,
        patient_id=patient.id,
        appointment_id=visit.id,
        key=sending.reminder_key(visit, hours),
    )
    return following


def _body(session: Session, clinic: ClinicFile, visit: Appointment, patient: Patient, channel: Channel, phone: str) -> str:
    """Clinic and time, nothing of the visit's kind: others may read along. Who has confirmed is not asked again.

    What else there is (the video, the preparation that texts may tell, the calendar) is said as far as two segments hold it, in
    this order. A call says no time either: anybody may hear it.
    """
    assert visit.start
    zone = clinic.zone_of(visit.location_id) if visit.location_id in clinic.locations_by_id else clinic.zone
    language = sending.language_of(session, clinic, patient, phone)
    day, time = sending.start_in_words(visit.start, zone, language)
    name, who = sending.name_if_shared(session, patient, phone), clinic.clinic.name
    if channel is Channel.VOICE:
        return sending.call_back_words(clinic, language)
    video = visit_texts.video(session, clinic, visit, language)
    prep = visit_texts.prep(clinic, visit)
    if channel is Channel.EMAIL:
        more = "".join(f"{line}\n" for line in (prep, *video) if line)
        return _MAIL[language].format(who=who, day=day, time=time, phone=clinic.clinic.phone, more=f"{more}\n" if more else "")
    confirmed = visit.confirmation is ParticipationStatus.ACCEPTED
    calendar = visit_texts.calendar(session, visit, language) if clinic.reminders.calendar_link else ""
    if language == "es":
        answer = "Responda R para cambiarla." if confirmed else "Responda C para confirmar o R para cambiarla."
        what = f"la cita de {name}" if name else "su cita"
        text = f"Recordatorio de {who}: {what} es el {day}, {time}."
        brief = f"Recordatorio: {what} es el {day}, {time}. {'R: cambiar.' if confirmed else 'C: confirmar. R: cambiar.'}"
        return _as_much_as_fits(f"{text} {answer}", brief, "STOP para no recibir textos.", video, prep, calendar)
    answer = "Reply R to move it." if confirmed else "Reply C to confirm or R to move it."
    what = f"{name}'s visit" if name else "your visit"
    text = f"Reminder from {who}: {what} is on {day} at {time}. {answer}"
    brief = f"Reminder: {what} is on {day} at {time}. {answer}"
    return _as_much_as_fits(text, brief, "Text STOP to end texts.", video, prep, calendar)


def _as_much_as_fits(text: str, brief: str, stop: str, video: Sequence[str], prep: str, calendar: str) -> str:
    """The reminder with what is left of two segments well used: without its link a visit by video cannot take place."""
    join, *trouble = video or [""]
    whole = sending.shortest_needed(*(" ".join(filter(None, (one, join))) for one in (f"{text} {stop}", text, brief)))
    for more in (prep, " ".join(trouble), *trouble[1:], calendar):
        if more and more not in whole and sending.shortest_needed(longer := f"{whole} {more}", whole) == longer:
            whole = longer
    return whole


_MAIL = {
    "en": "Reminder from {who}: your visit is on {day} at {time}.\n\n{more}To confirm or move it, please call {phone}.\n"
    "You do not want these mails? Tell us at the same number.",
    "es": "Recordatorio de {who}: su cita es el {day}, {time}.\n\n{more}Para confirmarla o cambiarla, llame al {phone}.\n"
    "¿No quiere estos correos? Díganoslo en el mismo número.",
}


def asked_about(session: Session, *, phone: str) -> list[Appointment]:
    """The visits to come that reminders to this number were about, as they stand on the books still; the last reminded first."""
    rows = session.execute(
        select(Appointment, Communication.idempotency_key)
        .join(
            Communication,
            (Communication.organization_id == Appointment.organization_id) & (Communication.appointment_id == Appointment.id),
        )
        .where(
            Communication.phone == phone,
            Communication.kind == sending.REMINDER,
            Communication.direction == Direction.OUT,
            Communication.status.in_(sending.GONE_OUT),
            Appointment.status.in_((*_REMINDED, AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN)),
            Appointment.end > times.now(),
        )
        .order_by(Communication.sequence.desc())
    )
    found = [visit for visit, key in rows if (key or "").startswith(sending.reminder_key(visit))]
    return list(dict.fromkeys(found))


def named(session: Session, *, phone: str) -> Appointment | None:
    """The visit that our last reminder to this number was about; None when it is over, cancelled or was moved since."""
    last = session.scalars(
        select(Communication.appointment_id)
        .where(
            Communication.phone == phone,
            Communication.kind == sending.REMINDER,
            Communication.direction == Direction.OUT,
            Communication.status.in_(sending.GONE_OUT),
        )
        .order_by(Communication.sequence.desc())
        .limit(1)
    ).first()
    return next((visit for visit in asked_about(session, phone=phone) if visit.id == last), None)
