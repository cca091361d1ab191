"""Who pays, and what was ordered."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import Float, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduling_core.models.base import Base, new_id, refers, words


class CoverageStatus(StrEnum):
    ACTIVE = "active"
    CANCELLED = "cancelled"


class Coverage(Base):
    """A patient's insurance as told to us. `payer_id` is the clinic file's id, None for a payer that is not in it.

    The subscriber's name and birth date are kept where the patient is a dependent.
    """

    __tablename__ = "coverage"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[CoverageStatus] = mapped_column(words(CoverageStatus), default=CoverageStatus.ACTIVE)
    payer_id: Mapped[str | None] = mapped_column(String(64))
    payer_name: Mapped[str] = mapped_column(String(200))
    subscriber_id: Mapped[str | None] = mapped_column(String(80))
    group_number: Mapped[str | None] = mapped_column(String(80))
    relationship: Mapped[str] = mapped_column(String(20), default="self")  # of the patient to the subscriber
    rank: Mapped[int] = mapped_column(default=1, server_default="1")  # 1 pays first, 2 what the first leaves
    self_pay: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    subscriber_given: Mapped[str | None] = mapped_column(String(200))
    subscriber_family: Mapped[str | None] = mapped_column(String(200))
    subscriber_birth_date: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (refers("patient_id", "patient"), Index(None, "organization_id", "patient_id"))


class CheckStatus(StrEnum):
    """Where an eligibility check is on its way."""

    QUEUED = "queued"
    ASKING = "asking"  # a worker has it
    ANSWERED = "answered"  # the payer answered for the member
    REJECTED = "rejected"  # the payer refused, and asking again is of no use
    FAILED = "failed"  # no answer that could be read
    CANCELLED = "cancelled"  # no longer wanted


class CheckReason(StrEnum):
    """Why a payer is asked."""

    GIVEN = "given"  # a coverage is new or changed
    BEFORE_VISIT = "before-visit"
    AGED = "aged"  # the last answer is old
    DEMAND = "demand"  # staff or a patient want to know now


class EligibilityCheck(Base):
    """One question to a payer about one coverage, and its answer: a CoverageEligibilityRequest with its Response.

    `answer` is the 271 as it came; what it says is read from it each time. `error` is a code of ours or an AAA03.
    """

    __tablename__ = "eligibility_check"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(String(64))
    coverage_id: Mapped[str] = mapped_column(String(64))
    appointment_id: Mapped[str | None] = mapped_column(String(64))
    service_id: Mapped[str | None] = mapped_column(String(64))
    service_type: Mapped[str] = mapped_column(String(2))  # X12
    reason: Mapped[CheckReason] = mapped_column(words(CheckReason))
    status: Mapped[CheckStatus] = mapped_column(words(CheckStatus), default=CheckStatus.QUEUED)
    on_date: Mapped[dt.date]  # the day of service asked about
    requested_by: Mapped[str] = mapped_column(String(200))
    in_force: Mapped[bool | None]  # what the answer says of that day; None: it does not tell
    answer: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(64))
    worker_until: Mapped[float] = mapped_column(Float, default=0.0)  # elapsed time, as Communication.worker_until
    retry_at: Mapped[float] = mapped_column(Float, default=0.0)
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime | None]

    coverage: Mapped[Coverage] = relationship(viewonly=True)

    __table_args__ = (
        refers("patient_id", "patient"),
        refers("coverage_id", "coverage"),
        refers("appointment_id", "appointment"),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "coverage_id"),
        Index("uq_eligibility_check_idempotency_key", "organization_id", "idempotency_key", unique=True),
        Index(
            "ix_eligibility_check_waiting",
            "organization_id",
            "status",
            "retry_at",
            sqlite_where=text("status IN ('queued', 'asking')"),
            postgresql_where=text("status IN ('queued', 'asking')"),
        ),
    )


class RequestStatus(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    REVOKED = "revoked"


class RequestCategory(StrEnum):
    ORDER = "order"  # a practitioner's, for a visit here
    REFERRAL = "referral"  # from another practice, for a visit here
    REFERRAL_OUT = "referral-out"  # to another practice


class ServiceRequest(Base):
    """An order or a referral on file: what `needs_order` and `needs_referral` ask for.

    `service_id` is the clinic file's; of a referral to elsewhere, the field of medicine. The visit is wanted between `occurs_from`
    and `occurs_until`, local days.
    """

    __tablename__ = "service_request"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(String(64))
    service_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[RequestStatus] = mapped_column(words(RequestStatus), default=RequestStatus.ACTIVE)
    intent: Mapped[str] = mapped_column(String(32), default="order")
    note: Mapped[str | None] = mapped_column(String(2000))
    category: Mapped[RequestCategory] = mapped_column(
        words(RequestCategory), default=RequestCategory.ORDER, server_default=RequestCategory.ORDER.value
    )
    occurs_from: Mapped[dt.date | None]
    occurs_until: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime]

    __table_args__ = (refers("patient_id", "patient"), Index(None, "organization_id", "patient_id"))
