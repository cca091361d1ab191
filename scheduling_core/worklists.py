"""What waits for the desk, by kind: each list is a query, and all of them are counted with one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, not_, or_, select
from sqlalchemy.orm import Session, joinedload

from scheduling_core import audit, dead_letters, freed, no_show, plans, times
from scheduling_core.calendar import ticks
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.handoff import BY_URGENCY, OPEN
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    Conversation,
    FreedTime,
    OfferStatus,
    Owner,
    ParticipationStatus,
    Patient,
    Plan,
    PlanStatus,
    Referral,
    ReferralStatus,
    Task,
    WaitlistOffer,
)
from scheduling_core.referrals import OVER

UNCONFIRMED_DAYS = 3  # how far ahead a visit is worth a call
PAGE = 50


class Worklist(StrEnum):
    """The lists, in the order of the menu."""

    CALLS = "calls"  # callbacks, voicemail, and every other request to a person that no other list has
    UNCONFIRMED = "unconfirmed"
    WAITLIST = "waitlist"
    DISPLACED = "displaced"
    LATE = "late-cancellations"
    MESSAGES = "failed-messages"
    RECALLS = "recalls"
    REFERRALS = "referrals"
    ELIGIBILITY = "eligibility"
    ESTIMATES = "estimates"


_REASONS: dict[Worklist, tuple[str, ...]] = {
    Worklist.DISPLACED: ("plan",),
    Worklist.LATE: ("late-cancellation",),
    Worklist.MESSAGES: ("not-delivered", "wrong-number", "over-limit", "quiet-hours"),
    Worklist.RECALLS: (
        "recall",
        "follow-up",
        "referral-in",
        "recall-declined",
        "follow-up-declined",
        "referral-in-declined",
    ),
    Worklist.REFERRALS: ("referral",),
    Worklist.ELIGIBILITY: ("member-id-missing",),
    Worklist.ESTIMATES: ("good-faith-estimate",),
}
_COVERAGE = "coverage-"


@dataclass(frozen=True)
class Show:
    """Which part of a list is wanted. `owner_id`: what this account has; `free`: what nobody has."""

    team: str | None = None
    owner_id: str | None = None
    free: bool = False
    asleep: bool = False  # the snoozed ones instead
    page: int = 0  # from 0, PAGE rows each


@dataclass(frozen=True)
class TaskRow:
    """A task with what it is about."""

    task: Task
    patient: Patient | None
    visit: Appointment | None
    message: Communication | None

    @property
    def is_late(self) -> bool:
        return self.task.due_at is not None and self.task.due_at <= times.now()


@dataclass(frozen=True)
class VisitRow:
    """A visit that nobody has confirmed. `risk` 0 to 1 that the patient does not come, None where it is not estimated."""

    visit: Appointment
    patient: Patient | None
    risk: float | None
    because: str


@dataclass(frozen=True)
class PlaceRow:
    """A place on the waitlist, with the time that is on offer to it now."""

    place: Appointment
    patient: Patient
    offered: Appointment | None
    offers: int  # so far


@dataclass(frozen=True)
class ReferralRow:
    referral: Referral
    patient: Patient

    @property
    def is_late(self) -> bool:
        return self.referral.due_at <= times.now()


@dataclass(frozen=True)
class PlanRow:
    """A plan that waits for a scheduler's word, with its lines for staff."""

    plan: Plan
    lines: tuple[str, ...]
    may_carry_out: bool


def list_of(reason: str) -> Worklist:
    """The list that a task of this reason stands on."""
    if reason.startswith(_COVERAGE):
        return Worklist.ELIGIBILITY
    return next((one for one, reasons in _REASONS.items() if reason in reasons), Worklist.CALLS)


# counts


def counts(session: Session, clinic: ClinicFile) -> dict[Worklist, int]:
    """How much each list holds that can be done now: one statement."""
    own = session.info["organization"]
    kind = _kind().label("kind")
    of_tasks = select(kind, func.count()).where(*_open(own), Task.reason.not_in(_REASONS[Worklist.REFERRALS])).group_by(kind)
    others = {
        Worklist.WAITLIST: select(func.count()).select_from(Appointment).where(Appointment.organization_id == own, *_WAITS),
        Worklist.UNCONFIRMED: select(func.count()).select_from(Appointment).where(*_unconfirmed(own, clinic)),
        Worklist.REFERRALS: select(func.count()).select_from(Referral).where(Referral.organization_id == own, _needs_the_desk()),
        Worklist.DISPLACED: select(func.count())
        .select_from(Plan)
        .where(Plan.organization_id == own, Plan.status == PlanStatus.PROPOSED),
    }
    rest = [select(literal(one.value), query.scalar_subquery()) for one, query in others.items()]
    found = dict.fromkeys(Worklist, 0)
    for name, number in session.execute(of_tasks.union_all(*rest)).tuples():
        found[Worklist(name)] += number
    return found


def _kind() -> ColumnElement[str]:
    """The list of a task, as `list_of` says."""
    return case(
        (Task.reason.startswith(_COVERAGE), literal(Worklist.ELIGIBILITY.value)),
        *((Task.reason.in_(reasons), literal(one.value)) for one, reasons in _REASONS.items()),
        else_=literal(Worklist.CALLS.value),
    )


def _open(own: str, *, asleep: bool = False) -> tuple[ColumnElement[bool], ...]:
    """Tasks to be done. What belongs to a conversation that staff own is done in the inbox, and stands there."""
    sleeps = and_(Task.snoozed_until.is_not(None), Task.snoozed_until > times.now())
    in_the_inbox = exists().where(
        Conversation.organization_id == own,
        Conversation.id == Task.conversation_id,
        Conversation.open,
        Conversation.owner == Owner.STAFF,
    )
    return (
        Task.organization_id == own,
        Task.status.in_(OPEN),
        sleeps if asleep else not_(sleeps),
        not_(and_(_kind() == Worklist.CALLS.value, in_the_inbox)),
    )


_WAITS = (Appointment.status == AppointmentStatus.WAITLIST,)


def _unconfirmed(own: str, clinic: ClinicFile) -> tuple[ColumnElement[bool], ...]:
    """Visits of the coming days, read from the index of each practitioner's taken times."""
    now = times.now()
    first = ticks.tick_of(now)
    last = first + UNCONFIRMED_DAYS * ticks.A_DAY
    return (
        Appointment.organization_id == own,
        Appointment.practitioner_id.in_(list(clinic.practitioners_by_id)),
        Appointment.end_tick > first,
        Appointment.end_tick <= last,
        Appointment.status.in_((AppointmentStatus.BOOKED, AppointmentStatus.PENDING)),
        Appointment.confirmation == ParticipationStatus.NEEDS_ACTION,
        Appointment.start > now,
    )


def _needs_the_desk() -> ColumnElement[bool]:
    return and_(Referral.status.not_in(OVER), or_(Referral.status == ReferralStatus.NEW, Referral.due_at <= times.now()))


# rows


def tasks(session: Session, worklist: Worklist, show: Show, *, agent: str) -> tuple[list[TaskRow], bool]:
    """A page of the list's tasks and whether there are more: the most urgent first, then what is due first, then the oldest."""
    own = session.info["organization"]
    found = select(Task).where(*_open(own, asleep=show.asleep), _kind() == worklist.value)
    if show.team is not None:
        found = found.where(Task.team == show.team)
    if show.owner_id is not None:
        found = found.where(Task.owner_id == show.owner_id)
    if show.free:
        found = found.where(Task.owner_id.is_(None))
    urgency = case(BY_URGENCY, value=Task.priority)
    found = found.order_by(urgency, Task.due_at.is_(None), Task.due_at, Task.created_at, Task.id)
    rows = list(session.scalars(found.offset(show.page * PAGE).limit(PAGE + 1)))
    shown = task_rows(session, rows[:PAGE])
    _record(session, agent, worklist, (row.task.patient_id for row in shown))
    return shown, len(rows) > PAGE


def task_rows(session: Session, found: list[Task]) -> list[TaskRow]:
    """These tasks with what they are about. Not audited."""
    people = _people(session, {task.patient_id for task in found})
    visits = _visits(session, {task.appointment_id for task in found})
    messages = dead_letters.behind(session, found)
    return [
        TaskRow(task, people.get(task.patient_id or ""), visits.get(task.appointment_id or ""), messages.get(task.id))
        for task in found
    ]


def unconfirmed(session: Session, clinic: ClinicFile, *, agent: str) -> list[VisitRow]:
    """The visits of the coming days that a call may save: by the day, and within it the most minutes that are likely lost first.

    Where no-shows are not estimated here, by time.
    """
    own = session.info["organization"]
    found = list(session.scalars(select(Appointment).where(*_unconfirmed(own, clinic)).order_by(Appointment.start, Appointment.id)))
    today = times.to_wall(times.now(), clinic.zone).date()
    ranked: dict[str, no_show.Call] = {}
    if found and clinic.no_shows.estimate and no_show.current(session) is not None:
        for ahead in range(UNCONFIRMED_DAYS + 1):
            day = today + dt.timedelta(days=ahead)
            calls = no_show.whom_to_call(session, clinic, day=day, agent=agent, count=len(found))
            ranked |= {call.visit.id: call for call in calls}
    people = _people(session, {visit.patient_id for visit in found})
    place = {visit_id: number for number, visit_id in enumerate(ranked)}
    found.sort(key=lambda visit: (times.to_wall(_start(visit), clinic.zone).date(), place.get(visit.id, len(place))))
    _record(session, agent, Worklist.UNCONFIRMED, (visit.patient_id for visit in found))
    return [
        VisitRow(
            visit,
            people.get(visit.patient_id or ""),
            ranked[visit.id].risk if visit.id in ranked else None,
            ranked[visit.id].staff if visit.id in ranked else "",
        )
        for visit in found
    ]


def waitlist(session: Session, show: Show, *, agent: str) -> tuple[list[PlaceRow], bool]:
    """A page of those who wait, longest first, and whether there are more."""
    query = select(Appointment).where(*_WAITS).order_by(Appointment.created_at, Appointment.id)
    found = list(session.scalars(query.offset(show.page * PAGE).limit(PAGE + 1)))
    people = _people(session, {place.patient_id for place in found})
    ids = [place.id for place in found]
    number = dict(
        session.execute(
            select(WaitlistOffer.place_id, func.count()).where(WaitlistOffer.place_id.in_(ids)).group_by(WaitlistOffer.place_id)
        )
        .tuples()
        .all()
    )
    offered = dict(
        session.execute(
            select(WaitlistOffer.place_id, WaitlistOffer.hold_id).where(
                WaitlistOffer.place_id.in_(ids), WaitlistOffer.status == OfferStatus.OPEN
            )
        )
        .tuples()
        .all()
    )
    holds = _visits(session, set(offered.values()))
    _record(session, agent, Worklist.WAITLIST, people)
    rows = [
        PlaceRow(place, people[place.patient_id], holds.get(offered.get(place.id, "")), number.get(place.id, 0))
        for place in found[:PAGE]
        if place.patient_id in people
    ]
    return rows, len(found) > PAGE


def freed_times(session: Session) -> list[FreedTime]:
    """Times that came free and may still be offered to somebody who waits."""
    return freed.to_be_offered(session)


def referrals(session: Session, show: Show, *, agent: str, everything: bool = False) -> tuple[list[ReferralRow], bool]:
    """A page of the referrals that wait for the desk, or of all that go on, the longest due first; whether there are more."""
    query = select(Referral).where(Referral.status.not_in(OVER) if everything else _needs_the_desk())
    if show.team is not None:
        query = query.where(Referral.owner == show.team)
    found = list(session.scalars(query.order_by(Referral.due_at, Referral.id).offset(show.page * PAGE).limit(PAGE + 1)))
    people = _people(session, {one.patient_id for one in found})
    _record(session, agent, Worklist.REFERRALS, people)
    return [ReferralRow(one, people[one.patient_id]) for one in found[:PAGE]], len(found) > PAGE


def proposed_plans(session: Session, clinic: ClinicFile) -> list[PlanRow]:
    """Plans that wait for a scheduler's yes, and urgent ones whose patients have all agreed, the oldest first."""
    found = session.scalars(
        select(Plan).where(Plan.status.in_((PlanStatus.PROPOSED, PlanStatus.ASKING))).order_by(Plan.created_at, Plan.id)
    ).all()
    rows = [PlanRow(plan, tuple(plans.describe(session, clinic, plan)), plans.may_be_carried_out(session, plan)) for plan in found]
    return [row for row in rows if row.plan.status is PlanStatus.PROPOSED or row.may_carry_out]


def _people(session: Session, ids: Iterable[str | None]) -> dict[str, Patient]:
    """With their numbers in one query: for a list of pairs SQLite reads every number of the clinic."""
    found = select(Patient).where(Patient.id.in_({one for one in ids if one})).options(joinedload(Patient.phones))
    return {patient.id: patient for patient in session.scalars(found).unique()}


def _visits(session: Session, ids: Iterable[str | None]) -> dict[str, Appointment]:
    found = select(Appointment).where(Appointment.id.in_({one for one in ids if one}))
    return {visit.id: visit for visit in session.scalars(found)}


def _start(visit: Appointment) -> dt.datetime:
    assert visit.start, "a visit to come has a time"
    return visit.start


def _record(session: Session, agent: str, worklist: Worklist, patients: Iterable[str | None]) -> None:
    """One row for all the patients that a list shows."""
    shown = sorted({one for one in patients if one})
    audit.record(session, agent=agent, action="R", entity="Task", detail={"worklist": worklist, "patients": shown})
