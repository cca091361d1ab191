"""What becomes of a message: what the carrier says of it, at once or later, and what follows from a failure.

Twilio's error codes: https://www.twilio.com/docs/api/errors
"""

from __future__ import annotations

import time
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import handoff, messaging, patients, sending
from scheduling_core.clinic_file.loading import current
from scheduling_core.models import Channel, Communication, Delivery, Direction, Patient

UNSUBSCRIBED = "21610"
_LATER = ("30003", "30005", "30008", "call-busy", "call-no-answer")
_PAUSES = (300.0, 1200.0, 4800.0)  # seconds of elapsed time before the second, third and fourth try; there is no fifth
_ON_ITS_WAY = (Delivery.SENDING, Delivery.UNKNOWN, Delivery.QUEUED)
_FINAL = (Delivery.DELIVERED, Delivery.FAILED, Delivery.WITHHELD)


class Remedy(StrEnum):
    LATER = "later"
    BY_VOICE = "by-voice"
    OPTED_OUT = "opted-out"
    WRONG_NUMBER = "wrong-number"
    WRONG_ADDRESS = "wrong-address"
    NOBODY = "nobody"
    STAFF = "staff"


NO_MAIL_SERVER = "no-mail-server"
NO_SUCH_ADDRESS = "mail-no-such-address"
_BESIDES = (sending.INVITATION, *sending.TO_STAFF)  # mails that only repeat what was said, or what the worklists show


def remedy(code: str, *, kind: str, attempts: int, calls: bool) -> Remedy:
    """What is to be done about a failure with the carrier's `code`. `calls`: whether the clinic calls patients.

    A landline is called about a reminder; what is asked in an offer or a plan needs an answer in words that a call does not get.
    """
    if code == UNSUBSCRIBED:
        return Remedy.OPTED_OUT
    if code in sending.WRONG_NUMBER:
        return Remedy.WRONG_NUMBER
    if code == NO_SUCH_ADDRESS:
        return Remedy.WRONG_ADDRESS
    if code == NO_MAIL_SERVER and kind in _BESIDES:
        return Remedy.NOBODY
    if code in sending.LANDLINE and calls and kind == sending.REMINDER:
        return Remedy.BY_VOICE
    if code in _LATER and attempts <= len(_PAUSES):
        return Remedy.LATER
    return Remedy.STAFF


def fail(session: Session, message: Communication, code: str) -> Remedy:
    """Do what follows from a message that did not arrive: try again later, call, write the ledger, or tell staff."""
    clinic = current(session)
    calls = message.channel is Channel.SMS and "call" in clinic.reminders.channels
    found = remedy(code, kind=message.kind, attempts=message.attempts, calls=calls)
    message.error = code
    if found is Remedy.LATER:
        message.status, message.retry_at = Delivery.QUEUED, time.time() + _PAUSES[message.attempts - 1]
        return found
    message.status = Delivery.WITHHELD if found is Remedy.NOBODY else Delivery.FAILED
    if found is Remedy.NOBODY:
        return found
    if found is Remedy.OPTED_OUT:
        if not messaging.opted_out(session, message.phone):
            messaging.record_opt_out(session, message.phone, out=True, source="carrier")
    elif found is Remedy.BY_VOICE and message.patient_id is not None:
        language = sending.language_of(session, clinic, patients.get(session, message.patient_id), message.phone)
        messaging.queue(
            session,
            phone=message.phone,
            channel=Channel.VOICE,
            body=sending.call_back_words(clinic, language),
            author="system",
            kind=message.kind,
            patient_id=message.patient_id,
            appointment_id=message.appointment_id,
            key=f"{message.idempotency_key}:voice",
        )
    else:
        if found is Remedy.WRONG_ADDRESS and message.patient_id is not None:
            messaging.record_opt_out(session, message.phone, out=True, source="bounced", channel=Channel.EMAIL)
        messaging.give_to_staff(session, message, reason=_REASONS.get(found, "not-delivered"))
    return found


_REASONS = {Remedy.WRONG_NUMBER: "wrong-number", Remedy.WRONG_ADDRESS: "wrong-address"}


def note_bounce(session: Session, *, address: str, agent: str) -> int:
    """Mail to this address came back, as a person has read: no more goes there, and the desk asks for another.

    How many patients have the address.
    """
    found = session.scalars(select(Patient).where(func.lower(Patient.email) == address.lower(), Patient.active)).all()
    for written in {address, *(patient.email for patient in found if patient.email)}:  # as it is written on each file
        if not messaging.opted_out(session, written, Channel.EMAIL):
            messaging.record_opt_out(session, written, out=True, source="bounced", channel=Channel.EMAIL)
    for patient in found:
        handoff.open_task(
            session,
            team="desk",
            reason="wrong-address",
            description="Mail to the patient's address comes back: please ask for another.",
            patient_id=patient.id,
            key=f"bounced:{patient.id}:{address}"[:200],
            agent=agent,
        )
    return len(found)


def record(
    session: Session,
    *,
    external_id: str,
    status: Delivery,
    error: str | None = None,
    communication_id: str | None = None,
    attempt: int | None = None,
) -> bool:
    """What the carrier says later of a message, in any order and any number of times; False when we know of no such message.

    It may say so before the worker has noted the carrier's id, or after the worker was killed: then `communication_id` and
    `attempt`, which went along in the callback's address, tell which message it is. An earlier state never overwrites a later one;
    of a message that did not arrive and waits for its next try only the arrival counts.
    """
    outgoing = select(Communication).where(Communication.direction == Direction.OUT).with_for_update()
    message = session.scalars(outgoing.where(Communication.external_id == external_id)).one_or_none()
    if message is None and communication_id is not None:
        message = session.scalars(outgoing.where(Communication.id == communication_id)).one_or_none()
        if message is None or message.attempts != attempt or message.external_id or message.status not in _ON_ITS_WAY:
            return message is not None
        message.status, message.external_id, message.error = Delivery.SENT, external_id, None
    if message is None:
        return False
    if message.status in _FINAL or (message.status is Delivery.QUEUED and status is not Delivery.DELIVERED):
        return True
    if status is Delivery.FAILED:
        fail(session, message, error or "not-delivered")
    else:
        message.status, message.error = status, error
    return True
