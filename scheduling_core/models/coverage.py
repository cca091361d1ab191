"""Who pays, and what was ordered."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base, new_id, refers, words


class CoverageStatus(StrEnum):
    ACTIVE = "active"
    CANCELLED = "cancelled"


class Coverage(Base):
    """A patient's insurance as told to us. `payer_id` is the clinic file's id, None for a payer that is not in it."""

    __tablename__ = "coverage"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[CoverageStatus] = mapped_column(words(CoverageStatus), default=CoverageStatus.ACTIVE)
    payer_id: Mapped[str | None] = mapped_column(String(64))
    payer_name: Mapped[str] = mapped_column(String(200))
    subscriber_id: Mapped[str | None] = mapped_column(String(80))
    group_number: Mapped[str | None] = mapped_column(String(80))
    relationship: Mapped[str] = mapped_column(String(20), default="self")  # of the patient to the subscriber
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (refers("patient_id", "patient"), Index(None, "organization_id", "patient_id"))


class RequestStatus(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    REVOKED = "revoked"


class ServiceRequest(Base):
    """An order or a referral on file: what `needs_order` and `needs_referral` ask for."""

    __tablename__ = "service_request"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(String(64))
    service_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[RequestStatus] = mapped_column(words(RequestStatus), default=RequestStatus.ACTIVE)
    intent: Mapped[str] = mapped_column(String(32), default="order")
    note: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[dt.datetime]

    __table_args__ = (refers("patient_id", "patient"), Index(None, "organization_id", "patient_id"))
