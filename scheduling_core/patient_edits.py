"""Corrections that staff make to a patient, each against what they saw: the second of two editors sees the first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, coverage, mail_addresses, messaging, times
from scheduling_core.errors import NotFoundError, SchedulingError, UnfitError
from scheduling_core.models import AuditEvent, Channel, Coverage, OptOut, Patient, PatientPhone, Sex

FIELDS = ("given", "family", "birth_date", "sex", "email", "address", "language", "needs", "phones", "new")
LONGEST = {"given": 200, "family": 200, "email": 320, "address": 500, "language": 16}
_MOST_PHONES, _MOST_NEEDS, _LONGEST_NEED = 10, 20, 100


class ChangedMeanwhileError(SchedulingError):
    """Somebody else has changed this meanwhile. Look at both, then save again."""

    code = "changed-meanwhile"

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(", ".join(one.field for one in conflicts))
        self.conflicts = tuple(conflicts)


@dataclass(frozen=True)
class Conflict:
    """A field that was `seen` as one thing, is `now` another, and is `wanted` as a third. Who made it so, and when."""

    field: str
    seen: Any
    now: Any
    wanted: Any
    agent: str | None
    at: dt.datetime | None


@dataclass(frozen=True)
class Edit:
    """What one field was when the editor saw it, and what it is to be."""

    seen: Any
    wanted: Any


def values_of(patient: Patient) -> dict[str, Any]:
    """The fields that can be edited, as plain values: dates in ISO 8601, numbers in their order."""
    return {
        "given": patient.given,
        "family": patient.family,
        "birth_date": patient.birth_date.isoformat(),
        "sex": patient.sex.value,
        "email": patient.email or "",
        "address": patient.address or "",
        "language": patient.language or "",
        "needs": list(patient.needs),
        "phones": [number.phone for number in patient.phones],
        "new": patient.new,
    }


def change(session: Session, *, patient_id: str, edits: Mapping[str, Edit], agent: str) -> Patient:
    """Set the fields whose wanted value is not what was seen; the others stay as they are now, whoever wrote them.

    Values as `values_of` gives them. The audit keeps old and new. Raises NotFoundError, UnfitError; ChangedMeanwhileError when
    somebody has written one of these fields since it was seen: nothing is kept then.
    """
    locked = select(Patient).where(Patient.id == patient_id).with_for_update().execution_options(populate_existing=True)
    patient = session.scalars(locked).one_or_none()
    if patient is None:
        raise NotFoundError(f"Patient/{patient_id}")
    session.refresh(patient, ["phones"])
    now = values_of(patient)
    wanted = {name: edit for name, edit in edits.items() if edit.wanted != edit.seen and edit.wanted != now[name]}
    stale = [name for name, edit in wanted.items() if edit.seen != now[name]]
    if stale:
        raise ChangedMeanwhileError(
            [_conflict(session, patient_id, name, wanted[name].seen, now[name], wanted[name].wanted) for name in stale]
        )
    for name, edit in wanted.items():
        refuse_unfit(name, edit.wanted)
    for name, edit in wanted.items():
        _set(patient, name, edit.wanted)
    if wanted:
        patient.updated_at = times.now()
        session.flush()
        audit.record(
            session,
            agent=agent,
            action="U",
            entity="Patient",
            entity_id=patient.id,
            patient_id=patient.id,
            detail={name: {"old": now[name], "new": edit.wanted} for name, edit in wanted.items()},
        )
    return patient


def refuse_unfit(name: str, value: Any) -> None:
    """Raises UnfitError for what no record may hold; `why` is a stable word."""
    if name in ("given", "family") and not value:
        raise UnfitError(name, "empty")
    if name in LONGEST and len(value) > LONGEST[name]:
        raise UnfitError(name, "too-long")
    if name == "sex" and value not in list(Sex):
        raise UnfitError(name, "unknown")
    if name == "birth_date":
        _refuse_no_birth_date(value)
    if name == "phones" and (len(value) > _MOST_PHONES or len(set(value)) < len(value)):
        raise UnfitError(name, "too-many")
    if name == "needs" and (len(value) > _MOST_NEEDS or any(len(need) > _LONGEST_NEED for need in value)):
        raise UnfitError(name, "too-long")
    if name == "email" and value and not mail_addresses.is_one(value):
        raise UnfitError(name, "no-address")


def _refuse_no_birth_date(value: str) -> None:
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        raise UnfitError("birth_date", "no-date") from None
    if not dt.date(1880, 1, 1) <= day <= times.now().date() + dt.timedelta(days=1):
        raise UnfitError("birth_date", "no-date")


def _set(patient: Patient, name: str, value: Any) -> None:
    match name:
        case "birth_date":
            patient.birth_date = dt.date.fromisoformat(value)
        case "sex":
            patient.sex = Sex(value)
        case "phones":
            there = {number.phone: number for number in patient.phones}
            patient.phones = [there.get(phone) or PatientPhone(phone=phone) for phone in value]
            for rank, number in enumerate(patient.phones, start=1):
                number.rank = rank
        case "email" | "address" | "language":
            setattr(patient, name, value or None)
        case _:
            setattr(patient, name, value)


def _conflict(session: Session, patient_id: str, name: str, seen: Any, now: Any, wanted: Any) -> Conflict:
    rows = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.patient_id == patient_id, AuditEvent.entity == "Patient", AuditEvent.action == "U")
        .order_by(AuditEvent.sequence.desc())
        .limit(50)
    )
    last = next((row for row in rows if name in row.detail), None)
    return Conflict(name, seen, now, wanted, last.agent if last else None, last.at if last else None)


# consent


@dataclass(frozen=True)
class Consent:
    """Whether a number or an address may be written to or called, by the ledger's last word."""

    channel: Channel
    address: str
    out: bool
    source: str | None
    at: dt.datetime | None


def consents(session: Session, patient: Patient) -> list[Consent]:
    """The last word of each number and address of a patient for each channel; a number that never said anything may be used."""
    ways = [(channel, number.phone) for number in patient.phones for channel in (Channel.SMS, Channel.VOICE)]
    if patient.email:
        ways.append((Channel.EMAIL, patient.email))
    rows = session.scalars(select(OptOut).where(OptOut.phone.in_([address for _, address in ways])).order_by(OptOut.sequence))
    last = {(row.channel, row.phone): row for row in rows}
    return [
        Consent(channel, address, row.out if row else False, row.source if row else None, row.at if row else None)
        for channel, address in ways
        for row in [last.get((channel, address))]
    ]


def set_consent(session: Session, patient: Patient, *, channel: Channel, address: str, out: bool, seen: bool, agent: str) -> None:
    """Write what a patient told staff about being written to. It holds for the number, whoever else has it.

    Raises NotFoundError for an address that is not the patient's; ChangedMeanwhileError when the ledger is not as it was `seen`.
    """
    known = next((one for one in consents(session, patient) if (one.channel, one.address) == (channel, address)), None)
    if known is None:
        raise NotFoundError("OptOut")
    if known.out == out:
        return
    if known.out != seen:
        raise ChangedMeanwhileError([Conflict("consent", seen, known.out, out, known.source, known.at)])
    messaging.record_opt_out(session, address, out=out, source="staff", channel=channel)
    audit.record(
        session,
        agent=agent,
        action="U",
        entity="Consent",
        entity_id=patient.id,
        patient_id=patient.id,
        detail={"channel": channel, "out": {"old": known.out, "new": out}},
    )


# coverage

COVERAGE_FIELDS = (
    "subscriber_id",
    "group_number",
    "relationship",
    "subscriber_given",
    "subscriber_family",
    "subscriber_birth_date",
)


def coverage_values(one: Coverage) -> dict[str, str]:
    """The fields of a coverage that can be corrected, as plain text."""
    found = {name: getattr(one, name) for name in COVERAGE_FIELDS}
    return {name: value.isoformat() if isinstance(value, dt.date) else value or "" for name, value in found.items()}


def change_coverage(session: Session, *, coverage_id: str, edits: Mapping[str, Edit], agent: str) -> Coverage:
    """As `change`, of a coverage; its payer is asked again. Raises NotFoundError, UnfitError, ChangedMeanwhileError."""
    locked = select(Coverage).where(Coverage.id == coverage_id).with_for_update().execution_options(populate_existing=True)
    one = session.scalars(locked).one_or_none()
    if one is None:
        raise NotFoundError(f"Coverage/{coverage_id}")
    now = coverage_values(one)
    wanted = {name: edit for name, edit in edits.items() if edit.wanted != edit.seen and edit.wanted != now[name]}
    stale = [
        Conflict(name, edit.seen, now[name], edit.wanted, None, None) for name, edit in wanted.items() if edit.seen != now[name]
    ]
    if stale:
        raise ChangedMeanwhileError(stale)
    values = {name: coverage_value(name, edit.wanted) for name, edit in wanted.items()}
    return coverage.change(session, coverage_id=coverage_id, agent=agent, **values)


def coverage_value(name: str, text: str) -> Any:
    """What is kept of a typed field of a coverage. Raises UnfitError."""
    if len(text) > (200 if name in ("subscriber_given", "subscriber_family") else 80):
        raise UnfitError(name, "too-long")
    if name == "subscriber_birth_date" and text:
        _refuse_no_birth_date(text)
        return dt.date.fromisoformat(text)
    if name == "relationship" and text not in coverage.RELATIONSHIPS:
        raise UnfitError(name, "unknown")
    return text or None
