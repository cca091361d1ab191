"""Waiting for a time: places in line, and the answers to what is offered (`freed` makes the offers).

A place is an appointment with status `waitlist`. What is on offer to it is on hold. Whoever changes an offer locks its freed time
first, then does what `booking` locks.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from scheduling_core import audit, booking, idempotency, sending, times, visits
from scheduling_core.calendar import rules
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import HoldExpiredError, NotBookableError, NotFoundError, TimeTakenError, WrongStateError
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    Communication,
    Direction,
    FreedTime,
    Mode,
    OfferStatus,
    Patient,
    WaitlistOffer,
    new_id,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the waitlist, as far as choosing needs it: of ten thousand rows no objects are made."""

    id: str
    service_id: str
    patient_id: str | None
    location_id: str | None
    wish: dict[str, Any] | None
    created_at: dt.datetime
    offers_today: int  # in the last 24 hours


FILLED, LEFT, OVER = "waitlist-filled", "waitlist-left", "waitlist-over"  # why a place ended
_WAITING = select(Appointment).where(Appointment.status == AppointmentStatus.WAITLIST).order_by(Appointment.id)


@dataclass(frozen=True)
class Offer:
    """A time that was offered to a place on the waitlist, and what became of it."""

    id: str
    place_id: str
    hold_id: str  # the appointment that the visit becomes
    patient_id: str
    service_id: str
    practitioner_id: str
    location_id: str
    mode: Mode
    start: dt.datetime  # UTC
    end: dt.datetime
    expires_at: dt.datetime
    status: OfferStatus


def join(session: Session, clinic: ClinicFile, *, request: Request, wish: TimeWish, agent: str, key: str) -> Appointment:
    """A place on the waitlist for `request.patient_id`. Joining again with the same wish answers the same place.

    With `request.moving`, the offer that is accepted moves that visit.
    Raises NotFoundError; NotBookableError when a rule forbids this visit at any time.
    """
    if request.patient_id is None:
        raise NotFoundError("Patient")
    if earlier := idempotency.earlier_answer(session, key):
        return appointment(session, earlier["place_id"])
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        raise NotBookableError(asked.refusal.code, asked.refusal.detail)
    session.execute(select(Patient.id).where(Patient.id == request.patient_id).with_for_update())  # one joins after the other
    wanted = wish.as_json() | _beside(request)
    place = next((one for one in places(session, patient_id=request.patient_id) if _is_for(one, request, wanted)), None)
    if place is None:
        now = times.now()
        place = Appointment(
            id=new_id(),
            status=AppointmentStatus.WAITLIST,
            service_id=request.service_id,
            patient_id=request.patient_id,
            practitioner_id=request.practitioners[0] if len(request.practitioners) == 1 else None,
            location_id=request.location_id,
            mode=asked.mode,
            wish=wanted,
            created_at=now,
            updated_at=now,
        )
        session.add(place)
        session.flush()
        _audit(session, agent, "C", place, {"status": "waitlist", "service": place.service_id})
    idempotency.remember(session, key, {"place_id": place.id})
    return place


def leave(session: Session, *, place_id: str, agent: str, key: str, why: str = LEFT) -> Appointment:
    """Give a place up; what is on offer to it goes to the next one. Leaving again does nothing. Raises NotFoundError."""
    place = appointment(session, place_id)
    if idempotency.earlier_answer(session, key) is None:
        _pass(session, place, agent)
        _end_place(session, place, why, agent)
        idempotency.remember(session, key, {"place_id": place_id})
    return place


def places(session: Session, *, patient_id: str) -> list[Appointment]:
    """The patient's places, the oldest first."""
    found = select(Appointment).where(Appointment.patient_id == patient_id, Appointment.status == AppointmentStatus.WAITLIST)
    return list(session.scalars(found.order_by(Appointment.created_at, Appointment.id)))


def wish_of(place: Appointment | Place) -> tuple[Request, TimeWish]:
    """What a place waits for."""
    raw = place.wish or {}
    request = Request(
        service_id=place.service_id,
        practitioners=tuple(raw.get("practitioners", ())),
        gender=raw.get("gender"),
        language=raw.get("language"),
        location_id=place.location_id,
        mode=Mode(raw["mode"]) if "mode" in raw else None,
        patient_id=place.patient_id,
        moving=raw.get("moving"),
    )
    return request, TimeWish.from_json(raw)


def _beside(request: Request) -> dict[str, object]:
    """What a place keeps of the request besides the columns of its row."""
    wanted = {
        "practitioners": list(request.practitioners),
        "gender": request.gender,
        "language": request.language,
        "mode": request.mode and request.mode.value,
        "moving": request.moving,
    }
    return {name: value for name, value in wanted.items() if value}


def _is_for(place: Appointment, request: Request, wanted: dict[str, object]) -> bool:
    return place.service_id == request.service_id and place.location_id == request.location_id and place.wish == wanted


def any_past_place(session: Session, clinic: ClinicFile) -> bool:
    """Whether `end_past_places` has something to do."""
    wishes = select(Appointment.wish).where(Appointment.status == AppointmentStatus.WAITLIST)
    return any(_is_past(wish, clinic) for wish in session.scalars(wishes))


def end_past_places(session: Session, clinic: ClinicFile, *, agent: str = "worker") -> int:
    """End the places whose last wished day is over; how many."""
    past = [place for place in session.scalars(_WAITING.with_for_update(skip_locked=True)) if _is_past(place.wish, clinic)]
    for place in past:
        _end_place(session, place, OVER, agent)
    return len(past)


def _is_past(wish: dict[str, Any] | None, clinic: ClinicFile) -> bool:
    last_day = TimeWish.from_json(wish).last_day
    return last_day is not None and last_day < times.to_wall(times.now(), clinic.zone).date()


def _end_place(session: Session, place: Appointment, reason: str, agent: str) -> None:
    session.refresh(place, with_for_update=True)
    if place.status is AppointmentStatus.WAITLIST:
        place.status, place.cancelled_reason, place.updated_at = AppointmentStatus.CANCELLED, reason, times.now()
        session.flush()
        _audit(session, agent, "U", place, {"status": {"old": "waitlist", "new": reason}})


def open_offer(session: Session, *, phone: str) -> Offer | None:
    """The offer that this number may accept or pass now."""
    offer = last_offer(session, phone=phone)
    return offer if offer and offer.status is OfferStatus.OPEN and offer.expires_at > times.now() else None


def answerable_offer(session: Session, *, phone: str) -> Offer | None:
    """The offer that this number may answer: the open one, or one that lapsed if nothing else was said to the number since.

    Accepting a lapsed one may be refused.
    """
    offer = last_offer(session, phone=phone)
    if offer is None or (offer.status is OfferStatus.OPEN and offer.expires_at > times.now()):
        return offer
    said = sending.last_said(session, phone=phone)
    is_last_word = said is not None and said.idempotency_key == sending.offer_key(offer.id)
    waits = appointment(session, offer.place_id).status is AppointmentStatus.WAITLIST
    is_late = offer.status in (OfferStatus.OPEN, OfferStatus.LAPSED)
    return offer if is_late and is_last_word and waits and offer.start > times.now() else None


def last_offer(session: Session, *, phone: str) -> Offer | None:
    """The last offer that went out to this number, open or not: for who answers late."""
    key = session.scalars(
        select(Communication.idempotency_key)
        .where(
            Communication.phone == phone,
            Communication.kind == sending.OFFER,
            Communication.direction == Direction.OUT,
            Communication.status.in_(sending.GONE_OUT),
        )
        .order_by(Communication.sequence.desc())
        .limit(1)
    ).first()
    if key is None:
        return None
    offer = session.scalars(select(WaitlistOffer).where(WaitlistOffer.id == sending.offer_of(key))).one()
    held, place = appointment(session, offer.hold_id), appointment(session, offer.place_id)
    assert place.patient_id
    assert held.practitioner_id
    assert held.location_id
    assert held.start
    assert held.end
    return Offer(
        id=offer.id,
        place_id=offer.place_id,
        hold_id=offer.hold_id,
        patient_id=place.patient_id,
        service_id=place.service_id,
        practitioner_id=held.practitioner_id,
        location_id=held.location_id,
        mode=held.mode,
        start=held.start,
        end=held.end,
        expires_at=offer.expires_at,
        status=offer.status,
    )


def accept(session: Session, clinic: ClinicFile, *, place_id: str, agent: str, key: str) -> Appointment:
    """Book the time that is or was on offer to this place, once: accepting again answers the same visit. The place ends.

    Who answers late gets the time if it is there still, and is not being kept for somebody else alone.
    Raises HoldExpiredError when it is kept or the place has ended, TimeTakenError when somebody else was faster, WrongStateError
    when the place never had an offer, and what `booking.book` raises; nothing is changed then.
    """
    offer = _last_offer_of(session, place_id)
    if offer is None:
        raise WrongStateError(f"Appointment/{place_id}")
    freed = lock_freed(session, offer.freed_id)
    session.refresh(offer)
    place = appointment(session, place_id)
    if offer.status is OfferStatus.ACCEPTED:
        return appointment(session, offer.hold_id)
    offered = appointment(session, offer.hold_id)
    if offered.status in LIVE or offered.cancelled_reason == booking.HOLD_USED:
        raise TimeTakenError(f"Appointment/{offer.hold_id}")
    if place.status is not AppointmentStatus.WAITLIST or place.patient_id is None:
        raise HoldExpiredError(f"Appointment/{offer.hold_id}")
    visit = _take(session, clinic, offer, offered, place, agent, key)
    now = times.now()
    for other in open_offers(session, WaitlistOffer.freed_id == offer.freed_id):
        other.status, other.updated_at = OfferStatus.LAPSED, now
    offer.status, offer.updated_at, offer.hold_id = OfferStatus.ACCEPTED, now, visit.id
    freed.next_look_at = now  # there may be time left for a shorter visit
    _end_place(session, place, FILLED, agent)
    return visit


def _take(
    session: Session, clinic: ClinicFile, offer: WaitlistOffer, offered: Appointment, place: Appointment, agent: str, key: str
) -> Appointment:
    """Book, or move to, the time of an offer whose freed time is locked: the hold on it, else the bare time."""
    now = times.now()
    found = select(Appointment).where(
        Appointment.held_for == held_for(offer.freed_id),
        Appointment.status == AppointmentStatus.PROPOSED,
        Appointment.hold_expires_at > now,
    )
    hold = session.scalars(found.execution_options(populate_existing=True)).one_or_none()
    is_open = offer.status is OfferStatus.OPEN and offer.expires_at > now
    if hold is not None and not is_open:
        if clinic.waitlist.offer_at_once == 1:  # somebody was told that we keep it
            raise HoldExpiredError(f"Appointment/{offer.hold_id}")
        if (hold.service_id, hold.start, hold.mode) != (offered.service_id, offered.start, offered.mode):
            raise TimeTakenError(f"Appointment/{hold.id}")
    time = visits.time_of(offered) if hold is None else None
    hold_id = hold.id if hold else None
    if (moving := to_move(session, place)) is not None:
        return booking.reschedule(session, clinic, appointment_id=moving.id, hold_id=hold_id, time=time, agent=agent, key=key)
    assert place.patient_id
    return booking.book(session, clinic, patient_id=place.patient_id, hold_id=hold_id, time=time, agent=agent, key=key)


def pass_on(session: Session, *, place_id: str, agent: str, key: str) -> Appointment:
    """The patient does not want what is on offer: the next one is asked, the place stays as it was. Answers the place.

    Does nothing when no offer is open. Raises NotFoundError.
    """
    place = appointment(session, place_id)
    if idempotency.earlier_answer(session, key) is None:
        _pass(session, place, agent)
        idempotency.remember(session, key, {"place_id": place_id})
    return place


def _pass(session: Session, place: Appointment, agent: str) -> None:
    freed_ids = {offer.freed_id for offer in open_offers(session, WaitlistOffer.place_id == place.id)}
    for freed_id in sorted(freed_ids):
        freed = lock_freed(session, freed_id)
        for offer in open_offers(session, WaitlistOffer.freed_id == freed_id, WaitlistOffer.place_id == place.id):
            end_offer(session, offer, OfferStatus.PASSED, agent)
            freed.next_look_at = times.now()


def _last_offer_of(session: Session, place_id: str) -> WaitlistOffer | None:
    """The open offer of a place, else the accepted one, else the one that ended last."""
    by_use = case({OfferStatus.OPEN: 0, OfferStatus.ACCEPTED: 1}, value=WaitlistOffer.status, else_=2)
    found = select(WaitlistOffer).where(WaitlistOffer.place_id == place_id)
    return session.scalars(found.order_by(by_use, WaitlistOffer.updated_at.desc()).limit(1)).first()


def to_move(session: Session, place: Appointment) -> Appointment | None:
    """The visit that an accepted offer moves, if it is to come still."""
    moving = (place.wish or {}).get("moving")
    visit = appointment(session, moving) if moving else None
    return visit if visit and visit.status in LIVE and visit.end and visit.end > times.now() else None


def lock_freed(session: Session, freed_id: str) -> FreedTime:
    found = select(FreedTime).where(FreedTime.id == freed_id).with_for_update()
    return session.scalars(found.execution_options(populate_existing=True)).one()


def open_offers(session: Session, *which: ColumnElement[bool]) -> list[WaitlistOffer]:
    found = select(WaitlistOffer).where(*which, WaitlistOffer.status == OfferStatus.OPEN).order_by(WaitlistOffer.id)
    return list(session.scalars(found.execution_options(populate_existing=True)))


def end_offer(session: Session, offer: WaitlistOffer, status: OfferStatus, agent: str) -> None:
    """End an offer whose freed time is locked; with the last one the hold goes."""
    offer.status, offer.updated_at = status, times.now()
    session.flush()
    _audit(session, agent, "U", appointment(session, offer.place_id), {"offer": {"id": offer.id, "new": status.value}})
    if not open_offers(session, WaitlistOffer.freed_id == offer.freed_id):
        booking.release(session, held_for=held_for(offer.freed_id), agent=agent)


def held_for(freed_id: str) -> str:
    return f"freed:{freed_id}"


def appointment(session: Session, appointment_id: str) -> Appointment:
    """As the database has it now. Raises NotFoundError."""
    found = select(Appointment).where(Appointment.id == appointment_id).execution_options(populate_existing=True)
    appointment = session.scalars(found).one_or_none()
    if appointment is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return appointment


def _audit(session: Session, agent: str, action: audit.Action, place: Appointment, detail: dict[str, object]) -> None:
    audit.record(
        session, agent=agent, action=action, entity="Appointment", entity_id=place.id, patient_id=place.patient_id, detail=detail
    )
