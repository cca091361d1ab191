"""Moving a visit: which one, to when; the old time goes only when the new one is booked."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

from actions import facts, forms, identity, offering, plans, reminders, sentences, video, visits
from actions.goals import form_meant
from actions.offering import ReadBack
from actions.offers import Offer
from actions.turn import Turn, action
from actions.words import plain
from scheduling_core import booking
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import Days
from scheduling_core.errors import PatientBusyError, SchedulingError
from scheduling_core.models import Appointment, Mode
from scheduling_core.plans import settle

FORM = "reschedule_form"


@action("validate_reschedule_form")
def validate(turn: Turn) -> None:
    if turn.asked is None:
        if not turn.slot("visits") and plans.answer(turn):
            if turn.followup != FORM:
                turn.end()
                return
            turn.followup = None
        if (other := form_meant(turn, FORM)) == "booking_form" and not turn.slot("visits"):
            turn.end(then=other)
            return
        turn.set(opening=plans.words_of_wish(turn.text) if turn.slot("visits") else turn.text)
    forms.for_whom(turn)
    identity.take_up(turn)
    picked = offering.pick(turn) if turn.asked == "choice" else None
    visit = _visit(turn)
    if forms.elsewhere(turn, FORM, answered=picked is not None or _answers(turn), again=again, leave=_leave):
        return
    if picked and visit:
        turn.set(choice=picked.hold)
        _read_back(turn, visit, picked)
        return
    if turn.asked in identity.PLACEHOLDERS:
        if not visits.identity_answered(turn):
            forms.unclear(turn, again)
            return
        go_on(turn)
        return
    if turn.asked in ("time", "choice", "confirm", "doubt") and visit:
        _hear_time(turn, visit)
        return
    go_on(turn)


def _hear_time(turn: Turn, visit: Appointment) -> None:
    """Words about the new time, once it is known which visit moves."""
    doubt = turn.slot("doubt")
    if turn.asked == "doubt" and doubt:
        turn.set(doubt=None)
        readings = doubt.get("time") or doubt.get("practitioners")
        number = facts.choice(turn.text, len(readings))
        text = readings[number - 1] if number else turn.text
        heard = offering.take_up_wishes(turn, anchor=_anchor(turn, visit), text=text)
    else:
        heard = offering.take_up_wishes(turn, anchor=_anchor(turn, visit))
        _not_where_it_is(turn, visit, turn.text)
    chosen = offering.chosen(turn)
    if turn.asked == "confirm" and chosen:
        _after_read_back(turn, visit, chosen)
        return
    if turn.asked == "choice" and offering.refuses_all(turn) and not heard:
        offering.refuse_offers(turn)
        if turn.slot("nearest"):
            turn.set(time=None)
    elif turn.asked == "choice" and heard:
        offering.let_go(turn)
    elif turn.asked == "choice" and turn.yes:
        turn.say("utter_which_one")
        return
    elif not heard and not facts.no_preference(turn.text):
        forms.unclear(turn, again)
        return
    elif not offering.has_time_wish(turn):
        turn.set(time={"any": True})
    forms.understood(turn)
    go_on(turn)


def go_on(turn: Turn) -> None:
    """Settle who, which visit, what time; then offer."""
    if not visits.on_file(turn):
        return
    visit = _visit(turn)
    if visit is None:
        coming = visits.upcoming(turn)
        if not coming:
            turn.say("utter_no_visits")
            turn.end()
            return
        found = visits.meant(turn, coming, listed=turn.asked == "visit")
        if len(found) != 1 and turn.asked != "visit" and (named := reminders.named(turn)):
            found = [visit for visit in coming if visit.id == named.id] or found
        if len(found) != 1:
            visits.ask_which(turn, found or coming)
            return
        visit = found[0]
        turn.set(visits=[visit.id])
        _hear_opening(turn, visit)
    elif turn.slot("opening") and not (turn.slot("service") or offering.has_time_wish(turn)):
        _hear_opening(turn, visit)  # it was known from the start which visit moves
    turn.set(service=visit.service_id)  # what questions in between are about
    if turn.slot("doubt"):
        _ask_doubt(turn)
        return
    if not offering.has_time_wish(turn):
        turn.say("utter_request_new_time", visit=sentences.visit(turn, visit))
        turn.ask("time")
        return
    _offer(turn, visit)


def again(turn: Turn) -> None:
    visit, chosen, offers = _visit(turn), offering.chosen(turn), offering.offered(turn)
    if visit and turn.asked == "confirm" and chosen:
        _read_back(turn, visit, chosen)
    elif visit and turn.asked == "choice" and offers:
        offering.say_offers(turn, offers, service=_service_name(turn, visit))
        turn.ask("choice")
    else:
        go_on(turn)


# which


def _answers(turn: Turn) -> bool:
    if turn.asked in identity.PLACEHOLDERS:
        return visits.identity_answered(turn)
    if turn.asked == "confirm":
        return turn.yes is not None
    if turn.asked == "time":
        return turn.when() is not None
    return turn.asked == "visit" and bool(facts.choice(turn.text, 5) or turn.mentions.services or turn.when())


def _visit(turn: Turn) -> Appointment | None:
    """The visit that moves, as it stands now; None when it is not known, or gone meanwhile."""
    ids = turn.slot("visits") or ()
    if not ids or not turn.known.patient:
        return None
    with turn.database.reading() as session:
        return next((visit for visit in booking.upcoming(session, patient_id=turn.known.patient.id) if visit.id == ids[0]), None)


def _anchor(turn: Turn, visit: Appointment) -> dt.datetime:
    assert visit.start
    return turn.local(visit.start)


# Words that say which visit it is, not when it shall be.
_NAMES_THE_VISIT = re.compile(
    r"(?i)\b(?:my|the|our|mi|la|el)?\s*(?:\w+\s+){0,2}(?:appointment|visit|appt|cita)\s+"
    r"(?:is |was )?(?:on|for|of|at|del?|el|from|this|next)\s+"
    r"(?:(?!\b(?:to|one|an|two|the same|until|later|earlier|instead)\b)[^,.;!?])+"
)


def _hear_opening(turn: Turn, visit: Appointment) -> None:
    """Read the first words again now that "the same time" and "an hour later" have a visit to refer to."""
    opening = str(turn.slot("opening") or turn.text)
    text = _NAMES_THE_VISIT.sub(" my appointment ", opening)
    anchor = _anchor(turn, visit)
    before = turn.slot("time")
    if not offering.take_up_wishes(turn, anchor=anchor, text=text):
        return
    wish = offering.wish(turn)
    if wish.names_days and not wish.names_hours and wish.first_day == wish.last_day == anchor.date():
        turn.set(time=before)  # it named the visit that moves
    _not_where_it_is(turn, visit, opening)


def _not_where_it_is(turn: Turn, visit: Appointment, text: str) -> None:
    """ "The same time next week" of a visit that is next week already is the week after; else the own time is no wish."""
    anchor, wish = _anchor(turn, visit), offering.wish(turn)
    if wish.first_day == wish.last_day == anchor.date() and wish.at == (anchor.time(),):
        later = anchor.date() + dt.timedelta(days=7)
        fresh = replace(wish, days=(Days(later, later),)) if re.search(r"\b(?:week|semana)\b", plain(text)) else None
        turn.set(time=fresh.as_json() if fresh else None)


def _ask_doubt(turn: Turn) -> None:
    doubt = turn.slot("doubt")
    choices = doubt.get("time") or [sentences.practitioner(turn, name) for name in doubt["practitioners"]]
    turn.say("utter_did_you_mean", choices=sentences.either(turn, choices[:2]))
    turn.ask("doubt")


# to when


def _request(turn: Turn, visit: Appointment, *, same_practitioner: bool = True) -> Request:
    """The same visit with the same person at the same place, unless the patient wishes otherwise."""
    wished = offering.request(turn, visit.service_id, moving=visit.id)
    other = wished.practitioners or wished.gender or wished.language
    practitioner = (visit.practitioner_id,) if visit.practitioner_id and same_practitioner and not other else ()
    return Request(
        service_id=visit.service_id,
        practitioners=wished.practitioners or practitioner,
        gender=wished.gender,
        language=wished.language,
        location_id=wished.location_id,
        mode=wished.mode or Mode(visit.mode),
        patient_id=wished.patient_id,
        moving=visit.id,
    )


def _offer(turn: Turn, visit: Appointment) -> None:
    if offering.is_too_far_ahead(turn):
        return
    wish = offering.wish(turn)
    assert visit.start
    old = [visit.practitioner_id, visit.start.isoformat()]
    if old not in (turn.slot("refused") or ()):
        turn.set(refused=[*(turn.slot("refused") or ()), old])
    if wish.names_hours and not wish.names_days:  # "at 2 instead" means the visit's own day, if it can be had
        turn.set(time=replace(wish, days=(Days(turn.local(visit.start).date(), turn.local(visit.start).date()),)).as_json())
    found = offering.search_and_hold(turn, _request(turn, visit))
    if not found.fits and turn.slot("time") != wish.as_json():
        turn.set(time=wish.as_json())
        found = offering.search_and_hold(turn, _request(turn, visit))
    note = ""
    if not found.fits and not turn.slot("practitioners") and visit.practitioner_id:
        others = offering.search_and_hold(turn, _request(turn, visit, same_practitioner=False))
        if others.fits:
            found = others
            note = sentences.not_then(turn, visit.practitioner_id)
        else:
            found = offering.search_and_hold(turn, _request(turn, visit))
    if not found.offers:
        turn.set(time=None)
        turn.say("utter_nothing_free", service=_service_name(turn, visit))
        turn.ask("time")
        return
    if found.fits and len(found.offers) == 1 and wish.at and not note:
        turn.set(choice=found.offers[0].hold)
        _read_back(turn, visit, found.offers[0])
        return
    service = _service_name(turn, visit)
    offering.say_offers(turn, found.offers, fits=found.fits, nothing=found.nothing, service=service, note=note)
    turn.ask("choice")


def _read_back(turn: Turn, visit: Appointment, offer: Offer) -> None:
    assert visit.start
    turn.say(
        "utter_confirm_move",
        service=_service_name(turn, visit),
        old=sentences.start(turn, visit.start),
        when=sentences.start(turn, offer.start),
        whom=sentences.with_whom(turn, offer.practitioner),
        where=sentences.where(turn, offer.location, offer.mode),
    )
    turn.ask("confirm")


def _after_read_back(turn: Turn, visit: Appointment, chosen: Offer) -> None:
    form = ReadBack(
        say=lambda turn, offer: _read_back(turn, visit, offer),
        carry_out=lambda turn, offer: _move(turn, visit, offer),
        go_on=go_on,
        unclear=lambda turn: forms.unclear(turn, again),
        refused="utter_not_moved_what_else",
    )
    offering.after_read_back(turn, chosen, form)


def _move(turn: Turn, visit: Appointment, chosen: Offer) -> None:
    try:
        with turn.transaction() as session:
            held = offering.is_held(session, chosen)
            moved = booking.reschedule(
                session,
                turn.clinic,
                appointment_id=visit.id,
                hold_id=chosen.hold if held else None,
                time=None if held else offering.same_time(session, turn, _request(turn, visit), chosen),
                agent=turn.agent,
                key=f"{turn.key}:move",
            )
            settle(session, turn.clinic, appointment_id=visit.id, agent=turn.agent)
    except SchedulingError as refused:
        turn.say("utter_patient_busy" if isinstance(refused, PatientBusyError) else "utter_time_gone")
        offering.refuse_offers(turn)
        _offer(turn, visit)
        return
    assert moved.start
    turn.say(
        "utter_moved",
        service=_service_name(turn, moved),
        when=sentences.start(turn, moved.start),
        whom=sentences.with_whom(turn, moved.practitioner_id),
        where=sentences.where(turn, moved.location_id, moved.mode),
    )
    video.say_links(turn, [moved])
    turn.end()


def _service_name(turn: Turn, visit: Appointment) -> str:
    service = turn.clinic.services_by_id.get(visit.service_id)
    return service.name if service else visit.service_id


def _leave(turn: Turn) -> None:
    offering.let_go(turn)
    turn.say("utter_not_moved")
