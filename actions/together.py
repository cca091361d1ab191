"""Visits that go together (`several` says which): looked for, read back and booked as one.

What cannot go together is said plainly, and the booking goes on with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actions import forms, insurance, nearby, offering, party, people, sentences, services, video
from actions.offering import ReadBack
from actions.offers import Offer
from actions.party import Member
from actions.several import Part, Plan, go_on_alone, members_of
from actions.turn import Turn
from scheduling_core import chains
from scheduling_core.calendar import chains as finding
from scheduling_core.calendar.requests import Request
from scheduling_core.clinic_file.schema import ServicePart
from scheduling_core.eligibility import consequences
from scheduling_core.errors import PatientBusyError, SchedulingError
from scheduling_core.models import Appointment


def go_on(turn: Turn) -> bool:
    """Ask for what is missing, then offer. False: they cannot go together; that was said, and one visit is left to go on with."""
    plan = Plan.of(turn)
    assert plan
    plan = replace(plan, parts=tuple(replace(part, service=part.service or turn.slot("service")) for part in plan.parts))
    plan.keep(turn)
    members = members_of(turn, plan)
    if members is None:
        return True
    fitted = _fitted(turn, plan, members)
    if fitted is None:
        return True
    if len(fitted.parts) == 1:
        _say_alone(turn, fitted.parts[0], members)
        go_on_alone(turn, fitted, fitted.parts[0])
        return False
    fitted.keep(turn)
    requests = [_request(turn, part, members) for part in fitted.parts]
    with turn.database.reading() as session:
        why = finding.cannot(session, turn.clinic, requests)
    if why:
        return _apart(turn, fitted, members, "utter_not_in_one_place")
    if not offering.has_time_wish(turn):
        turn.say("utter_request_time")
        turn.ask("time")
        return True
    if offering.is_too_far_ahead(turn):
        return True
    return _offer(turn, fitted, members, requests)


def _fitted(turn: Turn, plan: Plan, members: Sequence[Member]) -> Plan | None:
    """The visits that these people may have. What one of them cannot have is said and left out; None: nothing is left."""
    parts: list[Part] = []
    for part in plan.parts:
        service, member = _service(turn, part), members[part.who]
        found = services.fitted(turn, service, member, _request(turn, part, members))
        while found.refusal and services.drop_wish(turn, found.service, found.refusal):
            found = services.fitted(turn, service, member, _request(turn, part, members))
        fresh = replace(part, service=found.service.id)
        if found.refusal:
            services.say_refusal(turn, found.service, found.refusal)
        elif not found.is_first_visit or fresh not in parts:
            parts.append(fresh)
        if found.is_first_visit and not found.refusal:
            turn.say("utter_note", note=sentences.first_visit(turn))
    if not parts:
        turn.end()
        return None
    return replace(plan, parts=tuple(parts))


def _service(turn: Turn, part: Part) -> ServicePart:
    assert part.service
    return turn.clinic.services_by_id[part.service]


def _request(turn: Turn, part: Part, members: Sequence[Member]) -> Request:
    """What is wished of one of the visits: of practitioner and mode what this service can have."""
    service = _service(turn, part)
    wished = offering.request(turn, service.id)
    able = [who for who in turn.clinic.practitioners if service.id in who.services]
    named = tuple(who.id for who in able if who.id in wished.practitioners)
    return replace(
        wished,
        practitioners=named,
        gender=wished.gender if any(who.gender == wished.gender for who in able) else None,
        language=wished.language if any(wished.language in who.languages for who in able) else None,
        mode=wished.mode if wished.mode in service.modes else None,
        patient_id=members[part.who].patient_id,
    )


def _apart(turn: Turn, plan: Plan, members: Sequence[Member], response: str) -> bool:
    """Say that they cannot go together, and go on with the first alone."""
    first, second = plan.parts[0], plan.parts[1]
    one, other = (_service(turn, part).name for part in (first, second))
    if one == other:
        one, other = (members[part.who].first for part in (first, second))
    turn.say(response, one=one, other=other)
    go_on_alone(turn, plan, first)
    if not plan.people:
        turn.set(also=second.service)
    return False


def _say_alone(turn: Turn, part: Part, members: Sequence[Member]) -> None:
    turn.say("utter_go_on_with", service=_service(turn, part).name, first=members[part.who].first)


def _offer(turn: Turn, plan: Plan, members: Sequence[Member], requests: Sequence[Request]) -> bool:
    offering.let_go(turn)
    wish, count = offering.wish(turn), offering.how_many(turn)
    patient_ids = {request.patient_id for request in requests}
    with turn.transaction() as session:
        found = finding.find(session, turn.clinic, requests, wish=wish, count=count, avoid=offering.refused(turn))
        fits = bool(found)
        found = found or finding.nearest(session, turn.clinic, requests, wish=wish, count=count)
        keys = "-".join(f"{chain.first.practitioner_id}:{chain.first.first_tick}" for chain in found)
        held = chains.hold_all(
            session,
            turn.clinic,
            chains=found,
            held_for=turn.known.id,
            patient_id=patient_ids.pop() if len(patient_ids) == 1 else None,
            agent=turn.agent,
            key=f"{turn.key}:hold-together:{keys}",
        )
    offers = [_as_offer(links) for links in held]
    if not offers:
        return _apart(turn, plan, members, "utter_not_in_one_go")
    offering.offer(turn, offers, fits=fits)
    if fits and len(offers) == 1 and wish.at:
        turn.set(choice=offers[0].hold)
        read_back(turn, offers[0])
        return True
    _say_offers(turn, plan, members, offers, fits=fits)
    return True


def _as_offer(links: Sequence[Appointment]) -> Offer:
    """The holds of a chain as one offer, in the order in which the visits happen."""
    offers = [replace(Offer.of(held), part=number) for number, held in enumerate(links)]
    first, *then = sorted(offers, key=lambda one: one.start)
    return replace(first, then=tuple(then))


def _say_offers(turn: Turn, plan: Plan, members: Sequence[Member], offers: list[Offer], *, fits: bool) -> None:
    head = _what(turn, plan, members)
    places = {(offer.location, offer.mode) for offer in offers}
    if len(places) == 1:
        head = f"{head} {sentences.where(turn, offers[0].location, offers[0].mode)}"
    lines = [_line(turn, plan, members, offer) for offer in offers]
    nothing = None if fits else nearby.nothing(turn, offering.wish(turn))
    offering.say_list(turn, lines, head=head, fits=fits, nothing=nothing)
    turn.ask("choice")


def _what(turn: Turn, plan: Plan, members: Sequence[Member]) -> str:
    """ "Physical and flu shot", "Well-child visit, Mia and Leo", "Physical for Ann and flu shot for Leo"."""
    kinds = list(dict.fromkeys(_service(turn, part).name for part in plan.parts))
    if not plan.people:
        return sentences.both(turn, kinds)
    if len(kinds) == 1:
        return f"{kinds[0]}, {sentences.both(turn, [member.first for member in members])}"
    return sentences.both(
        turn, [f"{_service(turn, part).name} {sentences.for_person(turn, members[part.who].first)}" for part in plan.parts]
    )


def _line(turn: Turn, plan: Plan, members: Sequence[Member], offer: Offer) -> str:
    """ "Tue Nov 17: Mia 9:00 AM, Leo 9:30 AM"."""
    labels = [
        members[plan.parts[one.part].who].first if plan.people else _service(turn, plan.parts[one.part]).name
        for one in offer.visits
    ]
    return sentences.chain_short(turn, offer.start, [(label, one.start) for label, one in zip(labels, offer.visits, strict=True)])


# the read-back and the write


def again(turn: Turn) -> bool:
    """Ask the open question anew; False where nothing is on offer."""
    plan, chosen, offers = Plan.of(turn), offering.chosen(turn), offering.offered(turn)
    if plan and turn.asked == "confirm" and chosen:
        read_back(turn, chosen)
    elif plan and turn.asked == "choice" and offers and (members := _all_settled(turn, plan)):
        _say_offers(turn, plan, members, offers, fits=True)
    else:
        return False
    return True


def _all_settled(turn: Turn, plan: Plan) -> list[Member] | None:
    if plan.people:
        done = party.settled(turn)
        return done if len(done) == len(plan.people) else None
    member = party.current(turn)
    return [member] if member else None


def read_back(turn: Turn, offer: Offer) -> None:
    """All of the visits in one sentence, for one agreement."""
    plan = Plan.of(turn)
    members = _all_settled(turn, plan) if plan else None
    assert plan
    assert members
    for one in offer.visits:
        part = plan.parts[one.part]
        if not insurance.warn(turn, members[part.who], _service(turn, part).id, one.practitioner, one.start):
            return
    turn.say("utter_confirm_together", chain=_visits(turn, plan, members, offer), all=sentences.all_of(turn, len(plan.parts)))
    turn.ask("confirm")


def _visits(turn: Turn, plan: Plan, members: Sequence[Member], offer: Offer) -> str:
    visits = [
        (_service(turn, plan.parts[one.part]).name, members[plan.parts[one.part].who].first, one.start, one.practitioner)
        for one in offer.visits
    ]
    return sentences.chain(turn, visits, offer.location, offer.mode)


def after_read_back(turn: Turn, search: forms.Again, unclear: forms.Again) -> None:
    """One answer for all of them. `search` looks for times anew, `unclear` asks again."""
    chosen, plan = offering.chosen(turn), Plan.of(turn)
    if chosen is None or plan is None or _all_settled(turn, plan) is None:
        search(turn)
        return
    form = ReadBack(
        say=read_back,
        carry_out=lambda turn, offer: _book(turn, offer, search),
        go_on=search,
        unclear=unclear,
        refused="utter_not_booked_what_else",
    )
    offering.after_read_back(turn, chosen, form)


def _book(turn: Turn, chosen: Offer, search: forms.Again) -> None:
    plan = Plan.of(turn)
    members = _all_settled(turn, plan) if plan else None
    assert plan
    assert members
    try:
        booked_for, made = _write(turn, plan, members, chosen)
    except SchedulingError as refused:
        turn.say("utter_patient_busy" if isinstance(refused, PatientBusyError) else "utter_time_gone")
        offering.refuse_offers(turn)
        search(turn)
        return
    was_new = not plan.people and members[0].is_new
    if plan.people:
        party.become(turn, booked_for[0])
    turn.look_again()
    people.write_told(turn)
    prep = [part for one in chosen.visits for part in services.prep(turn, _service(turn, plan.parts[one.part]))]
    turn.say("utter_booked_together", chain=_visits(turn, plan, members, chosen))
    if prep:
        turn.say("utter_note", note=" ".join(dict.fromkeys(prep)))
    video.say_links(turn, made)
    turn.end(then="coverage_form" if was_new and turn.clinic.payers else None)


def _write(turn: Turn, plan: Plan, members: Sequence[Member], chosen: Offer) -> tuple[list[Member], list[Appointment]]:
    """Register who is new and book every visit, in one transaction: all or nothing. The people with their records, the visits."""
    with turn.database.reading() as session:
        held = offering.is_held(session, chosen)
    if not held:
        offering.let_go(turn)
    with turn.transaction() as session:
        known = [
            party.register(turn, session, member, key=f"{turn.key}:register:{number}") for number, member in enumerate(members)
        ]
        if not plan.people:
            turn.conversation(session).patient_id = known[0].patient_id
        links = []
        for one in chosen.visits:
            part = plan.parts[one.part]
            patient_id = known[part.who].patient_id
            assert patient_id
            time = None if held else offering.same_time(session, turn, _request(turn, part, members), one)
            links.append(chains.Link(patient_id, hold_id=one.hold if held else None, time=time))
        key = f"{turn.key}:together"
        made = chains.book(session, turn.clinic, links=links, held_for=turn.known.id, agent=turn.agent, key=key)
        for visit in made:
            consequences.after_booking(session, turn.clinic, appointment_id=visit.id, agent=turn.agent)
    return known, made
