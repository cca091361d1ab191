"""Why the clinic writes to a patient by itself so that a visit comes about, and whom it referred elsewhere."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base, new_id, refers, words


class OutreachKind(StrEnum):
    RECALL = "recall"  # due again by the clinic file
    FOLLOW_UP = "follow-up"  # a practitioner ordered it
    REFERRAL_IN = "referral-in"  # another practice sent the patient


class OutreachStatus(StrEnum):
    OPEN = "open"  # asked, or to be asked, until `next_at` is followed by an answer or the tries are used up
    BOOKED = "booked"
    DONE = "done"  # the visit took place
    DECLINED = "declined"  # not now; asked again at `next_at`
    ELSEWHERE = "elsewhere"  # the patient had it elsewhere
    STOPPED = "stopped"  # the patient wants no more of these
    FOR_STAFF = "for-staff"  # nobody answered, or nobody can be written to
    OVER = "over"  # the reason is gone: the order was revoked, the patient left, the clinic file changed


class Outreach(Base):
    """One reason to write to one patient until it has an answer. `due_on` is the day for which the visit was due, local.

    `key` names the reason for good: the same one never begins twice.
    """

    __tablename__ = "outreach"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    kind: Mapped[OutreachKind] = mapped_column(words(OutreachKind))
    status: Mapped[OutreachStatus] = mapped_column(words(OutreachStatus), default=OutreachStatus.OPEN)
    patient_id: Mapped[str] = mapped_column(String(64))
    service_id: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))  # the order or referral behind it
    appointment_id: Mapped[str | None] = mapped_column(String(64))  # the visit that came of it
    due_on: Mapped[dt.date]
    tries: Mapped[int] = mapped_column(default=0)  # messages so far
    next_at: Mapped[dt.datetime | None]  # when the next message, or the task for staff, is due; None: never
    sent_at: Mapped[dt.datetime | None]  # the last message
    key: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (
        refers("patient_id", "patient"),
        refers("request_id", "service_request"),
        refers("appointment_id", "appointment"),
        Index(None, "organization_id", "kind", "sent_at"),
        Index("uq_outreach_key", "organization_id", "key", unique=True),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "kind", "status"),
        Index(
            "ix_outreach_next_at",
            "organization_id",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )


class ReferralStatus(StrEnum):
    """Where a referral to another practice is on its way."""

    NEW = "new"  # the packet is to be sent
    SENT = "sent"  # the partner has it
    SCHEDULED = "scheduled"  # the patient has an appointment there
    SEEN = "seen"  # the patient was there; the report is missing
    CLOSED = "closed"  # the report is back, or nothing is left to do
    CANCELLED = "cancelled"


class Network(StrEnum):
    """Whether a partner takes a patient's insurance, by the clinic file."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"  # no coverage on file, or one that the clinic file does not know


class Referral(Base):
    """A patient sent to another practice. While it is not over, it has an owner, a next step and a time for that."""

    __tablename__ = "referral"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    request_id: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str] = mapped_column(String(64))
    specialty: Mapped[str] = mapped_column(String(64))
    partner_id: Mapped[str | None] = mapped_column(String(64))  # the clinic file's; None: staff choose
    network: Mapped[Network] = mapped_column(words(Network))
    status: Mapped[ReferralStatus] = mapped_column(words(ReferralStatus), default=ReferralStatus.NEW)
    owner: Mapped[str] = mapped_column(String(200))  # a team of the clinic file, or a staff account's address
    next_step: Mapped[str] = mapped_column(String(200))
    due_at: Mapped[dt.datetime]
    appointment_at: Mapped[dt.datetime | None]  # at the partner's
    outcome: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (
        refers("patient_id", "patient"),
        refers("request_id", "service_request"),
        Index("uq_referral_request_id", "organization_id", "request_id", unique=True),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "status", "due_at"),
    )
