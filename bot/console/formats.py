"""Instants as people of the clinic read them: by the clinic's wall clock, in the reader's language."""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from flask import Flask, g
from flask_babel import get_locale

from scheduling_core import times


def add_formats(app: Flask) -> None:
    """Template filters: `|time`, `|date`, `|day`, `|when`, `|ago` for instants; `|date` and `|day` for days too."""
    app.jinja_env.filters.update(time=time, date=date, day=day, when=when, ago=ago)


def wall(instant: dt.datetime) -> dt.datetime:
    """An instant as wall time of the clinic of this request."""
    return times.to_wall(instant, g.desk.clinic.zone)


def time(instant: dt.datetime) -> str:
    """9:30 AM, 9:30"""
    return format_time(wall(instant), "short", locale=get_locale())


def date(day: dt.date | dt.datetime) -> str:
    """Nov 16, 2026"""
    return format_date(_day(day), "medium", locale=get_locale())


def day(day: dt.date | dt.datetime) -> str:
    """Monday, November 16, 2026"""
    return format_date(_day(day), "full", locale=get_locale())


def when(instant: dt.datetime) -> str:
    """Nov 16, 2026, 9:30 AM"""
    return format_datetime(wall(instant).replace(tzinfo=None), "short", locale=get_locale())


def ago(instant: dt.datetime) -> str:
    """5 minutes ago, by the clinic's clock"""
    return format_timedelta(instant - times.now(), add_direction=True, locale=get_locale())


def _day(value: dt.date | dt.datetime) -> dt.date:
    return wall(value).date() if isinstance(value, dt.datetime) else value
