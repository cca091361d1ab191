"""Whether the waitlist serves all alike: who waited, who was offered freed times, and what became of that, by group.

Only counts leave here. Differences are to be looked into, not proof of anything: wishes differ between groups as well.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from scheduling_core import patients, times, waitlist
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Channel,
    OfferStatus,
    OptOut,
    Patient,
    PatientPhone,
    WaitlistOffer,
)

_ENDED = (waitlist.FILLED, waitlist.LEFT, waitlist.OVER)


@dataclass(frozen=True)
class Line:
    """One group of places on the waitlist. `by`: age, language, channel or wait."""

    by: str
    group: str
    places: int
    asked: int  # places that were offered something
    offers: int
    accepted: int
    passed: int
    lapsed: int
    hours_to_offer: float | None  # from joining to the first offer, the median of those asked


@dataclass(frozen=True)
class _Place:
    id: str
    patient_id: str
    since: dt.datetime
    offers: list[WaitlistOffer]


def report(session: Session, clinic: ClinicFile, *, since: dt.datetime, until: dt.datetime) -> list[Line]:
    """The places that waited at some time between two instants and their offers in it, by age, language, channel and wait.

    `channel` is how we could write to the patient: only who gets texts is offered times. `wait` is how long somebody waited until
    the first offer, or until the end.
    """
    places = _places(session, since, until)
    people = {one.id: one for one in session.scalars(select(Patient).where(Patient.id.in_({one.patient_id for one in places})))}
    channels = _channels(session, people)
    today = times.to_wall(until, clinic.zone).date()
    groups: dict[tuple[str, str], list[_Place]] = defaultdict(list)
    for one in places:
        person = people[one.patient_id]
        groups["age", _age(patients.age_on(person.birth_date, today))].append(one)
        groups["language", person.language or "not known"].append(one)
        groups["channel", channels[person.id]].append(one)
        groups["wait", _wait((one.offers[0].created_at if one.offers else until) - one.since)].append(one)
    order = ("age", "language", "channel", "wait")
    return [_line(by, group, groups[by, group]) for by, group in sorted(groups, key=lambda key: (order.index(key[0]), key[1]))]


def _places(session: Session, since: dt.datetime, until: dt.datetime) -> list[_Place]:
    waited = select(Appointment.id, Appointment.patient_id, Appointment.created_at).where(
        Appointment.created_at < until,
        or_(
            Appointment.status == AppointmentStatus.WAITLIST,
            (Appointment.cancelled_reason.in_(_ENDED)) & (Appointment.updated_at >= since),
        ),
    )
    made = select(WaitlistOffer).where(WaitlistOffer.created_at >= since, WaitlistOffer.created_at < until)
    offers: dict[str, list[WaitlistOffer]] = defaultdict(list)
    for offer in session.scalars(made.order_by(WaitlistOffer.created_at, WaitlistOffer.id)):
        offers[offer.place_id].append(offer)
    return [
        _Place(place_id, patient_id, created_at, offers[place_id])
        for place_id, patient_id, created_at in session.execute(waited).tuples()
        if patient_id is not None
    ]


def _channels(session: Session, people: dict[str, Patient]) -> dict[str, str]:
    phones: dict[str, str] = {}
    found = select(PatientPhone.patient_id, PatientPhone.phone).where(PatientPhone.patient_id.in_(people))
    for patient_id, phone in session.execute(found.order_by(PatientPhone.rank.desc())).tuples():
        phones[patient_id] = phone  # the first one is written to
    ledger = select(OptOut.phone, OptOut.out).where(OptOut.channel == Channel.SMS, OptOut.phone.in_(set(phones.values())))
    no_texts = dict(session.execute(ledger.order_by(OptOut.sequence)).tuples().all())

    def channel(person: Patient) -> str:
        phone = phones.get(person.id)
        if phone is None:
            return "mail alone" if person.email else "none"
        return "wants no texts" if no_texts.get(phone) else "texts"

    return {one: channel(person) for one, person in people.items()}


def _age(years: int) -> str:
    return next(name for limit, name in ((18, "0-17"), (40, "18-39"), (65, "40-64"), (200, "65+")) if years < limit)


def _wait(wait: dt.timedelta) -> str:
    return next(
        name for days, name in ((7, "1: a week or less"), (28, "2: four weeks or less"), (10**6, "3: longer")) if wait.days < days
    )


def _line(by: str, group: str, places: Iterable[_Place]) -> Line:
    places = list(places)
    offers = [offer for one in places for offer in one.offers]
    hours = [(one.offers[0].created_at - one.since).total_seconds() / 3600 for one in places if one.offers]

    def count(status: OfferStatus) -> int:
        return sum(offer.status is status for offer in offers)

    return Line(
        by=by,
        group=group,
        places=len(places),
        asked=len(hours),
        offers=len(offers),
        accepted=count(OfferStatus.ACCEPTED),
        passed=count(OfferStatus.PASSED),
        lapsed=count(OfferStatus.LAPSED),
        hours_to_offer=statistics.median(hours) if hours else None,
    )
