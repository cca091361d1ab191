"""Overbooking, calls and the waitlist's line from the command line."""

from __future__ import annotations

import pytest

from scheduling_core import booking, waitlist
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.no_show import NotEstimatedError, TooLittleHistoryError
from scheduling_core.plans import NotAllowedError
from tests.bot.test_craft import NORA, frontdesk
from tests.factories import make_free_time, make_patient

__all__ = ["frontdesk"]


def test_a_scheduler_sees_where_it_hurts_least_and_overbooks(frontdesk, sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        stands, extra = make_patient(session).id, make_patient(session).id
        booking.book(session, clinic, patient_id=stands, time=make_free_time(clinic), agent="test", key="stands")
    visit = ("plan", "overbook", "--service", "follow-up", "--practitioner", "ferreira", "--patient", extra)
    said = frontdesk(*visit, "--day", "2026-11-17", *NORA)
    assert "AM with Dr. Joana Ferreira: over the visit of 9:00 AM (10% may not come); expected cost" in said
    there = ("--at", "2026-11-17T09:00", "--reason", "severe pain")
    said = frontdesk(*visit, *there, *NORA)
    assert said.endswith(", over another visit\n")
    assert frontdesk(*visit, *there, *NORA) == said  # the same again is the same visit
    with pytest.raises(NotAllowedError):
        frontdesk(*visit, *there, "--by", "nobody@maplegrove.example")


def test_without_history_nothing_is_learned_and_nobody_is_ranked(frontdesk):
    with pytest.raises(TooLittleHistoryError):
        frontdesk("plan", "learn-no-shows")
    with pytest.raises(NotEstimatedError):
        frontdesk("plan", "calls")


def test_the_line_says_who_comes_first_and_why(frontdesk, sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        stands, waits = make_patient(session).id, make_patient(session).id
        visit = booking.book(session, clinic, patient_id=stands, time=make_free_time(clinic), agent="test", key="stands")
        place = waitlist.join(
            session, clinic, request=Request("follow-up", patient_id=waits), wish=TimeWish(), agent="test", key="join"
        )
        booking.cancel(session, clinic, appointment_id=visit.id, agent="test", key="cancel")
    said = frontdesk("plan", "line")
    assert said.splitlines()[1] == (
        f"  1. Appointment/{place.id}: A routine visit; not asked in the last day; uses all of the time; "
        "waits since November 16, 9:10 AM."
    )
