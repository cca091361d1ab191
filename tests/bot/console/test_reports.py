"""The page of reports, its files, and the demo week that it is tried with."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot import demo_week
from bot.console.reports import harmless
from scheduling_core.db import Database
from scheduling_core.models import AuditEvent
from tests.bot.console.conftest import Desks

WORDS = ["Bookings by hour", "Handled without staff", "Time to answer", "No-shows", "Cancellations filled", "Utilisation", "Waits"]


@pytest.fixture
def a_day(sqlite_loaded: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(demo_week, "DAYS", 1)
    monkeypatch.setattr(demo_week, "PATIENTS", 30)
    demo_week.fill(sqlite_loaded)
    return sqlite_loaded


def test_a_manager_sees_every_report_after_a_busy_day(a_day: Database, sqlite_desk: Desks) -> None:
    page = sqlite_desk("manager").get("/console/reports").text
    for title in WORDS:
        assert title in page
    assert "By text" in page
    assert 'class="part part-1"' in page


def test_a_report_is_a_file_too(a_day: Database, sqlite_desk: Desks) -> None:
    answer = sqlite_desk("auditor").get("/console/reports/utilisation.csv?first=2026-11-16&last=2026-11-22")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="utilisation_2026-11-16_2026-11-22.csv"'
    assert answer.text.startswith("practitioner,open_minutes,booked_minutes,share\r\n")


@pytest.mark.parametrize(
    "days",
    [
        "first=soon&last=2026-11-22",
        "first=2026-11-22&last=2026-11-16",
        "first=1900-01-01&last=2026-11-22",
        "first=9999-12-31&last=9999-12-31",
        "first=0001-01-01&last=0001-01-01",
    ],
)
def test_days_that_make_no_span_are_told_and_the_last_week_shown(sqlite_desk: Desks, days: str) -> None:
    page = sqlite_desk("manager").get(f"/console/reports?{days}")
    assert page.status_code == 200
    assert "last week" in page.text


def test_reports_are_for_managers_and_auditors(sqlite_desk: Desks) -> None:
    assert sqlite_desk("scheduler").get("/console/reports").status_code == 403
    assert sqlite_desk("manager").get("/console/reports/nothing.csv").status_code == 404


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless(-1) == -1


def test_the_demo_week_goes_into_an_empty_database_only(a_day: Database) -> None:
    with pytest.raises(demo_week.NotEmptyError):
        demo_week.fill(a_day)


def test_a_look_at_the_reports_is_recorded_though_reading_them_keeps_nobody_from_writing(
    sqlite_loaded: Database, sqlite_desk: Desks
) -> None:
    sqlite_desk("manager").get("/console/reports")
    with sqlite_loaded.reading() as session:
        seen = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Page")).all()
    assert [(one.agent, one.entity_id) for one in seen] == [("staff:manager@maplegrove.example", "console.report_page")]
