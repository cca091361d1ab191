"""A time that is on offer, as the dialogue remembers it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from scheduling_core.models import Appointment, Mode


@dataclass(frozen=True)
class Offer:
    """A time on hold for this conversation, and those that follow it where several visits go together."""

    hold: str
    practitioner: str
    location: str
    mode: Mode
    start: dt.datetime  # UTC
    gives_up: tuple[str, ...] = ()  # the wishes that it does not keep (`giving_up.Wish`)
    part: int = 0  # which of the visits that go together it is
    then: tuple[Offer, ...] = ()

    def as_slot(self) -> dict[str, Any]:
        return {
            "hold": self.hold,
            "practitioner": self.practitioner,
            "location": self.location,
            "mode": self.mode.value,
            "start": self.start.isoformat(),
            "gives_up": list(self.gives_up),
            "part": self.part,
            "then": [offer.as_slot() for offer in self.then],
        }

    @classmethod
    def from_slot(cls, raw: dict[str, Any]) -> Offer:
        start, then = dt.datetime.fromisoformat(raw["start"]), tuple(cls.from_slot(one) for one in raw["then"])
        mode = Mode(raw["mode"])
        return cls(raw["hold"], raw["practitioner"], raw["location"], mode, start, tuple(raw["gives_up"]), raw["part"], then)

    @classmethod
    def of(cls, held: Appointment, gives_up: tuple[str, ...] = ()) -> Offer:
        assert held.practitioner_id
        assert held.location_id
        assert held.start
        return cls(held.id, held.practitioner_id, held.location_id, held.mode, held.start, gives_up)

    @property
    def visits(self) -> tuple[Offer, ...]:
        """This one and those that follow it."""
        return (self, *self.then)
