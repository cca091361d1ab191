"""Bringing the database in line with a clinic file, and the clinic that holds now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, times
from scheduling_core.clinic_file.schema import ClinicFile, StaffPart
from scheduling_core.errors import SchedulingError
from scheduling_core.models import (
    LIVE,
    Appointment,
    ClinicVersion,
    HealthcareService,
    Location,
    Payer,
    Practitioner,
    Role,
    StaffAccount,
    new_id,
)

_Item = Practitioner | Location | HealthcareService | Payer
_TABLES: dict[str, type[Practitioner] | type[Location] | type[HealthcareService] | type[Payer]] = {
    "locations": Location,
    "services": HealthcareService,
    "practitioners": Practitioner,
    "payers": Payer,
}
# What visits name, the column that names it, and the reason of the task when it leaves with visits on the books.
_LEAVERS = {
    "practitioners": (Appointment.practitioner_id, "practitioner-left"),
    "locations": (Appointment.location_id, "location-left"),
    "services": (Appointment.service_id, "service-left"),
}
_SINGULAR = {
    "locations": "location",
    "services": "service",
    "practitioners": "practitioner",
    "payers": "payer",
    "referral_partners": "referral partner",
}


class NotLoadedError(SchedulingError):
    """No clinic file has been loaded yet."""

    code = "not-loaded"


@dataclass(frozen=True)
class Changes:
    """What a load changed, a sentence each, and how many visits became tasks for staff. Empty: nothing."""

    sentences: tuple[str, ...] = ()
    visits_for_staff: int = 0

    def __bool__(self) -> bool:
        return bool(self.sentences)


def load(session: Session, clinic: ClinicFile, *, agent: str) -> Changes:
    """Make this file the clinic that holds, and say what that changed. The same file again changes nothing.

    Patients and visits stay as they are. Who or what left the file is kept as inactive, and each future visit with it becomes a
    task for the desk, once.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE clinic_version IN EXCLUSIVE MODE"))  # loads queue; readers go on
    content, wanted = _content(clinic), digest(clinic)
    latest = session.scalars(select(ClinicVersion).order_by(ClinicVersion.number.desc()).limit(1)).one_or_none()
    if latest is not None and latest.digest == wanted:
        return Changes()
    number = latest.number + 1 if latest else 1
    session.add(ClinicVersion(number=number, digest=wanted, content=content, loaded_at=times.now()))
    tasks = 0
    for section, table in _TABLES.items():
        left = _keep_rows(session, table, {part["id"]: part["name"] for part in content[section]})
        if section in _LEAVERS:
            tasks += sum(_task_for_each_visit(session, section, item, clinic) for item in left)
    _keep_staff(session, clinic.staff, latest.content.get("staff", []) if latest else [])
    sentences = tuple(_differences(latest.content, content)) if latest else (_summary(content),)
    audit.record(
        session,
        agent=agent,
        action="E",
        entity="ClinicVersion",
        entity_id=str(number),
        detail={"changes": list(sentences), "tasks": tasks},
    )
    session.flush()
    return Changes(sentences, tasks)


def digest(clinic: ClinicFile) -> str:
    """The SHA-256 of what a clinic file says, however it is written."""
    return hashlib.sha256(json.dumps(_content(clinic), sort_keys=True).encode()).hexdigest()


def _content(clinic: ClinicFile) -> dict[str, Any]:
    return clinic.model_dump(mode="json", by_alias=True)


def current(session: Session) -> ClinicFile:
    """The clinic that holds now: one small query; the parsed file is kept in the process. Raises NotLoadedError."""
    latest = session.execute(
        select(ClinicVersion.number, ClinicVersion.digest).order_by(ClinicVersion.number.desc()).limit(1)
    ).one_or_none()
    if latest is None:
        raise NotLoadedError
    return _parsed.get(latest.digest) or _parse(session, latest.number, latest.digest)


_parsed: dict[str, ClinicFile] = {}
_PARSED_KEPT = 8


def _parse(session: Session, number: int, digest: str) -> ClinicFile:
    content = session.scalars(select(ClinicVersion.content).where(ClinicVersion.number == number)).one()
    clinic = ClinicFile.model_validate(content)
    while len(_parsed) >= _PARSED_KEPT:
        _parsed.pop(next(iter(_parsed)), None)
    _parsed[digest] = clinic
    return clinic


def _keep_rows(
    session: Session, table: type[Practitioner] | type[Location] | type[HealthcareService] | type[Payer], wanted: Mapping[str, str]
) -> list[_Item]:
    """One row for each id of the file; answers the rows that left it just now."""
    found: Iterable[_Item] = session.scalars(select(table))
    rows = {row.id: row for row in found}
    for item_id, name in wanted.items():
        if row := rows.get(item_id):
            row.name, row.active = name, True
        else:
            session.add(table(id=item_id, name=name, active=True))
    left = [row for row in rows.values() if row.id not in wanted and row.active]
    for row in left:
        row.active = False
    return left


def _task_for_each_visit(session: Session, section: str, left: _Item, clinic: ClinicFile) -> int:
    column, reason = _LEAVERS[section]
    visits = session.scalars(
        select(Appointment)
        .where(column == left.id, Appointment.status.in_(LIVE), Appointment.end > times.now())
        .order_by(Appointment.start)
    ).all()
    for visit in visits:
        start = visit.start
        assert start is not None, "a live visit has a time"
        handoff.open_task(
            session,
            team="desk",
            reason=reason,
            description=f"{left.name} is no longer in the clinic file, but has a visit on "
            f"{times.to_wall(start, clinic.zone):%Y-%m-%d at %H:%M}. "
            "Please find the patient another time or practitioner, or keep the visit as it is.",
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            key=f"{reason}:{visit.id}",
            agent="load",
        )
    return len(visits)


def _keep_staff(session: Session, wanted: Sequence[StaffPart], before: Sequence[Mapping[str, Any]]) -> None:
    """Accounts follow the file where it changed. Who was added by hand stays; who left the file may no longer sign in."""
    accounts = {account.email: account for account in session.scalars(select(StaffAccount))}
    said_before = {part["email"].lower(): part for part in before}
    for part in wanted:
        email = part.email.lower()
        account = accounts.get(email)
        if account is None:
            session.add(
                StaffAccount(id=new_id(), email=email, name=part.name, role=Role(part.role), active=True, created_at=times.now())
            )
        elif said_before.get(email) != part.model_dump(mode="json"):
            account.name, account.role, account.active = part.name, Role(part.role), True
    for email in said_before.keys() - {part.email.lower() for part in wanted}:
        if email in accounts:
            accounts[email].active = False


def _summary(content: Mapping[str, Any]) -> str:
    counts = ", ".join(
        f"{len(content[section])} {name if len(content[section]) == 1 else section}"
        for section, name in _SINGULAR.items()
        if section in _TABLES
    )
    return f"Loaded {content['clinic']['name']} for the first time: {counts}."


def differences(before: ClinicFile, after: ClinicFile) -> Iterator[str]:
    """A sentence for each change, in the order of the file."""
    return _differences(_content(before), _content(after))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each change, in the order of the file."""
    for section in new:
        before, after = old.get(section), new[section]
        if before == after:
            continue
        if section in _SINGULAR and before is not None:
            yield from _list_differences(_SINGULAR[section], before, after)
        elif isinstance(before, dict) and isinstance(after, dict):
            for key in sorted(before.keys() | after.keys()):
                if before.get(key) != after.get(key):
                    yield f"{section}.{key} was {_say(before.get(key))}, is now {_say(after.get(key))}."
        else:
            yield f"{section} changed."


def _list_differences(name: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    old, new = {part["id"]: part for part in before}, {part["id"]: part for part in after}
    for item_id in (item_id for item_id in new if item_id not in old):
        yield f"{name} {item_id} ({new[item_id]['name']}) is new."
    for item_id in (item_id for item_id in old if item_id not in new):
        yield f"{name} {item_id} ({old[item_id]['name']}) is no longer in the file."
    for item_id, part in new.items():
        if item_id in old and (keys := [key for key in part if part[key] != old[item_id].get(key)]):
            yield f"{name} {item_id}: {', '.join(keys)} changed."
    if old == new:
        yield f"The order of {name}s changed."


def _say(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
