"""The loaded clinic file, and the few rows that other tables point at."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base


class ClinicVersion(Base):
    """One loaded clinic file; the one with the highest number holds."""

    __tablename__ = "clinic_version"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    loaded_at: Mapped[dt.datetime]


class _ClinicItem:
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)  # False: no longer in the clinic file, kept for the visits that name it


class Practitioner(_ClinicItem, Base):
    __tablename__ = "practitioner"


class Location(_ClinicItem, Base):
    __tablename__ = "location"


class HealthcareService(_ClinicItem, Base):
    __tablename__ = "healthcare_service"


class Payer(_ClinicItem, Base):
    __tablename__ = "payer"
