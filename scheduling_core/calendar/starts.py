"""Where in a working stretch a visit could start, as a bitmap that counts from the first tick of the stretch."""

from __future__ import annotations

import datetime as dt

from scheduling_core.calendar import hours, ticks
from scheduling_core.calendar.hours import Stretch
from scheduling_core.clinic_file.schema import ServicePart


def possible(stretch: Stretch, service: ServicePart, *, taken: int, earliest: int, now: dt.datetime, own: int = 0) -> int:
    """The ticks on the grid at which a visit fits with its buffers, not before the tick `earliest`, and no block keeps it out.

    `taken` are the practitioner's ticks that are not free, `own` those of the patient. Rooms, ages and the daily maximum aside.
    """
    before, visit, after = hours.lengths(service)
    everything = ticks.ones(stretch.length)
    found = (ticks.runs(everything & ~taken, before + visit + after) << before) & stretch.grid
    if earliest > stretch.first:
        found &= everything << (earliest - stretch.first)
    for kept in stretch.kept:
        if kept.keeps_out(service, now):
            own |= ticks.ones(kept.end - kept.first) << (kept.first - stretch.first)
    return found & ticks.runs(everything & ~own, visit) if own and found else found
