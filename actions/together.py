"""Visits that go together: several services in one go, or several people one after the other.

The slot `together` holds what is wanted: the parts (a service, and whose it is) and the people; one person alone is none of them.
They are looked for, read back and booked as one; what cannot go together is said plainly, and the booking goes on with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

from actions import facts, forms, identity, names, nearby, network, offering, party, people, sentences, services
from actions.facts import groups
from actions.facts.groups import Who
from actions.identity import OF_THIS_NUMBER, Standing
from actions.offering import Offer, ReadBack
from actions.party import Member
from actions.turn import Turn
from actions.words import plain, tokens
from scheduling_core import chains
from scheduling_core import identity as proofs
from scheduling_core.calendar import chains as finding
from scheduling_core.calendar.chains import MOST
from scheduling_core.calendar.requests import Request
from scheduling_core.clinic_file.schema import ServicePart
from scheduling_core.errors import PatientBusyError, SchedulingError
from scheduling_core.models import Appointment


@dataclass(frozen=True)
class Part:
    """One of the visits: the service, where it is known, and the number of the person."""

    service: str | None
    who: int = 0


@dataclass(frozen=True)
class Plan:
    """The visits that go together, and the people; no people: all are for the one whom the talk is about."""

    parts: tuple[Part, ...]
    people: tuple[Who, ...] = ()

    @classmethod
    def of(cls, turn: Turn) -> Self | None:
        raw = turn.slot("together")
        if not raw:
            return None
        return cls(tuple(Part(**one) for one in raw["parts"]), tuple(Who(**one) for one in raw["people"]))

    def keep(self, turn: Turn) -> None:
        parts, people_ = [asdict(one) for one in self.parts], [asdict(one) for one in self.people]
        turn.set(together={"parts": parts, "people": people_}, service=self.parts[0].service, also=None)


# what goes together


def hear(turn: Turn) -> bool:
    """Keep what the words say of visits that go together; True when that changed what is wanted."""
    plan = Plan.of(turn)
    fresh = _narrowed(turn, plan) if plan else _heard(turn)
    if fresh is None or fresh == plan:
        return False
    if turn.slot("offers"):
        offering.let_go(turn)
    turn.set(offers=None, choice=None)
    if plan is None and fresh.people:
        _begin_with(turn, fresh.people[0])
    if len(fresh.parts) == 1:
        _go_on_alone(turn, fresh, fresh.parts[0])
    else:
        fresh.keep(turn)
    return True


def _heard(turn: Turn) -> Plan | None:
    """What the words newly want together."""
    if turn.asked in identity.PLACEHOLDERS:
        return None
    at_once = groups.together(turn.text)
    said = _services(turn, turn.text)
    if at_once and (assigned := _assigned(turn)):
        return assigned
    if (whole := _people(turn)) and (turn.asked is None or at_once):
        each: list[str | None] = [*said] or [turn.slot("service")]
        return Plan(tuple(Part(service, who) for who in range(len(whole)) for service in each)[:MOST], whole)
    at_once = at_once or (turn.asked in ("time", "choice", "confirm") and groups.adds(turn.text))
    known = [one for one in (turn.slot("service"), turn.slot("also")) if one and turn.asked]
    wanted = list(dict.fromkeys([*known, *said]))[:MOST]
    return Plan(tuple(map(Part, wanted))) if at_once and len(wanted) > 1 else None


def _services(turn: Turn, text: str) -> list[str]:
    """The services that the words name, in their order."""
    words = groups.rest(text)
    in_order = [one for piece in groups.pieces(words) for one in names.mentioned(turn.clinic, piece).services]
    whole = names.mentioned(turn.clinic, words).services
    return [*dict.fromkeys([one for one in in_order if one in whole] + list(whole))]


def _assigned(turn: Turn) -> Plan | None:
    """ "A physical for me and a shot for my son": each with its own."""
    found: list[tuple[str, Who]] = []
    for piece in groups.pieces(turn.text):
        relation = facts.relation(piece) or ("self" if _ME & {token.plain for token in tokens(piece)} else None)
        said = _services(turn, piece)
        if relation and said:
            found.append((said[0], _known(turn, Who(relation, facts.first_name_after_relation(piece)))))
    whole = tuple(dict.fromkeys(who for _, who in found))
    return Plan(tuple(Part(service, whole.index(who)) for service, who in found)[:MOST], whole) if len(whole) > 1 else None


_ME = {"i", "me", "my", "mine", "myself", "i'd", "i'm", "yo", "mi", "necesito", "quiero"}


def _people(turn: Turn) -> tuple[Who, ...]:
    """The people who come together: by how they stand to who writes, or by the first names of this number."""
    if found := groups.people(turn.text):
        return tuple(_known(turn, who) for who in found)[:MOST]
    said = [token.plain for token in tokens(turn.text)]
    named = [given.split()[0] for _, given in turn.known.family if plain(given.split()[0]) in said]
    if len(named) < 2 or not groups.together(turn.text):
        return ()
    return tuple(Who(OF_THIS_NUMBER, first) for first in sorted(named, key=lambda one: said.index(plain(one))))


def _known(turn: Turn, who: Who) -> Who:
    """Somebody whom this number belongs to as well proves it with the birth date alone."""
    here = {plain(given.split()[0]) for _, given in turn.known.family}
    return Who(OF_THIS_NUMBER, who.first) if who.first and plain(who.first) in here else who


def _narrowed(turn: Turn, plan: Plan) -> Plan | None:
    """What is left after "just the physical", "only for my daughter", "skip the shot", "not on the same day"; or one more."""
    text = turn.text
    if groups.keeps_one(text) or groups.apart(text):
        return replace(plan, parts=plan.parts[:1])
    said = _services(turn, text)
    if plan.people and turn.asked not in identity.PLACEHOLDERS and groups.keeps_only(text):
        relation, low = facts.relation(text), plain(text)
        kept = {
            number
            for number, who in enumerate(plan.people)
            if who.relation == relation
            or (who.first and plain(who.first) in low)
            or (relation in _CHILDREN and who.relation in _CHILDREN)
        }
        if len(kept) == 1:
            return replace(plan, parts=tuple(part for part in plan.parts if part.who in kept))
    mine = {part.service for part in plan.parts}
    named = [service for service in said if service in mine]
    if named and len(named) < len(mine):
        if groups.keeps_only(text):
            return replace(plan, parts=tuple(part for part in plan.parts if part.service in named))
        if groups.drops(text):
            return replace(plan, parts=tuple(part for part in plan.parts if part.service not in named))
    more = [service for service in said if service not in mine]
    if more and not plan.people and (groups.adds(text) or groups.together(text)):
        return replace(plan, parts=(*plan.parts, *map(Part, more))[:MOST])
    return None


_CHILDREN = {"child", "son", "daughter"}


def _begin_with(turn: Turn, who: Who) -> None:
    """Who writes first stays known; anybody else must prove it anew."""
    party.forget(turn)
    if who.relation != "self" or turn.known.claim.get("relation", "self") != "self":
        _ask_for(turn, who)


def _go_on_alone(turn: Turn, plan: Plan, part: Part) -> None:
    """One visit is left. A second service of the same person is not forgotten."""
    before = Plan.of(turn)
    others = [one.service for one in (before or plan).parts if one.service != part.service and one.who == part.who and one.service]
    turn.set(together=None, service=part.service, also=others[0] if others and groups.apart(turn.text) else None)
    if not plan.people:
        return
    done = party.settled(turn)
    if part.who < len(done):
        party.become(turn, done[part.who])
    elif part.who > len(done):
        _begin_with(turn, plan.people[part.who])
    party.forget(turn)


# for whom


def _members(turn: Turn, plan: Plan) -> list[Member] | None:
    """Settle who they are, one after the other; None while a question is open, or where it cannot be told here."""
    if not plan.people:
        if identity.standing(turn) in (Standing.ASKED, Standing.ENDED):
            return None
        member = party.current(turn)
        return [member] if member else None
    while len(done := party.settled(turn)) < len(plan.people):
        if not done and turn.asked not in identity.PLACEHOLDERS and not turn.known.patient:
            turn.say("utter_one_by_one", person=_called(turn, plan.people[0], 0))
        _recognise(turn)
        if identity.standing(turn) in (Standing.ASKED, Standing.ENDED):
            return None
        member = party.current(turn)
        if member in done:
            turn.say("utter_same_person")
            _ask_for(turn, plan.people[len(done)])
            continue
        party.settle(turn)
        if len(done) + 1 < len(plan.people):
            follows = plan.people[len(done) + 1]
            turn.say("utter_next_person", person=_called(turn, follows, len(done) + 1))
            _ask_for(turn, follows)
    return done


def _recognise(turn: Turn) -> None:
    """Somebody of this number needs no last name."""
    here = {plain(given.split()[0]) for _, given in turn.known.family}
    if plain(str(turn.known.claim.get("first") or "")) in here and turn.known.claim.get("relation", "self") != "self":
        turn.claims(relation=OF_THIS_NUMBER)


def _ask_for(turn: Turn, who: Who) -> None:
    with turn.transaction() as session:
        proofs.forget(session, conversation_id=turn.known.id)
    turn.look_again()
    turn.claims(relation=who.relation, **({"first": who.first} if who.first else {}))


def _called(turn: Turn, who: Who, number: int) -> str:
    return sentences.you(turn) if who.relation == "self" else who.first or sentences.nth(turn, number)


# when


def go_on(turn: Turn) -> bool:
    """Ask for what is missing, then offer. False: they cannot go together; that was said, and one visit is left to go on with."""
    plan = Plan.of(turn)
    assert plan
    plan = replace(plan, parts=tuple(replace(part, service=part.service or turn.slot("service")) for part in plan.parts))
    plan.keep(turn)
    members = _members(turn, plan)
    if members is None:
        return True
    fitted = _fitted(turn, plan, members)
    if fitted is None:
        return True
    if len(fitted.parts) == 1:
        _say_alone(turn, fitted.parts[0], members)
        _go_on_alone(turn, fitted, fitted.parts[0])
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
    _go_on_alone(turn, plan, first)
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
        network.warn(turn, members[plan.parts[one.part].who], _service(turn, plan.parts[one.part]).id, one.practitioner)
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
        booked_for = _write(turn, plan, members, chosen)
    except SchedulingError as refused:
        turn.say("utter_patient_busy" if isinstance(refused, PatientBusyError) else "utter_time_gone")
        offering.refuse_offers(turn)
        search(turn)
        return
    was_new = not plan.people and members[0].is_new
    if plan.people:
        party.become(turn, booked_for[0])
    turn.look_again()
    people.write_needs(turn)
    prep = [part for one in chosen.visits for part in services.prep(turn, _service(turn, plan.parts[one.part]))]
    turn.say("utter_booked_together", chain=_visits(turn, plan, members, chosen))
    if prep:
        turn.say("utter_note", note=" ".join(dict.fromkeys(prep)))
    turn.end(then="coverage_form" if was_new and turn.clinic.payers else None)


def _write(turn: Turn, plan: Plan, members: Sequence[Member], chosen: Offer) -> list[Member]:
    """Register who is new and book every visit, in one transaction: all or nothing. The people with their records."""
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
        chains.book(session, turn.clinic, links=links, held_for=turn.known.id, agent=turn.agent, key=f"{turn.key}:together")
    return known
