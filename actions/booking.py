"""Booking a visit: what, for whom, when; three times offered; one read back; then it is on the books."""

from __future__ import annotations

from actions import (
    facts,
    forms,
    identity,
    insurance,
    offering,
    outreach,
    party,
    people,
    plans,
    questions,
    second,
    sentences,
    services,
    several,
    together,
    video,
    waitlist,
)
from actions.facts import groups
from actions.goals import form_meant
from actions.identity import Standing
from actions.offering import ReadBack
from actions.offers import Offer
from actions.turn import SURE, Turn, action
from scheduling_core import booking
from scheduling_core.clinic_file.schema import ServicePart
from scheduling_core.eligibility import consequences
from scheduling_core.errors import NotBookableError, PatientBusyError, SchedulingError
from scheduling_core.models import Appointment

FORM = "booking_form"


@action("validate_booking_form")
def validate(turn: Turn) -> None:
    if turn.asked is None:
        if plans.answer(turn) or (turn.yes and waitlist.answer_offer(turn)) or outreach.declines(turn):
            turn.end(then=turn.followup)
            turn.followup = None
            return
        if turn.slot("proposed") == FORM and turn.slot("also") and not (turn.mentions.services or turn.mentions.complaint):
            turn.set(service=turn.slot("also"), also=None)  # the visit that was just spoken of
        turn.set(opening=turn.text, proposed=None)
        if (other := form_meant(turn, FORM)) != FORM:
            turn.end(then=other)
            return
        if questions.answer_policy(turn):
            turn.end()
            return
        if questions.asks_who_does(turn):
            questions.say_providers(turn)
            turn.end()
            return
        outreach.take_up(turn)
        outreach.note_complaint(turn)
    more = several.hear(turn)
    if not more:
        forms.for_whom(turn)
        if not several.take_up_people(turn):
            identity.take_up(turn)
        services.take_up_last(turn)
    picked = offering.pick(turn) if turn.asked == "choice" and not more else None
    answered = more or picked is not None or _answers(turn)
    if forms.elsewhere(turn, FORM, answered=answered, again=again, leave=_leave):
        return
    if picked:
        turn.set(choice=picked.hold)
        _say_read_back(turn, picked)
        return
    heard_service = more or services.take_up(turn)
    resolved = _resolve_doubt(turn)
    heard_wish = offering.take_up_wishes(turn, text=groups.rest(turn.text) if more else None)
    service = services.wanted(turn)
    if said := turn.mentions.payers:
        turn.set(insurer=said[0])
    if turn.asked == "confirm" and not heard_service:
        _after_read_back(turn)
        return
    if facts.wants_waitlist(turn.text) or (turn.means("join_waitlist") and turn.asked):
        turn.set(waitlist=True)
        if turn.asked == "choice" and turn.slot("nearest") and service and turn.known.patient:
            offering.refuse_offers(turn)
            waitlist.ask(turn, service)
            return
    if turn.asked == "waitlist" and service:
        _after_waitlist_question(turn, service)
        return
    if turn.asked == "another" and second.answered(turn):
        return
    if turn.asked == "choice":
        if offering.refuses_all(turn) and not heard_wish:
            _after_refusal(turn)
            return
        if heard_wish:
            offering.let_go(turn)
        elif turn.yes:
            turn.say("utter_which_one")
            return
        elif not heard_service:
            forms.unclear(turn, again)
            return
    elif turn.asked and not (heard_service or heard_wish or resolved or _answers(turn)):
        forms.unclear(turn, again)
        return
    forms.understood(turn)
    go_on(turn)


def go_on(turn: Turn) -> None:
    """Ask for what is missing, in the order of a front desk: what, which doctor where in doubt, who, when; then offer."""
    service = services.wanted(turn)
    if service is None:
        services.ask(turn)
        return
    if turn.slot("doubt"):
        _ask_doubt(turn)
        return
    if turn.slot("together"):
        if not together.go_on(turn):
            go_on(turn)
        return
    if identity.standing(turn) in (Standing.ASKED, Standing.ENDED):
        return
    member = party.current(turn)
    assert member
    note = services.fit_to_person(turn, member)
    if note is None or second.ask_about_it(turn):
        return
    if not offering.has_time_wish(turn):
        if note:
            turn.say("utter_note", note=note)
        turn.say("utter_request_time")
        turn.ask("time")
        return
    _offer(turn, note)


def _after_refusal(turn: Turn) -> None:
    """None of these: others that fit the wish; where nothing fitted it, another wish."""
    nearest = turn.slot("nearest")
    offering.refuse_offers(turn)
    if nearest:
        turn.set(time=None)
        turn.say("utter_request_time")
        turn.ask("time")
    else:
        forms.understood(turn)
        go_on(turn)


def again(turn: Turn) -> None:
    """Ask the open question anew."""
    offers = offering.offered(turn)
    chosen = offering.chosen(turn)
    if turn.slot("together") and together.again(turn):
        return
    if turn.asked == "confirm" and chosen:
        _read_back(turn, chosen)
    elif turn.asked == "waitlist" and (waited := services.wanted(turn)):
        waitlist.ask(turn, waited)
    elif turn.asked == "choice" and offers:
        service = services.wanted(turn)
        offering.say_offers(turn, offers, service=service.name if service else "")
        turn.ask("choice")
    else:
        go_on(turn)


# what


def _answers(turn: Turn) -> bool:
    """Whether the words answer the form's last question."""
    asked = turn.asked
    if asked == "service":
        about_it = turn.is_question and turn.best_of(("ask_cost", "ask_prep", "insurance"))[1] >= SURE
        return bool(turn.mentions.services or turn.mentions.complaint) and not about_it
    if asked in identity.PLACEHOLDERS:
        return identity.answered(turn) or bool(several.told(turn))
    if asked == "time":
        return turn.when() is not None or facts.no_preference(turn.text)
    if asked == "confirm":
        return turn.yes is not None
    if asked == "waitlist":
        return turn.yes is not None
    if asked == "another":
        return turn.yes is not None or second.says_which(turn.text)
    return asked == "doubt" and bool(turn.mentions.practitioners or facts.choice(turn.text, 2) or turn.when())


def _ask_doubt(turn: Turn) -> None:
    doubt = turn.slot("doubt")
    if who := doubt.get("practitioners"):
        turn.say("utter_did_you_mean", choices=sentences.either(turn, [sentences.practitioner(turn, name) for name in who[:3]]))
    else:
        turn.say("utter_did_you_mean", choices=sentences.either(turn, doubt["time"][:2]))
    turn.ask("doubt")


def _resolve_doubt(turn: Turn) -> bool:
    """The answer to "did you mean A or B": by number, or said anew."""
    doubt = turn.slot("doubt")
    if turn.asked != "doubt" or not doubt:
        return False
    turn.set(doubt=None)
    readings = doubt.get("time") or doubt.get("practitioners")
    number = facts.choice(turn.text, len(readings))
    if number is None:
        return False
    if doubt.get("practitioners"):
        turn.set(practitioners=[readings[number - 1]])
        return True
    return offering.take_up_wishes(turn, text=readings[number - 1])


# when


def _offer(turn: Turn, note: str) -> None:
    service = services.wanted(turn)
    assert service
    if offering.is_too_far_ahead(turn):
        return
    wish = offering.wish(turn)
    wanted = offering.request(turn, service.id)
    before = offering.offered(turn)
    found = offering.search_and_hold(turn, wanted)
    if not found.fits:
        note = f"{note} {offering.why_nothing(turn, wanted)}".strip()
    if not found.fits and turn.slot("waitlist") and turn.known.patient:
        offering.refuse_offers(turn)
        waitlist.ask(turn, service)
        return
    if turn.known.patient and offering.wishes_in_vain(turn, found, before):
        offering.refuse_offers(turn)
        waitlist.ask(turn, service)
        return
    if not found.offers:
        turn.set(time=None)
        turn.say("utter_nothing_free", service=service.name)
        turn.ask("time")
        return
    if found.fits and len(found.offers) == 1 and wish.at:
        turn.set(choice=found.offers[0].hold)
        if note:
            turn.say("utter_note", note=note)
        _read_back(turn, found.offers[0])
        return
    offering.say_offers(turn, found.offers, fits=found.fits, nothing=found.nothing, service=service.name, note=note)
    turn.ask("choice")


def _after_waitlist_question(turn: Turn, service: ServicePart) -> None:
    if turn.yes or (turn.yes is None and facts.wants_waitlist(turn.text) and not turn.is_question):
        waitlist.join(turn, service)
    elif turn.yes is False:
        turn.set(waitlist=None, time=None)
        turn.say("utter_request_time")
        turn.ask("time")
    else:
        turn.set(waitlist=None)
        go_on(turn)


def _read_back(turn: Turn, offer: Offer) -> None:
    service, member = services.wanted(turn), party.current(turn)
    assert service
    if member and not insurance.warn(turn, member, service.id, offer.practitioner, offer.start):
        return
    turn.say(
        "utter_confirm_booking",
        service=service.name,
        first=identity.first_name(turn),
        when=sentences.start(turn, offer.start),
        whom=sentences.with_whom(turn, offer.practitioner),
        where=sentences.where(turn, offer.location, offer.mode),
    )
    turn.ask("confirm")


def _say_read_back(turn: Turn, offer: Offer) -> None:
    if turn.slot("together"):
        together.read_back(turn, offer)
    else:
        _read_back(turn, offer)


def _after_read_back(turn: Turn) -> None:
    if turn.slot("together"):
        together.after_read_back(turn, go_on, _READ_BACK.unclear)
        return
    chosen = offering.chosen(turn)
    if chosen is None or party.current(turn) is None:
        go_on(turn)
    else:
        offering.after_read_back(turn, chosen, _READ_BACK)


# the write


def _book(turn: Turn, chosen: Offer) -> None:
    try:
        made = _write(turn, chosen)
    except PatientBusyError:
        turn.say("utter_patient_busy")
        offering.refuse_offers(turn)
        _offer(turn, "")
        return
    except NotBookableError:
        turn.say("utter_time_gone")
        offering.refuse_offers(turn)
        _offer(turn, "")
        return
    except SchedulingError:
        turn.say("utter_time_gone")
        turn.set(offers=None, choice=None)
        _offer(turn, "")
        return
    was_new = turn.is_new
    turn.look_again()
    people.write_told(turn)
    _say_booked(turn, made)
    also = turn.clinic.services_by_id.get(turn.slot("also") or "")
    if also:
        turn.say("utter_also", service=also.name)
        turn.set(proposed="booking_form")
        turn.end()
        return
    turn.end(then="coverage_form" if was_new and turn.clinic.payers else None)


def _write(turn: Turn, chosen: Offer) -> Appointment:
    """Register who is new and book, in one transaction: both or neither. A time whose hold expired is taken again if it is free."""
    member = party.current(turn)
    assert member
    with turn.transaction() as session:
        if member.is_new:
            member = party.register(turn, session, member, key=f"{turn.key}:register")
            turn.conversation(session).patient_id = member.patient_id
        assert member.patient_id
        held = offering.is_held(session, chosen)
        wanted = offering.request(turn, str(turn.slot("service")))
        made = booking.book(
            session,
            turn.clinic,
            patient_id=member.patient_id,
            hold_id=chosen.hold if held else None,
            time=None if held else offering.same_time(session, turn, wanted, chosen),
            agent=turn.agent,
            key=f"{turn.key}:book",
        )
        consequences.after_booking(session, turn.clinic, appointment_id=made.id, agent=turn.agent)
        return made


def _say_booked(turn: Turn, made: Appointment) -> None:
    service = turn.clinic.services_by_id[made.service_id]
    assert made.start
    turn.say(
        "utter_booked",
        service=service.name,
        when=sentences.start(turn, made.start),
        whom=sentences.with_whom(turn, made.practitioner_id),
        where=sentences.where(turn, made.location_id, made.mode),
        prep=" ".join(services.prep(turn, service)),
    )
    video.say_links(turn, [made])
    turn.set(last_service=service.id)


def _leave(turn: Turn) -> None:
    offering.let_go(turn)
    turn.say("utter_nothing_booked")


_READ_BACK = ReadBack(
    say=_read_back,
    carry_out=_book,
    go_on=go_on,
    unclear=lambda turn: forms.unclear(turn, again),
    refused="utter_not_booked_what_else",
)
