"""A place on the waitlist, and the answer to a time that opened."""

from __future__ import annotations

from actions import facts, identity, offering, sentences, video
from actions.turn import Turn
from scheduling_core import times, waitlist
from scheduling_core.clinic_file.schema import ServicePart
from scheduling_core.errors import SchedulingError
from scheduling_core.models import OfferStatus


def ask(turn: Turn, service: ServicePart) -> None:
    """Read back what the place would be for."""
    wished = sentences.wished(turn, offering.wish(turn))
    who = sentences.either(turn, [sentences.practitioner(turn, name) for name in turn.slot("practitioners") or ()])
    turn.say(
        "utter_confirm_waitlist",
        service=service.name,
        whom=f" {sentences.with_word(turn)} {who}" if who else "",
        wished=f", {wished}" if wished else "",
        first=identity.first_name(turn),
    )
    turn.ask("waitlist")


def join(turn: Turn, service: ServicePart) -> None:
    """Put the patient on the list; whoever is not on file yet is told to book or call."""
    if turn.known.patient is None:
        turn.say("utter_waitlist_on_file_only")
        turn.ask("time")
        return
    with turn.transaction() as session:
        waitlist.join(
            session,
            turn.clinic,
            request=offering.request(turn, service.id),
            wish=offering.wish(turn),
            agent=turn.agent,
            key=f"{turn.key}:waitlist",
        )
    turn.say("utter_on_waitlist", service=service.name)
    turn.end()


def answer_offer(turn: Turn) -> bool:
    """The answer, in time or late, to a time that we offered to this number; False when there is none, or the words say nothing."""
    with turn.database.reading() as session:
        offer = waitlist.answerable_offer(session, phone=turn.known.phone)
    if offer is None:
        return False
    number = facts.choice(turn.text, 2)
    is_open = offer.status is OfferStatus.OPEN and offer.expires_at > times.now()
    if turn.yes or number == 1:
        _accept(turn, offer.place_id)
    elif turn.yes is False or number == 2 or (is_open and turn.means("request_alternatives", "stop", "cancel_appointment")):
        with turn.transaction() as session:
            waitlist.pass_on(session, place_id=offer.place_id, agent=turn.agent, key=f"{turn.key}:pass")
        turn.say("utter_offer_passed")
    else:
        return False
    return True


def _accept(turn: Turn, place_id: str) -> None:
    try:
        with turn.transaction() as session:
            made = waitlist.accept(session, turn.clinic, place_id=place_id, agent=turn.agent, key=f"{turn.key}:accept")
    except SchedulingError:
        turn.say("utter_offer_gone")
        return
    assert made.start
    turn.say(
        "utter_booked",
        service=turn.clinic.services_by_id[made.service_id].name,
        when=sentences.start(turn, made.start),
        whom=sentences.with_whom(turn, made.practitioner_id),
        where=sentences.where(turn, made.location_id, made.mode),
        prep="",
    )
    video.say_links(turn, [made])
