"""Finding free times: all of them, or the best few to offer. What comes closest to a wish that cannot be had is `giving_up`'s."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy.orm import Session

from scheduling_core.calendar import ranking, rules, ticks
from scheduling_core.calendar.free import Free
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ClinicFile

__all__ = ["FreeTime", "Request", "find", "offers"]

_NO_WISH = TimeWish()


def find(
    session: Session,
    clinic: ClinicFile,
    request: Request,
    *,
    start: dt.datetime,
    end: dt.datetime,
    wish: TimeWish = _NO_WISH,
    limit: int | None = None,
) -> list[FreeTime]:
    """Every start from `start` to before `end` (aware) that can be booked, by time, then in the order of the clinic file.

    Nothing is found where `rules.who_may` refuses. Raises NotFoundError for a service or patient that does not exist.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal or start >= end:
        return []
    return Free(session, clinic, asked, wish).times(ticks.tick_from(start), ticks.tick_from(end), limit=limit)


def offers(
    session: Session,
    clinic: ClinicFile,
    request: Request,
    *,
    wish: TimeWish,
    count: int = 3,
    avoid: Collection[tuple[str, dt.datetime]] = (),
) -> list[FreeTime]:
    """The best few times that fit the wish within the booking horizon, the best first (see `ranking.rank`).

    They lie an hour or more apart where the wish leaves room for it, closer where it does not. `avoid` are times (practitioner and
    start) that were refused: they are not offered again, and their neighbours only when there is nothing else.
    Nothing is offered where `rules.who_may` refuses. Raises NotFoundError.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        return []
    free = Free(session, clinic, asked, wish)
    return [free.free_time(one.open, one.tick) for one in ranking.best(free, count, avoid)]
