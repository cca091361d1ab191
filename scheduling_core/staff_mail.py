"""What is mailed to those who work here: the day sheet at its time, changes of the day at once, and that a task waits.

Every mail is a row of the outbox with a key of its own: any number of workers may look at the same time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import exists, literal, select
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, links, messaging, patients, sending, times
from scheduling_core.clinic_file.schema import ClinicFile, PractitionerPart
from scheduling_core.errors import NotFoundError
from scheduling_core.models import (
    LIVE,
    Appointment,
    Channel,
    Communication,
    Mode,
    ParticipationStatus,
    Patient,
    Task,
    ToldVisit,
)
from scheduling_core.visit_changes import Change, Kind, wall_start

_YOUNGEST = dt.timedelta(days=1)  # a team that gets an address is not mailed the tasks of months


# the day sheet


def any_sheet_due(session: Session, clinic: ClinicFile) -> bool:
    """Whether `send_sheets` has something to do; nothing is looked at where no practitioner has an address."""
    return bool(_without_sheet(session, clinic))


def send_sheets(session: Session, clinic: ClinicFile) -> int:
    """Queue the day sheets of today that are due: once for each practitioner with an address and visits to come; how many."""
    due = _without_sheet(session, clinic)
    today = _today(clinic)
    for who in due:
        assert who.email
        _queue(
            session,
            who.email,
            day_sheet(session, clinic, practitioner_id=who.id, day=today),
            sending.DAY_SHEET,
            _sheet_key(who, today),
        )
    return len(due)


def day_sheet(session: Session, clinic: ClinicFile, *, practitioner_id: str, day: dt.date, agent: str = "worker") -> str:
    """The visits of a practitioner on a day, by start. Each look at a patient is audited. Raises NotFoundError."""
    who = clinic.practitioners_by_id.get(practitioner_id)
    if who is None:
        raise NotFoundError(f"Practitioner/{practitioner_id}")
    visits = _visits_on(session, clinic, [who.id], day)
    lines = []
    for visit in visits:
        detail = {"for": "day-sheet"}
        audit.record(
            session,
            agent=agent,
            action="R",
            entity="Appointment",
            entity_id=visit.id,
            patient_id=visit.patient_id,
            detail=detail,
        )
        lines.append(_line(session, clinic, visit))
    head = f"{who.name}: {day:%A, %B} {day.day}, {len(visits)} {'visit' if len(visits) == 1 else 'visits'}"
    return "\n".join([head, "", *lines])


def _without_sheet(session: Session, clinic: ClinicFile) -> list[PractitionerPart]:
    today, now = _today(clinic), times.now()
    with_address = [who for who in clinic.practitioners if who.email]
    if not with_address or now < _sheet_time(clinic, today):
        return []
    keys = {_sheet_key(who, today): who for who in with_address}
    sent = set(session.scalars(select(Communication.idempotency_key).where(Communication.idempotency_key.in_(keys))))
    waiting = [who for key, who in keys.items() if key not in sent]
    to_come = {
        visit.practitioner_id
        for visit in _visits_on(session, clinic, [who.id for who in waiting], today)
        if visit.end and visit.end > now
    }
    return [who for who in waiting if who.id in to_come]


def _visits_on(session: Session, clinic: ClinicFile, practitioners: Sequence[str], day: dt.date) -> list[Appointment]:
    if not practitioners:
        return []
    begin, end = (times.from_wall(each, dt.time(), clinic.zone) for each in (day, day + dt.timedelta(days=1)))
    found = select(Appointment).where(
        Appointment.practitioner_id.in_(practitioners),
        Appointment.status.in_(LIVE),
        Appointment.start >= begin,
        Appointment.start < end,
        Appointment.patient_id.is_not(None),
    )
    return list(session.scalars(found.order_by(Appointment.start, Appointment.id)))


def _line(session: Session, clinic: ClinicFile, visit: Appointment) -> str:
    """ "1:00 PM-1:20 PM  R. N.  Follow-up visit; Maple Grove North; confirmed; needs wheelchair"."""
    assert visit.patient_id
    assert visit.end
    start = wall_start(clinic, visit)
    patient = patients.get(session, visit.patient_id)
    facts = [
        _where(session, clinic, visit),
        "confirmed" if visit.confirmation is ParticipationStatus.ACCEPTED else "not confirmed",
        "new patient" if patient.new else "",
        f"needs {', '.join(patient.needs)}" if patient.needs else "",
        "over another visit" if visit.lane else "",
    ]
    span = f"{start:%-I:%M %p}-{times.to_wall(visit.end, start.tzinfo):%-I:%M %p}"  # type: ignore[arg-type]  # it is a ZoneInfo
    return f"{span}  {_name(clinic, patient)}  {_service(clinic, visit)}; {'; '.join(filter(None, facts))}"


def _where(session: Session, clinic: ClinicFile, visit: Appointment) -> str:
    if visit.mode is Mode.VIDEO:
        return f"by video {links.video_link(session, clinic, visit) or ''}".strip()
    place = clinic.locations_by_id.get(visit.location_id or "")
    room = next((room.name for room in place.rooms if room.id == visit.room_id), "") if place else ""
    return ", ".join(filter(None, (place.name if place else "", room)))


def _service(clinic: ClinicFile, visit: Appointment | ToldVisit) -> str:
    service = clinic.services_by_id.get(visit.service_id)
    return service.name if service else visit.service_id


def _name(clinic: ClinicFile, patient: Patient) -> str:
    if clinic.staff_mail.patients == "names":
        return f"{patient.given} {patient.family}"
    return " ".join(f"{name[0]}." for name in (patient.given, patient.family) if name)


# changes of the day


def tell_change(session: Session, clinic: ClinicFile, change: Change) -> None:
    """Mail a change that touches today to the practitioners whom it concerns, once their day sheets went out."""
    today = _today(clinic)
    if times.now() < _sheet_time(clinic, today):
        return  # the day sheet will say it
    visit, told = change.visit, change.told
    before = told if told is not None and wall_start(clinic, told).date() == today else None
    after = visit if change.kind is not Kind.CANCELLED and wall_start(clinic, visit).date() == today else None
    concerned = {one.practitioner_id for one in (before, after) if one is not None}
    for practitioner_id in sorted(filter(None, concerned)):
        who = clinic.practitioners_by_id.get(practitioner_id)
        if who is None or who.email is None:
            continue
        was = before if before is not None and before.practitioner_id == who.id else None
        now = after if after is not None and after.practitioner_id == who.id else None
        body = _change_in_words(session, clinic, change, was, now)
        _queue(session, who.email, body, sending.DAY_CHANGE, f"{sending.DAY_CHANGE}:{change.key}:{who.id}", visit.id)


def _change_in_words(session: Session, clinic: ClinicFile, change: Change, was: ToldVisit | None, now: Appointment | None) -> str:
    """For one practitioner: what of today is no more, and what is new."""
    patient = patients.get(session, change.visit.patient_id or "")
    audit.record(
        session,
        agent="worker",
        action="R",
        entity="Appointment",
        entity_id=change.visit.id,
        patient_id=patient.id,
        detail={"for": "day-change"},
    )
    gone = f"{wall_start(clinic, was):%-I:%M %p}  {_name(clinic, patient)}  {_service(clinic, was)}" if was else ""
    if now is None:
        word = "Cancelled" if change.kind is Kind.CANCELLED else "Moved away"
        return f"{word} today: {gone}"
    line = _line(session, clinic, now)
    return f"Moved today: {gone}\nnow: {line}" if was else f"New today: {line}"


# tasks


def any_task_to_tell(session: Session, clinic: ClinicFile) -> bool:
    """Whether `tell_tasks` has something to do."""
    return bool(_untold_tasks(session, clinic, limit=1))


def tell_tasks(session: Session, clinic: ClinicFile, *, limit: int = 20) -> int:
    """Mail teams with an address that a task waits for them: which, and how urgent; of whom and why only the worklist tells."""
    found = _untold_tasks(session, clinic, limit=limit)
    for task in found:
        address = clinic.staff_mail.teams[task.team]
        due = f", due {times.to_wall(task.due_at, clinic.zone):%A, %B %-d, %-I:%M %p}" if task.due_at else ""
        body = f"A task waits for {task.team}: {task.reason}, {task.priority}{due}. Please see the worklist, Task/{task.id}"
        _queue(session, address, body, sending.TASK_NEWS, f"{_TASK}{task.id}")
    return len(found)


_TASK = f"{sending.TASK_NEWS}:"


def _untold_tasks(session: Session, clinic: ClinicFile, *, limit: int) -> list[Task]:
    if not clinic.staff_mail.teams:
        return []
    told = exists().where(
        Communication.organization_id == Task.organization_id, Communication.idempotency_key == literal(_TASK).concat(Task.id)
    )
    found = select(Task).where(
        Task.status.in_(handoff.OPEN),
        Task.team.in_(list(clinic.staff_mail.teams)),
        Task.created_at > times.now() - _YOUNGEST,
        ~told,
    )
    return list(session.scalars(found.order_by(Task.created_at, Task.id).limit(limit)))


def _queue(session: Session, address: str, body: str, kind: str, key: str, appointment_id: str | None = None) -> None:
    """Without a patient: it is not to them, and their record shows the looks."""
    messaging.queue(
        session,
        phone=address,
        channel=Channel.EMAIL,
        body=body,
        author="system",
        kind=kind,
        appointment_id=appointment_id,
        key=key,
    )


def _sheet_key(who: PractitionerPart, day: dt.date) -> str:
    return f"{sending.DAY_SHEET}:{who.id}:{day}"


def _sheet_time(clinic: ClinicFile, day: dt.date) -> dt.datetime:
    return times.from_wall(day, clinic.staff_mail.day_sheet_at, clinic.zone)


def _today(clinic: ClinicFile) -> dt.date:
    return times.to_wall(times.now(), clinic.zone).date()
