"""The rules for what the clinic sends by itself: not at night, nothing that holds no longer, and short.

Who wants no texts at all is kept in `messaging`; both are looked at once more when a worker is about to send.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as number_zones
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import (
    LIVE,
    Appointment,
    Channel,
    Communication,
    Conversation,
    Delivery,
    Direction,
    MoveStatus,
    OfferStatus,
    OptOut,
    Outreach,
    OutreachStatus,
    Patient,
    PatientPhone,
    PlanMove,
    Referral,
    ReferralStatus,
    WaitlistOffer,
)
from scheduling_core.segments import TWO_SEGMENTS, on_air, segments

REMINDER, OFFER, PLAN = "reminder", "offer", "plan"
OUTREACH = ("recall", "follow-up", "referral-in")  # as `OutreachKind`
AFTER_VISIT = "after-visit"
INVITATION = "invitation"  # a mail that a visit was booked, moved or cancelled, with its calendar file
DAY_SHEET, DAY_CHANGE, TASK_NEWS = "day-sheet", "day-change", "task-news"  # mails to those who work here
TO_STAFF = (DAY_SHEET, DAY_CHANGE, TASK_NEWS)
PACKET = "packet"  # a mail to a referral partner
STARTED_BY_US = (REMINDER, OFFER, PLAN, *OUTREACH, AFTER_VISIT)
A_DAY, A_WEEK = 1, 3  # messages to one number that the clinic starts (47 CFR 64.1200(a)(9)(iv))
_ASIDE = (OFFER, PLAN)  # asked for by who waits for a time; urgent, and over in hours: neither counted nor held up
LEAST_NOTICE = dt.timedelta(hours=1)  # a reminder that came late is of use until then
LANDLINE = ("30006", "21635")  # Twilio's errors: https://www.twilio.com/docs/api/errors
WRONG_NUMBER = ("21211", "21614")
GONE_OUT = (Delivery.SENDING, Delivery.SENT, Delivery.DELIVERED, Delivery.UNKNOWN)


def quiet_until(clinic: ClinicFile, *, phone: str, at: dt.datetime, location_id: str | None = None) -> dt.datetime | None:
    """When the quiet hours end in which `at` lies, in UTC; None when it lies in none.

    They are read in the zone of the recipient's number where the number tells it, and in the zone of the location as well: who kept
    the number of a place where they lived before is left in peace at both ends. Zones so far apart that no hour is left: the
    number's alone.
    """
    own = _zone_of_number(phone)
    here = clinic.zone_of(location_id) if location_id in clinic.locations_by_id else clinic.zone
    zones = [here] if own is None else [own, here]
    until = at
    for _ in range(4):
        later = until
        for zone in zones:
            later = _end_of_quiet(clinic, later, zone)
        if later == until:
            return None if until == at else until
        until = later
    return _end_of_quiet(clinic, at, zones[0])


@dataclass(frozen=True)
class Wait:
    """A message may not go out before `until` (UTC). `reason`: over-limit or quiet-hours."""

    until: dt.datetime
    reason: str


def must_wait(session: Session, clinic: ClinicFile, message: Communication, *, at: dt.datetime) -> Wait | None:
    """Whether something that the clinic starts may not go out at `at`: its day or week is full, or it is night."""
    room = _room_from(session, clinic, message, at)
    quiet = quiet_until(clinic, phone=message.phone, at=room or at)
    if room is not None:
        return Wait(quiet or room, "over-limit")
    return Wait(quiet, "quiet-hours") if quiet else None


def _room_from(session: Session, clinic: ClinicFile, message: Communication, at: dt.datetime) -> dt.datetime | None:
    """The start of the first day on which this number may get one more; None where that is the day of `at`.

    Days are the recipient's, a week is any seven of them. Reminders of visits count.
    """
    if message.kind in _ASIDE:
        return None
    zone = _zone_of_number(message.phone) or clinic.zone
    today = times.to_wall(at, zone).date()
    counted = select(Communication.sent_at).where(
        Communication.phone == message.phone,
        Communication.kind.in_([kind for kind in STARTED_BY_US if kind not in _ASIDE]),
        Communication.direction == Direction.OUT,
        Communication.status.in_(GONE_OUT),
        Communication.sent_at >= times.from_wall(today - dt.timedelta(days=6), dt.time(), zone),
        Communication.id != message.id,
    )
    days = [times.to_wall(sent, zone).date() for sent in session.scalars(counted) if sent is not None]
    day = today
    while days.count(day) >= A_DAY or sum(day - dt.timedelta(days=7) < one <= day for one in days) >= A_WEEK:
        day += dt.timedelta(days=1)
    return times.from_wall(day, dt.time(), zone) if day > today else None


def is_of_use_at(session: Session, message: Communication, at: dt.datetime) -> bool:
    """Whether a message that has to wait is worth waiting for: a reminder that comes an hour before the visit is."""
    if message.kind != REMINDER:
        return True
    start = session.scalars(select(Appointment.start).where(Appointment.id == message.appointment_id)).one_or_none()
    return start is not None and start - at >= LEAST_NOTICE


def call_back_words(clinic: ClinicFile, language: str) -> str:
    """What a call or a voicemail says: who calls and a number, and nothing else, since anybody may hear it."""
    number = " ".join(clinic.clinic.phone.removeprefix("+1"))
    who = clinic.clinic.name
    if language == "es":
        return f"Le llama {who} con un mensaje para usted. Por favor llámenos al {number}. Gracias."
    return f"This is {who} with a message for you. Please call us at {number}. Thank you."


def _end_of_quiet(clinic: ClinicFile, at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """`at` itself where it is not quiet."""
    quiet = clinic.reminders.quiet_hours
    wall = times.to_wall(at, zone)
    if quiet.start <= quiet.end:
        is_quiet, day = quiet.start <= wall.time() < quiet.end, wall.date()
    else:
        is_quiet = wall.time() >= quiet.start or wall.time() < quiet.end
        day = wall.date() + dt.timedelta(days=wall.time() >= quiet.start)
    return times.from_wall(day, quiet.end, zone) if is_quiet else at


def _zone_of_number(phone: str) -> ZoneInfo | None:
    """The zone of a number that belongs to one place."""
    try:
        found = number_zones.time_zones_for_geographical_number(phonenumbers.parse(phone))
        return ZoneInfo(found[0]) if len(found) == 1 else None
    except (phonenumbers.NumberParseException, ZoneInfoNotFoundError):
        return None


def invitation_key(appointment: Appointment) -> str:
    """What the mail about a visit as it stands is known by."""
    return f"{INVITATION}:{appointment.id}:{appointment.sequence}:{'stands' if appointment.status in LIVE else 'gone'}"


def reminder_key(appointment: Appointment, hours: int | str = "") -> str:
    """What a reminder of a visit is known by: a moved visit is reminded of anew."""
    return f"{REMINDER}:{appointment.id}:{appointment.sequence}:{hours}"


def offer_key(offer_id: str) -> str:
    return f"{OFFER}:{offer_id}"


def offer_of(key: str | None) -> str:
    """The id of the offer that a message with this key is about."""
    return (key or "").removeprefix(f"{OFFER}:")


def plan_key(plan_id: str, number: int) -> str:
    """What the question about a move of a plan, and the hold on its new time, are known by."""
    return f"{PLAN}:{plan_id}:{number}"


def packet_of(key: str | None) -> tuple[str, str]:
    """The ids of the referral and the partner that a mail with such a key is about."""
    _, referral_id, partner_id, _ = (key or "").split(":")
    return referral_id, partner_id


def outreach_key(outreach_id: str, number: int) -> str:
    """What a message that asks a patient for a visit is known by; `number` counts the tries from 1."""
    return f"outreach:{outreach_id}:{number}"


def outreach_of(key: str | None) -> tuple[str, int]:
    """The id of what a message with such a key is about, and the number of the try."""
    _, outreach_id, number = (key or "").split(":")
    return outreach_id, int(number)


def holds_still(session: Session, message: Communication) -> bool:
    """Whether a message still says what is so: the visit stands as it was, the offer is open."""
    now = times.now()
    if message.kind == REMINDER:
        visit = session.scalars(select(Appointment).where(Appointment.id == message.appointment_id)).one_or_none()
        return (
            visit is not None
            and visit.status in LIVE
            and visit.start is not None
            and visit.start > now
            and (message.idempotency_key or "").startswith(reminder_key(visit))
        )
    if message.kind == INVITATION:
        visit = session.scalars(select(Appointment).where(Appointment.id == message.appointment_id)).one_or_none()
        return visit is not None and message.idempotency_key == invitation_key(visit)
    if message.kind == PACKET:
        referral_id, partner_id = packet_of(message.idempotency_key)
        wanted = select(Referral.id).where(Referral.id == referral_id, Referral.partner_id == partner_id)
        wanted = wanted.where(Referral.status.in_((ReferralStatus.NEW, ReferralStatus.SENT)))
        return session.scalars(wanted).first() is not None
    if message.kind == OFFER:
        found = select(WaitlistOffer).where(WaitlistOffer.id == offer_of(message.idempotency_key))
        offer = session.scalars(found).one_or_none()
        return offer is not None and offer.status is OfferStatus.OPEN and offer.expires_at > now
    if message.kind == PLAN:
        _, plan_id, number = (message.idempotency_key or "").split(":")
        return session.scalars(_ASKED, {"plan_id": plan_id, "number": int(number)}).first() is not None
    if message.kind in OUTREACH:
        outreach_id, tries = outreach_of(message.idempotency_key)
        open_still = select(Outreach.id).where(
            Outreach.id == outreach_id, Outreach.status == OutreachStatus.OPEN, Outreach.tries == tries
        )
        return session.scalars(open_still).first() is not None
    return True


_ASKED = select(PlanMove.number).where(
    PlanMove.plan_id == bindparam("plan_id"), PlanMove.number == bindparam("number"), PlanMove.status == MoveStatus.ASKED
)


def last_said(session: Session, *, phone: str, kinds: Collection[str] | None = None) -> Communication | None:
    """Our last message to this number, or of these kinds alone, that went out or is on its way: what a bare answer answers."""
    found = select(Communication).where(
        Communication.phone == phone, Communication.direction == Direction.OUT, Communication.status.in_(GONE_OUT)
    )
    if kinds is not None:
        found = found.where(Communication.kind.in_(kinds))
    return session.scalars(found.order_by(Communication.sequence.desc()).limit(1)).first()


def first_phone(patient: Patient) -> str | None:
    """The number that the clinic writes to."""
    return patient.phones[0].phone if patient.phones else None


def way_to(session: Session, clinic: ClinicFile, patient: Patient) -> tuple[Channel, str] | None:
    """How to reach a patient, and at which number or address: as the patient chose, else the first of the clinic's channels.

    Who wants no texts is not written to by another way: their text is queued, and withheld. An address that wants no mail, or
    from which mail came back, is none.
    """
    phone = first_phone(patient)
    refused = select(Communication.error).where(
        Communication.phone == phone, Communication.channel == Channel.SMS, Communication.status == Delivery.FAILED
    )
    codes = set(session.scalars(refused.where(Communication.error.in_((*LANDLINE, *WRONG_NUMBER))))) if phone else set()
    for channel in sorted(clinic.reminders.channels, key=lambda one: _CHANNELS[one] is not patient.prefers):
        if channel == "sms" and phone and not codes:
            return Channel.SMS, phone
        if channel == "call" and phone and codes.isdisjoint(WRONG_NUMBER):
            return Channel.VOICE, phone
        if channel == "email" and (address := mail_address(session, patient)):
            return Channel.EMAIL, address
    return None


_CHANNELS = {"sms": Channel.SMS, "call": Channel.VOICE, "email": Channel.EMAIL}


def mail_address(session: Session, patient: Patient) -> str | None:
    """Where a patient gets mail: on file, not refused by the patient, and none from which mail came back."""
    if patient.email is None:
        return None
    last = select(OptOut.out).where(OptOut.phone == patient.email, OptOut.channel == Channel.EMAIL)
    return None if session.scalars(last.order_by(OptOut.sequence.desc()).limit(1)).first() else patient.email


def language_of(session: Session, clinic: ClinicFile, patient: Patient, phone: str) -> str:
    """The patient's language where the clinic speaks it, else what was last spoken with the number, else the clinic's first."""
    spoken = select(Conversation.language).where(Conversation.phone == phone).order_by(Conversation.created_at.desc()).limit(1)
    for language in (patient.language, session.scalars(spoken).first()):
        if language and language[:2] in clinic.clinic.languages:
            return language[:2]
    return clinic.clinic.languages[0]


def language_of_message(session: Session, clinic: ClinicFile, message: Communication) -> str:
    """The language to speak a message in."""
    patient = session.scalars(select(Patient).where(Patient.id == message.patient_id)).one_or_none()
    return language_of(session, clinic, patient, message.phone) if patient else clinic.clinic.languages[0]


def name_if_shared(session: Session, patient: Patient, phone: str) -> str | None:
    """The first name, where the number alone does not tell who is meant."""
    others = (
        select(PatientPhone.patient_id)
        .join(Patient, (Patient.organization_id == PatientPhone.organization_id) & (Patient.id == PatientPhone.patient_id))
        .where(PatientPhone.phone == phone, PatientPhone.patient_id != patient.id, Patient.active)
    )
    return patient.given if session.scalars(others.limit(1)).first() else None


def shortest_needed(*sentences: str) -> str:
    """The first of these wordings that fits into two segments, else the last."""
    return next((text for text in sentences if segments(on_air(text)) <= TWO_SEGMENTS), sentences[-1])


def as_dialled(number: str) -> str:
    """A phone number as people write it in its own country: "(414) 555-0100"."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.NATIONAL)
    except phonenumbers.NumberParseException:
        return number


def start_in_words(start: dt.datetime, zone: ZoneInfo, language: str) -> tuple[str, str]:
    """Day and time of day as people say them: ("Thursday, November 19", "1:00 PM")."""
    wall = times.to_wall(start, zone)
    time = f"{wall:%-I:%M %p}"
    if language == "es":
        return f"{_DAYS_ES[wall.weekday()]} {wall.day} de {MONTHS_ES[wall.month - 1]}", time
    return f"{wall:%A, %B} {wall.day}", time


_DAYS_ES = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
MONTHS_ES = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
