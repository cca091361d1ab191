"""Who did what with a visit, in sentences, from the audit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import day, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.day import Entry
from scheduling_core.models import AuditEvent, StaffAccount


@dataclass(frozen=True)
class Step:
    at: dt.datetime
    who: str
    what: str


def steps(session: Session, clinic: ClinicFile, one: Entry, zone: ZoneInfo) -> list[Step]:
    """The latest first."""
    rows = day.trail(session, one)
    names = names_of(session, {row.agent for row in rows})
    return [Step(row.at, names[row.agent], _what(clinic, row, zone)) for row in rows]


def names_of(session: Session, agents: set[str]) -> dict[str, str]:
    """Who acted, as colleagues call them."""
    emails = {one.removeprefix("staff:") for one in agents if one.startswith("staff:")}
    rows = session.execute(select(StaffAccount.email, StaffAccount.name).where(StaffAccount.email.in_(emails)))
    accounts = {email: name for email, name in rows}  # noqa: C416
    found = {}
    for one in agents:
        kind, _colon, who = one.partition(":")
        found[one] = {
            "staff": accounts.get(who, who),
            "assistant": _("the assistant, for the patient"),
            "token": _("the system %(name)s", name=who),
        }.get(kind, _("Frontdesk"))
    return found


def _what(clinic: ClinicFile, row: AuditEvent, zone: ZoneInfo) -> str:
    detail = row.detail
    if "old" in detail and "new" in detail:
        return _("Moved from %(old)s to %(new)s", old=_place(clinic, detail["old"], zone), new=_place(clinic, detail["new"], zone))
    if "overbooked" in detail:
        return _("Overbooked: %(reason)s", reason=detail["overbooked"])
    if "expected" in detail:
        at = dt.datetime.fromisoformat(detail["expected"])
        return _("Noted as late, expected %(when)s", when=_moment(at, zone))
    if "confirmation" in detail:
        return _("Confirmed")
    if "lane" in detail:
        return _("No longer overbooked: the time came free")
    status = detail.get("status")
    if isinstance(status, dict):
        return _step(str(status.get("old")), str(status.get("new")))
    if status == "booked":
        return _("Booked for %(place)s", place=_place(clinic, detail, zone)) if "start" in detail else _("Booked")
    return _("Offered") if status == "proposed" else _("Changed")


def _step(old: str, new: str) -> str:
    back = {
        ("arrived", "booked"): _("Check-in taken back"),
        ("checked-in", "arrived"): _("Back to the waiting room"),
        ("fulfilled", "checked-in"): _("Not done yet after all"),
        ("noshow", "booked"): _("No-show taken back"),
    }
    on = {
        "arrived": _("Checked in"),
        "checked-in": _("Taken to a room"),
        "fulfilled": _("Done"),
        "noshow": _("Marked as no-show"),
        "cancelled": _("Cancelled"),
        "booked": _("Booked"),
    }
    return back.get((old, new)) or on.get(new) or _("Changed")


def _place(clinic: ClinicFile, where: dict[str, Any], zone: ZoneInfo) -> str:
    start = dt.datetime.fromisoformat(where["start"])
    who = clinic.practitioners_by_id.get(where.get("practitioner", ""))
    return f"{_moment(start, zone)}, {who.name}" if who else _moment(start, zone)


def _moment(at: dt.datetime, zone: ZoneInfo) -> str:
    return (
        format_datetime(times.to_wall(at, zone).replace(tzinfo=None), "EEE d MMM, ", locale=get_locale())
        + format_datetime(times.to_wall(at, zone).replace(tzinfo=None), "short", locale=get_locale()).rpartition(", ")[2]
    )
