"""Whether the patient's payer is taken, and by whom, told before a visit is read back: the clinic file's own facts, no inquiry."""

from __future__ import annotations

from actions import sentences
from actions.party import Member
from actions.turn import Turn
from scheduling_core import audit, coverage
from scheduling_core.clinic_file.schema import PayerPart


def warn(turn: Turn, member: Member, service_id: str, practitioner_id: str) -> None:
    """Say once in a booking that the payer is not taken, or not by this practitioner, with a way on."""
    if not turn.clinic.payers:
        return
    payer, name = _payer(turn, member)
    if name is None:
        return
    about, told = [name, practitioner_id if payer else ""], turn.slot("network") or []
    if about in told or (payer and practitioner_id in payer.in_network):
        return
    turn.set(network=[*told, about])
    if payer is None:
        turn.say("utter_payer_not_taken", payer=name)
        return
    able = [who.id for who in turn.clinic.practitioners if service_id in who.services and who.id in payer.in_network]
    who = sentences.practitioner(turn, practitioner_id)
    if able:
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
