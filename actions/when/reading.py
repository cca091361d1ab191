"""One reading of all that a sentence says about time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from actions.when.context import shifted_offer
from actions.when.hearing import Heard, hear, parse
from actions.when.meanings import DAY, Clock, Dates, Now, Span, Window, monday, next_weekday
from actions.when.say import say_day
from actions.when.text import Piece, fold, is_spanish
from actions.when.words import words_of
from scheduling_core.calendar.wishes import Days, Hours, TimeWish

_WEEKDAY_KEYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


_LOOSE = 30  # minutes either side of "around 3"


_MIDNIGHT = dt.time(0)


@dataclass(frozen=True)
class Reading:
    """One reading of the words about time, in the clinic's wall time.

    `wish` is what a search uses. `start`, `end`, `grain` and `bound` (None, "after", "before") are the same as one stretch of time:
    the end of days is exclusive, the end of clock ranges is the time said. `question` is a code, not None where a patient should be
    asked which of `readings` was meant: "date-weekday-disagree", "next-weekday". `span` is the part of the text that was read.
    """

    wish: TimeWish
    start: dt.datetime | None
    end: dt.datetime | None
    grain: str
    bound: str | None = None
    question: str | None = None
    readings: tuple[str, ...] = ()
    span: str = ""


def read(
    text: str,
    now: dt.datetime,
    *,
    hours: tuple[dt.time, dt.time] = (dt.time(8), dt.time(18)),
    anchor: dt.datetime | None = None,
    offered: Sequence[dt.datetime] = (),
    language: str | None = None,
    gone: bool = False,
) -> Reading | None:
    """What `text` says about the time of a visit, or None. Never raises, whatever the text.

    `now`, `anchor` (the visit talked about) and `offered` (times offered last) are naive wall time; `hours` are the clinic's, by
    which a bare "at 3" is read. A day gone by is nobody's wish; with `gone` it is read where nothing else is said.
    """
    here = Now(now, is_spanish(fold(text[:400]), language), hours, anchor, tuple(offered))
    parsed = parse(text, here, language)
    heard = hear(parsed, here) or hear(shifted_offer(parsed, here), here)
    if heard is None and gone:
        heard = hear(parsed, here, gone=True)
    if heard is None:
        return None
    reading = _reading(heard, here)
    if reading is None:
        return None
    reading = replace(reading, span=text[heard.start : heard.end])
    return _pick_offered(reading, heard, parsed, here)


def resolve(clock: Clock, hint: str | None, hours: tuple[dt.time, dt.time]) -> dt.time:
    """The time of day of a clock as said: by am or pm, by the part of day, else by the clinic's hours."""
    if (clock.sure and clock.half is None) or clock.hour > 12:
        return dt.time(clock.hour % 24, clock.minute)
    hour = clock.hour % 12
    if clock.half:
        return dt.time(hour + 12 * (clock.half == "pm"), clock.minute)
    if hint == "am":
        return dt.time(clock.hour if clock.hour == 12 else hour, clock.minute)
    if hint in ("pm", "evening"):
        return dt.time(hour + 12, clock.minute)
    if hint == "night":
        return dt.time(hour + 12 if hour >= 6 else hour, clock.minute)
    if hint == "lunch":
        return dt.time(hour + 12 if hour < 6 else hour, clock.minute)
    am, pm = dt.time(hour, clock.minute), dt.time(hour + 12, clock.minute)
    fits = [hours[0] <= each <= hours[1] for each in (am, pm)]
    if fits[0] != fits[1]:
        return am if fits[0] else pm
    return am if hour >= 7 else pm


def resolve_span(span: Span, hint: str | None, hours: tuple[dt.time, dt.time]) -> tuple[dt.time | None, dt.time | None]:
    """Both ends, each read by the other: "9 to 3 pm", "11:30 am to 12:30"."""
    first, last = span.first, span.last
    if first is None or last is None:
        return resolve(first, hint, hours) if first else None, resolve(last, hint, hours) if last else None
    loose_first, loose_last = (c.half is None and not c.sure and c.hour <= 12 for c in (first, last))
    if loose_first and not loose_last:
        end = resolve(last, hint, hours)
        options = [dt.time(first.hour % 12 + add, first.minute) for add in (0, 12)]
        return max((o for o in options if o < end), default=options[0]), end
    start = resolve(first, hint, hours)
    if loose_last:
        options = [dt.time(last.hour % 12 + add, last.minute) for add in (0, 12)]
        return start, min((o for o in options if o > start), default=options[0])
    return start, resolve(last, hint, hours)


def _reading(heard: Heard, now: Now) -> Reading | None:
    if heard.chosen:
        return _exact(heard.chosen)
    if heard.moment and (heard.moment.exact or not (heard.clocks or heard.windows or heard.ranges)):
        return _exact(heard.moment.at) if heard.moment.exact else _from_moment(heard.moment.at)
    days = _days(heard, now)
    if days is None:
        return None
    wish, ranges, question, readings = days
    at: tuple[dt.time, ...] = ()
    clocks = heard.clocks or ([heard.same_time] if heard.same_time and not heard.windows else [])
    times = [resolve(clock, heard.hint, now.hours) for clock in clocks]
    spans: list[tuple[dt.time | None, dt.time | None]] = []
    said: list[tuple[dt.time | None, dt.time | None]] = []
    loose: list[Hours] = []
    about = any(clock.loose for clock in clocks)
    for time in times:
        if about:
            loose.append(_around(time))
        else:
            at += (time,)
    for window in heard.windows:
        if isinstance(window, Span):
            both = resolve_span(window, heard.hint, now.hours)
            spans.append(both)
            said.append(both)
        else:
            spans.append(_window_starts(window, now))
            said.append(window.said)
    hours = tuple(Hours(a or _MIDNIGHT, b if b is None or (a or _MIDNIGHT) < b else None) for a, b in spans) + tuple(loose)
    excluded = tuple(_excluded(each, heard.hint, now) for each in heard.not_windows)
    wish = replace(wish, hours=hours, at=at, except_hours=excluded)
    if not wish:
        if heard.soonest:
            return Reading(TimeWish(soonest=True), now.now, None, "second")
        return Reading(wish, None, None, "any") if heard.anything else None
    start, end, grain, bound = _stretch(ranges, times, said, heard, wish, now)
    return Reading(wish, start, end, grain, bound, question, readings)


def _exact(at: dt.datetime) -> Reading:
    return Reading(
        TimeWish(days=(Days(at.date(), at.date()),), at=(at.time().replace(second=0, microsecond=0),)), at, None, "minute"
    )


def _from_moment(at: dt.datetime) -> Reading:
    at = at.replace(microsecond=0)
    return Reading(
        TimeWish(days=(Days(at.date(), at.date()),), hours=(Hours(at.time().replace(second=0), None),)), at, None, "minute"
    )


def _around(time: dt.time) -> Hours:
    middle = time.hour * 60 + time.minute
    first, last = max(0, middle - _LOOSE), middle + _LOOSE
    return Hours(dt.time(*divmod(first, 60)), dt.time(*divmod(last, 60)) if last < 24 * 60 else None)


def _window_starts(window: Window, now: Now) -> tuple[dt.time | None, dt.time | None]:
    opening, closing = now.hours
    if window.name == "first-thing":
        return _MIDNIGHT, dt.time(min(opening.hour + 2, 23), opening.minute)
    if window.name == "last-thing":
        return dt.time(max(closing.hour - 2, 0), closing.minute), None
    return window.starts


def _excluded(value: Window | Span | Clock, hint: str | None, now: Now) -> Hours:
    if isinstance(value, Window):
        first, last = _window_starts(value, now)
        return Hours(first or _MIDNIGHT, last)
    if isinstance(value, Span):
        first, last = resolve_span(value, hint, now.hours)
        return Hours(first or _MIDNIGHT, last)
    time = resolve(value, hint, now.hours)
    return Hours(time, (dt.datetime.combine(now.today, time) + dt.timedelta(minutes=1)).time() if time < dt.time(23, 59) else None)


def _days(heard: Heard, now: Now) -> tuple[TimeWish, list[Dates], str | None, tuple[str, ...]] | None:
    """The days of the wish, the ranges they came from, and the question if there is one."""
    ranges, weekdays, named = list(heard.ranges), heard.weekdays, heard.named
    language = "es" if now.spanish else "en"
    if heard.same_day and not ranges and not named and not weekdays:
        ranges = [Dates(heard.same_day, heard.same_day)]
    if (
        (heard.same_time or heard.same_day)
        and now.talked_about
        and len(ranges) == 1
        and ranges[0].grain == "week"
        and ranges[0].first
        and not weekdays
        and not named
    ):
        same = monday(ranges[0].first) + now.talked_about.weekday() * DAY
        ranges = [Dates(same, same)]
    if heard.row and not ranges:
        first = _in_offered(now, heard.row[0]) or next_weekday(
            now.today, heard.row[0], today_too=now.today.weekday() == heard.row[0]
        )
        ranges, weekdays = [Dates(first, first + (heard.row[1] - heard.row[0]) % 7 * DAY, "days")], frozenset()
    if named:
        long = next((dates for dates in ranges if not dates.is_day), None)
        if long is None and len(named) == 1 and not weekdays:
            found = _in_offered(now, named[0]) or next_weekday(now.today, named[0], today_too=_still_ahead(heard, now))
            ranges = [*ranges, Dates(found, found)]
        elif long is not None and len(named) == 1 and not weekdays and (only := _only(long, named[0])):
            ranges = [Dates(only, only)]
        else:
            weekdays |= frozenset(named)
    elif len(weekdays) == 1 and len(ranges) == 1 and not heard.row and (only := _only(ranges[0], next(iter(weekdays)))):
        ranges, weekdays = [Dates(only, only)], frozenset()
    spans = tuple(Days(*dates.wide) if dates.wide else Days(dates.first, dates.last) for dates in ranges)
    question = next((dates.question for dates in ranges if dates.question), None)
    readings = next((tuple(say_day(day, now.today, language) for day in dates.readings) for dates in ranges if dates.question), ())
    wish = TimeWish(
        days=tuple(Days(_from_today(span.first, span.last, now), span.last) for span in spans),
        weekdays=weekdays,
        except_days=tuple(Days(dates.first, dates.last) for dates in heard.not_ranges),
        except_weekdays=heard.not_weekdays,
    )
    return wish, ranges, question, readings


def _still_ahead(heard: Heard, now: Now) -> bool:
    """Whether a clock time was said that today has yet to see: then "Monday at 3", said on a Monday, is today."""
    said = list(heard.clocks) + [w.first or w.last for w in heard.windows if isinstance(w, Span)]
    return bool(said) and all(c and resolve(c, heard.hint, now.hours) > now.now.time() for c in said)


def _from_today(first: dt.date | None, last: dt.date | None, now: Now) -> dt.date | None:
    """No search looks into the past: "this week" starts today."""
    return now.today if first and last and first < now.today <= last else first


def _only(dates: Dates, weekday: int) -> dt.date | None:
    """The one such weekday of a week."""
    if dates.first is None or dates.last is None or (dates.last - dates.first).days > 6:
        return None
    return next((day for step in range(7) if (day := dates.first + step * DAY).weekday() == weekday and day <= dates.last), None)


def _in_offered(now: Now, weekday: int) -> dt.date | None:
    days = {each.date() for each in now.offered if each.weekday() == weekday}
    return days.pop() if len(days) == 1 else None


def _at(day: dt.date | None, time: dt.time | None) -> dt.datetime:
    assert day is not None  # an open end is told by its bound, and asked for its other end
    return dt.datetime.combine(day, time or _MIDNIGHT)


def _stretch(
    ranges: list[Dates],
    times: list[dt.time],
    said: list[tuple[dt.time | None, dt.time | None]],
    heard: Heard,
    wish: TimeWish,
    now: Now,
) -> tuple[dt.datetime | None, dt.datetime | None, str, str | None]:
    """The wish as one stretch: start, end, grain, bound."""
    first, last, grain, bound = _first_days(ranges, heard, wish, now)
    if times:
        day = first or now.today
        if first is None and _at(day, times[0]) <= now.now:
            day += DAY
        return _at(day, times[0]), None, "minute", None
    if said:
        a, b = said[0]
        day = first or now.today
        if first is None and (b or a) and _at(day, b or a) <= now.now:
            day += DAY
        window = heard.windows[0]
        is_span = isinstance(window, Span)
        if isinstance(window, Window) and window.name.startswith("after-"):
            b = None
        elif isinstance(window, Window) and window.name.startswith("before-"):
            a = None
        if b is None:
            return _at(day, a), None, "minute", "after"
        if a is None:
            return None, _at(day, b), "minute", "before"
        return _at(day, a), _at(day + (DAY if b <= a else 0 * DAY), b), "minute" if is_span else "hour", None
    if bound == "after":
        return _at(first, None), None, "day", "after"
    if bound == "before":
        return None, _at(last, None) + DAY, "day", "before"
    if first is None:
        return None, None, "any", None
    return _at(first, None), _at(last or first, None) + DAY, grain, None


def _first_days(
    ranges: list[Dates], heard: Heard, wish: TimeWish, now: Now
) -> tuple[dt.date | None, dt.date | None, str, str | None]:
    if ranges:
        dates = ranges[0]
        if len(ranges) > 1 and all(each.first and each.last and not each.bound for each in ranges):
            return min(each.first for each in ranges if each.first), max(each.last for each in ranges if each.last), "days", None
        return dates.first, dates.last, dates.grain, dates.bound
    if wish.weekdays:
        found = next(day for step in range(1, 8) if (day := now.today + step * DAY).weekday() in wish.weekdays)
        return found, found, "day", None
    if heard.not_ranges:
        return heard.not_ranges[0].first, heard.not_ranges[0].last, heard.not_ranges[0].grain, None
    if heard.not_weekdays:
        found = next(day for step in range(1, 8) if (day := now.today + step * DAY).weekday() in heard.not_weekdays)
        return found, found, "day", None
    return None, None, "any", None


_OTHER = words_of("else other another different more earlier later sooner instead otra otro otros otras")


def _pick_offered(reading: Reading, heard: Heard, parsed: list[Piece], now: Now) -> Reading:
    """An offered time that the words name: "the 9:20", "the Thursday one"."""
    if not now.offered or heard.chosen or reading.question or reading.bound or not reading.wish or reading.wish.soonest:
        return reading
    if any(p.text in _OTHER or p.letter in "NX" for p in parsed):
        return reading
    wish = reading.wish
    if heard.clocks and not wish.names_days:  # "the 9:20" is whichever half of the day was offered
        fits = [o for o in now.offered if any((o.hour - c.hour) % 12 == 0 and o.minute == c.minute for c in heard.clocks)]
    else:
        fits = [o for o in now.offered if wish.allows(o)]
    definite = any(p.letter == "z" or p.text == "the" for p in parsed)
    names = heard.clocks or (wish.days and all(d.first == d.last for d in wish.days)) or definite
    return replace(_exact(fits[0]), span=reading.span) if len(fits) == 1 and names else reading


def as_contract(reading: Reading | None) -> dict[str, Any] | None:
    """The reading as `frontdesk understand` prints it, or None."""
    if reading is None:
        return None
    wish = reading.wish
    excepted = [_WEEKDAY_KEYS[day] for day in sorted(wish.except_weekdays)]
    excepted += [f"{d.first}/{d.last}" if d.first != d.last else f"{d.first}" for d in wish.except_days]
    excepted += [f"{h.start:%H:%M}-{h.end:%H:%M}" if h.end else f"{h.start:%H:%M}-" for h in wish.except_hours]
    return {
        "start": reading.start.isoformat() if reading.start else None,
        "end": reading.end.isoformat() if reading.end else None,
        "grain": reading.grain,
        "bound": reading.bound,
        "weekdays": [_WEEKDAY_KEYS[day] for day in sorted(wish.weekdays)],
        "except": excepted,
        "ambiguous": reading.question is not None,
    }
