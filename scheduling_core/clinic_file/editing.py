"""Changing the clinic away from its file: written out as a file would say it, read back with all its mistakes, and said beforehand
what it would do to the visits on the books.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import handoff, times
from scheduling_core.calendar import hours
from scheduling_core.clinic_file import loading, reading
from scheduling_core.clinic_file.loading import Changes
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import SchedulingError
from scheduling_core.models import LIVE, Appointment, AuditEvent, ClinicVersion

_NAME = Path("clinic.yml")
_WIDTH = 120


class EditedMeanwhileError(SchedulingError):
    """Somebody else changed the clinic meanwhile. Look at it again; what you wrote is still here."""

    code = "edited-meanwhile"


@dataclass(frozen=True)
class Proposal:
    """What would change: a sentence for each difference, and the future visits that would lie outside of anybody's hours."""

    clinic: ClinicFile
    sentences: tuple[str, ...]
    displaced: tuple[Appointment, ...]


def as_yaml(clinic: ClinicFile) -> str:
    """The clinic as a clinic file that reads to the same; what is as if left out is left out."""
    content = clinic.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=_WIDTH)


def version(session: Session) -> int:
    """The number of the clinic that holds now; 0 before the first."""
    newest = select(ClinicVersion.number).order_by(ClinicVersion.number.desc()).limit(1)
    return session.scalars(newest).one_or_none() or 0


def propose(session: Session, text: str) -> Proposal:
    """What this file would do in place of the present one; nothing is changed. Raises ClinicFileError with every mistake."""
    before, after = loading.current(session), reading.read_text(text, _NAME)
    return Proposal(after, tuple(loading.differences(before, after)), tuple(_displaced(session, before, after)))


def save(session: Session, text: str, *, base: int, agent: str) -> Changes:
    """Make this file the clinic that holds; each visit that it leaves outside of working hours becomes a task for the desk, once.

    `base` is the version that it was made from. Raises EditedMeanwhileError, ClinicFileError.
    """
    if version(session) != base:
        raise EditedMeanwhileError
    proposal = propose(session, text)
    changes = loading.load(session, proposal.clinic, agent=agent)
    for visit in proposal.displaced:
        assert visit.start is not None, "a live visit has a time"
        start = times.to_wall(visit.start, proposal.clinic.zone)
        handoff.open_task(
            session,
            team="desk",
            reason="visit-outside-hours",
            description=f"The hours have changed: the visit on {start:%Y-%m-%d at %H:%M} lies outside of them now. "
            "Please find the patient another time, or keep the visit as it is.",
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            key=f"visit-outside-hours:{visit.id}:{visit.sequence}",
            agent=agent,
        )
    return Changes(changes.sentences, changes.visits_for_staff + len(proposal.displaced))


def holds_edits_of(session: Session, clinic: ClinicFile) -> bool:
    """Whether this file was loaded before and staff have changed the clinic in the console since: a restart must not undo that."""
    newest = session.scalars(select(ClinicVersion).order_by(ClinicVersion.number.desc()).limit(1)).one_or_none()
    digest = loading.digest(clinic)
    if newest is None or newest.digest == digest:
        return False
    by = select(AuditEvent.agent).where(AuditEvent.entity == "ClinicVersion", AuditEvent.entity_id == str(newest.number))
    was_loaded = session.scalars(select(ClinicVersion.number).where(ClinicVersion.digest == digest).limit(1)).one_or_none()
    return was_loaded is not None and any(agent.startswith("staff:") for agent in session.scalars(by))


def history(session: Session, *, limit: int = 20) -> list[tuple[int, dt.datetime]]:
    """The versions, the newest first: number and when it was loaded."""
    found = select(ClinicVersion.number, ClinicVersion.loaded_at).order_by(ClinicVersion.number.desc()).limit(limit)
    return [(number, at) for number, at in session.execute(found).tuples()]


def of_version(session: Session, number: int) -> ClinicFile | None:
    """The clinic as it was; None where there was no such version."""
    content: dict[str, Any] | None = session.scalars(
        select(ClinicVersion.content).where(ClinicVersion.number == number)
    ).one_or_none()
    return None if content is None else ClinicFile.model_validate(content)


def _displaced(session: Session, before: ClinicFile, after: ClinicFile) -> Iterator[Appointment]:
    """Future visits that lie in somebody's hours by the present file and would not by the new one, the soonest first."""
    visits = select(Appointment).where(Appointment.status.in_(LIVE), Appointment.start > times.now()).order_by(Appointment.start)
    for visit in session.scalars(visits):
        if _lies_in_hours(before, visit) and not _lies_in_hours(after, visit):
            yield visit


def _lies_in_hours(clinic: ClinicFile, visit: Appointment) -> bool:
    if visit.location_id not in clinic.locations_by_id or visit.practitioner_id not in clinic.practitioners_by_id:
        return False
    assert visit.start is not None, "a live visit has a time"
    first, end = visit.first_tick or 0, visit.end_tick or 0
    day = times.to_wall(visit.start, clinic.zone_of(visit.location_id)).date()
    return any(
        stretch.location_id == visit.location_id and stretch.first <= first and end <= stretch.end
        for stretch in hours.hours_of(clinic).on(visit.practitioner_id, day)
    )
