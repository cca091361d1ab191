"""What was learned from the clinic's own history."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base


class NoShowModel(Base):
    """One trained model of who may not come, as plain numbers; the one with the highest number holds."""

    __tablename__ = "no_show_model"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    trained_at: Mapped[dt.datetime]
