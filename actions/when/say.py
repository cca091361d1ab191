"""Days, times and wishes as a person would say them, in English and Spanish, speakable and free of abbreviations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

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
_SHORT_MONTHS_ES = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")
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


def say_day_short(day: dt.date, language: str | None) -> str:
    """ "Tue Nov 24", "mar 24 nov": for lists on a small screen."""
    if _language(language) == "es":
        return f"{_WEEKDAYS['es'][day.weekday()][:3]} {day.day} {_SHORT_MONTHS_ES[day.month - 1]}"
    return f"{_WEEKDAYS['en'][day.weekday()][:3]} {_MONTHS['en'][day.month - 1][:3]} {day.day}"


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
    return f"a {_clock_es(time)}"


def _clock_es(time: dt.time) -> str:
    return f"{'la' if time.hour % 12 == 1 else 'las'} {say_time(time, 'es')}"


def _list(items: list[str], word: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


_PARTS = {
    (0, 12): ("mornings", "por la mañana", "in the morning"),
    (12, 18): ("afternoons", "por la tarde", "in the afternoon"),
    (17, None): ("evenings", "por la noche", "in the evening"),
    (18, None): ("evenings", "por la noche", "in the evening"),
    (0, 10): ("early mornings", "temprano por la mañana", "early in the morning"),
}


def say_wish(wish: TimeWish, today: dt.date, language: str | None, *, short: bool = False) -> str:
    """The wish in a few words that can follow "I have nothing": "on Tuesday or Thursday mornings", "on any day".

    In Spanish they follow "No tengo nada": "los martes o jueves por la tarde". `short` is for small screens: "on Tue Nov 24".
    """
    spanish = _language(language) == "es"
    if wish.soonest and not (wish.names_days or wish.names_hours):
        return "lo antes posible" if spanish else "as soon as possible"
    if not wish:
        return "a cualquier hora" if spanish else "at any time"
    either = "o" if spanish else "or"
    days, hours = (
        [_say_days(span, today, language, short) for span in wish.days],
        [_say_hours(h, spanish, language) for h in wish.hours],
    )
    said: list[str] = []
    part = hours[0] if len(hours) == 1 else ""
    plural = next((words[0] for words in _PARTS.values() if words[2] == part), None) if wish.weekdays and not spanish else None
    if wish.weekdays:
        names = _weekday_names(wish.weekdays, language)
        if len(names) > 2 and max(wish.weekdays) - min(wish.weekdays) == len(names) - 1:
            names = [f"{names[0]} {'a' if spanish else 'to'} {names[-1]}"]
        said.append(("los " if spanish else "on ") + _list(names, either) + (f" {plural}" if plural else ""))
    if days:
        said.append(_list(days, either))
    if hours and not plural:
        said.append(_list(hours, either))
    if wish.at:
        said.append(_list([_at(time, language) for time in wish.at], either))
    excepted = [f"{'los ' if spanish else ''}{name}" for name in _weekday_names(wish.except_weekdays, language)]
    excepted += [_say_days(span, today, language, short) for span in wish.except_days]
    excepted += [_say_hours(h, spanish, language) for h in wish.except_hours]
    if excepted:
        said.append(("excepto " if spanish else "except ") + _list(excepted, "y" if spanish else "and"))
    if not (days or wish.weekdays or hours or wish.at):
        said.insert(0, _any_day(spanish))
    if wish.weekdays and days:
        said[:2] = [f"{said[0]}, {said[1]}"]
    return " ".join(said)


def _weekday_names(weekdays: Iterable[int], language: str | None) -> list[str]:
    """In Spanish in the plural, as "los" wants them: "martes", "sábados"."""
    names = [_WEEKDAYS[_language(language)][day] for day in sorted(weekdays)]
    return [name if name.endswith("s") or _language(language) == "en" else f"{name}s" for name in names]


def _any_day(spanish: bool) -> str:
    return "en cualquier día" if spanish else "on any day"


def _say_days(span: Days, today: dt.date, language: str | None, short: bool) -> str:
    def day_of(day: dt.date) -> str:
        return say_day_short(day, language) if short else say_day(day, today, language)

    spanish = _language(language) == "es"
    if span.first and span.first == span.last:
        return f"{'el' if spanish else 'on'} {day_of(span.first)}"
    if span.first is None and span.last is None:
        return _any_day(spanish)
    if span.last is None:
        assert span.first
        return f"{'desde el' if spanish else 'from'} {day_of(span.first)}{'' if spanish else ' on'}"
    if span.first is None or (span.first <= today and (span.last - today).days > 13):
        return f"{'hasta el' if spanish else 'by'} {day_of(span.last)}"
    first, last = say_date(span.first, today, language), say_date(span.last, today, language)
    return f"del {first} al {last}" if spanish else f"from {first} to {last}"


def _say_hours(hours: Hours, spanish: bool, language: str | None) -> str:
    key = (hours.start.hour, hours.end.hour if hours.end else None)
    whole = hours.start.minute == 0 and (hours.end is None or hours.end.minute == 0)
    if whole and key in _PARTS:
        return _PARTS[key][1 if spanish else 2]
    start, end = say_time(hours.start, language), say_time(hours.end, language) if hours.end else None
    if hours.end is None:
        return f"después de {_clock_es(hours.start)}" if spanish else f"after {start}"
    if hours.start == dt.time(0):
        return f"antes de {_clock_es(hours.end)}" if spanish else f"before {end}"
    return f"entre {_clock_es(hours.start)} y {_clock_es(hours.end)}" if spanish else f"between {start} and {end}"
