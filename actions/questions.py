"""General questions, answered from the clinic file; anybody may ask, nothing is written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from rapidfuzz import fuzz

from actions import costs, facts, offering, people, preferences, sentences, services, video, when
from actions.goals import wants_to_book
from actions.turn import Turn, action
from actions.words import either, listed, plain
from scheduling_core.calendar import hours
from scheduling_core.clinic_file.schema import WEEKDAYS, LocationPart, PractitionerPart, WeeklyHours

_LIKE_A_QUESTION = 84  # of 100, for the clinic's own questions in other words
_LIKE_A_QUESTION_ASKED = 62  # where the sentence is surely a question of this kind


def answer(turn: Turn) -> bool:
    """Answer what is asked in the words; False when they ask nothing that is answered here."""
    if own := _own_question(turn):
        turn.say_text(own)
        return True
    if answer_policy(turn):
        return True
    intent, likely = turn.best_of(_ANSWERS)
    needed = _NEEDED.get(intent, 0.55)
    if turn.is_question and intent in _TO_KNOW:
        needed = 0.12 if turn.asked else 0.3
    if not intent or likely < needed:
        return False
    _ANSWERS[intent](turn)
    return True


@action("action_answer")
def answer_question(turn: Turn) -> None:
    if preferences.take_up(turn):
        return
    if costs.leads_to_plan(turn):
        if turn.mentions.payers:
            _insurance(turn)
        turn.followup = costs.FORM
    elif wants_to_book(turn):
        turn.followup = "booking_form"
    elif not answer(turn):
        answers = _ANSWERS.get(turn.intent)
        if answers:
            answers(turn)
        else:
            turn.say("utter_cannot_answer", phone=sentences.phone(turn.clinic.clinic.phone))


def _own_question(turn: Turn) -> str | None:
    """The clinic's own answer, word for word, when one of its questions is meant."""
    if turn.asked in ("name", "birth_date", "member_id"):
        return None
    needed = _LIKE_A_QUESTION_ASKED if turn.intent in ("ask_clinic", "request_info") else _LIKE_A_QUESTION
    scored = [(_likeness(turn.text, ask), item.say) for item in turn.clinic.questions for ask in item.ask]
    best, say = max(scored, default=(0.0, ""))
    return say if best >= needed else None


def _likeness(text: str, ask: str) -> float:
    """0 to 100; 0 when a telling word of the question is not in the text."""
    telling = _telling(ask)
    if not telling or not telling <= _telling(text):
        return 0.0
    return 100.0 if len(ask.split()) == 1 else fuzz.token_set_ratio(plain(text), plain(ask))


def _telling(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[^\W\d_]+", plain(text)) if len(word) > 2 and word not in _PLAIN_WORDS}


_PLAIN_WORDS = listed(
    "how can you your get the and for have just need take are there where what when does with from any that this some about",
    "como puedo una los las por que para con hay donde cuando",
)


def answer_policy(turn: Turn) -> bool:
    """Questions whose words alone tell them: the rule about cancelling, the number for the night, papers that a visit needs."""
    low = plain(turn.text)
    clinic = turn.clinic
    if _CANCELLING.search(low):
        turn.say("utter_cancellation_policy", hours=clinic.clinic.cancellation_notice_hours)
    elif clinic.emergency.after_hours_line and _AT_NIGHT.search(low) and turn.is_question:
        turn.say("utter_after_hours_line", phone=sentences.phone(clinic.emergency.after_hours_line))
    elif turn.is_question and (paper := _PAPER.search(low)) and (service := services.asked_about(turn)):
        needed = service.needs_referral if paper[1].startswith("ref") else service.needs_order
        turn.say("utter_paper_needed" if needed else "utter_paper_not_needed", service=service.name, paper=paper[1])
    else:
        return False
    return True


_CANCELLING = re.compile(
    r"\b"
    + either(
        r"cancell?ation (?:policy|fee|rule|charge|notice)|no[- ]?show (?:fee|policy)",
        r"charged? (?:me )?(?:if|for) (?:i )?(?:cancel|miss)",
        r"how (?:much|far|many)\b.*\b(?:notice|ahead|in advance|before)\b.*\bcancel|cancel.*\b(?:how much|what) notice",
        r"politica de cancelacion",
    )
)
_AT_NIGHT = re.compile(
    r"\b"
    + either(
        r"(?:number|line|phone|call|reach|numero|llamar)\b.*\b"
        + either(r"closed|after hours|nights?|weekends?", r"cerrad[oa]s?|de noche|fuera de horas?"),
        r"(?:after hours|when (?:you|you're|youre|ur) (?:are )?closed|at night)\b.*\b(?:number|line|call|reach)",
    )
    + r"\b"
)
_PAPER = re.compile(
    r"\b"
    + either("needs?|requires?|have to have", "necesit[oa]")
    + r"\b(?: to have| to get)? (?:a |an |my |una? )?(?:doctor'?s? |dr'?s? )?(referral|order|referencia|orden)\b"
)


def asks_who_does(turn: Turn) -> bool:
    """ "Who does well-child visits there?" asks for names, not for a visit."""
    return (
        bool(re.match(r"\W*(?:who|which (?:doctor|provider|of your)|what doctors?|quien|cual doctor)\b", plain(turn.text)))
        and turn.is_question
    )


# where and when


def _places(turn: Turn) -> list[LocationPart]:
    """The place that is meant, else all."""
    named = turn.mentions.locations or ((turn.slot("location"),) if turn.slot("location") else ())
    return [turn.clinic.locations_by_id[name] for name in named] or list(turn.clinic.locations)


def _hours(turn: Turn) -> None:
    reading = turn.when()
    day = reading.wish.first_day if reading and reading.wish else None
    if day and reading and reading.wish.last_day == day and reading.grain == "day":
        turn.say_text("\n".join(_hours_on(turn, place, day) for place in _places(turn)))
        return
    turn.say_text("\n".join(f"{place.name}: {_weekly(place.hours, turn.language)}." for place in _places(turn)))


def _hours_on(turn: Turn, place: LocationPart, day: dt.date) -> str:
    """ "Maple Grove North is closed on Wednesday, November 11 (Veterans Day)."""
    named = when.say_day(day, turn.now.date(), turn.language)
    spans = [] if hours.is_closed(turn.clinic, place.id, day) else place.hours_on(day.weekday())
    if not spans:
        reason = hours.closure_name(turn.clinic, place.id, day)
        told = f" ({reason})" if reason else ""
        return (
            f"{place.name} está cerrado el {named}{told}." if turn.language == "es" else f"{place.name} is closed on {named}{told}."
        )
    times = ", ".join(f"{_clock(span.start)}-{_clock(span.end)}" for span in spans)
    return f"{place.name}, {named}: {times}."


def _weekly(weekly: WeeklyHours, language: str) -> str:
    return ", ".join(f"{_day_names(days, language)} {_clock(span.start)}-{_clock(span.end)}" for days, span in weekly.items())


def _day_names(days: str, language: str) -> str:
    names = dict(zip(WEEKDAYS, ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"), strict=True)) if language == "es" else {}
    return "".join(names.get(part, part.capitalize()) if part in WEEKDAYS else part for part in _split(days))


def _split(days: str) -> list[str]:
    parts, word = [], ""
    for character in days.lower():
        if character.isalpha():
            word += character
        else:
            parts += [word, character]
            word = ""
    return [part for part in [*parts, word] if part]


def _clock(time: object) -> str:
    return f"{time:%I:%M %p}".lstrip("0")


def _location(turn: Turn) -> None:
    places = _places(turn)
    if len(places) == 1:
        turn.say_text(f"{places[0].name}: {places[0].address}. {places[0].directions}".strip())
    else:
        turn.say_text("\n".join(f"{place.name}: {place.address}" for place in places))


def _parking(turn: Turn) -> None:
    told = [f"{place.name}: {place.parking}" for place in _places(turn) if place.parking]
    if told:
        turn.say_text("\n".join(told))
    else:
        turn.say("utter_cannot_answer", phone=sentences.phone(turn.clinic.clinic.phone))


def _out_of_scope(turn: Turn) -> None:
    """What no clinic does; but a question that names one of our places is about that place."""
    if not (turn.mentions.locations and turn.is_question):
        turn.say("utter_out_of_scope", clinic=turn.clinic.clinic.name)
        return
    likeliest, _ = turn.best_of(_ABOUT_PLACES)
    _ABOUT_PLACES.get(likeliest, _location)(turn)


_ABOUT_PLACES: dict[str, Callable[[Turn], None]] = {"ask_hours": _hours, "ask_location": _location, "ask_parking": _parking}


# services


def _prep(turn: Turn) -> None:
    service = services.asked_about(turn) or next((s for s in turn.clinic.services if s.who == "new" and s.paperwork), None)
    if service is None:
        turn.say("utter_cannot_answer", phone=sentences.phone(turn.clinic.clinic.phone))
        return
    parts = [service.prep, sentences.bring(turn, service)]
    told = " ".join(part for part in parts if part)
    if told:
        turn.say_text(f"{service.name}: {told}")
    else:
        turn.say("utter_no_prep", service=service.name, minutes=service.minutes)


def _insurance(turn: Turn) -> None:
    payers = [turn.clinic.payers_by_id[name] for name in turn.mentions.payers]
    if not payers and costs.is_about_plan(turn):
        costs.answer(turn)
        return
    if not payers:
        turn.say("utter_payers", payers=sentences.both(turn, [payer.name for payer in turn.clinic.payers]))
        return
    payer = payers[0]
    names = sentences.both(
        turn, [sentences.practitioner(turn, who) for who in payer.in_network if who in turn.clinic.practitioners_by_id]
    )
    asked = turn.mentions.practitioners
    if not payer.in_network:
        turn.say("utter_payer_taken_network_unknown", payer=payer.name)
    elif not asked:
        turn.say("utter_payer_taken", payer=payer.name, others=names)
    elif asked[0] in payer.in_network:
        turn.say("utter_in_network", who=sentences.practitioner(turn, asked[0]), payer=payer.name)
    else:
        turn.say("utter_out_of_network", who=sentences.practitioner(turn, asked[0]), payer=payer.name, others=names)


# people


def say_providers(turn: Turn) -> None:
    """Who fits what the words ask for; a yes to it begins a booking with them."""
    found = [who for who in turn.clinic.practitioners if _fits(turn, who)]
    if not found:
        turn.say("utter_no_such_provider")
        return
    offering.take_up_wishes(turn)
    turn.set(proposed="booking_form")
    turn.say("utter_providers", names=sentences.both(turn, [sentences.practitioner(turn, who.id) for who in found[:6]]))


def _fits(turn: Turn, who: PractitionerPart) -> bool:
    gender, language = facts.gender(turn.text), facts.language(turn.text)
    services, places = turn.mentions.services, turn.mentions.locations
    low = plain(turn.text)
    specialties = [s for s in {s for p in turn.clinic.practitioners for s in p.specialties} if _names_specialty(low, s)]
    return (
        (not gender or who.gender == gender)
        and (not language or language in who.languages)
        and (not services or any(service in who.services for service in services))
        and (not places or any(session.at in places for session in who.schedule))
        and (not specialties or bool(set(specialties) & set(who.specialties)))
    )


def _names_specialty(low: str, specialty: str) -> bool:
    stem = specialty.split("-")[0][:6]
    return stem in low


def _say(response: str, **values: str) -> Callable[[Turn], None]:
    return lambda turn: turn.say(
        response, clinic=turn.clinic.clinic.name, phone=sentences.phone(turn.clinic.clinic.phone), **values
    )


def _clinic(turn: Turn) -> None:
    turn.say("utter_cannot_answer", phone=sentences.phone(turn.clinic.clinic.phone))


_ANSWERS: dict[str, Callable[[Turn], None]] = {
    **_ABOUT_PLACES,
    "ask_prep": _prep,
    "ask_cost": costs.answer,
    "insurance": _insurance,
    "find_provider": say_providers,
    "ask_clinic": _clinic,
    "request_info": _clinic,
    "ask_video": video.answer,
    "help": _say("utter_help"),
    "bot_challenge": _say("utter_bot"),
    "greet": _say("utter_greet_again"),
    "thank": _say("utter_welcome"),
    "wrong_number": people.answer_wrong_number,
    "out_of_scope": _out_of_scope,
    "billing": people.answer_billing,
    "medical_question": people.answer_medical_question,
    "running_late": people.answer_running_late,
    "repeat": lambda turn: None,
}
# Questions to know something: in the middle of a form they are answered even when the reading is in doubt, if they look like one.
_TO_KNOW = frozenset(
    {
        "ask_hours",
        "ask_location",
        "ask_parking",
        "ask_prep",
        "ask_cost",
        "insurance",
        "find_provider",
        "ask_clinic",
        "request_info",
        "ask_video",
        "bot_challenge",
        "medical_question",
        "billing",
    }
)
_NEEDED = {
    "out_of_scope": 0.8,
    "greet": 0.7,
    "thank": 0.7,
    "find_provider": 0.7,
    "request_info": 0.75,
    "repeat": 0.6,
    "ask_prep": 0.65,
    "medical_question": 0.75,
}
