"""Which visits go together, and whose they are: several services in one go, or several people one after the other.

The slot `together` holds what is wanted: the parts (a service, and whose it is) and the people; one person alone is none of them.
"""

from __future__ import annotations

import copy
import re
from dataclasses import asdict, dataclass, replace
from typing import Self

from actions import facts, identity, names, offering, party, sentences, when
from actions.facts import groups
from actions.facts.groups import Who
from actions.identity import OF_THIS_NUMBER, Standing
from actions.party import Member
from actions.turn import Turn
from actions.words import plain, tokens
from scheduling_core import identity as proofs
from scheduling_core.calendar.chains import MOST


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
        go_on_alone(turn, fresh, fresh.parts[0])
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


def go_on_alone(turn: Turn, plan: Plan, part: Part) -> None:
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


def members_of(turn: Turn, plan: Plan) -> list[Member] | None:
    """Settle who they are, one after the other; None while a question is open, or where it cannot be told here."""
    if not plan.people:
        if identity.standing(turn) in (Standing.ASKED, Standing.ENDED):
            return None
        member = party.current(turn)
        return [member] if member else None
    more = told(turn)[1:]
    while len(done := party.settled(turn)) < len(plan.people):
        if not done and turn.asked not in identity.PLACEHOLDERS and not turn.known.patient:
            turn.say("utter_one_by_one", person=_called(turn, plan.people[0], 0))
        _recognise(turn)
        if identity.standing(turn) in (Standing.ASKED, Standing.ENDED):
            return None
        if party.current(turn) in done:
            turn.say("utter_same_person")
            _ask_for(turn, plan.people[len(done)])
            continue
        party.settle(turn)
        if len(done) + 1 < len(plan.people):
            follows = plan.people[len(done) + 1]
            _ask_for(turn, follows)
            if more:
                _take_up(turn, more.pop(0))
            else:
                turn.say("utter_next_person", person=_called(turn, follows, len(done) + 1))
    return done


def take_up_people(turn: Turn) -> bool:
    """Keep the first of several people who are told at once; False where the words tell one person, or another question is open."""
    at_once = told(turn)
    if at_once:
        _take_up(turn, at_once[0])
    return bool(at_once)


def told(turn: Turn) -> list[str]:
    """The words about each of several people, where name and birth date of more than one answer the question at once."""
    if turn.asked not in identity.PLACEHOLDERS or not (plan := Plan.of(turn)) or not plan.people:
        return []
    pieces: list[str] = []
    for piece in re.split(r"\band\b|\by\b|[;&\n]", turn.text):
        is_new = when.read_birth_date(piece, turn.now, language=turn.language) is not None or not pieces
        pieces = [*pieces, piece] if is_new else [*pieces[:-1], f"{pieces[-1]} {piece}"]
    return pieces if len(pieces) > 1 else []


def _take_up(turn: Turn, words: str) -> None:
    """Take these words for all that was said of the present person."""
    tracker = copy.copy(turn.tracker)
    tracker.latest_message = {**turn.tracker.latest_message, "text": words}
    identity.take_up(replace(turn, tracker=tracker))
    turn.look_again()


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
