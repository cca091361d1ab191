"""What is offered where nothing fits the wish, or nothing soon: the cheapest wishes to give up, and how that is said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from actions import sentences
from actions.turn import Turn
from scheduling_core import times
from scheduling_core.calendar import giving_up
from scheduling_core.calendar.chains import can_be_held_together
from scheduling_core.calendar.giving_up import Sacrifice, Wish
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.wishes import TimeWish

_SLOTS = {
    Wish.HOURS: "time",
    Wish.DAYS: "time",
    Wish.PLACE: "location",
    Wish.MODE: "mode",
    Wish.PRACTITIONER: "practitioners",
    Wish.GENDER: "gender",
    Wish.LANGUAGE: "speaks",
}
_DEAR = {Wish.GENDER, Wish.LANGUAGE}  # offered only where nothing else can be given up
_LATE = dt.timedelta(days=14)  # a time that fits but lies farther off is offered with one that is sooner
_SOONER = dt.timedelta(days=7)

_Key = tuple[str | None, dt.datetime | None]


@dataclass(frozen=True)
class Nothing:
    """What cannot be had: who has nothing ("Dr. Roe has", "I have"), and which wish that is ("on Tuesdays before December 8")."""

    has: str
    wished: str


@dataclass(frozen=True)
class Near:
    """The times to offer, which of the wishes each gives up, and what cannot be had."""

    times: list[FreeTime]
    sacrifices: dict[_Key, tuple[str, ...]]
    nothing: Nothing | None

    def gives_up(self, practitioner_id: str | None, start: dt.datetime | None) -> tuple[str, ...]:
        """The slots of the wishes that a time does not keep."""
        return self.sacrifices.get((practitioner_id, start), ())


def look(
    session: Session,
    turn: Turn,
    wanted: Request,
    wish: TimeWish,
    fitting: list[FreeTime],
    *,
    count: int,
    avoid: Collection[tuple[str, dt.datetime]],
) -> Near:
    """The times that fit, where there are any soon; else what is nearest, of each wish that is cheap to give up one time."""
    if fitting and (wanted.moving or wish.days or fitting[0].start - times.now() < _LATE):
        return Near(fitting, {}, None)
    if wanted.moving:  # the visit's own practitioner is no wish of the patient
        found = giving_up.nearest(session, turn.clinic, wanted, wish=wish, count=count)
        return Near(found, {}, nothing(turn, wish))
    near = giving_up.find(session, turn.clinic, wanted, wish=wish)
    possible = [one for one in near.sacrifices if (one.time.practitioner_id, one.time.start) not in avoid]
    if fitting:
        sooner = [one for one in possible if one.time.start <= fitting[0].start - _SOONER and not _DEAR & set(one.wishes)][:1]
        mixed = _together([*(one.time for one in sooner), *fitting], count)
        return Near(
            mixed, _given_up(sooner), nothing(turn, wish, practitioners=wanted.practitioners, later=fitting[0]) if sooner else None
        )
    cheap = [one for one in possible if not _DEAR & set(one.wishes)] or possible
    others = giving_up.nearest(session, turn.clinic, wanted, wish=wish, count=count)
    return Near(
        _together([*(one.time for one in cheap), *others], count),
        _given_up(cheap),
        nothing(turn, wish, practitioners=wanted.practitioners, later=near.later),
    )


def _given_up(sacrifices: Sequence[Sacrifice]) -> dict[_Key, tuple[str, ...]]:
    return {
        (one.time.practitioner_id, one.time.start): tuple(dict.fromkeys(_SLOTS[wish] for wish in one.wishes)) for one in sacrifices
    }


def _together(times: Sequence[FreeTime], count: int) -> list[FreeTime]:
    """The first few that can all be held at once."""
    picked: list[FreeTime] = []
    for time in times:
        if len(picked) < count and all(can_be_held_together(time, other) for other in picked):
            picked.append(time)
    return picked


def nothing(turn: Turn, wish: TimeWish, *, practitioners: Sequence[str] = (), later: FreeTime | None = None) -> Nothing | None:
    """What cannot be had, and until when; None where there is nothing to say of it.

    "Before December 8" is said of what is wished for without a range of days, or with one that begins today.
    """
    today = turn.now.date()
    is_one_day = wish.first_day is not None and wish.first_day == wish.last_day
    from_today = not wish.days or (wish.first_day or today) <= today
    without_days = replace(wish, days=())
    before = turn.local(later.start).date() if later and from_today and not is_one_day and (without_days or not wish.days) else None
    rest = without_days if before else wish
    said = [sentences.wished(turn, rest) if rest else "", sentences.before(turn, before) if before else ""]
    if not any(said):
        return None
    return Nothing(sentences.who_has(turn, practitioners), " ".join(filter(None, said)))
