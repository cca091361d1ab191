"""Days, times and wishes as a person would say them, in English and Spanish, speakable and free of abbreviations."""

from __future__ import annotations

import datetime as dt

from scheduling_core.calendar.wishes import Days, Hours, TimeWish

_WEEKDAYS = {
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "es": ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
}
_MONTHS = {
    "en": [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ],
    "es": [
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ],
}  # fmt: skip
_YEAR_SAID_AFTER = dt.timedelta(days=300)  # until then the month tells the year


def _language(language: str | None) -> str:
    return "es" if language == "es" else "en"


def say_date(day: dt.date, today: dt.date, language: str | None) -> str:
    """ "November 24", "24 de noviembre"; with the year where it could be mistaken."""
    spanish = _language(language) == "es"
    month = _MONTHS[_language(language)][day.month - 1]
    said = f"{day.day} de {month}" if spanish else f"{month} {day.day}"
    if abs(day - today) > _YEAR_SAID_AFTER:
        said += f" de {day.year}" if spanish else f", {day.year}"
    return said


def say_day(day: dt.date, today: dt.date, language: str | None) -> str:
    """ "Tuesday, November 24", "martes 24 de noviembre"."""
    weekday = _WEEKDAYS[_language(language)][day.weekday()]
    return f"{weekday}{' ' if _language(language) == 'es' else ', '}{say_date(day, today, language)}"


def say_time(time: dt.time, language: str | None) -> str:
    """ "9:20 AM", "12:00 PM"; alike in Spanish."""
    return f"{time.hour % 12 or 12}:{time:%M} {'AM' if time.hour < 12 else 'PM'}"


def say_start(start: dt.datetime, today: dt.date, language: str | None) -> str:
    """ "Tuesday, November 24 at 9:20 AM", "martes 24 de noviembre a las 9:20 AM"; `start` is wall time."""
    day = say_day(start.date(), today, language)
    return f"{day} {_at(start.time(), language)}"


def _at(time: dt.time, language: str | None) -> str:
    if _language(language) == "en":
        return f"at {say_time(time, language)}"
    return f"a {'la' if time.hour % 12 == 1 else 'las'} {say_time(time, language)}"


def _list(items: list[str], word: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


_PARTS = {
    (0, 12): ("mornings", "por la mañana", "in the morning"),
    (12, 18): ("afternoons", "por la tarde", "in the afternoon"),
    (17, None): ("evenings", "por la noche", "in the evening"),
    (18, None): ("evenings", "por la noche", "in the evening"),
    (0, 10): ("early mornings", "temprano por la mañana", "early in the morning"),
}


def say_wish(wish: TimeWish, today: dt.date, language: str | None) -> str:
    """The wish in a few words: "Tuesday or Thursday mornings", "November 30 to December 4 after 3:00 PM", "any time"."""
    spanish = _language(language) == "es"
    if wish.soonest and not (wish.names_days or wish.names_hours):
        return "lo antes posible" if spanish else "as soon as possible"
    if not wish:
        return "cualquier día" if spanish else "any time"
    either = "o" if spanish else "or"
    days, hours = (
        [_say_days(span, today, spanish, language) for span in wish.days],
        [_say_hours(h, spanish, language) for h in wish.hours],
    )
    said: list[str] = []
    part = hours[0] if len(hours) == 1 else ""
    plural = next((words[0] for words in _PARTS.values() if words[2] == part), None) if wish.weekdays and not spanish else None
    if wish.weekdays:
        names = [_WEEKDAYS[_language(language)][day] for day in sorted(wish.weekdays)]
        if len(names) > 2 and max(wish.weekdays) - min(wish.weekdays) == len(names) - 1:
            names = [f"{names[0]} {'a' if spanish else 'to'} {names[-1]}"]
        said.append(_list(names, either) + (f" {plural}" if plural else ""))
    if days:
        said.append(_list(days, either))
    if hours and not plural:
        said.append(_list(hours, either))
    if wish.at:
        said.append(_list([_at(time, language) for time in wish.at], either))
    excepted = [_WEEKDAYS[_language(language)][day] for day in sorted(wish.except_weekdays)]
    excepted += [_say_days(span, today, spanish, language) for span in wish.except_days]
    excepted += [_say_hours(h, spanish, language) for h in wish.except_hours]
    if excepted:
        said.append(("excepto " if spanish else "except ") + _list(excepted, "y" if spanish else "and"))
    if not (days or wish.weekdays or hours or wish.at):
        said.insert(0, "cualquier día" if spanish else "any day")
    if wish.weekdays and days:
        said[:2] = [f"{said[0]}, {said[1]}"]
    return " ".join(said)


def _say_days(span: Days, today: dt.date, spanish: bool, language: str | None) -> str:
    if span.first and span.first == span.last:
        return say_day(span.first, today, language)
    if span.first is None and span.last is None:
        return "cualquier día" if spanish else "any day"
    if span.last is None:
        assert span.first
        return f"{'desde el' if spanish else 'from'} {say_day(span.first, today, language)}{'' if spanish else ' on'}"
    if span.first is None or (span.first <= today and (span.last - today).days > 13):
        return f"{'hasta el' if spanish else 'by'} {say_day(span.last, today, language)}"
    first, last = say_date(span.first, today, language), say_date(span.last, today, language)
    return f"del {first} al {last}" if spanish else f"{first} to {last}"


def _say_hours(hours: Hours, spanish: bool, language: str | None) -> str:
    key = (hours.start.hour, hours.end.hour if hours.end else None)
    whole = hours.start.minute == 0 and (hours.end is None or hours.end.minute == 0)
    if whole and key in _PARTS:
        return _PARTS[key][1 if spanish else 2]
    start, end = say_time(hours.start, language), say_time(hours.end, language) if hours.end else None
    if end is None:
        return f"después de las {start}" if spanish else f"after {start}"
    if hours.start == dt.time(0):
        return f"antes de las {end}" if spanish else f"before {end}"
    return f"entre las {start} y las {end}" if spanish else f"between {start} and {end}"
