"""Day and week: the calendar that is open all day, kept fresh in place. What is done with a visit is `visit_panel`'s."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from bot.console import booking_panel, schedule_grid, visit_panel
from bot.console.access import CARE, DESK, FLOOR
from bot.console.schedule_grid import Drawing, Frame
from bot.console.shell import Answer, Console, Desk
from scheduling_core import day as days
from scheduling_core import running_late, times
from scheduling_core.day import Column, State

_A_DAY = dt.timedelta(days=1)
_MOST_WEIGHED = 150


def add_schedule(console: Console) -> None:
    @console.get("/day/", may=CARE)
    def day(desk: Desk) -> Answer:
        return _page(desk, _asked(desk))

    @console.get("/day/week", may=CARE)
    def week(desk: Desk) -> Answer:
        return _page(desk, _asked(desk, is_week=True))

    @console.look("/day/changes", may=CARE)
    def day_changes(desk: Desk) -> Answer:
        return _changes(desk, _asked(desk, is_week=bool(request.args.get("week"))))

    @console.get("/day/sheet", may=CARE)
    def day_sheet(desk: Desk) -> Answer:
        asked = _asked(desk)
        shown = [column for column in asked.columns(desk) if column.has_something and asked.who in (None, column.practitioner.id)]
        days.record_look(desk.session, agent=desk.agent, days=asked.days, shown=shown, location_id=asked.location_id)
        words = schedule_grid.state_words() | {State.LATE: _("late")}
        return render_template("console/day_sheet.html", **_words(desk), asked=asked, shown=shown, sheet_words=words)

    @console.get("/day/load", may=CARE)
    def day_load(desk: Desk) -> Answer:
        return _load(desk, _asked(desk))

    visit_panel.add_visit_panel(console)
    booking_panel.add_booking_panel(console)
    console.add_to_menu(lazy_gettext("Day"), "day")


@dataclass(frozen=True)
class Asked:
    """What calendar is wanted. A day shows everybody, or those of a place; a week shows one person."""

    day: dt.date
    today: dt.date
    location_id: str | None
    who: str | None  # of a week always; of a day whom a narrow screen shows first
    is_week: bool

    @property
    def days(self) -> list[dt.date]:
        if not self.is_week:
            return [self.day]
        monday = self.day - self.day.weekday() * _A_DAY
        return [monday + ahead * _A_DAY for ahead in range(7)]

    @property
    def step(self) -> dt.timedelta:
        return (7 if self.is_week else 1) * _A_DAY

    def columns(self, desk: Desk) -> list[Column]:
        who = [self.who] if self.is_week and self.who else None
        found = days.columns(
            desk.session,
            desk.clinic,
            days=self.days,
            practitioners=who,
            location_id=None if self.is_week else self.location_id,
        )
        return [column for column in found if column.has_something or column.day.weekday() < 5] if self.is_week else found


def _asked(desk: Desk, *, is_week: bool = False) -> Asked:
    """What the address asks for; nonsense in it asks for today, everybody."""
    today = times.to_wall(times.now(), desk.clinic.zone).date()
    try:
        wanted = dt.date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        wanted = today
    if abs((wanted - today).days) > visit_panel.FARTHEST:
        wanted = today
    location_id = request.args.get("at")
    who = request.args.get("who")
    if who not in desk.clinic.practitioners_by_id:
        who = desk.clinic.practitioners[0].id if is_week else None
    return Asked(wanted, today, location_id if location_id in desk.clinic.locations_by_id else None, who, is_week)


def _page(desk: Desk, asked: Asked) -> Answer:
    shown = asked.columns(desk)
    days.record_look(desk.session, agent=desk.agent, days=asked.days, shown=shown, location_id=asked.location_id)
    frame = schedule_grid.frame(shown)
    drawing = Drawing(desk.clinic, frame)
    return render_template(
        "console/day.html",
        **_words(desk),
        asked=asked,
        frame=frame,
        drawn=[drawing.column(column) for column in shown],
        not_in=_not_in(desk, asked, shown),
        now=_now_in_rows(desk, frame),
        hour_words={hour: schedule_grid.hour_word(hour) for hour in frame.hours},
        grid_rows=max(desk.clinic.clinic.grid_minutes // 5, 1),
    )


def _changes(desk: Desk, asked: Asked) -> Answer:
    """The columns whose marks are not those that the page has, each to take the place of the old one.

    204 where nothing changed. Where the frame of the page does not hold them any more, it is told to load itself anew.
    """
    shown = asked.columns(desk)
    frame = schedule_grid.frame(shown)
    had = dict(pair.rpartition(":")[::2] for pair in request.args.get("have", "").split(",") if pair)
    drawing = Drawing(desk.clinic, frame)
    marks = {f"{column.practitioner.id}-{column.day:%Y%m%d}": drawing.mark(column) for column in shown}
    if marks.keys() != had.keys() or request.args.get("frame") != f"{frame.first}-{frame.end}":
        answer = make_response("", 204)
        answer.headers["HX-Trigger"] = "schedule-outgrown"
        return answer
    stale = [column for column, (name, mark) in zip(shown, marks.items(), strict=True) if had[name] != mark]
    if not stale:
        return "", 204
    return render_template(
        "console/day_changes.html", **_words(desk), asked=asked, drawn=[drawing.column(column) for column in stale]
    )


def _load(desk: Desk, asked: Asked) -> Answer:
    """How full waiting rooms and rooms get over the day, and the one move that would help the most."""
    shown = days.columns(desk.session, desk.clinic, days=asked.days)
    days.record_look(desk.session, agent=desk.agent, days=asked.days, shown=shown, location_id=asked.location_id)
    places = [one for one in desk.clinic.locations if asked.location_id in (None, one.id)]
    loads = {one.id: days.room_load(desk.clinic, shown, location_id=one.id) for one in places}
    better = {}
    if "better" in request.args:  # it looks for a free time for each visit: asked for, not shown with the page
        better = {
            one.id: running_late.flatten(desk.session, desk.clinic, location_id=one.id, day=asked.day)
            for one in places
            if loads[one.id] and _is_weighable(shown, one.id)
        }
    entries = {entry.id: entry for column in shown for entry in column.entries}
    return render_template(
        "console/day_load.html",
        **_words(desk),
        asked=asked,
        places=places,
        loads=loads,
        better=better,
        entries=entries,
        may_suggest=asked.day >= asked.today
        and "better" not in request.args
        and any(_is_weighable(shown, one.id) for one in places),
    )


def _is_weighable(shown: Sequence[Column], location_id: str) -> bool:
    """Whether a place has few enough visits that the search for a better move keeps nobody's writing waiting for seconds."""
    return sum(entry.location_id == location_id for column in shown for entry in column.entries) <= _MOST_WEIGHED


def _not_in(desk: Desk, asked: Asked, shown: Sequence[Column]) -> list[str]:
    """The names of those who have no column on a day."""
    if asked.is_week:
        return []
    in_today = {column.practitioner.id for column in shown}
    return [one.name for one in desk.clinic.practitioners if one.id not in in_today]


def _now_in_rows(desk: Desk, frame: Frame) -> float:
    """Where the line of the present is, in rows from the top of the frame."""
    wall = times.to_wall(times.now(), desk.clinic.zone)
    return round((wall.hour * 60 + wall.minute) / 5 - frame.first, 2)


def _words(desk: Desk) -> dict[str, object]:
    """What the templates of the calendar share."""
    return {
        "clinic": desk.clinic,
        "may_book": desk.me.role in DESK,
        "may_mark": desk.me.role in FLOOR,
        "name_of": schedule_grid.name_of,
        "away_words": schedule_grid.away_words,
        "use_of": schedule_grid.use_of,
        "clock": schedule_grid.clock,
        "day_words": schedule_grid.day_words,
        "days_words": schedule_grid.days_words,
        "State": State,
        "wall": times.to_wall,
        "title": _("Week") if request.path.endswith("week") else _("Day"),
    }
