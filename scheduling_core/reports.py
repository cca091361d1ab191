"""How the practice did over a span of days: plain tables, which the console draws and exports.

Days are the clinic's, the last one included. Shares are 0 to 1, and None where there is nothing to share; a column of time has its
unit in its name. Nothing here names a patient.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, aliased

from scheduling_core import times
from scheduling_core.calendar import hours, occupied, search, ticks
from scheduling_core.calendar.requests import Request
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    AuditEvent,
    Communication,
    Conversation,
    Delivery,
    Direction,
    FreedTime,
    OfferStatus,
    Task,
    WaitlistOffer,
)

Cell = str | int | float | None


@dataclass(frozen=True)
class Report:
    """`columns` are stable names, of which the first says what a row is about; `rows` in the order to be read."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Span:
    """From the first moment of `first` to the last of `last`, by the clinic's clock."""

    first: dt.date
    last: dt.date

    def instants(self, clinic: ClinicFile) -> tuple[dt.datetime, dt.datetime]:
        midnight = dt.time()
        return (
            times.from_wall(self.first, midnight, clinic.zone),
            times.from_wall(self.last + dt.timedelta(days=1), midnight, clinic.zone),
        )

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def bookings(session: Session, clinic: ClinicFile, span: Span) -> Report:
    """Visits booked, by the hour of the day and by who booked: the assistant by text or by phone, staff, or a machine."""
    since, until = span.instants(clinic)
    written = select(AuditEvent.at, AuditEvent.agent, AuditEvent.detail).where(
        AuditEvent.entity == "Appointment", AuditEvent.action.in_(("C", "U")), AuditEvent.at >= since, AuditEvent.at < until
    )
    booked = [(at, agent) for at, agent, detail in session.execute(written).tuples() if detail.get("status") == "booked"]
    channels = dict(
        session.execute(
            select(Conversation.id, Conversation.channel).where(Conversation.created_at < until, Conversation.last_turn_at >= since)
        )
        .tuples()
        .all()
    )
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    for at, agent in booked:
        kind, _, who = agent.partition(":")
        by = (
            channels[who].value
            if kind == "assistant" and who in channels
            else {"assistant": "sms", "token": "machine"}.get(kind, kind)
        )
        counted[times.to_wall(at, clinic.zone).hour][by if by in _BY else "other"] += 1
    used = [by for by in (*_BY, "other") if any(counts[by] for counts in counted.values())]
    rows: list[tuple[Cell, ...]] = [
        (f"{hour:02d}:00", *(counted[hour][by] for by in used)) for hour in range(24) if hour in counted
    ]
    return Report(("hour", *used), tuple(rows))


_BY = ("sms", "voice", "staff", "machine")


def without_staff(session: Session, clinic: ClinicFile, span: Span) -> Report:
    """Conversations by the day they began, and how many of them needed no person: no owner at the desk and no task."""
    since, until = span.instants(clinic)
    begun = session.execute(
        select(Conversation.id, Conversation.created_at).where(Conversation.created_at >= since, Conversation.created_at < until)
    ).all()
    owned = select(AuditEvent.entity_id).where(
        AuditEvent.entity == "Conversation", AuditEvent.action == "U", AuditEvent.agent.like("staff:%"), AuditEvent.at >= since
    )
    tasks = select(Task.conversation_id).where(Task.conversation_id.is_not(None), Task.created_at >= since)
    with_people = {*session.scalars(owned), *session.scalars(tasks)}
    by_day: dict[dt.date, list[bool]] = {day: [] for day in span.days}
    for row in begun:
        by_day[times.to_wall(row.created_at, clinic.zone).date()].append(row.id not in with_people)
    return Report(
        ("day", "conversations", "without_staff", "share"),
        tuple((day.isoformat(), len(alone), sum(alone), _share(sum(alone), len(alone))) for day, alone in by_day.items()),
    )


def time_to_answer(session: Session, clinic: ClinicFile, span: Span) -> Report:
    """How long patients waited for the answer to what they wrote or said: median and 95th percentile, by who answered."""
    since, until = span.instants(clinic)
    asked, answer = aliased(Communication), aliased(Communication)
    pairs = session.execute(
        select(answer.author, asked.created_at, func.coalesce(answer.sent_at, answer.created_at))
        .join(asked, asked.id == answer.in_reply_to)
        .where(asked.created_at >= since, asked.created_at < until, answer.direction == Direction.OUT)
    ).tuples()
    waits: dict[str, list[float]] = defaultdict(list)
    for author, then, at in pairs:
        waits["assistant" if author in ("assistant", "system") else "staff"].append(max((at - then).total_seconds(), 0.0))
    return Report(
        ("answered_by", "answers", "median_seconds", "p95_seconds"),
        tuple(
            (by, len(some), round(statistics.median(some), 1), round(sorted(some)[int(0.95 * (len(some) - 1))], 1))
            for by, some in sorted(waits.items())
        ),
    )


def no_shows(session: Session, clinic: ClinicFile, span: Span) -> Report:
    """Of the visits whose patients were expected: who came and who did not, by service."""
    counted = _by_service(session, clinic, span, (AppointmentStatus.FULFILLED, AppointmentStatus.NOSHOW))
    rows = []
    for name, counts in counted:
        came, missed = counts[AppointmentStatus.FULFILLED], counts[AppointmentStatus.NOSHOW]
        rows.append((name, came, missed, _share(missed, came + missed)))
    return Report(("service", "came", "missed", "share"), tuple(rows))


def cancellations(session: Session, clinic: ClinicFile, span: Span) -> Report:
    """Times that came free ahead of their start, and how many were taken again by somebody on the waitlist, by practitioner."""
    since, until = span.instants(clinic)
    freed = session.execute(
        select(FreedTime.id, FreedTime.practitioner_id, FreedTime.freed_at).where(
            FreedTime.freed_at >= since, FreedTime.freed_at < until, FreedTime.start > FreedTime.freed_at
        )
    ).all()
    taken = dict(
        session.execute(
            select(WaitlistOffer.freed_id, func.min(WaitlistOffer.updated_at))
            .where(WaitlistOffer.status == OfferStatus.ACCEPTED)
            .group_by(WaitlistOffer.freed_id)
        )
        .tuples()
        .all()
    )
    by_practitioner: dict[str, list[Row[tuple[str, str, dt.datetime]]]] = defaultdict(list)
    for row in freed:
        by_practitioner[row.practitioner_id].append(row)
    rows = []
    for who in clinic.practitioners:
        if some := by_practitioner.get(who.id):
            waits = [(taken[row.id] - row.freed_at).total_seconds() / 60 for row in some if taken.get(row.id)]
            filled = len(waits)
            rows.append(
                (who.name, len(some), filled, _share(filled, len(some)), round(statistics.median(waits), 1) if waits else None)
            )
    return Report(("practitioner", "freed", "filled", "share", "median_minutes"), tuple(rows))


def utilisation(session: Session, clinic: ClinicFile, span: Span) -> Report:
    """Of each practitioner's working minutes those that visits took, buffers included."""
    rows = []
    opened = hours.hours_of(clinic)
    for who in clinic.practitioners:
        stretches = [stretch for day in span.days for stretch in opened.on(who.id, day)]
        if not stretches:
            continue
        first, end = min(one.first for one in stretches), max(one.end for one in stretches)
        taken = occupied.practitioners(session, [who.id], first=first, end=end, now=times.now())
        busy = sum(taken.bits(who.id, one.first, one.length).bit_count() for one in stretches)
        length = sum(one.length for one in stretches)
        rows.append((who.name, length * ticks.MINUTES, busy * ticks.MINUTES, _share(busy, length)))
    return Report(("practitioner", "open_minutes", "booked_minutes", "share"), tuple(rows))


def waits(session: Session, clinic: ClinicFile, span: Span) -> Report:
    """Days to the third next available appointment as it stands now, by practitioner, for the visit that they have most of.

    The measure is the Institute for Healthcare Improvement's: the first and second may be chance cancellations.
    """
    since, until = span.instants(clinic)
    now = times.now()
    most: dict[str, Counter[str]] = defaultdict(Counter)
    visits = select(Appointment.practitioner_id, Appointment.service_id, func.count()).where(
        Appointment.start >= since, Appointment.start < until, Appointment.practitioner_id.is_not(None)
    )
    for who, service, count in session.execute(visits.group_by(Appointment.practitioner_id, Appointment.service_id)).tuples():
        most[who or ""][service] += count
    rows: list[tuple[Cell, ...]] = []
    for practitioner in clinic.practitioners:
        given = [service for service, _ in most[practitioner.id].most_common() if service in practitioner.services]
        service_id = next(iter(given or practitioner.services), None)
        if service_id is None:
            continue
        request = Request(service_id=service_id, practitioners=(practitioner.id,))
        horizon = now + dt.timedelta(days=clinic.clinic.booking_horizon_days)
        found = search.find(session, clinic, request, start=now, end=horizon, limit=3)
        days = round((found[2].start - now) / dt.timedelta(days=1), 1) if len(found) == 3 else None
        rows.append((practitioner.name, clinic.services_by_id[service_id].name, days))
    return Report(("practitioner", "service", "days"), tuple(rows))


def messages(session: Session, clinic: ClinicFile, span: Span) -> Report:
    """What went out and what became of it, by kind of message."""
    since, until = span.instants(clinic)
    out = (
        select(Communication.kind, Communication.status, func.count())
        .where(Communication.direction == Direction.OUT, Communication.created_at >= since, Communication.created_at < until)
        .group_by(Communication.kind, Communication.status)
    )
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, status, count in session.execute(out).tuples():
        counted[kind][_FATE.get(status, "waiting")] += count
    fates = ("delivered", "sent", "waiting", "failed", "withheld")
    return Report(("kind", *fates), tuple((kind, *(counts[fate] for fate in fates)) for kind, counts in sorted(counted.items())))


_FATE = {
    Delivery.DELIVERED: "delivered",
    Delivery.SENT: "sent",
    Delivery.FAILED: "failed",
    Delivery.WITHHELD: "withheld",
}

REPORTS: dict[str, Callable[[Session, ClinicFile, Span], Report]] = {
    "bookings": bookings,
    "without-staff": without_staff,
    "time-to-answer": time_to_answer,
    "no-shows": no_shows,
    "cancellations": cancellations,
    "utilisation": utilisation,
    "waits": waits,
    "messages": messages,
}


def _by_service(
    session: Session, clinic: ClinicFile, span: Span, states: Iterable[AppointmentStatus]
) -> list[tuple[str, Counter[AppointmentStatus]]]:
    since, until = span.instants(clinic)
    found = (
        select(Appointment.service_id, Appointment.status, func.count())
        .where(Appointment.start >= since, Appointment.start < until, Appointment.status.in_(tuple(states)))
        .group_by(Appointment.service_id, Appointment.status)
    )
    counted: dict[str, Counter[AppointmentStatus]] = defaultdict(Counter)
    for service, status, count in session.execute(found).tuples():
        counted[service][status] += count
    return [
        (clinic.services_by_id[one].name if one in clinic.services_by_id else one, counts)
        for one, counts in sorted(counted.items())
    ]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None
