"""Handing things to people: a person please, needs at the visit, billing, medical questions, running late."""

from __future__ import annotations

import re

from actions import facts, sentences
from actions.goals import FIRM, wants_to_book
from actions.turn import Turn, action
from actions.words import plain
from scheduling_core import booking, handoff, intake, patients
from scheduling_core.models import Priority, StatementKind


def hand_over(turn: Turn, *, reason: str) -> None:
    """A person takes the conversation: a task for the desk, staff as owner, and silence of the assistant from here on."""
    ask_team(turn, team="desk", reason=reason, description="A patient wants to talk with a person.")
    let_staff_own(turn)
    turn.say("utter_handoff" if handoff.desk_is_open(turn.clinic) else "utter_handoff_after_hours")
    turn.dispatcher.utter_message(json_message={"handoff": True})


def let_staff_own(turn: Turn) -> None:
    with turn.transaction() as session:
        booking.release(session, held_for=turn.known.id, agent=turn.agent)
        handoff.take_over(session, conversation_id=turn.known.id, owner_name="desk", team="desk", agent=turn.agent)


def ask_team(turn: Turn, *, team: str, reason: str, description: str, priority: Priority = Priority.ROUTINE) -> None:
    """Leave a task with the patient's words; at most one of a reason in a turn."""
    teams = turn.clinic.handoff.teams
    with turn.transaction() as session:
        handoff.open_task(
            session,
            team=team if team in teams else teams[0],
            reason=reason,
            description=f'{description} They wrote: "{turn.text[:500]}"',
            priority=priority,
            patient_id=turn.known.patient.id if turn.known.patient else None,
            phone=turn.known.phone,
            conversation_id=turn.known.id,
            key=f"{turn.key}:{reason}",
            agent=turn.agent,
        )


def note_needs(turn: Turn) -> bool:
    """Help that the patient needs at the visit goes to its team at once, and on the record once we know who it is."""
    if turn.is_question and not _OF_SOMEBODY.search(plain(turn.text)):
        return False  # "do you have wheelchair access?" is nobody's need yet
    found = [need for need in facts.needs(turn.text) if need.kind not in (turn.slot("needs") or ())]
    for need in found:
        ask_team(
            turn,
            team=need.team,
            reason=f"need-{need.kind.split(':')[0]}",
            description=f"A patient needs help at the visit: {need.kind}.",
        )
    if found:
        turn.set(needs=[*(turn.slot("needs") or ()), *(need.kind for need in found)])
        turn.say("utter_need_noted")
    write_told(turn)
    return bool(found)


_OF_SOMEBODY = re.compile(r"\b(?:i|i'?m|me|my|we|he|she|mi|yo|tengo|uso|necesito|soy)\b")


def note_health(turn: Turn) -> None:
    """What is told of allergies, medicines and illnesses in passing is kept for the clinical team, once we know of whom.

    An illness that a visit is wanted for is the reason of that visit.
    """
    if turn.slot("detail_kind") == "health":
        return  # it is what the patient came to say, and is read back
    before = [tuple(told) for told in turn.slot("health") or ()]
    found = [(told.kind, told.said) for told in facts.health(turn.text) if told.kind != "history" or not turn.mentions.complaint]
    if fresh := [told for told in found if told not in before]:
        turn.set(health=[*before, *fresh])
    write_told(turn)


def write_told(turn: Turn) -> None:
    """Put the needs and the words about health told so far on the record of who this is by now, and say so of the latter: of
    somebody who is not known yet nothing can be noted.
    """
    if not turn.known.patient:
        return
    if told := turn.slot("health"):
        with turn.transaction() as session:
            for kind, said in told:
                intake.note(session, patient_id=turn.known.patient.id, kind=StatementKind(kind), said=said, agent=turn.agent)
        turn.set(health=None)
        turn.say("utter_health_noted")
    missing = [need for need in turn.slot("needs") or () if need not in turn.known.patient.needs]
    if missing:
        with turn.transaction() as session:
            for need in missing:
                patients.update(session, patient_id=turn.known.patient.id, agent=turn.agent, add_need=need)
        turn.look_again()


def answer_wrong_number(turn: Turn) -> None:
    """A number on file that belongs to somebody else by now gets a task: texts about a patient would go to a stranger."""
    if turn.known.on_file:
        ask_team(turn, team="desk", reason="wrong-number", description="Somebody says that this number is not the patient's.")
    turn.say("utter_wrong_number", clinic=turn.clinic.clinic.name)


@action("action_hand_over")
def answer_wish_for_person(turn: Turn) -> None:
    """An angry patient who says which visit is wanted gets the visit."""
    if turn.intent == "complaint" and (turn.mentions.services or turn.mentions.complaint) and turn.confidence < FIRM:
        turn.followup = "booking_form"
        return
    hand_over(turn, reason="complaint" if turn.intent == "complaint" else "asked-for-person")


@action("action_needs")
def answer_needs(turn: Turn) -> None:
    if not note_needs(turn):
        ask_team(turn, team="desk", reason="need-other", description="A patient needs help at the visit.")
        turn.say("utter_need_noted")
    if turn.mentions.services:
        turn.followup = "booking_form"


@action("action_billing")
def answer_billing(turn: Turn) -> None:
    ask_team(turn, team="billing", reason="billing-question", description="A patient asks about a bill.")
    turn.say("utter_billing")


@action("action_medical_question")
def answer_or_book(turn: Turn) -> None:
    """A complaint with the wish to be seen is no question about medicine."""
    if wants_to_book(turn):
        turn.followup = "booking_form"
    else:
        answer_medical_question(turn)


def answer_medical_question(turn: Turn) -> None:
    ask_team(
        turn, team="clinical", reason="medical-question", description="A patient asks a medical question. No advice was given."
    )
    turn.say("utter_medical_question")


@action("action_running_late")
def answer_running_late(turn: Turn) -> None:
    ask_team(turn, team="desk", reason="running-late", description="A patient is running late.", priority=Priority.URGENT)
    turn.say("utter_running_late", phone=sentences.phone(turn.clinic.clinic.phone))


def in_danger(turn: Turn) -> bool:
    return turn.intent == "emergency"


@action("action_red_flag")
def red_flag(turn: Turn) -> None:
    """The clinic's emergency sentence and an urgent task: the second net, behind the words that are looked for before any model."""
    with turn.transaction() as session:
        booking.release(session, held_for=turn.known.id, agent=turn.agent)
    description = "What a patient writes may be danger to life. They were told to call 911."
    ask_team(turn, team="clinical", reason="red-flag", description=description, priority=Priority.STAT)
    turn.say("utter_red_flag", say=turn.clinic.emergency.say)
