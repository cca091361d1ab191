"""Referral packets by mail: to a partner's address, or to its fax through a mail-to-fax service.

The mail is a row of the outbox; what it carries is put together when it leaves, so that it says what is on file then.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import messaging, referrals, sending
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import WrongStateError
from scheduling_core.models import Channel, Communication, Delivery, Referral, ReferralStatus


def address_of(clinic: ClinicFile, one: Referral) -> str | None:
    """Where the partner gets mail, or a fax by mail; None where staff have to send the packet themselves."""
    partner = next((partner for partner in clinic.referral_partners if partner.id == one.partner_id), None)
    if partner is None:
        return None
    if partner.email:
        return partner.email
    gateway = clinic.outreach.fax_by_mail
    return gateway.replace("{fax}", partner.fax.lstrip("+")) if gateway and partner.fax else None


def is_fax(clinic: ClinicFile, address: str) -> bool:
    """Whether an address is of the mail-to-fax service, which prints what it gets."""
    return bool(clinic.outreach.fax_by_mail) and address.rpartition("@")[2] == str(clinic.outreach.fax_by_mail).rpartition("@")[2]


def send(session: Session, clinic: ClinicFile, *, referral_id: str, agent: str) -> Communication:
    """Queue the packet to the partner. Asked again before it has left, it is the same mail; after a failure it is another.

    Raises NotFoundError; WrongStateError when the referral is over or the partner has no address.
    """
    one = referrals.get(session, referral_id)
    address = address_of(clinic, one)
    if address is None or one.status not in (ReferralStatus.NEW, ReferralStatus.SENT):
        raise WrongStateError(f"Referral/{referral_id}")
    mine = f"{sending.PACKET}:{one.id}:"
    # the earlier ones: mails to this address alone are looked at
    done = (Delivery.FAILED, Delivery.WITHHELD, Delivery.SENT, Delivery.DELIVERED)
    over = select(func.count()).where(
        Communication.phone == address,
        Communication.kind == sending.PACKET,
        Communication.idempotency_key.startswith(mine),
        Communication.status.in_(done),
    )
    count = session.scalars(over.select_from(Communication)).one()
    who = clinic.clinic
    message = messaging.queue(
        session,
        phone=address,
        channel=Channel.EMAIL,
        body=f"Please find enclosed a referral from {who.name}. Questions: {sending.as_dialled(who.phone)}.",
        author="system",
        kind=sending.PACKET,
        key=f"{mine}{one.partner_id}:{count}",
    )
    referrals.note_look(session, one, agent, "packet-mail")
    return message


def enclosed(session: Session, clinic: ClinicFile, message: Communication) -> referrals.Packet:
    """What such a mail carries, as it is on file now; audited. Raises NotFoundError."""
    return referrals.packet(session, clinic, referral_id=sending.packet_of(message.idempotency_key)[0], agent="worker")


def note_sent(session: Session, clinic: ClinicFile, message: Communication) -> None:
    """The mail server took it: the referral, locked, goes on to its next step, unless somebody was faster or chose another partner.

    Raises NotFoundError, WrongStateError.
    """
    referral_id, partner_id = sending.packet_of(message.idempotency_key)
    one = referrals.get(session, referral_id)
    if one.status is ReferralStatus.NEW and one.partner_id == partner_id:
        referrals.move_on(session, clinic, referral_id=one.id, to=ReferralStatus.SENT, agent="worker")
