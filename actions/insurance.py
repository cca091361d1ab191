"""What the patient's insurance makes of a visit, told before it is read back: who is in network by the clinic file, and what the
payer answered when it was asked last. Nobody is asked now: a booking waits for no payer.
"""

from __future__ import annotations

import datetime as dt

from actions import people, sentences
from actions.party import Member
from actions.turn import Turn
from scheduling_core import audit, coverage
from scheduling_core.clinic_file.schema import PayerPart
from scheduling_core.eligibility import meaning, words
from scheduling_core.eligibility.meaning import Decision, Finding, Obstacle
from scheduling_core.x12 import Network


def warn(turn: Turn, member: Member, service_id: str, practitioner_id: str, start: dt.datetime) -> bool:
    """Say once in a booking what stands in the way, the gravest first, with a way on; `start` is the visit's (aware).

    False where the clinic file leaves it to a person: that has been said, and the task is over.
    """
    if not turn.clinic.payers:
        return True
    _warn_of_network(turn, member, service_id, practitioner_id)
    found = _obstacles(turn, member, service_id, practitioner_id, turn.local(start).date())
    stops = next((one for one in found if one.decision is Decision.STOP), None)
    told = turn.slot("network") or []
    if fresh := [one for one in found if [one.payer_name, one.obstacle.value] not in told]:
        grave = stops or fresh[0]
        turn.say_text(words.about(grave, turn.clinic, turn.language))
        turn.set(network=[*told, *([one.payer_name, one.obstacle.value] for one in fresh)])
    if stops is None:
        return True
    ask_billing(turn, stops, "A booking waits for a person")
    turn.say("utter_insurance_first")
    turn.end()
    return False


def ask_billing(turn: Turn, stops: Finding, why: str) -> None:
    """A task about what the clinic file leaves to a person."""
    people.ask_team(
        turn,
        team="billing",
        reason="coverage-stops-visit",
        description=f"{why}: {stops.obstacle.value.replace('_', ' ')} by {stops.payer_name}.",
    )


_BY_ANSWER = (Obstacle.INACTIVE, Obstacle.NOT_FOUND, Obstacle.NOT_COVERED, Obstacle.REFERRAL, Obstacle.AUTHORIZATION)


def _obstacles(turn: Turn, member: Member, service_id: str, practitioner_id: str, day: dt.date) -> list[Finding]:
    """What the payer's last answer and the clinic file say of who is on file. A payer named just now has not been asked yet."""
    if member.patient_id is None or turn.slot("insurer") in turn.clinic.payers_by_id:
        return []
    with turn.database.reading() as session:
        found = meaning.findings(
            session,
            turn.clinic,
            patient_id=member.patient_id,
            service_id=service_id,
            practitioner_id=practitioner_id,
            on=day,
        )
    return [one for one in found if one.obstacle in _BY_ANSWER or one.decision is Decision.STOP]


def _warn_of_network(turn: Turn, member: Member, service_id: str, practitioner_id: str) -> None:
    """Say once that the payer is not taken, or not by this practitioner, or that the clinic file does not tell."""
    payer, name = _payer(turn, member)
    if name is None:
        return
    about, told = [name, practitioner_id if payer else ""], turn.slot("network") or []
    network = meaning.network_of(turn.clinic, payer, service_id, practitioner_id)
    if about in told or network is Network.IN:
        return
    turn.set(network=[*told, about])
    if payer is None:
        turn.say("utter_payer_not_taken", payer=name)
        return
    who = sentences.practitioner(turn, practitioner_id)
    able = meaning.givers_in_network(turn.clinic, payer, service_id)
    if network is Network.UNKNOWN:
        turn.say("utter_network_unconfirmed", who=who, payer=payer.name)
    elif able:
        others = sentences.either(turn, [sentences.practitioner(turn, one) for one in able][:4])
        turn.say("utter_not_in_network", who=who, payer=payer.name, others=others)
    else:
        turn.say("utter_nobody_in_network", who=who, payer=payer.name)


def _payer(turn: Turn, member: Member) -> tuple[PayerPart | None, str | None]:
    """The payer that was named, else the one on file; its name alone where the clinic file does not have it."""
    by_id = turn.clinic.payers_by_id
    if (said := turn.slot("insurer")) in by_id:
        return by_id[said], by_id[said].name
    if member.patient_id is None:
        return None, None
    with turn.transaction() as session:
        active = coverage.active(session, patient_id=member.patient_id)
        audit.record(session, agent=turn.agent, action="R", entity="Coverage", patient_id=member.patient_id)
    if not active:
        return None, None
    payer = by_id.get(active[0].payer_id or "")
    return payer, payer.name if payer else active[0].payer_name
