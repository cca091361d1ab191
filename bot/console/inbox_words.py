"""The inbox in words: queues, states, what became of a message, what staff did."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date, format_datetime, format_time
from flask_babel import get_locale
from flask_babel import gettext as _

from bot.console.task_words import reason_word
from scheduling_core import times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.inbox_queues import Queue, Row, State
from scheduling_core.models import Delivery, LineKind
from scheduling_core.transcript import Line, Speaker


def at_wall(instant: dt.datetime, zone: ZoneInfo) -> str:
    """9:30 AM today, Nov 16, 9:30 AM on another day of the clinic's wall calendar."""
    wall = times.to_wall(instant, zone)
    if wall.date() == times.to_wall(times.now(), zone).date():
        return format_time(wall, "short", locale=get_locale())
    return format_datetime(wall.replace(tzinfo=None), "MMM d, h:mm a" if _is_english() else "d MMM, H:mm", locale=get_locale())


def snooze_choices(clinic: ClinicFile) -> list[tuple[str, str]]:
    """Instants (ISO 8601, UTC) until which a conversation may sleep, in words."""
    now = times.now()
    choices = [
        (now + dt.timedelta(hours=1), _("1 hour")),
        (now + dt.timedelta(hours=3), _("3 hours")),
    ]
    today = times.to_wall(now, clinic.zone).date()
    mornings = [
        day for day in (today + dt.timedelta(days=ahead) for ahead in range(1, 15)) if clinic.handoff.hours_on(day.weekday())
    ]
    monday = next((day for day in mornings if day.weekday() == 0), None)
    for day in dict.fromkeys(filter(None, (*mornings[:1], monday))):
        opens = clinic.handoff.hours_on(day.weekday())[0].start
        morning = times.from_wall(day, opens, clinic.zone)
        words = f"{format_date(day, 'EEEE', locale=get_locale())} {format_time(opens, 'short', locale=get_locale())}"
        choices.append((morning, words))
    return [(instant.isoformat(), words) for instant, words in choices]


def phone_word(phone: str) -> str:
    """(414) 555-0142 for a number of this country, +44 ... for another's."""
    if not phone.startswith("+"):
        return _("Number withheld")
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    at_home = number.country_code == 1
    kind = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, kind)


def who_word(row: Row) -> str:
    return row.who or phone_word(row.phone)


def language_word(code: str) -> str:
    return str(get_locale().languages.get(code[:2], code)).capitalize()


def queue_word(queue: Queue) -> str:
    return {
        Queue.MINE: _("Mine"),
        Queue.UNASSIGNED: _("Unassigned"),
        Queue.ALL: _("All"),
        Queue.SNOOZED: _("Snoozed"),
        Queue.RESOLVED: _("Resolved"),
    }[queue]


def empty_word(queue: Queue) -> str:
    return {
        Queue.MINE: _("Nothing is yours right now. Conversations that you claim, or that colleagues give you, appear here."),
        Queue.UNASSIGNED: _(
            "Nobody waits. A conversation appears here when a patient asks for a person or the assistant needs one."
        ),
        Queue.ALL: _("It is quiet. Every conversation of the last hours appears here, those of the assistant too."),
        Queue.SNOOZED: _("Nothing sleeps. What you snooze appears here until its time comes or the patient writes."),
        Queue.RESOLVED: _("Nothing yet. What was resolved or given back to the assistant appears here."),
    }[queue]


def owner_word(row: Row) -> str:
    if row.state is State.ASSISTANT:
        return _("Assistant")
    if row.state is State.RESOLVED:
        return _("Resolved")
    if row.state is State.OVER:
        return _("Over")
    if row.assignee_id is None and row.owner_name == row.team:
        return team_word(row.team or "") or _("Nobody yet")
    return row.owner_name or _("Nobody yet")


def team_word(team: str) -> str:
    """A team's code as the clinic file has it, as people read it."""
    return team.replace("-", " ").capitalize()


def last_word(row: Row) -> str:
    """Who said the words of a row."""
    return {"patient": _("Patient"), "assistant": _("Assistant"), "": ""}.get(row.words_by, row.words_by)


def author_word(line: Line) -> str:
    return {Speaker.PATIENT: _("Patient"), Speaker.ASSISTANT: _("Assistant")}.get(line.speaker, line.author)


def delivery_word(line: Line) -> str:
    """What became of a message; "" where there is nothing to say of it."""
    if line.status is Delivery.WITHHELD:
        return (
            _("Not sent: a person had taken over") if line.error == "taken-over" else _("Not sent: wants no texts, or out of date")
        )
    return {
        Delivery.RECEIVED: _("Waits for its answer"),
        Delivery.QUEUED: _("Waits to be sent"),
        Delivery.SENDING: _("Being sent"),
        Delivery.SENT: _("Sent"),
        Delivery.DELIVERED: _("Delivered"),
        Delivery.UNKNOWN: _("Perhaps sent: being looked for"),
        Delivery.FAILED: _("Not delivered"),
    }.get(line.status or Delivery.ANSWERED, "")


def has_failed(line: Line) -> bool:
    return line.status in (Delivery.FAILED, Delivery.WITHHELD)


def kind_word(line: Line) -> str:
    """What kind of message it is, where it is not just talk."""
    return {
        "picture": _("with a picture"),
        "silence": _("said nothing"),
        "unclear": _("could not be heard"),
        "not-reached": _("desk did not pick up"),
        "connected": _("spoke with the desk"),
        "emergency": _("emergency sentence"),
        "reminder": _("reminder"),
        "offer": _("offer of a time"),
        "opt-out": _("opt-out confirmed"),
        "transfer": _("put through to the desk"),
    }.get(line.kind, "")


def done_word(line: Line, zone: ZoneInfo) -> str:
    """What staff did, as a sentence."""
    who = _("The assistant") if line.author == "assistant" else _("The patient") if line.author == "patient" else line.author
    if line.done is LineKind.SNOOZED:
        return _("%(who)s snoozed it until %(until)s", who=who, until=at_wall(dt.datetime.fromisoformat(line.body), zone))
    if line.done is LineKind.TAKEN_OVER and line.body != line.author:
        return _("%(who)s handed it to: %(to)s", who=who, to=team_word(line.body))
    return {
        LineKind.TAKEN_OVER: _("%(who)s took it over", who=who),
        LineKind.ASSIGNED: _("%(who)s assigned it to: %(to)s", who=who, to=line.body),
        LineKind.GIVEN_BACK: _("%(who)s gave it back to the assistant", who=who),
        LineKind.RESOLVED: _("%(who)s resolved it", who=who),
        LineKind.WOKEN: _("%(who)s woke it up", who=who),
        LineKind.TASK_DONE: _("%(who)s finished: %(task)s", who=who, task=reason_word(line.body)),
    }.get(line.done or LineKind.NOTE, "")


def intent_word(intent: str | None) -> str:
    return (intent or "").replace("_", " ").capitalize()


def _is_english() -> bool:
    return bool(get_locale().language == "en")


WORDS = {
    word.__name__: word
    for word in (
        phone_word,
        who_word,
        language_word,
        queue_word,
        empty_word,
        owner_word,
        last_word,
        author_word,
        delivery_word,
        has_failed,
        kind_word,
        done_word,
        intent_word,
        team_word,
        reason_word,
    )
}
