"""Times that came free, and who is offered them.

A visit that is given up, or a block that is released, leaves a row of `freed_time`. The workers offer it to one place on the
waitlist after the other, or keep a few asked at once, until it is taken, nobody is left, or it is too soon.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, repeat
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, ColumnElement, Executable, bindparam, exists, select, text
from sqlalchemy.orm import Session

from scheduling_core import audit, booking, idempotency, messaging, patients, sending, times, visits, waitlist
from scheduling_core.calendar import hours, rules, search, ticks
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ClinicFile, ServicePart
from scheduling_core.errors import NotBookableError, NotFoundError, TimeTakenError
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    FreedTime,
    Mode,
    OfferStatus,
    Patient,
    UtcDateTime,
    WaitlistOffer,
    new_id,
)
from scheduling_core.waitlist import Place

_A_DAY, _A_MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Waiting:
    """A place in line for a freed time, as far as ranking needs."""

    place: Place
    service: ServicePart
    fills: float  # the part of the freed time that the visit would use, 0 to 1

    def why(self, zone: ZoneInfo) -> str:
        """Why it stands where it does in the line, for staff: need, spread, fit and wait, in the order in which they count."""
        offers = self.place.offers_today
        asked = f"asked {offers} times" if offers > 1 else "asked once" if offers else "not asked"
        uses = "all" if self.fills >= 1 else f"{round(100 * self.fills)}%"
        since = times.to_wall(self.place.created_at, zone)
        return (
            f"{'An urgent visit' if self.service.urgency == 'urgent' else 'A routine visit'}; {asked} in the last day; "
            f"uses {uses} of the time; waits since {since:%B} {since.day}, {since:%-I:%M %p}."
        )


@dataclass(frozen=True)
class Candidate:
    """Who can take a freed time, and the start that suits."""

    waiting: Waiting
    patient: Patient
    phone: str
    time: FreeTime

    @property
    def place(self) -> Place:
        return self.waiting.place


def to_be_offered(session: Session) -> list[FreedTime]:
    """The freed times that somebody may still be offered, by start."""
    found = select(FreedTime).where(FreedTime.next_look_at.is_not(None), FreedTime.start > times.now())
    return list(session.scalars(found.order_by(FreedTime.start, FreedTime.id)))


def best_for(session: Session, clinic: ClinicFile, freed: FreedTime, *, count: int, agent: str) -> list[Candidate]:
    """Who on the waitlist can take a freed time now, the best first (see `rank`), for staff to see: each is a look at a patient."""
    found = list(islice(_candidates(session, clinic, freed, line_for(session, clinic, freed)), count))
    for one in found:
        detail = {"for": "waitlist", "freed": freed.id}
        audit.record(
            session, agent=agent, action="R", entity="Appointment", entity_id=one.place.id, patient_id=one.patient.id, detail=detail
        )
    return found


def rank(one: Waiting) -> tuple[bool, int, float, dt.datetime, str]:
    """The smaller the better: need (an urgent service), who was not asked today already, who fills the time, who waits longest."""
    return one.service.urgency != "urgent", one.place.offers_today, -round(one.fills, 1), one.place.created_at, one.place.id


def line_for(session: Session, clinic: ClinicFile, freed: FreedTime, apart_from: Collection[str] = ()) -> Iterator[Waiting]:
    """Who was waiting for such a time when it came free, the best first; whether it is free still is not looked at.

    Places are read as they are asked for, a few at a time, in the order of an index: who has the best place is known before the
    other thousands are read. `apart_from`: places that are not asked.
    """
    practitioner = clinic.practitioners_by_id.get(freed.practitioner_id)
    services = [clinic.services_by_id[one] for one in practitioner.services] if practitioner else []
    may_take = _Fit(clinic, freed, apart_from)
    for urgent in (True, False):
        levels: dict[float, list[str]] = {}
        for service in services:
            if (service.urgency == "urgent") == urgent:
                levels.setdefault(-round(_fills(service, freed), 1), []).append(service.id)
        asked_today: list[Waiting] = []
        for level in sorted(levels):
            for place in filter(may_take, _by_wait(session, freed, levels[level])):
                service = clinic.services_by_id[place.service_id]
                one = Waiting(place, service, _fills(service, freed))
                if place.offers_today:
                    asked_today.append(one)
                else:
                    yield one
        yield from sorted(asked_today, key=rank)


class _Fit:
    """Whether a place could take a freed time, as far as can be told without the calendar."""

    def __init__(self, clinic: ClinicFile, freed: FreedTime, apart_from: Collection[str]) -> None:
        self.freed, self.apart_from = freed, apart_from
        self.day = times.to_wall(freed.start, clinic.zone).date()
        longest = max(sum(hours.lengths(service)) for service in clinic.services)
        starts = (ticks.instant_of(tick) for tick in range(freed.first_tick - longest, freed.end_tick))
        self.clock = [times.to_wall(start, clinic.zone).time() for start in starts]

    def __call__(self, place: Place) -> bool:
        if place.id in self.apart_from or place.patient_id in (None, self.freed.given_up_by):
            return False
        wanted, wish = (place.wish or {}).get("practitioners"), TimeWish.from_json(place.wish)
        if (wanted and self.freed.practitioner_id not in wanted) or not wish.allows_day(self.day):
            return False
        return not wish.names_hours or any(map(wish.allows_time, self.clock))


def _fills(service: ServicePart, freed: FreedTime) -> float:
    return min(1.0, sum(hours.lengths(service)) / (freed.end_tick - freed.first_tick))


def _by_wait(session: Session, freed: FreedTime, services: list[str]) -> Iterator[Place]:
    """The places for these services that could be for this practitioner, who waits longest first, in chunks that grow."""
    which: dict[str, Any] = {f"service_{place}": service for place, service in enumerate(services)}
    which |= {"organization": session.info["organization"], "practitioner": freed.practitioner_id, "freed_at": freed.freed_at}
    which |= {"yesterday": times.now() - _A_DAY, "since": _LONG_AGO, "last": ""}
    for number in _CHUNKS:
        rows = session.connection().execute(_next_places(len(services)), which | {"number": number})
        found = sorted((Place(*row) for row in rows), key=lambda place: (place.created_at, place.id))
        yield from found[:number]  # beyond that a service may have others before
        if len(found) < number:
            return
        which |= {"since": found[number - 1].created_at, "last": found[number - 1].id}


_CHUNKS = (8, 64, *repeat(512, 10_000))  # places read at once


@cache
def _next_places(services: int) -> Executable:
    """The next few places of each service. Written out, and the status as a literal: both engines see that the partial index holds
    every row wanted, in this order.
    """
    each = [
        f"""SELECT * FROM (
            SELECT id, service_id, patient_id, location_id, wish, created_at,
                (SELECT count(*) FROM waitlist_offer AS offer WHERE offer.organization_id = :organization
                 AND offer.place_id = appointment.id AND offer.created_at > :yesterday) AS offers_today
            FROM appointment
            WHERE status = 'waitlist' AND organization_id = :organization AND service_id = :service_{number}
                AND (practitioner_id IS NULL OR practitioner_id = :practitioner)
                AND created_at <= :freed_at AND (created_at, id) > (:since, :last)
            ORDER BY created_at, id LIMIT :number
        ) AS line_{number}"""
        for number in range(services)
    ]
    instants = [bindparam(name, type_=UtcDateTime()) for name in ("freed_at", "since", "yesterday")]
    return text(" UNION ALL ".join(each)).bindparams(*instants).columns(wish=JSON, created_at=UtcDateTime())


def _candidates(
    session: Session, clinic: ClinicFile, freed: FreedTime, line: Iterable[Waiting], held: str | None = None
) -> Iterator[Candidate]:
    """Those of the line who can take what is free of the time now, or is kept by the hold `held`. The calendar is asked once a
    service before it is asked anew for a patient: a time that is gone must not be looked up for each of thousands.
    """
    known: dict[tuple[str, Mode | None], list[FreeTime]] = {}
    for one in line:
        request, wish = waitlist.wish_of(one.place)
        if request.moving is None:
            kind = one.service.id, request.mode
            if kind not in known:
                anybody = Request(one.service.id, mode=request.mode)
                known[kind] = _free_in(session, clinic, freed, one.service, anybody, TimeWish(), held)
            if not any(wish.allows(times.to_wall(time.start, clinic.zone_of(time.location_id))) for time in known[kind]):
                continue
        patient = patients.get(session, one.place.patient_id or "")
        phone = sending.first_phone(patient)
        if phone is None or not patient.active or _has_such_a_visit(session, clinic, one.place, wish):
            continue
        fitting = _free_in(session, clinic, freed, one.service, request, wish, held)
        if fitting:  # the start that uses most of the freed time, the one nearest to its start
            yield Candidate(one, patient, phone, min(fitting, key=lambda it: (-_overlap(it, freed), abs(it.start - freed.start))))


def _free_in(
    session: Session,
    clinic: ClinicFile,
    freed: FreedTime,
    service: ServicePart,
    request: Request,
    wish: TimeWish,
    held: str | None,
) -> list[FreeTime]:
    """The free starts of a visit that would use some of the freed time; what the hold `held` keeps is free."""
    soonest = times.now() + dt.timedelta(hours=clinic.waitlist.min_notice_hours)
    earliest = max(ticks.instant_of(freed.first_tick - sum(hours.lengths(service))), soonest)
    request = replace(request, practitioners=(freed.practitioner_id,))
    try:
        if held and rules.ask(session, clinic, request).refusal:
            return []
        wanted = replace(request, moving=held) if held else request
        free = search.find(session, clinic, wanted, start=earliest, end=ticks.instant_of(freed.end_tick), wish=wish)
    except NotFoundError:  # of the visit that was to be moved
        return []
    return [replace(time, moving=request.moving) for time in free if _overlap(time, freed) > 0]


def _overlap(time: FreeTime, freed: FreedTime) -> int:
    return min(time.end_tick, freed.end_tick) - max(time.first_tick, freed.first_tick)


def _has_such_a_visit(session: Session, clinic: ClinicFile, place: Place, wish: TimeWish) -> bool:
    """Whether the patient has found a visit like this meanwhile, in another way."""
    moving = (place.wish or {}).get("moving")
    return any(
        visit.service_id == place.service_id
        and visit.id != moving
        and visit.start is not None
        and wish.allows(times.to_wall(visit.start, clinic.zone))
        for visit in booking.upcoming(session, patient_id=place.patient_id or "")
    )


def any_to_offer(session: Session) -> bool:
    """Whether `offer_freed` has something to do: one look at an index."""
    return bool(session.scalar(select(exists().where(*_to_look_at(session)))))


def offer_freed(session: Session, clinic: ClinicFile, *, agent: str = "worker") -> bool:
    """One step for one freed time, the one that came free last: end its offers that nobody answered, or make the next ones.

    False when there is nothing to do; call it again, in another transaction, until then. Nobody is written to in quiet hours: the
    time is offered when they end. What is sooner than `min_notice_hours` is not offered any more.
    """
    freed = session.scalars(
        select(FreedTime)
        .where(*_to_look_at(session))
        .order_by(FreedTime.freed_at.desc(), FreedTime.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if freed is None:
        return False
    freed.next_look_at = _step(session, clinic, freed, agent)
    session.flush()
    return True


def _to_look_at(session: Session) -> tuple[ColumnElement[bool], ...]:
    return FreedTime.organization_id == session.info["organization"], FreedTime.next_look_at <= times.now()


def _step(session: Session, clinic: ClinicFile, freed: FreedTime, agent: str) -> dt.datetime | None:
    """Move a locked freed time on; when to look at it again."""
    now = times.now()
    offers = waitlist.open_offers(session, WaitlistOffer.freed_id == freed.id)
    over = [one for one in offers if one.expires_at <= now or not _waits(session, one.place_id)]
    if over:
        for offer in over:
            waitlist.end_offer(session, offer, OfferStatus.LAPSED, agent)
        return now  # the hold is given up in a transaction of its own: whoever claims in the same one may deadlock
    ends = min((offer.expires_at for offer in offers), default=None)
    is_too_soon = freed.start - now < dt.timedelta(hours=clinic.waitlist.min_notice_hours)
    if is_too_soon or len(offers) >= clinic.waitlist.offer_at_once:
        return ends
    asked = session.scalars(select(WaitlistOffer.place_id).where(WaitlistOffer.freed_id == freed.id)).all()
    line = line_for(session, clinic, freed, asked)
    if offers:
        _ask_more(session, clinic, freed, offers, line, now)
        return ends
    return _offer(session, clinic, freed, line, now, agent)


def _offer(
    session: Session, clinic: ClinicFile, freed: FreedTime, line: Iterator[Waiting], now: dt.datetime, agent: str
) -> dt.datetime | None:
    """Make as many offers as go out at once; when to look at the freed time again."""
    chosen: list[Candidate] = []
    later: list[dt.datetime] = []
    for candidate in _candidates(session, clinic, freed, line):
        if messaging.opted_out(session, candidate.phone):
            continue
        if until := _not_before(session, clinic, candidate, now):
            later.append(until)
        elif not chosen or _may_share(session, candidate, _to_hold(session, chosen[0].time), {one.phone for one in chosen}):
            chosen.append(candidate)
        if len(chosen) == clinic.waitlist.offer_at_once:
            break
    if not chosen:
        return min([*later, *_ends_of_holds(session, freed, now)], default=None)
    expires = now + dt.timedelta(minutes=clinic.waitlist.offer_minutes)
    held = _hold(session, clinic, freed, _to_hold(session, chosen[0].time), expires, agent)
    if held is None:
        return now + _A_MINUTE
    made = sum(_make(session, clinic, freed, candidate, held, expires) for candidate in chosen)
    if made:
        return expires
    booking.release(session, held_for=waitlist.held_for(freed.id), agent=agent)
    return now  # another worker has just asked these numbers: look who is left


def _ask_more(
    session: Session, clinic: ClinicFile, freed: FreedTime, offers: list[WaitlistOffer], line: Iterator[Waiting], now: dt.datetime
) -> None:
    """Ask others in the place of those who passed or did not answer, while offers of the time are open: as many as may be at once.

    The hold of the open offers must do for them. Where it does not do for who comes next in line, nobody is passed over: the open
    offers run out first.
    """
    held = waitlist.appointment(session, offers[0].hold_id)
    places = [waitlist.appointment(session, offer.place_id) for offer in offers]
    if not booking.is_held(session, hold_id=held.id) or any(_lies_there(session, _moved_by(place), held) for place in places):
        return
    time = visits.time_of(held)
    phones = {offer.phone for offer in offers}
    expires = now + dt.timedelta(minutes=clinic.waitlist.offer_minutes)
    room = clinic.waitlist.offer_at_once - len(offers)
    for candidate in _candidates(session, clinic, freed, line, held.id):
        if messaging.opted_out(session, candidate.phone) or _not_before(session, clinic, candidate, now):
            continue
        if not _may_share(session, candidate, time, phones):
            return
        if _make(session, clinic, freed, candidate, held, expires):
            held.hold_expires_at = expires
            phones.add(candidate.phone)
            room -= 1
        if room == 0:
            return


def _not_before(session: Session, clinic: ClinicFile, candidate: Candidate, now: dt.datetime) -> dt.datetime | None:
    """Until when the patient is not written to: it is night, or another offer to the number is open."""
    quiet_until = sending.quiet_until(clinic, phone=candidate.phone, at=now, location_id=candidate.time.location_id)
    if quiet_until:
        return quiet_until
    open_offer = waitlist.open_offers(session, WaitlistOffer.phone == candidate.phone)
    return max(open_offer[0].expires_at, now + _A_MINUTE) if open_offer else None


def _hold(
    session: Session, clinic: ClinicFile, freed: FreedTime, time: FreeTime, expires: dt.datetime, agent: str
) -> Appointment | None:
    """Keep the time for as long as the offer stands; None when it was taken meanwhile."""
    try:
        held = booking.hold(session, clinic, time=time, held_for=waitlist.held_for(freed.id), agent=agent)
    except (TimeTakenError, NotBookableError):
        return None
    held.hold_expires_at = expires
    session.flush()
    return held


def _may_share(session: Session, candidate: Candidate, time: FreeTime, phones: Collection[str]) -> bool:
    """Whether a hold on `time` does for one more, who has a number of their own."""
    one = _to_hold(session, candidate.time)
    is_same_visit = (one.service_id, one.start, one.mode) == (time.service_id, time.start, time.mode)
    return is_same_visit and one.moving is None and time.moving is None and candidate.phone not in phones


def _to_hold(session: Session, time: FreeTime) -> FreeTime:
    """A time as it is held: whole, save where the visit that would be moved lies on some of it already."""
    return time if _lies_there(session, time.moving, time) else replace(time, moving=None)


def _lies_there(session: Session, moving: str | None, time: FreeTime | Appointment) -> bool:
    if moving is None or time.first_tick is None or time.end_tick is None:
        return False
    visit = waitlist.appointment(session, moving)
    if visit.first_tick is None or visit.end_tick is None or visit.practitioner_id != time.practitioner_id:
        return False
    return visit.first_tick < time.end_tick and time.first_tick < visit.end_tick


def _moved_by(place: Appointment) -> str | None:
    """The visit that a place waits to move."""
    return (place.wish or {}).get("moving")


def _ends_of_holds(session: Session, freed: FreedTime, now: dt.datetime) -> list[dt.datetime]:
    """When the holds of conversations end that are in the way now."""
    found = select(Appointment.hold_expires_at).where(
        Appointment.practitioner_id == freed.practitioner_id,
        Appointment.status == AppointmentStatus.PROPOSED,
        Appointment.hold_expires_at > now,
        Appointment.end_tick > freed.first_tick,
        Appointment.first_tick < freed.end_tick,
    )
    return [end for end in session.scalars(found) if end]


def _make(
    session: Session, clinic: ClinicFile, freed: FreedTime, candidate: Candidate, held: Appointment, expires: dt.datetime
) -> bool:
    """Write the offer and its message; False when another worker was faster to ask this number."""
    offer_id, now = new_id(), times.now()
    written = idempotency.insert_unless_there(
        session,
        WaitlistOffer,
        id=offer_id,
        freed_id=freed.id,
        place_id=candidate.place.id,
        hold_id=held.id,
        phone=candidate.phone,
        status=OfferStatus.OPEN,
        expires_at=expires,
        created_at=now,
        updated_at=now,
    )
    if written:
        messaging.queue(
            session,
            phone=candidate.phone,
            body=_body(session, clinic, candidate),
            author="system",
            kind=sending.OFFER,
            patient_id=candidate.patient.id,
            appointment_id=candidate.place.id,
            key=sending.offer_key(offer_id),
        )
    return written


def _body(session: Session, clinic: ClinicFile, candidate: Candidate) -> str:
    """Clinic and time, nothing of the visit's kind: others may read along."""
    time, phone, who = candidate.time, candidate.phone, clinic.clinic.name
    language = sending.language_of(session, clinic, candidate.patient, phone)
    day, clock = sending.start_in_words(time.start, clinic.zone_of(time.location_id), language)
    name = sending.name_if_shared(session, candidate.patient, phone)
    minutes, alone = clinic.waitlist.offer_minutes, clinic.waitlist.offer_at_once == 1
    if language == "es":
        what = f"hay una cita libre{f' para {name}' if name else ''}: {day}, {clock}."
        answer = "Responda 1 para tomarla o 2 para dejarla."
        until = f"La guardamos {minutes} minutos." if alone else "Es para quien responda primero."
        return sending.shortest_needed(f"{who}: {what} {answer} {until}", f"{who}: {what} {answer}", f"{what} {answer}")
    opened, when = f"A time opened{f' for {name}' if name else ''}", f"{day} at {clock}."
    answer = "Reply 1 to take it or 2 to pass."
    until = f"We keep it for you for {minutes} minutes." if alone else "It goes to who answers first."
    text = f"{opened} at {who}: {when} {answer}"
    return sending.shortest_needed(f"{text} {until}", text, f"{opened}: {when} {answer}")


def any_released(session: Session, clinic: ClinicFile) -> bool:
    """Whether `note_released_blocks` has something to do."""
    if not session.scalar(select(exists().where(Appointment.status == AppointmentStatus.WAITLIST))):
        return False
    released = _released(clinic)
    known = session.scalars(select(FreedTime.id).where(FreedTime.id.in_(released))).all()
    return len(known) < len(released)


def note_released_blocks(session: Session, clinic: ClinicFile) -> int:
    """Add the blocks that were given back to all in the last day to the freed times, each once; how many."""
    now = times.now()
    return sum(
        idempotency.insert_unless_there(
            session,
            FreedTime,
            id=freed_id,
            practitioner_id=practitioner_id,
            start=ticks.instant_of(kept.first),
            first_tick=kept.first,
            end_tick=kept.end,
            freed_at=kept.released_at,
            next_look_at=now,
        )
        for freed_id, (practitioner_id, kept) in sorted(_released(clinic).items())
    )


def _released(clinic: ClinicFile) -> dict[str, tuple[str, hours.Kept]]:
    """The blocks to come that were released in the last day, by the ids that they have among the freed times."""
    now = times.now()
    today = times.to_wall(now, clinic.zone).date()
    found = {}
    for practitioner in clinic.practitioners:
        ahead = max((block.release_hours for block in practitioner.blocks), default=-1)
        for day in (today + dt.timedelta(days=number) for number in range(ahead // 24 + 2)):
            for stretch in hours.hours_of(clinic).on(practitioner.id, day):
                for kept in stretch.kept:
                    if kept.released_at <= now < min(kept.released_at + _A_DAY, ticks.instant_of(kept.first)):
                        name = f"{practitioner.id}:{kept.first}:{kept.end}"
                        found[hashlib.sha256(name.encode()).hexdigest()[:32]] = practitioner.id, kept
    return found


def _waits(session: Session, place_id: str) -> bool:
    return waitlist.appointment(session, place_id).status is AppointmentStatus.WAITLIST
