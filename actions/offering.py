"""Choosing a time: the wishes so far, three times held and offered, and which of them the patient means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from actions import facts, nearby, sentences, when
from actions.offers import Offer
from actions.turn import Turn
from actions.words import either, plain
from scheduling_core import booking, times
from scheduling_core.calendar import hours, rules, search
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.wishes import Days, TimeWish
from scheduling_core.errors import TimeTakenError
from scheduling_core.models import Mode

WISHES = ("practitioners", "gender", "speaks", "location", "mode", "time")
OFFERS_BY_TEXT, OFFERS_BY_VOICE = 3, 2


@dataclass(frozen=True)
class Found:
    """Times on hold. `fits`: they fit the wish. `nothing`: what cannot be had, to be said before them."""

    offers: list[Offer]
    fits: bool
    nothing: nearby.Nothing | None


def offered(turn: Turn) -> list[Offer]:
    return [Offer.from_slot(raw) for raw in turn.slot("offers") or ()]


def wish(turn: Turn) -> TimeWish:
    return TimeWish.from_json(turn.slot("time"))


def request(turn: Turn, service_id: str, *, moving: str | None = None) -> Request:
    """What is wished of the visit, for who has proved who they are."""
    return Request(
        service_id=service_id,
        practitioners=tuple(turn.slot("practitioners") or ()),
        gender=turn.slot("gender"),
        language=turn.slot("speaks"),
        location_id=turn.slot("location"),
        mode=Mode(turn.slot("mode")) if turn.slot("mode") else None,
        patient_id=turn.known.patient.id if turn.known.patient else None,
        moving=moving,
    )


def take_up_wishes(turn: Turn, *, anchor: dt.datetime | None = None, text: str | None = None) -> bool:
    """Keep what this turn wishes of the visit; True when anything was said. `anchor`: local start of the visit that is being moved.

    Where the words about time have two readings, the question is put into the slot `doubt` for the form to ask.
    """
    before = {name: turn.slot(name) for name in (*WISHES, "doubt")}
    said = turn.mentions
    if said.practitioners:
        turn.set(practitioners=list(said.practitioners), gender=None, speaks=None)
    elif len(said.doubtful) == 1:  # the read-back names the practitioner, so a loose match is not silent
        turn.set(practitioners=list(said.doubtful), gender=None, speaks=None)
    elif said.doubtful:
        turn.set(doubt={"practitioners": list(said.doubtful)})
    elif said.unknown_practitioner:
        turn.set(practitioners=None, unknown_practitioner=said.unknown_practitioner)
    elif turn.slot("practitioners") and facts.no_preference(turn.text):
        turn.set(practitioners=None)
    if gender := facts.gender(turn.text):
        turn.set(gender=gender, **({} if said.practitioners else {"practitioners": None}))
    if speaks := facts.speaks(turn.text):
        turn.set(speaks=speaks)
    if said.locations:
        turn.set(location=said.locations[0])
    elif turn.slot("location") and facts.no_preference(turn.text):
        turn.set(location=None)
    if mode := facts.mode(turn.text):
        turn.set(mode=mode)
    heard = _take_up_time(turn, anchor, text)
    return heard or before != {name: turn.slot(name) for name in (*WISHES, "doubt")}


def _take_up_time(turn: Turn, anchor: dt.datetime | None, text: str | None) -> bool:
    if text is None and turn.asked in ("birth_date", "name", "member_id", "detail") and len(turn.text.split()) < 9:
        return False  # a birth date or a number, not a wish
    starts = tuple(turn.local(offer.start) for offer in offered(turn))
    reading = when.read(
        turn.text if text is None else text,
        turn.now,
        hours=turn.open_hours,
        anchor=anchor,
        offered=starts,
        language=turn.language,
    )
    if reading is None:
        return False
    if reading.question:
        turn.set(doubt={"time": list(reading.readings)})
        return True
    fresh = wish(turn).refined_by(_same_month(turn, _same_week(turn, reading))) if reading.wish else reading.wish
    turn.set(time=fresh.as_json() or {"any": True})
    return True


def _same_week(turn: Turn, reading: when.Reading) -> TimeWish:
    """A bare weekday after an offer ("what about Wednesday?") is the one of the offered week, not of this."""
    offers, days = offered(turn), reading.wish.days
    if (
        not offers
        or len(days) != 1
        or not days[0].first
        or days[0].first != days[0].last
        or not _WEEKDAY.fullmatch(plain(reading.span))
    ):
        return reading.wish
    first = turn.local(offers[0].start).date()
    there = first + dt.timedelta(days=days[0].first.weekday() - first.weekday())
    return replace(reading.wish, days=(Days(there, there),)) if there > days[0].first else reading.wish


_WEEKDAY = re.compile(
    r"(?:on |el )?"
    + either("(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|satur|sun)(?:day)?", "lunes|martes|miercoles|jueves|viernes|sabado|domingo")
)


def _same_month(turn: Turn, fresh: TimeWish) -> TimeWish:
    """ "Only the 16th" said again of a day that was wished before is that day, in whichever month it lies."""
    before = wish(turn).days
    if len(before) == len(fresh.days) == 1 and not _MONTH.search(plain(turn.text)):
        old, new = before[0], fresh.days[0]
        if old.first == old.last and new.first == new.last and old.first and new.first and old.first.day == new.first.day:
            return replace(fresh, days=before)
    return fresh


_MONTH = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ene|abr|ago|dic)[a-z]*\b|\d/\d|\b(?:today|tomorrow|hoy|manana|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|satur|sun)(?:day)?)\b"
)


def why_nothing(turn: Turn, wanted: Request) -> str:
    """Why the one day that was wished for has nothing: closed, or the practitioner is away. Empty when neither is it."""
    day = wish(turn).first_day
    if day is None or wish(turn).last_day != day:
        return ""
    clinic = turn.clinic
    places = [place.id for place in clinic.locations if wanted.location_id in (None, place.id)]
    if all(hours.is_closed(clinic, place, day) or not clinic.locations_by_id[place].hours_on(day.weekday()) for place in places):
        return sentences.closed_on(turn, day, hours.closure_name(clinic, places[0], day))
    away = [who for who in wanted.practitioners if hours.is_absent(clinic.practitioners_by_id[who], day)]
    return sentences.away_on(turn, away[0], day) if away and len(away) == len(wanted.practitioners) else ""


def has_time_wish(turn: Turn) -> bool:
    return turn.slot("time") is not None


def pick(turn: Turn) -> Offer | None:
    """The offered time that the patient chose: by number, by its day or clock time, or by who it is with. None: none, or several.

    Words that say more than that (a question, a "but", somebody else) choose nothing.
    """
    offers = offered(turn)
    if not offers:
        return None
    if number := facts.choice(turn.text, len(offers)):
        return offers[number - 1]
    if _SOONEST.search(plain(turn.text)) and not facts.wavers(turn.text):
        return min(offers, key=lambda offer: offer.start)
    starts = tuple(turn.local(offer.start) for offer in offers)
    reading = turn.when(offered=starts)
    wished = reading.wish if reading and not reading.question else None
    said = turn.mentions
    if turn.is_question or not _says_no_more(turn, reading.span if reading else ""):
        return None
    fitting = [
        offer
        for offer in offers
        if (not wished or wished.allows(turn.local(offer.start)))
        and (not said.practitioners or offer.practitioner in said.practitioners)
        and (not said.locations or offer.location in said.locations)
    ]
    if wished or said.practitioners or said.locations:
        return fitting[0] if len(fitting) == 1 else None
    return offers[0] if len(offers) == 1 and turn.yes else None


_SOONEST = re.compile(r"\b(?:earliest|soonest|first available|lo mas pronto|mas temprano|la mas temprana)\b")


def _says_no_more(turn: Turn, span: str) -> bool:
    """Whether next to nothing is said besides a time: a few words of courtesy."""
    rest = plain(turn.text).replace(plain(span), " ", 1) if span else plain(turn.text)
    return not _MORE.search(rest) and len(re.findall(r"[^\W\d_]{3,}", rest)) <= 8


_MORE = re.compile(
    r"\?|\b"
    + either(
        "but|let me|ask|too|also|and my|husband|wife|kids?|son|daughter|mom|earlier|later|instead|other|another",
        "pero|tambien|con mi|y mi|otra|otro",
    )
    + r"\b"
)


def refuses_all(turn: Turn) -> bool:
    """None of the offered times will do, and nothing else was said."""
    return turn.yes is False or turn.means("request_alternatives")


def is_too_far_ahead(turn: Turn) -> bool:
    """Whether the wished days lie beyond the booking horizon; then that is said and other days are asked for."""
    first, last = wish(turn).first_day, rules.last_day(turn.clinic, turn.clinic.zone, times.now())
    if first is None or first <= last:
        return False
    turn.set(time=None)
    turn.say("utter_too_far_ahead", last=when.say_day(last, turn.now.date(), turn.language))
    turn.ask("time")
    return True


def search_and_hold(turn: Turn, wanted: Request) -> Found:
    """Let go of what was offered before, then hold the best times; where none fits, those that come closest to the wish."""
    count = how_many(turn)
    avoid = refused(turn)
    let_go(turn)  # in a transaction of its own: to give times up before claiming others can deadlock
    with turn.transaction() as session:
        fitting = search.offers(session, turn.clinic, wanted, wish=wish(turn), count=count, avoid=avoid)
        near = nearby.look(session, turn, wanted, wish(turn), fitting, count=count, avoid=avoid)
        keys = "-".join(f"{time.practitioner_id}:{time.first_tick}" for time in near.times)
        held = booking.hold_all(
            session,
            turn.clinic,
            free_times=near.times,
            held_for=turn.known.id,
            patient_id=wanted.patient_id,
            agent=turn.agent,
            key=f"{turn.key}:hold:{keys}",
        )
    offers = [Offer.of(one, near.gives_up(one.practitioner_id, one.start)) for one in held]
    offer(turn, offers, fits=bool(fitting))
    return Found(offers, bool(fitting), near.nothing)


def offer(turn: Turn, offers: list[Offer], *, fits: bool) -> None:
    """Remember what is on offer from now on."""
    turn.set(offers=[one.as_slot() for one in offers], choice=None, nearest=not fits)


def how_many(turn: Turn) -> int:
    """How many times are offered at once."""
    return OFFERS_BY_VOICE if turn.by_voice else OFFERS_BY_TEXT


def refused(turn: Turn) -> set[tuple[str, dt.datetime]]:
    """The times that were refused, by practitioner and start."""
    return {(who, dt.datetime.fromisoformat(start)) for who, start in turn.slot("refused") or ()}


def wishes_in_vain(turn: Turn, found: Found, before: list[Offer]) -> bool:
    """Whether a time was said again that cannot be had: nothing is left to offer, or only what was offered instead already."""
    if found.fits or turn.asked not in ("time", "choice") or turn.when() is None:
        return False
    return [(one.practitioner, one.start) for one in found.offers] == [(one.practitioner, one.start) for one in before]


def refuse_offers(turn: Turn) -> None:
    """Remember the offered times as refused and let them go at once."""
    before = [*(turn.slot("refused") or ()), *([offer.practitioner, offer.start.isoformat()] for offer in offered(turn))]
    turn.set(refused=before[-30:], offers=None, choice=None)
    let_go(turn)


def let_go(turn: Turn) -> None:
    """Release every time that is on hold for this conversation."""
    with turn.transaction() as session:
        booking.release(session, held_for=turn.known.id, agent=turn.agent)


def say_offers(
    turn: Turn, offers: list[Offer], *, service: str, fits: bool = True, nothing: nearby.Nothing | None = None, note: str = ""
) -> None:
    """List the times. What all of them share is said once, before the list."""
    one_practitioner = len({offer.practitioner for offer in offers}) == 1
    one_place = len({(offer.location, offer.mode) for offer in offers}) == 1
    shared = " ".join(
        part
        for part in (
            sentences.with_whom(turn, offers[0].practitioner) if one_practitioner else "",
            sentences.where(turn, offers[0].location, offers[0].mode) if one_place else "",
        )
        if part
    )
    lines = [
        sentences.offer(
            turn,
            offer.start,
            practitioner_id=None if one_practitioner else offer.practitioner,
            location_id=None if one_place else offer.location,
            mode=None if one_place else offer.mode,
        )
        for offer in offers
    ]
    say_list(turn, lines, head=f"{service} {shared}".strip(), fits=fits, nothing=nothing, note=note)


def say_list(
    turn: Turn, lines: list[str], *, head: str, fits: bool = True, nothing: nearby.Nothing | None = None, note: str = ""
) -> None:
    """Say the numbered lines, after what cannot be had: the reason in the note where there is one, else the wish itself."""
    values = {"head": head, "options": sentences.numbered(lines), "note": f"{note} " if note else ""}
    if nothing and not note:
        turn.say("utter_offers_instead", has=nothing.has, wished=nothing.wished, **values)
    else:
        turn.say("utter_offers" if fits else "utter_offers_nearest", **values)


def chosen(turn: Turn) -> Offer | None:
    return next((offer for offer in offered(turn) if offer.hold == turn.slot("choice")), None)


def still_fits(turn: Turn, offer: Offer) -> bool:
    """Whether a chosen time agrees with all that is wished by now. What it was known to give up counts when it is said anew."""
    who = [turn.clinic.practitioners_by_id.get(one.practitioner) for one in offer.visits]
    fits_nearest = (turn.slot("nearest") is True or "time" in offer.gives_up) and not turn.changed.get("time")
    return (
        (fits_nearest or wish(turn).allows(turn.local(offer.start)))
        and (_is_free(turn, offer, "practitioners") or any(one.practitioner in turn.slot("practitioners") for one in offer.visits))
        and (_is_free(turn, offer, "location") or offer.location == turn.slot("location"))
        and (_is_free(turn, offer, "mode") or offer.mode == turn.slot("mode"))
        and (_is_free(turn, offer, "gender") or any(one is not None and one.gender == turn.slot("gender") for one in who))
        and (_is_free(turn, offer, "speaks") or any(one is not None and turn.slot("speaks") in one.languages for one in who))
    )


def _is_free(turn: Turn, offer: Offer, slot: str) -> bool:
    """Nothing is wished there, or the offer was known not to keep it when it was chosen."""
    said_anew = slot in turn.changed or (slot == "practitioners" and turn.mentions.practitioners)
    return not turn.slot(slot) or (slot in offer.gives_up and not said_anew)


def by_bare_number(turn: Turn) -> Offer | None:
    """The number of an offer, texted at the read-back: that offer is meant, and no yes. On a call 1 and 2 are yes and no."""
    offers = offered(turn)
    text = turn.text.strip(" .!")
    if turn.by_voice or not text.isdigit() or not 1 <= int(text) <= len(offers):
        return None
    return offers[int(text) - 1]


def affirms(turn: Turn, offer: Offer) -> bool:
    """A yes to the read-back; saying the chosen time again with it takes nothing back. "Both" are the visits that go together."""
    if turn.yes is not None:
        return turn.yes
    if offer.then and _BOTH.fullmatch(plain(turn.text)):
        return True
    rest = facts.after_yes(turn.text)
    reading = turn.when(offered=tuple(turn.local(offer.start) for offer in offered(turn)))
    return rest is not None and reading is not None and _says_no_more(turn, reading.span) and not turn.is_question


@dataclass(frozen=True)
class ReadBack:
    """What a form does with the answer to what it read back."""

    say: Callable[[Turn, Offer], None]  # reads another offer back
    carry_out: Callable[[Turn, Offer], None]
    go_on: Callable[[Turn], None]  # looks for times anew
    unclear: Callable[[Turn], None]
    refused: str  # the sentence that asks for another time after a no


def after_read_back(turn: Turn, offer: Offer, form: ReadBack) -> None:
    """Yes carries out, unless the same words change the wish; a change or a no looks for other times."""
    if other := by_bare_number(turn):
        turn.set(choice=other.hold)
        form.say(turn, other)
        return
    still = still_fits(turn, offer)
    if still and affirms(turn, offer):
        form.carry_out(turn, offer)
    elif turn.yes is False and still:
        refuse_offers(turn)
        turn.set(time=None)
        turn.say(form.refused)
        turn.ask("time")
    elif still:
        form.unclear(turn)
    else:
        let_go(turn)
        turn.set(offers=None, choice=None)
        form.go_on(turn)


_BOTH = re.compile(
    r"\W*"
    + either(
        r"(?:book |take |i want )?(?:both|all)(?: of them| of those| please| then)*",
        r"(?:reserve )?(?:ambas|las dos|los dos|todas)",
    )
    + r"(?:\W+(?:please|pls|thanks|thank you|por favor|gracias))*\W*"
)


def is_held(session: Session, offer: Offer) -> bool:
    """Whether an offered time is still on hold, with those that follow it."""
    return all(booking.is_held(session, hold_id=one.hold) for one in offer.visits)


def same_time(session: Session, turn: Turn, wanted: Request, offer: Offer) -> FreeTime:
    """The offered time, found again after its hold expired. Raises TimeTakenError when it is not free any more."""
    exactly = replace(
        wanted, practitioners=(offer.practitioner,), location_id=offer.location, mode=offer.mode, gender=None, language=None
    )
    found = search.find(session, turn.clinic, exactly, start=offer.start, end=offer.start + dt.timedelta(minutes=1), limit=1)
    if not found:
        raise TimeTakenError(offer.hold)
    return found[0]
