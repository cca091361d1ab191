"""What a wish becomes when the patient says more."""

from __future__ import annotations

import datetime as dt

from scheduling_core.calendar.wishes import Days, TimeWish


def test_an_excluded_weekday_stays_excluded_until_it_is_wished_for() -> None:
    not_mondays = TimeWish(except_weekdays=frozenset({0}))
    that_week = TimeWish(days=(Days(dt.date(2026, 11, 30), dt.date(2026, 12, 6)),))
    assert not_mondays.refined_by(that_week).except_weekdays == {0}
    monday = TimeWish(days=(Days(dt.date(2026, 11, 30), dt.date(2026, 11, 30)),))
    assert not_mondays.refined_by(monday).except_weekdays == frozenset()
