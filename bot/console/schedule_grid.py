"""The calendar as it is drawn: which column shows what at which row, in as few bytes as a thousand visits allow.

Rows are 5 minutes each. Where something stands is said in classes (hour and twelfth of the first row, length in hours and
twelfths), so that no style stands in the page.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from babel.dates import format_date, format_interval, format_skeleton, format_time
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup, escape

from scheduling_core import times
from scheduling_core.clinic_file.schema import Block, ClinicFile
from scheduling_core.day import GONE, Away, Band, Column, Entry, Gap, State
from scheduling_core.models import Mode

AN_HOUR = 12  # rows
_EARLIEST, _LATEST = 8 * AN_HOUR, 17 * AN_HOUR  # what is shown at least
_MOST_BESIDE = 6


@dataclass(frozen=True)
class Frame:
    """The rows that are shown, whole hours."""

    first: int
    end: int

    @property
    def hours(self) -> range:
        return range(self.first // AN_HOUR, self.end // AN_HOUR)

    def place(self, row: int, end_row: int) -> str:
        """The classes of something from a row to before another, cut to the frame."""
        first, end = max(row, self.first) - self.first, min(end_row, self.end) - self.first
        length = max(end - first, 1)
        found = f"h{first // AN_HOUR} m{first % AN_HOUR}"
        found += f" e{length // AN_HOUR}" if length >= AN_HOUR else ""
        return found + (f" d{length % AN_HOUR}" if length % AN_HOUR else "")


@dataclass(frozen=True)
class Drawn:
    """A column, ready for the page. `mark` changes when anything in it does."""

    column: Column
    name: str
    mark: str
    body: Markup
    facts: str
    behind: str


def frame(shown: Iterable[Column]) -> Frame:
    """From the first hour in which somebody works or has a visit to the last."""
    rows = [(one.first - column.origin, one.end - column.origin) for column in shown for one in column.stretches]
    rows += [(one.row, one.end_row) for column in shown for one in column.entries]
    first, end = min((a for a, _b in rows), default=_EARLIEST), max((b for _a, b in rows), default=_LATEST)
    return Frame(max(0, first // AN_HOUR * AN_HOUR), min(24 * AN_HOUR, -(-end // AN_HOUR) * AN_HOUR))


class Drawing:
    """What drawing columns shares: the clinic's names and the words of the reader's language, looked up once."""

    def __init__(self, clinic: ClinicFile, frame: Frame) -> None:
        self.clinic, self.frame = clinic, frame
        self.locale = str(get_locale())
        self.services = {one.id: str(escape(one.name)) for one in clinic.services}
        self.words = {state: str(escape(word)) for state, word in state_words().items()}
        self.video, self.free = str(escape(_("video"))), str(escape(_("free")))
        self.on_offer, self.until = str(escape(_("On offer"))), str(escape(_("until")))

    def column(self, column: Column) -> Drawn:
        return Drawn(
            column=column,
            name=f"{column.practitioner.id}-{column.day:%Y%m%d}",
            mark=self.mark(column),
            body=self._body(column),
            facts=_facts(column),
            behind=_("%(minutes)s min behind", minutes=column.behind) if column.behind >= 10 else "",
        )

    def mark(self, column: Column) -> str:
        """Eight hexadecimal digits that change with anything that is drawn of a column."""
        parts = [f"{one.id}{one.state}{one.updated_at}{one.row}{one.lane}" for one in column.entries]
        parts += [f"{one.row}-{one.end_row}{one.kept is None}" for one in column.gaps]
        parts += [f"{one.row}-{one.end_row}" for one in column.bands]
        parts.append(f"{column.behind // 5}{column.away}{self.frame}{self.locale}")
        return f"{zlib.crc32('|'.join(parts).encode()):08x}"

    def _body(self, column: Column) -> Markup:
        beside = _beside(column)
        gone = [one for one in column.entries if one.state in GONE]
        found = [
            f'<span class="w {self.frame.place(one.first - column.origin, one.end - column.origin)}"></span>'
            for one in column.stretches
        ]
        found += [self._band(band) for band in column.bands]
        things: list[tuple[int, int, str]] = [(gap.row, 1, self._gap(gap, _overlaps(gap, gone))) for gap in column.gaps]
        things += [(one.row, 0, self._visit(one, beside.get(one.id, ""), column)) for one in column.entries]
        found += [text for _row, _order, text in sorted(things)]
        return Markup("".join(found))  # every word in it is escaped where it comes from

    def _visit(self, one: Entry, beside: str, column: Column) -> str:
        place = self.frame.place(one.row, one.end_row)
        name, word = str(name_of(one)), self.words[one.state]
        if one.state is State.LATE and one.expected_at:
            word += " " + _short(times.to_wall(one.expected_at, column.zone), self.locale)
        elif one.state is State.ARRIVED and one.arrived_at:
            word += " " + _short(times.to_wall(one.arrived_at, column.zone), self.locale)
        elif one.state is State.HOLD and one.hold_expires_at:
            name, word = self.on_offer, self.until + " " + _short(times.to_wall(one.hold_expires_at, column.zone), self.locale)
        service = self.services.get(one.service_id, one.service_id)
        if one.mode is Mode.VIDEO:
            service += f" · {self.video}"
        moved = f' data-q="{one.sequence}"' if one.sequence else ""
        over = " up" if one.lane else ""
        state = "" if one.state is State.BOOKED else f"{one.state} "  # most are: what says nothing of itself is booked
        told = "" if one.state is State.BOOKED else f"<em>{word}</em>"
        return (
            f'<a class="v {state}{place}{over}{beside}" href="v/{one.id}"{moved}><b>{_row_clock(one.row, self.locale)}</b> '
            f"{name}{told}<i>{service}</i></a>"
        )

    def _gap(self, gap: Gap, is_beside: bool) -> str:
        until = _row_clock(gap.end_row, self.locale)
        more = (" kept" if gap.kept else "") + (" by" if is_beside else "")
        return (
            f'<button class="g {self.frame.place(gap.row, gap.end_row)}{more}">'
            f"{_row_clock(gap.row, self.locale)}–{until} {self.free}</button>"
        )

    def _band(self, band: Band) -> str:
        use = escape(use_of(self.clinic, band.kept.block))
        return f'<span class="k {self.frame.place(band.row, band.end_row)}"><span>{use}</span></span>'


def state_words() -> dict[State, str]:
    """States in the reader's language. After "here", "late, about" and "on offer until" a time follows."""
    return {
        State.HOLD: _("on offer until"),
        State.BOOKED: _("booked"),
        State.CONFIRMED: _("confirmed"),
        State.LATE: _("late, about"),
        State.OVERDUE: _("not here yet"),
        State.ARRIVED: _("here"),
        State.IN_ROOM: _("in room"),
        State.DONE: _("done"),
        State.NO_SHOW: _("no-show"),
        State.CANCELLED: _("cancelled"),
    }


def name_of(one: Entry) -> Markup:
    """The patient's name; of a restricted record the initials, of an offer to nobody on file a dash."""
    given, family = one.given or "", one.family or ""
    if one.is_restricted:
        return escape(f"{given[:1]}. {family[:1]}.")
    return escape(f"{given} {family}".strip() or "–")


def use_of(clinic: ClinicFile, block: Block) -> str:
    """What a block is for."""
    if block.keep_for == "urgent":
        return _("For urgent visits")
    names = ", ".join(clinic.services_by_id[one].name if one in clinic.services_by_id else one for one in block.keep_for)
    return _("For: %(services)s", services=names)


def away_words(away: Away) -> str:
    """Why somebody is not here."""
    match away.kind:
        case "absent":
            assert away.until
            until = format_date(away.until, "long", locale=get_locale())
            reason = f" ({away.reason})" if away.reason else ""
            return _("Away until %(day)s%(reason)s", day=until, reason=reason)
        case "holiday":
            return _("Public holiday: %(name)s", name=away.reason) if away.reason else _("Public holiday")
    return _("Closed: %(name)s", name=away.reason) if away.reason else _("Closed")


def day_words(day: dt.date) -> str:
    """Wed, Nov 18, 2026"""
    return format_skeleton("yMMMEd", dt.datetime.combine(day, dt.time(12)), locale=get_locale())


def days_words(first: dt.date, last: dt.date) -> str:
    """Nov 16 – 22, 2026"""
    return format_interval(first, last, "yMMMd", locale=get_locale())


def clock(wall: dt.datetime | dt.time, locale: str | None = None) -> str:
    """9:30 AM, 9:30"""
    return format_time(wall, "short", locale=locale or str(get_locale()))


def hour_word(hour: int) -> str:
    """8 AM, 14:00"""
    if str(get_locale()).startswith("en"):
        return f"{hour % 12 or 12} {'PM' if 12 <= hour < 24 else 'AM'}"
    return f"{hour}:00"


def _short(wall: dt.datetime | dt.time, locale: str) -> str:
    hour = wall.hour % 12 or 12 if locale.startswith("en") else wall.hour
    return f"{hour}:{wall.minute:02d}"


def _row_clock(row: int, locale: str) -> str:
    """The wall time of a row, as short as a grid with hours beside it allows: 9:05, 2:20 (14:20 where a day has 24 hours)."""
    return _short(dt.time(row // AN_HOUR % 24, row % AN_HOUR * 5), locale)


def _facts(column: Column) -> str:
    """How much there is, in a few words."""
    visits = len(column.entries) - column.count(State.HOLD, *GONE)
    here = column.count(State.ARRIVED)
    found = ngettext("%(num)s visit", "%(num)s visits", visits)
    return f"{found}, {_('%(count)s waiting', count=here)}" if here else found


def _beside(column: Column) -> dict[str, str]:
    """The classes of entries that overlap: side by side in equal parts; what is gone is thin, at the right of what came since."""
    found: dict[str, str] = {}
    gone = [one for one in column.entries if one.state in GONE]
    live = [one for one in column.entries if one.state not in GONE]
    group: list[Entry] = []
    until = -1
    for one in [*live, None]:
        if one is not None and one.row < until:
            group.append(one)
            until = max(until, one.end_row)
            continue
        if len(group) > 1:
            places = min(len(group), _MOST_BESIDE)
            found |= {each.id: f" of{places} n{number % places}" for number, each in enumerate(group)}
        if one is not None:
            group, until = [one], one.end_row
    found |= {one.id: found.get(one.id, "") + " by" for one in live if _overlaps(one, gone)}
    return found | {one.id: " side" for one in gone if _overlaps(one, [*live, *column.gaps])}


def _overlaps(one: Entry | Gap, others: Iterable[Entry | Gap]) -> bool:
    return any(other.row < one.end_row and one.row < other.end_row for other in others)
