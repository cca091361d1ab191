"""Keys on a call: what they say at the open question, and the sentence that tells which key is for what.

A key is told to the dialogue as the words that a caller would say, so that a visit is booked by keys alone through the same doors.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from bot.channels.voice.questions import Question
from bot.channels.voice.words import say
from scheduling_core import times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.sending import MONTHS_ES

PERSON, AGAIN, OTHERS, LANGUAGE = "0", "*", "9", "8"
_PAGE = 7  # choices that are read out at once: 8 and 9 are taken
_YES_OR_NO = ("confirm", "waitlist", "new_patient", "another", "proposed", "heard", "text_details", "right_person")
_BY_NUMBER = ("choice", "visit", "doubt", "another")
_DAYS = {"en": "on {month}/{day}", "es": "el {day} de {name}"}
_MENU = {
    "en": {
        "1": "I would like to book a visit",
        "2": "I need to move my appointment",
        "3": "I want to cancel my appointment",
        "4": "When is my appointment?",
    },
    "es": {
        "1": "Quiero reservar una cita",
        "2": "Necesito cambiar mi cita",
        "3": "Quiero cancelar mi cita",
        "4": "¿Cuándo es mi cita?",
    },
}
_TIMES = {
    "en": {
        "1": "the soonest you have",
        "2": "this week",
        "3": "next week",
        "4": "any day in the morning",
        "5": "any day in the afternoon",
    },
    "es": {
        "1": "lo más pronto posible",
        "2": "esta semana",
        "3": "la próxima semana",
        "4": "cualquier día por la mañana",
        "5": "cualquier día por la tarde",
    },
}
_DETAILS = {
    "en": {"1": "my phone number", "2": "my address", "3": "my e-mail", "4": "my medicines and allergies"},
    "es": {"1": "mi teléfono", "2": "mi dirección", "3": "mi correo", "4": "mis medicinas y alergias"},
}
_REMINDED = {
    "en": {"1": "confirm", "2": "I need to move my appointment", "3": "I want to cancel my appointment"},
    "es": {"1": "confirmo", "2": "Necesito cambiar mi cita", "3": "Quiero cancelar mi cita"},
}
_CALLED_BACK = {
    "en": {"1": "in the morning", "2": "in the afternoon", "3": "leave a message"},
    "es": {"1": "por la mañana", "2": "por la tarde", "3": "dejar un mensaje"},
}
_YES = {"en": ("yes", "no"), "es": ("sí", "no")}
_NONE = {"en": "none of these work for me", "es": "ninguna me sirve"}
_NO_INSURANCE = {"en": "I have no insurance", "es": "no tengo seguro"}
_PERSON_PLEASE = {"en": "I want to talk to a person", "es": "quiero hablar con una persona"}


class Act(StrEnum):
    """What a press of keys asks for."""

    SAY = "say"  # these words
    AGAIN = "again"  # hear the last question once more
    MORE = "more"  # the next page of a long list
    LANGUAGE = "language"  # the clinic's other language
    NOTHING = "nothing"  # these keys mean nothing here


@dataclass(frozen=True)
class Pressed:
    act: Act
    words: str = ""


def read(keys: str, question: Question, clinic: ClinicFile, language: str) -> Pressed:
    """What the keys mean at the open question."""
    lang = "es" if language.startswith("es") else "en"
    if keys.strip("*") == "" and keys:
        return Pressed(Act.AGAIN)
    keys = keys.replace("*", "").replace("#", "")
    if not keys.isascii() or not keys.isdigit():
        return Pressed(Act.NOTHING)
    if keys == PERSON:
        return _say(_PERSON_PLEASE[lang])
    if question.slot == "birth_date" and not question.count and (born := birth_date(keys)):
        return _say(born.isoformat())
    if len(keys) > 1:
        return _several(keys, question, lang)
    return _one(keys, question, clinic, lang)


def _one(key: str, question: Question, clinic: ClinicFile, lang: str) -> Pressed:
    slot = question.slot if question.slot != "anything_else" else None
    if slot in _YES_OR_NO and key in ("1", "2"):
        return _say(_YES[lang][int(key) - 1])
    if listed := choices(question, clinic, lang):
        if key == OTHERS and len(listed) > _PAGE:
            return Pressed(Act.MORE)
        shown = _page(listed, question.page)
        return _say(shown[int(key) - 1]) if 1 <= int(key) <= len(shown) else Pressed(Act.NOTHING)
    if slot == "choice" and key == OTHERS:
        return _say(_NONE[lang])
    if slot in _BY_NUMBER or question.count:
        return _say(key) if 1 <= int(key) <= (question.count or 9) else Pressed(Act.NOTHING)
    if slot is None and key == LANGUAGE and other_language(clinic, lang):
        return Pressed(Act.LANGUAGE)
    fixed = {"time": _TIMES, "detail_kind": _DETAILS, "reminder": _REMINDED, "callback_time": _CALLED_BACK, None: _MENU}.get(
        slot, {}
    )
    return _say(fixed[lang][key]) if key in fixed.get(lang, {}) else Pressed(Act.NOTHING)


def _several(keys: str, question: Question, lang: str) -> Pressed:
    """A date, a number of a phone or of a member; where none of them is asked, a birth date still counts as one."""
    if question.slot == "time" and len(keys) in (3, 4) and (day := _day(keys)):
        month, number = day
        return _say(_DAYS[lang].format(month=month, day=number, name=MONTHS_ES[month - 1]))
    if question.slot in ("detail", "member_id", "callback_number", "callback_time") and len(keys) >= 5:
        return _say(keys)
    born = birth_date(keys) if len(keys) == 8 else None
    return _say(born.isoformat()) if born else Pressed(Act.NOTHING)


def _say(words: str) -> Pressed:
    return Pressed(Act.SAY, words)


def birth_date(keys: str) -> dt.date | None:
    """Eight or six digits as a date gone by: month, day, year; where that is none, year first, then day first."""
    if len(keys) == 6:
        century = 2000 if 2000 + int(keys[4:]) <= times.now().year else 1900
        keys = f"{keys[:4]}{century + int(keys[4:])}"
    if len(keys) != 8:
        return None
    for month, day, year in ((keys[:2], keys[2:4], keys[4:]), (keys[4:6], keys[6:], keys[:4]), (keys[2:4], keys[:2], keys[4:])):
        try:
            found = dt.date(int(year), int(month), int(day))
        except ValueError:
            continue
        if dt.date(1900, 1, 1) <= found <= times.now().date():
            return found
    return None


def _day(keys: str) -> tuple[int, int] | None:
    month, day = int(keys[:-2]), int(keys[-2:])
    try:
        dt.date(2000, month, day)
    except ValueError:
        return None
    return month, day


def choices(question: Question, clinic: ClinicFile, lang: str) -> list[str]:
    """The whole list of what can be said, where the clinic file tells it; empty where it does not."""
    if question.slot in ("service", "cost_service"):
        return [service.name for service in clinic.services]
    if question.slot == "insurer":
        return [*(payer.name for payer in clinic.payers), _NO_INSURANCE[lang]]
    return []


def _page(listed: list[str], page: int) -> list[str]:
    """This page of a list; after the last comes the first."""
    pages = -(-len(listed) // _PAGE)
    begin = page % pages * _PAGE
    return listed[begin : begin + _PAGE]


def other_language(clinic: ClinicFile, language: str) -> str | None:
    """The clinic's language that a call can change to: English and Spanish are spoken here."""
    other = "en" if language.startswith("es") else "es"
    return other if other in {one[:2] for one in clinic.clinic.languages} else None


def instructions(question: Question, clinic: ClinicFile, language: str) -> str:
    """Which key is for what at the open question, as it is spoken."""
    lang = "es" if language.startswith("es") else "en"
    slot = question.slot
    if slot == "birth_date" and question.count:
        return say(clinic, language, "keys_number")
    if slot in _YES_OR_NO and not (slot == "another" and question.count):
        return say(clinic, language, "keys_yes_or_no")
    if listed := choices(question, clinic, lang):
        template = say(clinic, language, "keys_one")
        named = " ".join(template.format(what=name, key=key) for key, name in enumerate(_page(listed, question.page), 1))
        return f"{named} {say(clinic, language, 'keys_more')}" if len(listed) > _PAGE else named
    sentences = {
        "birth_date": "keys_birth_date", "choice": "keys_choice", "visit": "keys_number", "doubt": "keys_number",
        "another": "keys_number", "time": "keys_time", "detail_kind": "keys_detail_kind", "member_id": "keys_digits",
        "callback_time": "keys_callback", "callback_number": "keys_digits", "reminder": "keys_reminder", "name": "keys_person",
        "detail": "keys_digits", "anything_else": "keys_menu", None: "keys_menu",
    }  # fmt: skip
    return say(clinic, language, sentences.get(slot, "keys_person"))


def how_many_digits(question: Question) -> int | None:
    """After how many keys an entry is complete; None: when # is pressed, or nothing for a while."""
    slot = question.slot
    if slot == "birth_date" and not question.count:
        return 8
    if slot in ("time", "callback_time"):
        return 4 if slot == "time" else None
    if slot in ("detail", "member_id", "callback_number", "name"):
        return None
    return 1
