"""Holding and booking visits that follow each other (`calendar.chains` finds them): all of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from scheduling_core import booking, idempotency
from scheduling_core.calendar.chains import Chain
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import TimeTakenError
from scheduling_core.models import Appointment


@dataclass(frozen=True)
class Link:
    """One visit of a chain that is to be booked: whose it is, and its time: on hold, or given directly."""

    patient_id: str
    hold_id: str | None = None
    time: FreeTime | None = None


def hold_all(
    session: Session,
    clinic: ClinicFile,
    *,
    chains: Sequence[Chain],
    held_for: str,
    patient_id: str | None = None,
    agent: str,
    key: str,
) -> list[list[Appointment]]:
    """Keep several chains for a conversation while somebody chooses: the holds of each that could be kept whole.

    The holds of a chain stand in the order of its requests. A chain of which somebody took a time meanwhile is left out, and what
    the conversation had on hold beside these is let go with it. `patient_id` is whose all the visits are; None for several people:
    each is claimed for at booking. The same key again answers the same holds. Raises NotFoundError.
    """
    held = booking.hold_all(
        session,
        clinic,
        free_times=[time for chain in chains for time in chain.times],
        held_for=held_for,
        patient_id=patient_id,
        agent=agent,
        key=key,
    )
    by_time = {(one.practitioner_id, one.start): one for one in held}
    found = [[by_time.get((time.practitioner_id, time.start)) for time in chain.times] for chain in chains]
    whole = [[one for one in links if one] for links in found if all(links)]
    if len(whole) < len(chains):
        booking.release(session, held_for=held_for, keep={one.id for links in whole for one in links}, agent=agent)
    return whole


def book(session: Session, clinic: ClinicFile, *, links: Sequence[Link], held_for: str, agent: str, key: str) -> list[Appointment]:
    """Put all visits of a chain on the books, or none of them: the appointments in the order of the links.

    Times that are given directly are put on hold first, all in one claim. The same key again answers the same appointments and does
    nothing. Raises as `booking.book` does, for the first visit that cannot be booked.
    """
    with session.begin_nested():
        holds = {number: link.hold_id for number, link in enumerate(links)}
        direct = {number: link.time for number, link in enumerate(links) if link.time}
        if direct and not idempotency.is_done(session, f"{key}:0"):
            held = booking.hold_all(
                session, clinic, free_times=list(direct.values()), held_for=held_for, agent=agent, key=f"{key}:hold"
            )
            if len(held) < len(direct):
                raise TimeTakenError(key)
            holds |= dict(zip(direct, (one.id for one in held), strict=True))
        made: dict[int, Appointment] = {}
        # in one order for all who book: the ticks of patients are claimed person by person
        for number in sorted(range(len(links)), key=lambda one: (links[one].patient_id, holds[one] or "")):
            made[number] = booking.book(
                session,
                clinic,
                patient_id=links[number].patient_id,
                hold_id=holds[number],
                agent=agent,
                key=f"{key}:{number}",
            )
    return [made[number] for number in range(len(links))]
