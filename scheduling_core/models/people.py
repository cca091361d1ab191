"""Patients, their phone numbers, staff and machines that may ask."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduling_core.models.base import Base, new_id, refers, words
from scheduling_core.models.workflow import Channel


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Patient(Base):
    """A person on file. `new`: registered by text or phone, not seen yet; whom an EHR or the desk puts on file is established."""

    __tablename__ = "patient"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    given: Mapped[str] = mapped_column(String(200))
    family: Mapped[str] = mapped_column(String(200))
    birth_date: Mapped[dt.date]
    sex: Mapped[Sex] = mapped_column(words(Sex), default=Sex.UNKNOWN)
    email: Mapped[str | None] = mapped_column(String(320))
    address: Mapped[str | None] = mapped_column(String(500))
    language: Mapped[str | None] = mapped_column(String(16))  # BCP 47
    prefers: Mapped[Channel | None] = mapped_column(words(Channel))  # how to be reached; None: as the clinic does
    needs: Mapped[list[str]] = mapped_column(default=list)  # wheelchair, interpreter:pl, ...
    new: Mapped[bool] = mapped_column(default=False)  # registered by text or phone, no visit fulfilled yet
    active: Mapped[bool] = mapped_column(default=True)
    restricted: Mapped[bool] = mapped_column(default=False)  # a colleague, a public person: staff give a reason to open the record
    merged_into: Mapped[str | None] = mapped_column(String(64))  # the record that holds what was here, where two were one person
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    phones: Mapped[list[PatientPhone]] = relationship(
        back_populates="patient", order_by="PatientPhone.rank", lazy="selectin", cascade="all, delete-orphan"
    )

    __table_args__ = (
        refers("merged_into", "patient"),
        Index(None, "organization_id", "birth_date"),
        Index(
            "ix_patient_merged_into",
            "organization_id",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
    )


class PatientKey(Base):
    """A word by which a patient is found (`patient_keys`), compared byte by byte, so that an index finds beginnings."""

    __tablename__ = "patient_key"

    key: Mapped[str] = mapped_column(String(100).with_variant(String(100, collation="C"), "postgresql"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(String(64), primary_key=True)

    __table_args__ = (refers("patient_id", "patient"), Index(None, "organization_id", "patient_id"))


class PatientMerge(Base):
    """Two records that were found to be one person. `content`: what was moved and filled in, so that it can be undone exactly."""

    __tablename__ = "patient_merge"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    kept_id: Mapped[str] = mapped_column(String(64))
    merged_id: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]
    undone_by: Mapped[str | None] = mapped_column(String(200))
    undone_at: Mapped[dt.datetime | None]

    __table_args__ = (
        refers("kept_id", "patient"),
        refers("merged_id", "patient"),
        Index(None, "organization_id", "kept_id"),
        Index(
            "uq_patient_merge_in_force",
            "organization_id",
            "merged_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )


class PatientPhone(Base):
    """A number on file, in E.164. Several people may share one."""

    __tablename__ = "patient_phone"

    patient_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    phone: Mapped[str] = mapped_column(String(20), primary_key=True)
    rank: Mapped[int] = mapped_column(default=1)

    patient: Mapped[Patient] = relationship(back_populates="phones")

    __table_args__ = (refers("patient_id", "patient"), Index(None, "organization_id", "phone"))


class StatementKind(StrEnum):
    ALLERGIES = "allergies"
    MEDICINES = "medicines"
    HISTORY = "history"


class Statement(Base):
    """What a patient said of their own health, in their words."""

    __tablename__ = "statement"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[StatementKind] = mapped_column(words(StatementKind))
    said: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[dt.datetime]

    __table_args__ = (refers("patient_id", "patient"), Index(None, "organization_id", "patient_id"))


class Role(StrEnum):
    SCHEDULER = "scheduler"
    BILLING = "billing"
    CLINICIAN = "clinician"
    MANAGER = "manager"
    AUDITOR = "auditor"
    INTEGRATION = "integration"  # a machine, by bearer token


class StaffAccount(Base):
    __tablename__ = "staff_account"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(words(Role))
    active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(String(16), default="en")  # BCP 47, of the console
    password: Mapped[str | None] = mapped_column(String(200))  # argon2id; None: never set, or reset
    totp_secret: Mapped[str | None] = mapped_column(String(64))  # base32; None: no authenticator app
    totp_step: Mapped[int] = mapped_column(default=0)  # of the last code that was taken, which is good once
    created_at: Mapped[dt.datetime]

    __table_args__ = (Index("uq_staff_account_email", "organization_id", "email", unique=True),)


class ApiToken(Base):
    """A bearer token; only its SHA-256 is kept."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(words(Role))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime]

    __table_args__ = (Index("uq_api_token_digest", "organization_id", "digest", unique=True),)
