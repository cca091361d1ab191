"""Two records of one person: what hangs on the one is moved to the other, and can be moved back exactly.

The record that goes stays as a shell that points at the one that is kept (FHIR: Patient.link, replaced-by). The audit trail is
sealed and stays where it was written; who reads a patient's trail reads that of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Table, and_, select, tuple_, update
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, names, patients, times
from scheduling_core.errors import NotFoundError, SchedulingError, WrongStateError
from scheduling_core.models import (
    Base,
    Coverage,
    CoverageStatus,
    Patient,
    PatientMerge,
    PatientPhone,
    Plan,
    PlanStatus,
    Sex,
    new_id,
    occupancy,
)

STAYS = frozenset({"patient", "patient_phone", "patient_key", "patient_merge", "audit_event", "broken_glass"})
"""Tables that name a patient and whose rows do not move; whoever may open one restricted record may not therefore open another."""
_PLANS_AHEAD = (PlanStatus.PROPOSED, PlanStatus.ASKING)
_FILLED_IN = ("email", "address", "language", "prefers")
_CHUNK = 500


class BothBusyError(SchedulingError):
    """Both records have a visit at the same time. Cancel or move one of the two visits, then merge."""

    code = "both-busy"


def likely_same(session: Session, patient: Patient, *, agent: str) -> list[Patient]:
    """Other active records that may be of this person: the name with the birth date, or with a number. They are shown, which is a
    read of each: one audit row for all of them."""
    found = {
        one.id: one for one in patients.known_by_name_and_birth_date(session, patient.given, patient.family, patient.birth_date)
    }
    for number in patient.phones:
        for one in patients.on_file(session, phone=number.phone):
            if names.alike(one.given, patient.given) and names.alike(one.family, patient.family):
                found[one.id] = one
    found.pop(patient.id, None)
    likely = sorted(found.values(), key=lambda one: (one.family, one.given, one.id))
    if likely:
        audit.record(session, agent=agent, action="R", entity="Patient", detail={"search": [one.id for one in likely]})
    return likely


def of_patient(session: Session, patient_id: str) -> list[PatientMerge]:
    """The merges into a record that are in force, the last first."""
    found = select(PatientMerge).where(PatientMerge.kept_id == patient_id, PatientMerge.undone_at.is_(None))
    return list(session.scalars(found.order_by(PatientMerge.created_at.desc(), PatientMerge.id)))


def all_ids(session: Session, patient_id: str) -> list[str]:
    """The record's id and those of all that were merged into it, directly or through others."""
    found, fresh = [patient_id], [patient_id]
    while fresh:
        fresh = list(session.scalars(select(Patient.id).where(Patient.merged_into.in_(fresh)).order_by(Patient.id)))
        found += fresh
    return found


def merge(session: Session, *, kept_id: str, merged_id: str, agent: str) -> PatientMerge:
    """Move all that refers to `merged_id` to `kept_id`, fill in what the kept record does not know, and close the other.

    Where both have an insurance of one rank the kept one's holds, and billing gets a task. Merging the same two again answers the
    same merge. Raises NotFoundError; WrongStateError for one record, or for one that was merged or closed already; BothBusyError.
    """
    if kept_id == merged_id:
        raise WrongStateError(f"Patient/{kept_id}")
    kept, merged = _locked(session, kept_id, merged_id)
    if merged.merged_into == kept_id:
        return next(one for one in of_patient(session, kept_id) if one.merged_id == merged_id)
    for one in (kept, merged):
        if one.merged_into is not None or not one.active:
            raise WrongStateError(f"Patient/{one.id}")
    _refuse_if_both_busy(session, kept_id, merged_id)
    session.flush()
    ended = _end_second_coverages(session, kept_id, merged_id)
    moved = {f"{table.name}.{column.name}": _move(session, table, column, merged_id, kept_id) for table, column in _references()}
    content: dict[str, Any] = {
        "moved": {name: keys for name, keys in moved.items() if keys},
        "ticks": _move_ticks(session, merged_id, kept_id),
        "plans": _rename_in_plans(session, merged_id, kept_id),
        "ended": ended,
        "filled": _fill_in(session, kept, merged),
    }
    session.expire_all()
    merged.active, merged.merged_into, merged.updated_at = False, kept_id, times.now()
    made = PatientMerge(
        id=new_id(), kept_id=kept_id, merged_id=merged_id, content=content, agent=agent, created_at=times.now(), undone_by=None
    )
    session.add(made)
    session.flush()
    _audit(session, made, agent, {"merged": merged_id, "into": kept_id, "rows": sum(len(keys) for keys in moved.values())})
    if ended:
        handoff.open_task(
            session,
            team="billing",
            reason="coverage-after-merge",
            description="Two records of this patient were merged, and each had an insurance. Please ask which one holds.",
            patient_id=kept_id,
            key=f"coverage-after-merge:{made.id}",
            agent=agent,
        )
    return made


def undo(session: Session, *, merge_id: str, agent: str) -> PatientMerge:
    """Move back what a merge moved, and take out what it filled in where nobody has changed it since; the other record opens again.

    What came to the kept record after the merge stays there. Undoing again changes nothing. Raises NotFoundError; WrongStateError
    while the kept record is itself merged into another: that merge goes first.
    """
    made = get(session, merge_id)
    kept, merged = _locked(session, made.kept_id, made.merged_id)
    session.refresh(made)
    if made.undone_at is not None:
        return made
    if kept.merged_into is not None:
        raise WrongStateError(f"Patient/{kept.id}")
    session.flush()
    content = made.content
    for table, column in _references():
        _move_back(session, table, column, content["moved"].get(f"{table.name}.{column.name}", []), kept.id, merged.id)
    _ticks_back(session, content["ticks"], kept.id, merged.id)
    _rename_in_plans(session, kept.id, merged.id, only=content["plans"])
    session.expire_all()
    for coverage in session.scalars(select(Coverage).where(Coverage.id.in_(content["ended"]))):
        coverage.status = CoverageStatus.ACTIVE
    _take_out(kept, content["filled"])
    merged.active, merged.merged_into, merged.updated_at = True, None, times.now()
    made.undone_at, made.undone_by = times.now(), agent
    session.flush()
    _audit(session, made, agent, {"unmerged": merged.id, "from": kept.id})
    return made


def get(session: Session, merge_id: str) -> PatientMerge:
    """Raises NotFoundError."""
    found = session.scalars(select(PatientMerge).where(PatientMerge.id == merge_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"PatientMerge/{merge_id}")
    return found


def _locked(session: Session, *ids: str) -> list[Patient]:
    """Both records, kept from others, in the order asked for; locked in the order of their ids. Raises NotFoundError."""
    rows = select(Patient).where(Patient.id.in_(ids)).order_by(Patient.id).with_for_update()
    by_id = {one.id: one for one in session.scalars(rows.execution_options(populate_existing=True))}
    return [by_id[one] if one in by_id else patients.get(session, one) for one in ids]


def _references() -> Iterator[tuple[Table, Column[Any]]]:
    """Every column that names a patient and moves with one: a new table needs no mention here."""
    for table in Base.metadata.sorted_tables:
        if table.name in STAYS:
            continue
        pointing = {key.column_keys[-1] for key in table.foreign_key_constraints if key.referred_table.name == "patient"}
        for column in table.columns:
            if column.name in pointing or column.name == "patient_id":
                yield table, column


def _key_columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.primary_key.columns if column.name != "organization_id"]


def _move(session: Session, table: Table, column: Column[Any], old: str, new: str) -> list[list[Any]]:
    """The keys of the rows that named the one and now name the other."""
    named = and_(table.c.organization_id == session.info["organization"], column == old)
    rows = session.connection().execute(update(table).where(named).values({column.name: new}).returning(*_key_columns(table)))
    return sorted([*row] for row in rows)


def _parts(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (keys[first : first + _CHUNK] for first in range(0, len(keys), _CHUNK))


def _move_back(session: Session, table: Table, column: Column[Any], keys: Sequence[list[Any]], old: str, new: str) -> None:
    columns = _key_columns(table)
    for some in _parts(keys):
        moved = and_(
            table.c.organization_id == session.info["organization"],
            tuple_(*columns).in_([tuple(key) for key in some]),
            column == old,
        )
        session.connection().execute(update(table).where(moved).values({column.name: new}))


# the time that visits take of the patient


def _refuse_if_both_busy(session: Session, kept_id: str, merged_id: str) -> None:
    one, other = occupancy.alias(), occupancy.alias()
    both = (
        select(one.c.appointment_id)
        .join(
            other,
            and_(
                other.c.organization_id == one.c.organization_id,
                other.c.tick == one.c.tick,
                other.c.lane == one.c.lane,
                other.c.actor == _actor(merged_id),
            ),
        )
        .where(one.c.organization_id == session.info["organization"], one.c.actor == _actor(kept_id))
    )
    if (busy := session.execute(both.order_by(one.c.tick).limit(1)).scalar()) is not None:
        raise BothBusyError(f"Appointment/{busy}")


def _actor(patient_id: str) -> str:
    return f"patient:{patient_id}"


def _move_ticks(session: Session, old: str, new: str) -> list[str]:
    """The ids of the visits that take the kept patient's time now."""
    named = and_(occupancy.c.organization_id == session.info["organization"], occupancy.c.actor == _actor(old))
    rows = session.connection().execute(
        update(occupancy).where(named).values(actor=_actor(new)).returning(occupancy.c.appointment_id)
    )
    return sorted(set(rows.scalars()))


def _ticks_back(session: Session, visits: Sequence[str], old: str, new: str) -> None:
    for some in _parts(visits):
        moved = and_(
            occupancy.c.organization_id == session.info["organization"],
            occupancy.c.actor == _actor(old),
            occupancy.c.appointment_id.in_(some),
        )
        session.connection().execute(update(occupancy).where(moved).values(actor=_actor(new)))


# what is more than a pointer


def _rename_in_plans(session: Session, old: str, new: str, *, only: Sequence[list[Any]] | None = None) -> list[list[Any]]:
    """Urgent plans that are not over name their patients in `need`: [plan, number] of those that were renamed."""
    renamed: list[list[Any]] = []
    for plan in session.scalars(select(Plan).where(Plan.status.in_(_PLANS_AHEAD)).order_by(Plan.id).with_for_update()):
        visits = [dict(visit) for visit in plan.need.get("visits", ())]
        for number, visit in enumerate(visits):
            if visit.get("patient_id") == old and (only is None or [plan.id, number] in only):
                visit["patient_id"] = new
                renamed.append([plan.id, number])
        if renamed and renamed[-1][0] == plan.id:
            plan.need = plan.need | {"visits": visits}
    session.flush()
    return renamed


def _end_second_coverages(session: Session, kept_id: str, merged_id: str) -> list[str]:
    """The other record's insurances where the kept one has one of the same rank: two cannot both pay first."""
    in_force = select(Coverage).where(Coverage.status == CoverageStatus.ACTIVE)
    kept = list(session.scalars(in_force.where(Coverage.patient_id == kept_id)))
    ended = []
    for one in session.scalars(in_force.where(Coverage.patient_id == merged_id).order_by(Coverage.id)):
        if any(one.rank == other.rank or one.self_pay or other.self_pay for other in kept):
            one.status = CoverageStatus.CANCELLED
            ended.append(one.id)
    session.flush()
    return ended


def _fill_in(session: Session, kept: Patient, merged: Patient) -> dict[str, Any]:
    """What the kept record takes from the other, as {name: {"old", "new"}}."""
    wanted: dict[str, Any] = {
        name: getattr(merged, name) for name in _FILLED_IN if not getattr(kept, name) and getattr(merged, name)
    }
    if kept.sex is Sex.UNKNOWN and merged.sex is not Sex.UNKNOWN:
        wanted["sex"] = merged.sex
    if more := [need for need in merged.needs if need not in kept.needs]:
        wanted["needs"] = [*kept.needs, *more]
    if kept.new and not merged.new:
        wanted["new"] = False
    if merged.restricted and not kept.restricted:
        wanted["restricted"] = True
    filled = {name: {"old": getattr(kept, name), "new": value} for name, value in wanted.items()}
    for name, value in wanted.items():
        setattr(kept, name, value)
    there = {number.phone for number in kept.phones}
    added = [number.phone for number in merged.phones if number.phone not in there]
    for phone in added:
        kept.phones.append(PatientPhone(phone=phone, rank=len(kept.phones) + 1))
    if added:
        filled["phones"] = {"new": added}
    kept.updated_at = times.now()
    session.flush()
    return filled


def _take_out(kept: Patient, filled: dict[str, Any]) -> None:
    for name, both in filled.items():
        if name == "phones":
            kept.phones = [number for number in kept.phones if number.phone not in both["new"]]
            for rank, number in enumerate(kept.phones, start=1):
                number.rank = rank
        elif getattr(kept, name) == both["new"]:
            setattr(kept, name, Sex(both["old"]) if name == "sex" else both["old"])
    kept.updated_at = times.now()


def _audit(session: Session, made: PatientMerge, agent: str, detail: dict[str, Any]) -> None:
    """In the trail of both records."""
    for patient_id in (made.kept_id, made.merged_id):
        audit.record(
            session,
            agent=agent,
            action="U",
            entity="Patient",
            entity_id=patient_id,
            patient_id=patient_id,
            detail=detail | {"merge": made.id},
        )
