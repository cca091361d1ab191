"""Plans that move visits: what is proposed, what each patient said, and what was done."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base, new_id, refers, words


class PlanKind(StrEnum):
    URGENT = "urgent"  # room is made for one urgent visit: all of it is carried out, or nothing
    STORM = "storm"  # somebody is out: each visit moves when its patient agrees


class PlanStatus(StrEnum):
    PROPOSED = "proposed"
    ASKING = "asking"  # a scheduler said yes; the new times are kept and the patients are asked
    DONE = "done"
    UNDONE = "undone"
    GIVEN_UP = "given-up"


class MoveStatus(StrEnum):
    PROPOSED = "proposed"
    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"
    MOVED = "moved"
    UNDONE = "undone"
    GONE = "gone"  # the visit was moved or cancelled otherwise meanwhile
    FOR_STAFF = "for-staff"  # no time, no answer, or the time is gone: a person finds one


class Plan(Base):
    """`need` of an urgent plan: the urgent `visits`, each with its patient, its time and, once booked, its appointment, and the
    `reasons` for staff; of a storm: who is out, where and when.
    """

    __tablename__ = "plan"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    kind: Mapped[PlanKind] = mapped_column(words(PlanKind))
    status: Mapped[PlanStatus] = mapped_column(words(PlanStatus), default=PlanStatus.PROPOSED)
    need: Mapped[dict[str, Any]]
    decided_by: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class PlanMove(Base):
    """One visit of a plan. `old` and `new` are times as JSON; `sequence` is the visit's when the plan was made."""

    __tablename__ = "plan_move"

    plan_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # from 1
    appointment_id: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int]
    status: Mapped[MoveStatus] = mapped_column(words(MoveStatus), default=MoveStatus.PROPOSED)
    old: Mapped[dict[str, Any]]
    new: Mapped[dict[str, Any] | None]
    hold_id: Mapped[str | None] = mapped_column(String(64))
    moved_at: Mapped[dt.datetime | None]

    __table_args__ = (
        refers("plan_id", "plan"),
        refers("appointment_id", "appointment"),
        refers("patient_id", "patient"),
        refers("hold_id", "appointment"),
        Index(None, "organization_id", "plan_id", "status"),
        Index(None, "organization_id", "appointment_id"),
        Index(None, "organization_id", "patient_id"),
    )
