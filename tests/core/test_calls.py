"""What is kept of calls."""

from __future__ import annotations

from sqlalchemy import select

from scheduling_core import booking, calls, confirmations
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import AnsweredBy, Channel, Communication, Conversation, Direction, Mode
from scheduling_core.segments import TWO_SEGMENTS, on_air, segments
from tests.conftest import Clock
from tests.factories import make_conversation, make_free_time, make_patient


def call(session, sid: str = "CA1") -> Conversation:
    conversation = make_conversation(session, channel=Channel.VOICE)
    conversation.call_sid = sid
    session.flush()
    calls.begin(session, conversation, direction=Direction.IN)
    return conversation


def test_a_call_begins_once_and_keeps_who_answered(loaded: Database, clock: Clock):
    with loaded.transaction() as session:
        conversation = call(session)
        calls.answered(session, "CA1", AnsweredBy.MACHINE)
        assert calls.begin(session, conversation, direction=Direction.OUT).direction is Direction.IN
    with loaded.reading() as session:
        kept = calls.find(session, "CA1")
        assert kept is not None
        assert kept.answered_by is AnsweredBy.MACHINE


def test_the_first_answer_of_a_turn_is_its_answer(loaded: Database, clock: Clock):
    with loaded.transaction() as session:
        call(session)
        assert calls.kept_turn(session, "CA1", 1) is None
        assert calls.keep_turn(session, "CA1", 1, "<one/>") == "<one/>"
        assert calls.keep_turn(session, "CA1", 1, "<two/>") == "<one/>"
        assert calls.kept_turn(session, "CA2", 1) is None


def test_an_unknown_call_cannot_end(loaded: Database):
    with loaded.transaction() as session:
        assert calls.end(session, "CA0") is False


def test_recordings_are_put_together_from_what_comes_in_pieces(loaded: Database, clock: Clock):
    with loaded.transaction() as session:
        conversation = call(session)
        calls.record(session, conversation, external_id="RE1", transcript="hello")
        calls.record(session, conversation, external_id="RE1", url="https://x.example/RE1", seconds=0)
        calls.record(session, conversation, external_id="RE1")
    with loaded.reading() as session:
        (kept,) = calls.recordings(session, conversation.id)
        assert (kept.transcript, kept.url, kept.seconds) == ("hello", "https://x.example/RE1", 0)


def test_only_what_was_booked_in_the_call_for_this_patient_counts(loaded: Database, clinic: ClinicFile, clock: Clock):
    with loaded.transaction() as session:
        conversation, patient, other = call(session), make_patient(session), make_patient(session)
        assert calls.visits_made(session, conversation) == []
        conversation.patient_id = patient.id
        mine = f"assistant:{conversation.id}"
        for number, (who, agent) in enumerate(((patient, mine), (patient, "assistant:elsewhere"), (other, mine))):
            time = make_free_time(clinic, start=f"2026-11-17T09:{20 * number:02d}")
            booking.book(session, clinic, patient_id=who.id, time=time, agent=agent, key=f"book{number}")
    with loaded.reading() as session:
        found = calls.visits_made(session, session.merge(conversation, load=False))
        assert [visit.patient_id for visit in found] == [patient.id]


def test_a_text_about_a_visit_names_the_way_and_fits_two_segments(loaded: Database, clinic: ClinicFile, clock: Clock):
    with loaded.transaction() as session:
        patient = make_patient(session)
        patient.language = "es"
        for key, mode in (("a", Mode.IN_PERSON), ("b", Mode.VIDEO)):
            time = make_free_time(clinic, start=f"2026-11-17T{'09' if key == 'a' else '10'}:00", mode=mode)
            visit = booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=key)
            for _ in range(2):
                confirmations.queue(session, clinic, visit, phone="+14145550142", conversation_id="c", key="k")
    with loaded.reading() as session:
        bodies = list(session.scalars(select(Communication.body).order_by(Communication.sequence)))
    assert len(bodies) == 2
    assert "410 N Maple St" in bodies[0]
    assert "su cita es el martes 17 de noviembre" in bodies[0]
    assert "por video" in bodies[1]
    assert all(segments(on_air(body)) <= TWO_SEGMENTS for body in bodies)
