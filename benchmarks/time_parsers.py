"""Other parsers of dates and times on the same cases as ours: dateparser, its search_dates, Duckling.

An answer is {"start", "end", "grain", "bound"} as the cases' own scoring takes it, or None. What a parser leaves open is read
in its favour: Duckling's date and time of one sentence are put together, and its clock ranges count as printed and as said.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dateparser
from dateparser.search import search_dates

Answers = list[dict[str, Any]]
"""The readings that count as the one answer to a case; empty where nothing was found."""

Read = tuple[list[Answers], list[float]]
"""The answers to each case, and the milliseconds that each took."""

DUCKLING = "pyduckling-native-phihos==0.3.0"
_CLOCK_GRAINS = {"second": dt.timedelta(seconds=1), "minute": dt.timedelta(minutes=1), "hour": dt.timedelta(hours=1)}
_DAYS_LONG = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


def by_dateparser(texts: Sequence[str], nows: Sequence[str]) -> Read:
    def read(text: str, settings: dict[str, Any]) -> dt.datetime | None:
        return dateparser.parse(text, languages=["en"], settings=settings)

    return _each(read, texts, nows)


def by_search_dates(texts: Sequence[str], nows: Sequence[str]) -> Read:
    """The first that it finds in each text."""

    def read(text: str, settings: dict[str, Any]) -> dt.datetime | None:
        found = search_dates(text, languages=["en"], settings=settings)
        return found[0][1] if found else None

    return _each(read, texts, nows)


def by_duckling(texts: Sequence[str], nows: Sequence[str]) -> Read | None:
    """None where it cannot be installed here."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        return None
    done = subprocess.run(
        [uv, "run", "--no-project", "--python", "3.11", "--with", DUCKLING, str(Path(__file__).with_name("duckling_answers.py"))],
        input="".join(json.dumps({"text": text, "now": now}) + "\n" for text, now in zip(texts, nows, strict=True)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return None
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [_of_duckling(line["found"]) for line in lines], [line["ms"] for line in lines]


def _each(read: Callable[[str, dict[str, Any]], dt.datetime | None], texts: Sequence[str], nows: Sequence[str]) -> Read:
    read("tomorrow at 3", {})  # the first of all loads what is loaded late
    answers: list[Answers] = []
    spent = []
    for text, now in zip(texts, nows, strict=True):
        settings = {"RELATIVE_BASE": dt.datetime.fromisoformat(now), "PREFER_DATES_FROM": "future"}
        began = time.perf_counter()
        found = read(text, settings)
        spent.append(1000 * (time.perf_counter() - began))
        answers.append([_answer(start=found.replace(tzinfo=None))] if found else [])
    return answers, spent


def _answer(
    start: dt.datetime | None = None, end: dt.datetime | None = None, grain: str | None = None, bound: str | None = None
) -> dict[str, Any]:
    return {"start": start, "end": end, "grain": grain, "bound": bound}


def _of_duckling(found: list[dict[str, Any]]) -> Answers:
    longest_first = sorted(found, key=lambda one: len(one["body"]), reverse=True)
    readings = [_reading(one["value"]) for one in longest_first]
    if not readings:
        return []
    days = [one for one in readings if one["grain"] == "day" and not one["bound"]]
    hours = [one for one in readings if one["grain"] in _CLOCK_GRAINS]
    if days and hours and days[0]["start"]:
        date = days[0]["start"].date()
        return _as_said([_on(date, hours[0])])
    return _as_said(readings[:1])


def _on(date: dt.date, reading: dict[str, Any]) -> dict[str, Any]:
    moved = {key: dt.datetime.combine(date, reading[key].time()) for key in ("start", "end") if reading[key]}
    return {**reading, **moved}


def _reading(value: dict[str, Any]) -> dict[str, Any]:
    if value["type"] == "interval":
        ends = {key: dt.datetime.fromisoformat(value[key]["value"]).replace(tzinfo=None) for key in ("from", "to") if key in value}
        bound = None if len(ends) == 2 else "after" if "from" in ends else "before"
        return _answer(ends.get("from"), ends.get("to"), next(value[key]["grain"] for key in ends), bound)
    start, grain = dt.datetime.fromisoformat(value["value"]).replace(tzinfo=None), value["grain"]
    end = start + dt.timedelta(days=_DAYS_LONG[grain]) if grain in _DAYS_LONG else None
    if end and grain in ("month", "quarter", "year"):
        end = end.replace(day=1)
    return _answer(start, end, grain)


def _as_said(readings: Answers) -> Answers:
    """Duckling's clock ranges end one grain late ("3 to 5 pm" until 6): read both ways."""
    shorter = [
        {**one, "end": one["end"] - _CLOCK_GRAINS[one["grain"]]}
        for one in readings
        if one["start"] and one["end"] and one["grain"] in _CLOCK_GRAINS
    ]
    return readings + shorter
