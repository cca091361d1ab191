"""Reports: how the practice did, as pictures with their numbers beside them, and as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass

from flask import Response, render_template, request
from flask_babel import format_date, format_decimal, format_percent, lazy_gettext
from flask_babel import gettext as _

from bot.console.access import REVIEWERS
from bot.console.shell import Console, Desk
from scheduling_core import reports, times
from scheduling_core.errors import NotFoundError
from scheduling_core.reports import Cell, Report, Span

_LONGEST = 366  # days
_WEEK = 7
_EARLIEST, _LATEST = 1900, 2200  # years: the first and last of all days have no midnight in UTC


@dataclass(frozen=True)
class Words:
    """A report as people read it. `drawn`: the columns that make the bar, one after the other; a share is drawn of the whole."""

    title: str
    about: str
    drawn: tuple[str, ...]


def add_reports(console: Console) -> None:
    @console.report("/reports", may=REVIEWERS)
    def report_page(desk: Desk) -> str:
        span, wrong = _span(desk)
        shown = [(name, _words()[name], read(desk.session, desk.clinic, span)) for name, read in reports.REPORTS.items()]
        return render_template(
            "console/reports.html", shown=shown, span=span, wrong=wrong, heads=_heads(), tell=_tell, bar=_bar, spans=_spans(desk)
        )

    @console.report("/reports/<name>.csv", may=REVIEWERS)
    def report_file(desk: Desk, name: str) -> Response:
        if name not in reports.REPORTS:
            raise NotFoundError(f"Report/{name}")
        span, _wrong = _span(desk)
        report = reports.REPORTS[name](desk.session, desk.clinic, span)
        out = io.StringIO()
        sheet = csv.writer(out)
        sheet.writerow(report.columns)
        sheet.writerows([harmless(cell) for cell in row] for row in report.rows)
        file = f"{name}_{span.first}_{span.last}.csv"
        return Response(
            out.getvalue(),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    console.add_to_menu(lazy_gettext("Reports"), "report_page")


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection): a name may begin with anything."""
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return f"'{cell}"
    return cell


def _words() -> dict[str, Words]:
    return {
        "bookings": Words(
            _("Bookings by hour"),
            _("When visits were booked, and by whom."),
            ("sms", "voice", "staff", "machine", "other"),
        ),
        "without-staff": Words(
            _("Handled without staff"), _("Conversations that needed no person, by the day they began."), ("share",)
        ),
        "time-to-answer": Words(
            _("Time to answer"), _("From a patient's message to the answer. Half of them waited no longer than the median."), ()
        ),
        "no-shows": Words(_("No-shows"), _("Of the patients who were expected, how many did not come."), ("share",)),
        "cancellations": Words(
            _("Cancellations filled"), _("Times that came free ahead, and how many went to somebody on the waitlist."), ("share",)
        ),
        "utilisation": Words(_("Utilisation"), _("Of the hours that practitioners work, how much is booked."), ("share",)),
        "waits": Words(
            _("Waits"),
            _("Days to the third next available appointment, as it stands now. The first two may be chance."),
            ("days",),
        ),
        "messages": Words(
            _("Messages and their fate"),
            _("What went out, and what became of it."),
            ("delivered", "sent", "waiting", "failed", "withheld"),
        ),
    }


def _heads() -> dict[str, str]:
    return {
        "hour": _("Hour"),
        "sms": _("By text"),
        "voice": _("By phone"),
        "staff": _("By staff"),
        "machine": _("By another system"),
        "other": _("Otherwise"),
        "day": _("Day"),
        "conversations": _("Conversations"),
        "without_staff": _("Without staff"),
        "share": _("Share"),
        "answered_by": _("Answered by"),
        "answers": _("Answers"),
        "median_seconds": _("Median"),
        "p95_seconds": _("95 of 100 within"),
        "service": _("Service"),
        "came": _("Came"),
        "missed": _("Did not come"),
        "practitioner": _("Practitioner"),
        "freed": _("Came free"),
        "filled": _("Filled"),
        "median_minutes": _("Median time to fill"),
        "open_minutes": _("Working"),
        "booked_minutes": _("Booked"),
        "days": _("Days"),
        "kind": _("Kind"),
        "delivered": _("Delivered"),
        "sent": _("Sent"),
        "waiting": _("Waiting"),
        "failed": _("Failed"),
        "withheld": _("Withheld"),
    }


def _tell(column: str, cell: Cell) -> str:
    """A cell with its unit."""
    if cell is None:
        return "–"
    if column == "day":
        return str(format_date(dt.date.fromisoformat(str(cell)), "EEE d MMM"))
    if isinstance(cell, str):
        return cell
    if column == "share":
        return str(format_percent(cell, "0.#%"))
    if column.endswith("_seconds"):
        return _length(float(cell))
    if column.endswith("_minutes"):
        return _length(cell * 60)
    return str(format_decimal(cell))


def _length(seconds: float) -> str:
    if seconds < 90:
        return _("%(number)s s", number=format_decimal(round(seconds, 1)))
    if seconds < 90 * 60:
        return _("%(number)s min", number=format_decimal(round(seconds / 60)))
    return _("%(number)s h", number=format_decimal(round(seconds / 3600, 1)))


def _bar(report: Report, words: Words, row: tuple[Cell, ...]) -> list[tuple[str, float, float]]:
    """The parts of a row's bar: what each stands for, where it begins, and its width, both in percent."""
    drawn = [column for column in words.drawn if column in report.columns]
    if not drawn:
        return []
    whole = 1.0 if drawn == ["share"] else max((_sum(report, drawn, one) for one in report.rows), default=0.0)
    parts, at = [], 0.0
    for column in drawn:
        width = 100 * float(row[report.columns.index(column)] or 0) / whole if whole else 0.0  # type: ignore[arg-type]
        parts.append((column, round(at, 2), round(width, 2)))
        at += width
    return parts


def _sum(report: Report, columns: list[str], row: tuple[Cell, ...]) -> float:
    return sum(float(row[report.columns.index(column)] or 0) for column in columns)  # type: ignore[arg-type]


def _span(desk: Desk) -> tuple[Span, str]:
    """The days that were asked for, else the last week; and what was wrong with what was asked for."""
    today = times.to_wall(times.now(), desk.clinic.zone).date()
    week = Span(today - dt.timedelta(days=_WEEK - 1), today)
    first, last = request.args.get("first"), request.args.get("last")
    if first is None and last is None:
        return week, ""
    try:
        span = Span(dt.date.fromisoformat(first or ""), dt.date.fromisoformat(last or ""))
        if span.first.year < _EARLIEST or span.last.year > _LATEST:
            raise ValueError
    except ValueError:
        return week, _("Please give two days. This is the last week.")
    if not 0 <= (span.last - span.first).days < _LONGEST:
        return week, _("Please give at most a year, the first day first. This is the last week.")
    return span, ""


def _spans(desk: Desk) -> list[tuple[str, Span]]:
    today = times.to_wall(times.now(), desk.clinic.zone).date()
    return [
        (_("Today"), Span(today, today)),
        (_("7 days"), Span(today - dt.timedelta(days=6), today)),
        (_("28 days"), Span(today - dt.timedelta(days=27), today)),
        (_("Next 7 days"), Span(today, today + dt.timedelta(days=6))),
    ]
