"""Which kind of visit it is: what the words name, what that is for this person, and what cannot be."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from actions import facts, names, offering, sentences
from actions.party import Member
from actions.turn import Turn
from actions.words import plain
from scheduling_core import patients
from scheduling_core.calendar import rules
from scheduling_core.calendar.requests import Request
from scheduling_core.clinic_file.schema import ServicePart


def take_up(turn: Turn) -> bool:
    """Keep the kind of visit that the words name; True when it is another one than before."""
    said = turn.mentions
    before = turn.slot("service")
    if turn.asked in ("birth_date", "name"):
        return False
    settled = before is not None and turn.asked in ("time", "choice", "confirm", "doubt")
    if settled and not turn.means("book_appointment", "wrong_correction"):
        return False  # "the same day" is a time here, whatever else the clinic calls so
    if said.services:
        new_only = [name for name in said.services if turn.clinic.services_by_id[name].who == "new"]
        others = [name for name in said.services if name not in new_only]
        turn.set(service=(others or new_only)[0] if turn.slot("new_patient") is False else said.services[0])
        if turn.asked is None and len(others) > 1:
            turn.set(also=next(name for name in others if name != turn.slot("service")))
    elif said.complaint and before is None:
        turn.set(service=_urgent(turn) or before)
    elif before is None and turn.slot("new_patient") and (service := _for_new(turn)):
        turn.set(service=service)
    changed: bool = turn.slot("service") != before
    if changed and before is not None:
        turn.set(offers=None, choice=None)
    return changed


def asked_about(turn: Turn) -> ServicePart | None:
    """The kind of visit that a question is about: named, under way, or the one that new patients begin with."""
    named = turn.mentions.services or ((turn.slot("service"),) if turn.slot("service") else ())
    if named:
        return turn.clinic.services_by_id.get(named[0])
    return turn.clinic.services_by_id[new] if facts.says_new(turn.text) and (new := _for_new(turn)) else None


def take_up_last(turn: Turn) -> None:
    """ "Now the one for my son": the kind of visit that was booked last, where the words name none and speak of somebody else."""
    last = turn.slot("last_service")
    other = facts.relation(turn.text) not in (None, "self") or turn.names_relative
    if turn.asked is None and last and other and not turn.slot("service") and _THE_SAME.search(plain(turn.text)):
        turn.set(service=None if turn.mentions.services or turn.mentions.complaint else last)


_THE_SAME = re.compile(r"\b(?:one|same|too|also|as well|another|otra|una|mism[oa]|tambien)\b")


def _urgent(turn: Turn) -> str | None:
    return next((service.id for service in turn.clinic.services if service.urgency == "urgent"), None)


def _for_new(turn: Turn) -> str | None:
    """The visit that new patients begin with."""
    return next((service.id for service in turn.clinic.services if service.who == "new"), None)


def wanted(turn: Turn) -> ServicePart | None:
    return turn.clinic.services_by_id.get(turn.slot("service") or "")


def ask(turn: Turn) -> None:
    """Ask for the kind of visit; the second time with the clinic's list."""
    if turn.asked == "service":
        shown = [service.name for service in turn.clinic.services][:8]
        turn.say("utter_request_service_from", services=sentences.either(turn, shown))
    else:
        turn.say("utter_request_service")
    turn.ask("service")


def prep(turn: Turn, service: ServicePart) -> list[str]:
    """What to do before the visit and what to bring."""
    return [part for part in (service.prep, sentences.bring(turn, service)) if part]


# for whom


@dataclass(frozen=True)
class Fitted:
    """The kind of visit that a person may have, and the rule that forbids even that one."""

    service: ServicePart
    is_first_visit: bool  # instead of the one that was wanted, because the person is new
    refusal: rules.Refusal | None


def fitted(turn: Turn, service: ServicePart, member: Member, request: Request) -> Fitted:
    """The visit of children for a child, the first visit for who is new; then the clinic's rules about it. `request` is for it."""
    by_id = turn.clinic.services_by_id
    if patients.age_on(member.born, turn.now.date()) < 18:
        words = turn.text if turn.asked is None else str(turn.slot("opening") or service.name)
        service = by_id[names.for_child(turn.clinic, service.id, words)]
    first = _first_visit_instead(turn, service) if member.is_new and service.who == "established" else None
    service = by_id[first] if first else service
    return Fitted(service, first is not None, _refusal(turn, service, member, replace(request, service_id=service.id)))


def _first_visit_instead(turn: Turn, service: ServicePart) -> str | None:
    """The visit that a new patient has first, of the wanted specialty before others."""
    first = [other for other in turn.clinic.services if other.who == "new"]
    return next((other.id for other in first if other.specialty == service.specialty), first[0].id if first else None)


def _refusal(turn: Turn, service: ServicePart, member: Member, request: Request) -> rules.Refusal | None:
    with turn.database.reading() as session:
        refusal = rules.who_may(session, turn.clinic, request)
    if refusal or not member.is_new:
        return refusal
    if service.who == "established":
        return rules.Refusal("who-established")
    if service.needs_referral:
        return rules.Refusal("needs-referral")
    if service.needs_order:
        return rules.Refusal("needs-order")
    if service.ages and patients.age_on(member.born, turn.now.date()) not in service.ages:
        return rules.Refusal("age")
    return None


def fit_to_person(turn: Turn, member: Member) -> str | None:
    """Find the kind of visit that this person may have.

    A sentence that says what was changed, "" where nothing was; None: it cannot be.
    """
    service = wanted(turn)
    assert service
    found = fitted(turn, service, member, offering.request(turn, service.id))
    turn.set(service=found.service.id)
    if found.refusal is not None:
        return _without(turn, found.service, found.refusal)
    note = sentences.first_visit(turn) if found.is_first_visit else ""
    return note + _unknown_practitioner(turn)


def _without(turn: Turn, service: ServicePart, refusal: rules.Refusal) -> str | None:
    """What cannot be, said with a way on: a wish that nobody can fulfil is dropped and named, a missing paper ends the form."""
    if refusal.code == "no-practitioner" and not refusal.detail:
        turn.say("utter_nobody_does", service=service.name)
        turn.end()
        return None
    if drop_wish(turn, service, refusal):
        return ""
    if refusal.code == "who-new":
        turn.set(service=None, offers=None)
        turn.say("utter_new_patients_only", service=service.name)
        turn.ask("service")
        return None
    say_refusal(turn, service, refusal)
    turn.end()
    return None


def drop_wish(turn: Turn, service: ServicePart, refusal: rules.Refusal) -> bool:
    """Give up, aloud, a wish that nobody can fulfil; False where no wish is in the way."""
    if refusal.code == "no-practitioner" and refusal.detail:
        wished = sentences.either(turn, [sentences.practitioner(turn, who) for who in turn.slot("practitioners") or ()])
        others = sentences.either(turn, [sentences.practitioner(turn, who) for who in refusal.detail.split(",")][:4])
        turn.set(practitioners=None, gender=None, speaks=None)
        turn.say("utter_others_do" if wished else "utter_others_do_plain", service=service.name, wanted=wished, others=others)
    elif refusal.code == "mode":
        turn.set(mode=None)
        turn.say("utter_not_this_way", service=service.name)
    elif refusal.code == "location":
        turn.set(location=None)
        turn.say("utter_not_at_this_place", service=service.name)
    else:
        return False
    return True


def say_refusal(turn: Turn, service: ServicePart, refusal: rules.Refusal) -> None:
    """Why this person cannot have the visit at any time."""
    turn.say(f"utter_refused_{refusal.code.replace('-', '_')}", service=service.name)


def _unknown_practitioner(turn: Turn) -> str:
    name = turn.slot("unknown_practitioner")
    turn.set(unknown_practitioner=None)
    return sentences.nobody_named(turn, name) if name else ""
