"""The elements of a resource that somebody sent, each with its path for the sentence that says what is wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from scheduling_core.errors import SchedulingError
from scheduling_core.fhir.codes import Resource


class MalformedError(SchedulingError):
    """The request cannot be read."""

    code = "malformed"

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


def of_type(resource: Any, kind: str, where: str = "") -> Resource:
    """Raises MalformedError unless this is a resource of the kind."""
    if not isinstance(resource, dict):
        raise MalformedError(where or kind, "must be a JSON object")
    if resource.get("resourceType") != kind:
        raise MalformedError(f"{where or kind}.resourceType".lstrip("."), f'must be "{kind}"')
    return resource


def objects(parent: Resource, key: str, where: str) -> list[Resource]:
    """The objects of a repeating element; a single one is taken as a list of one."""
    value = parent.get(key)
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, dict) for item in items):
        raise MalformedError(f"{where}.{key}", "must hold JSON objects")
    return items


def child(parent: Resource, key: str, where: str) -> Resource:
    """The object under a key; empty where there is none."""
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError(f"{where}.{key}", "must be a JSON object")
    return value


def text(parent: Resource, key: str, where: str, *, longest: int = 500) -> str | None:
    """The trimmed string under a key, None where it is missing or blank."""
    value = parent.get(key)
    if value is None:
        return None
    return clean(value, f"{where}.{key}", longest=longest) or None


def texts(parent: Resource, key: str, where: str) -> list[str]:
    """The strings of a repeating element, trimmed, without blank ones."""
    value = parent.get(key)
    if not isinstance(value, list | None):
        raise MalformedError(f"{where}.{key}", "must be a list of strings")
    return [found for item in value or [] if (found := clean(item, f"{where}.{key}"))]


def clean(value: Any, where: str, *, longest: int = 500) -> str:
    """A trimmed string that a database takes: no NUL, no half of a character."""
    if not isinstance(value, str):
        raise MalformedError(where, "must be a string")
    if len(value) > longest:
        raise MalformedError(where, f"must not be longer than {longest} characters")
    if not is_storable(value):
        raise MalformedError(where, "must not hold a NUL or half a character")
    return value.strip()


def is_storable(value: str) -> bool:
    """No NUL, which PostgreSQL refuses, and no lone surrogate, which UTF-8 cannot write."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def day(value: str | None, where: str) -> dt.date:
    """A whole date, YYYY-MM-DD."""
    try:
        if value and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return dt.date.fromisoformat(value)
    except ValueError:
        pass
    raise MalformedError(where, "must be a whole date, as in 1980-04-21")


_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")


def period(value: str, where: str, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """The stretch that a FHIR date or dateTime names, end excluded: a day for a date, one instant for a time.

    Dates, and times without an offset, are wall time of the zone. A `+` that a query string turned into a blank is understood.
    """
    value = re.sub(r"(?<=\d) (?=\d\d:\d\d$)", "+", value.strip())
    try:
        if match := _PARTIAL.fullmatch(value):
            year, month, date = int(match[1]), int(match[2] or 1), int(match[3] or 1)
            first = dt.date(year, month, date)
            if match[3]:
                last = first + dt.timedelta(days=1)
            elif match[2]:
                last = (first + dt.timedelta(days=32)).replace(day=1)
            else:
                last = first.replace(year=year + 1)
            return _midnight(first, zone), _midnight(last, zone)
        instant = dt.datetime.fromisoformat(value)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=zone)
        instant = instant.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise MalformedError(where, "must be a date or a time, as in 2026-11-16 or 2026-11-16T09:10:00-06:00") from None
    return instant, instant


def _midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(0), zone).astimezone(dt.UTC)


def id_of(value: str, kind: str, where: str) -> str:
    """The id in a reference: `ID`, `Kind/ID`, an absolute address that ends so, or one with a version."""
    parts = value.split("/_history/")[0].strip("/").split("/")
    if len(parts) > 1 and parts[-2] != kind:
        raise MalformedError(where, f"must refer to a {kind}, as in {kind}/ID")
    if not parts[-1]:
        raise MalformedError(where, f"must refer to a {kind}, as in {kind}/ID")
    return parts[-1]


def referred(parent: Resource, key: str, kind: str, where: str) -> str:
    """The id that a required Reference names. Raises MalformedError."""
    value = text(child(parent, key, where), "reference", f"{where}.{key}")
    if not value:
        raise MalformedError(f"{where}.{key}.reference", f"is needed, as in {kind}/ID")
    return id_of(value, kind, f"{where}.{key}.reference")


def codes_in(concepts: Iterable[Resource], where: str) -> list[str]:
    """The codes of CodeableConcepts, then their displays and texts: what to look a thing up by, best first."""
    codes: list[str] = []
    words: list[str] = []
    for concept in concepts:
        for coding in objects(concept, "coding", where):
            codes += [found for found in [text(coding, "code", f"{where}.coding")] if found]
            words += [found for found in [text(coding, "display", f"{where}.coding")] if found]
        words += [found for found in [text(concept, "text", where)] if found]
    return codes + words


@lru_cache(maxsize=8)
def region_of(clinic_phone: str) -> str:
    """The region that numbers without a country code belong to: the clinic's own."""
    country = phonenumbers.parse(clinic_phone).country_code or 1
    return phonenumbers.region_code_for_country_code(country)


def phone(raw: str, region: str) -> str | None:
    """A number as E.164; None where it is none. A query string's `+` may have become a blank."""
    bare = raw.removeprefix("tel:")
    if bare.startswith(" ") and bare.strip()[:1].isdigit():
        bare = "+" + bare.strip()
    try:
        number = phonenumbers.parse(bare, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
