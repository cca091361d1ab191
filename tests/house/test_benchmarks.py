"""Benchmarks that play the clinic, at their smallest."""

from __future__ import annotations

import datetime as dt
import os

from benchmarks import filling, week
from scheduling_core.clinic_file.schema import ClinicFile


def test_freed_times_are_filled_and_none_is_given_twice():
    run = filling.simulate(at_once=3, freed_times=3, median_minutes=15.0, waiting=20)
    assert run.times == 3
    assert len(run.waits) <= run.times
    assert run.offers >= len(run.waits)
    assert run.twice == 0
    assert filling.simulate(at_once=3, freed_times=3, median_minutes=15.0, waiting=20) == run  # the same seed, the same answers
    assert "FRONTDESK_CLOCK" not in os.environ


def test_the_fewest_are_recommended_who_are_soon_enough():
    slow, good, more = (
        filling.Outcome(at_once, times=10, waits=[wait] * 8, offers=50, gone=3, twice=0)
        for at_once, wait in ((1, 60.0), (5, 19.0), (8, 12.0))
    )
    assert filling.recommended([slow, good, more]) is good
    assert filling.recommended([slow]) is slow


def test_a_week_is_played_and_written_down(clinic: ClinicFile):
    page = week.play(clinic, days=2, step=dt.timedelta(minutes=30))
    assert "## Monday, November 16" in page
    assert "## Tuesday, November 17" in page
    assert "(reminder): " in page
    assert "(offer): " in page
    assert "In quiet hours: 0." in page
