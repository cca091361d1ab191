"""Recalls: who is due again for a service of the clinic file, by history, age and sex.

Once a day the patients are looked through, and each who is due becomes a row of `outreach`, which writes at the clinic's rate.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from scheduling_core import idempotency, outreach, times
from scheduling_core.clinic_file.schema import ClinicFile, ServicePart
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    Outreach,
    OutreachKind,
    OutreachStatus,
    Patient,
    Sex,
)

_TOOK_PLACE = (*LIVE, AppointmentStatus.FULFILLED)  # what is over and was not marked as missed
_UNDER_WAY = (OutreachStatus.OPEN, OutreachStatus.DECLINED, OutreachStatus.BOOKED)


@dataclass(frozen=True)
class Due:
    """Somebody who is due again. `had_at`: the last visit of the service, None where there was none."""

    patient_id: str
    service_id: str
    had_at: dt.datetime | None
    due_on: dt.date  # local


@dataclass(frozen=True)
class Line:
    """What became of the recalls of one service. `asked`: patients who were written to; `texts`: messages."""

    service_id: str
    due: int
    asked: int
    texts: int
    by_status: dict[OutreachStatus, int]

    def count(self, *statuses: OutreachStatus) -> int:
        return sum(self.by_status.get(status, 0) for status in statuses)


def any_to_find(session: Session, clinic: ClinicFile) -> bool:
    """Whether nobody has looked through the patients yet today."""
    return _recalled(clinic) != [] and not idempotency.is_done(session, _today_key(clinic))


def find(session: Session, clinic: ClinicFile, *, limit: int = 200, agent: str = "worker") -> int:
    """Keep up to `limit` patients who are due, so that they are written to; how many were new. 0 ends the day's look.

    Whoever has a visit of the service on the books or waits for one, is being asked already, had it elsewhere since, or wants no
    recalls is left out.
    """
    found = 0
    now = times.now()
    for service in _recalled(clinic):
        for one in due(session, clinic, service, limit=limit - found):
            found += outreach.begin(
                session,
                kind=OutreachKind.RECALL,
                patient_id=one.patient_id,
                service_id=one.service_id,
                due_on=one.due_on,
                next_at=now,
                key=f"recall:{one.service_id}:{one.patient_id}:{one.due_on}:{times.to_wall(now, clinic.zone).date()}",
                agent=agent,
            )
        if found >= limit:
            return found
    if found == 0 and idempotency.earlier_answer(session, _today_key(clinic)) is None:
        idempotency.remember(session, _today_key(clinic), {"recalls": "found"})
    return found


def due(session: Session, clinic: ClinicFile, service: ServicePart, *, limit: int) -> list[Due]:
    """Who is due for a service and not under way yet, the longest waiting first; who never had it goes last."""
    assert service.recall
    rule, now = service.recall, times.now()
    today = times.to_wall(now, clinic.zone).date()
    last_day = months_after(today + dt.timedelta(days=clinic.outreach.ahead_days), -rule.every_months)
    cutoff = times.from_wall(last_day + dt.timedelta(days=1), dt.time(), clinic.zone)
    had = (
        select(func.max(Appointment.end))
        .where(*_of_patient(service), Appointment.status.in_(_TOOK_PLACE), Appointment.end <= now)
        .scalar_subquery()
    )
    comes = exists().where(
        *_of_patient(service),
        or_(
            and_(Appointment.status.in_(LIVE), Appointment.end > now),
            Appointment.status == AppointmentStatus.WAITLIST,
        ),
    )
    wanted = [
        Patient.organization_id == session.info["organization"],
        Patient.active,
        ~Patient.new,
        *_of_age(service, today),
        ~comes,
        ~exists().where(*_not_again(service, cutoff)),
        or_(had < cutoff, had.is_(None)) if rule.also_never_had else had < cutoff,
    ]
    rows = session.execute(
        select(Patient.id, had.label("had")).where(*wanted).order_by(had.is_(None), had, Patient.id).limit(limit)
    )
    return [
        Due(patient_id, service.id, at, months_after(times.to_wall(at, clinic.zone).date(), rule.every_months) if at else today)
        for patient_id, at in rows.tuples()
    ]


def _recalled(clinic: ClinicFile) -> list[ServicePart]:
    return [service for service in clinic.services if service.recall]


def _today_key(clinic: ClinicFile) -> str:
    return f"recalls:{times.to_wall(times.now(), clinic.zone).date()}"


def _of_patient(service: ServicePart) -> tuple[ColumnElement[bool], ...]:
    return (
        Appointment.organization_id == Patient.organization_id,
        Appointment.patient_id == Patient.id,
        Appointment.service_id == service.id,
    )


def _of_age(service: ServicePart, today: dt.date) -> Iterable[ColumnElement[bool]]:
    """Of the ages that the recall names, and that may book the service at all; of the sex that it names."""
    assert service.recall
    for ages in (service.recall.ages, service.ages):
        if ages:
            yield Patient.birth_date <= months_after(today, -12 * ages.youngest)
            if ages.oldest is not None:
                yield Patient.birth_date > months_after(today, -12 * (ages.oldest + 1))
    if service.recall.sex:
        yield Patient.sex == Sex(service.recall.sex)


def _not_again(service: ServicePart, cutoff: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """Recalls that stand against another: under way, decided in this round, or none are wanted at all."""
    other = aliased(Outreach)
    return (
        other.organization_id == Patient.organization_id,
        other.patient_id == Patient.id,
        other.kind == OutreachKind.RECALL,
        or_(
            other.status == OutreachStatus.STOPPED,
            and_(other.service_id == service.id, or_(other.status.in_(_UNDER_WAY), other.updated_at >= cutoff)),
        ),
    )


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day of another month; the last one of a month that is shorter."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))


def report(session: Session, *, since: dt.datetime, until: dt.datetime) -> list[Line]:
    """What became of the recalls that began in a stretch of time, a line a service."""
    rows = session.execute(
        select(
            Outreach.service_id,
            Outreach.status,
            func.count(),
            func.count(Outreach.sent_at),
            func.sum(Outreach.tries),
        )
        .where(Outreach.kind == OutreachKind.RECALL, Outreach.created_at >= since, Outreach.created_at < until)
        .group_by(Outreach.service_id, Outreach.status)
        .order_by(Outreach.service_id, Outreach.status)
    ).tuples()
    lines: dict[str, Line] = {}
    for service_id, status, number, asked, texts in rows:
        old = lines.get(service_id, Line(service_id, 0, 0, 0, {}))
        lines[service_id] = Line(
            service_id, old.due + number, old.asked + asked, old.texts + int(texts), old.by_status | {status: number}
        )
    return list(lines.values())
