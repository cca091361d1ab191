"""Reaching a person: the desk is called, told who it is, and takes the call with a key; else a callback or a message."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET

import pytest
from sqlalchemy import select

from scheduling_core import handoff
from scheduling_core.models import Communication, Priority, Recording, Task, TaskStatus
from tests.bot.conftest import DEMO_ACCOUNT_SID, PATIENT, House
from tests.bot.voice.call import Call, conversation, tasks
from tests.conftest import Clock

LEG = {"CallSid": f"CA{uuid.uuid4().hex}", "AccountSid": DEMO_ACCOUNT_SID, "From": PATIENT, "To": "+14145550120"}  # to the desk
AFTER_HOURS = "2026-11-16T19:00:00-06:00"


@pytest.fixture
def wants_person(sqlite_house: House) -> House:
    """The dialogue hands every caller to a person, as its actions do."""

    def reply(asked):
        with sqlite_house.database.transaction() as session:
            handoff.open_task(
                session,
                team="desk",
                reason="asked-for-person",
                description="A patient wants to talk with a person.",
                phone=PATIENT,
                conversation_id=asked["sender"],
                key=f"person:{asked['sender']}",
            )
            handoff.take_over(session, conversation_id=asked["sender"], owner_name="desk", agent=f"assistant:{asked['sender']}")
        return [{"text": "Somebody will call you."}, {"custom": {"handoff": True}}]

    sqlite_house.dialogue.reply = reply
    return sqlite_house


def whisper(house: House, call: Call, **more: str) -> tuple[str, ET.Element]:
    number = call.twiml.find("Dial/Number")
    assert number is not None
    leg = LEG | {"ParentCallSid": call.sid}
    answer = house.post(number.attrib["url"], leg | more)
    assert answer.status_code == 200
    twiml = ET.fromstring(answer.text)
    return " ".join("".join(said.itertext()) for said in twiml.iter("Say")), twiml


def test_the_desk_hears_who_and_why_and_takes_the_call_with_a_key(wants_person: House):
    call = Call(wants_person)
    call.say("a person please")
    told, twiml = whisper(wants_person, call)
    assert "(414) 555-0142" in told
    assert "asked for a person" in told
    assert "press 1" in told
    gather = twiml.find("Gather")
    assert gather is not None
    assert twiml[-1].tag == "Hangup", "a voicemail presses nothing, and must not keep the patient"
    taken = wants_person.post(gather.attrib["action"], LEG | {"Digits": "1"})
    assert ET.fromstring(taken.text).find("Hangup") is None
    refused = wants_person.post(gather.attrib["action"], LEG | {"Digits": ""})
    assert ET.fromstring(refused.text).find("Hangup") is not None


def test_a_call_that_the_desk_took_leaves_nothing_to_do(wants_person: House):
    call = Call(wants_person)
    call.say("a person please")
    dial = call.twiml.find("Dial")
    assert dial is not None
    call.post(dial.attrib["action"], DialCallStatus="completed", DialBridged="true")
    assert call.is_over
    assert [task.status for task in tasks(wants_person)] == [TaskStatus.COMPLETED]


@pytest.mark.parametrize("outcome", [{"DialCallStatus": "no-answer"}, {"DialCallStatus": "completed", "DialBridged": "false"}])
def test_nobody_at_the_desk_means_a_callback_and_room_for_a_message(wants_person: House, outcome: dict[str, str]):
    call = Call(wants_person)
    call.say("a person please")
    dial = call.twiml.find("Dial")
    assert dial is not None
    call.post(dial.attrib["action"], **outcome)
    assert "call you back" in call.heard
    record = call.twiml.find("Record")
    assert record is not None
    assert record.attrib["transcribeCallback"]
    (task,) = tasks(wants_person)
    assert "nobody took the call" in task.description


def test_a_hidden_number_is_put_through_from_the_clinics_own(wants_person: House):
    call = Call(wants_person, phone="anonymous")
    call.say("a person please")
    dial = call.twiml.find("Dial")
    assert dial is not None
    assert dial.attrib["callerId"] == "+14145550100"
    told, _ = whisper(wants_person, call)
    assert "hide their number" in told


def test_after_hours_the_emergency_comes_first_and_then_when_to_call_back(wants_person: House, clock: Clock):
    clock.set(AFTER_HOURS)
    call = Call(wants_person)
    heard = call.say("a person please")
    assert heard.index("911") < heard.index("closed") < heard.index("good time")
    call.say("tomorrow after 3 would be best")
    assert "tomorrow after 3" in call.heard
    assert call.is_over
    (task,) = tasks(wants_person)
    assert "Call back: tomorrow after 3 would be best" in task.description


def test_after_hours_a_time_can_be_chosen_by_keys(wants_person: House, clock: Clock):
    clock.set(AFTER_HOURS)
    call = Call(wants_person)
    assert "For the afternoon, 2" in call.press("0")
    call.press("2")
    assert "Call back: in the afternoon" in tasks(wants_person)[0].description


def test_silence_after_the_promise_of_a_callback_keeps_it(wants_person: House, clock: Clock):
    clock.set(AFTER_HOURS)
    call = Call(wants_person)
    call.press("0")
    call.stay_silent()
    assert call.is_over
    assert len(tasks(wants_person)) == 1


def test_who_hides_the_number_is_asked_for_one(wants_person: House, clock: Clock):
    clock.set(AFTER_HOURS)
    call = Call(wants_person, phone="anonymous")
    assert "Which number" in call.say("a person please")
    assert "Which number" in call.say("the usual")
    call.press("4145550177#")
    assert "(414) 555-0177" in call.heard
    assert tasks(wants_person)[0].phone == "+14145550177"


def test_a_message_is_recorded_told_to_the_desk_and_its_words_are_added(wants_person: House, clock: Clock):
    clock.set(AFTER_HOURS)
    call = Call(wants_person)
    call.press("0")
    call.press("3")
    record = call.twiml.find("Record")
    assert record is not None
    about = {"RecordingSid": "RE1", "RecordingUrl": "https://api.twilio.com/2010-04-01/Recordings/RE1"}
    call.post(record.attrib["action"], **about, RecordingDuration="12", Digits="hangup", CallStatus="completed")
    assert call.is_over
    house = wants_person
    house.post(record.attrib["recordingStatusCallback"], call.params | about | {"RecordingStatus": "completed"})
    words = {"TranscriptionText": "please call me about my knee", "TranscriptionStatus": "completed"}
    house.post(record.attrib["transcribeCallback"], call.params | about | words)
    with house.database.reading() as session:
        (kept,) = session.scalars(select(Recording))
    assert (kept.external_id, kept.seconds, kept.transcript) == ("RE1", 12, "please call me about my knee")
    (task,) = [task for task in tasks(house) if task.reason == "voicemail"]
    assert task.id == kept.task_id
    assert "please call me about my knee" in task.description
    assert task.priority is Priority.ROUTINE


def test_what_twilio_tells_of_a_recording_may_come_in_any_order(wants_person: House, clock: Clock):
    clock.set(AFTER_HOURS)
    call = Call(wants_person)
    call.press("0")
    house, about = wants_person, {"RecordingSid": "RE2"}
    words = {"TranscriptionText": "I have crushing chest pain", "TranscriptionStatus": "completed"}
    house.post("/twilio/voice/transcript", call.params | about | words)
    house.post("/twilio/voice/recording", call.params | about | {"RecordingUrl": "https://x.example/RE2", "RecordingDuration": "4"})
    with house.database.reading() as session:
        (kept,) = session.scalars(select(Recording))
    assert (kept.url, kept.seconds, kept.transcript) == ("https://x.example/RE2", 4, "I have crushing chest pain")
    (task,) = [task for task in tasks(house) if task.reason == "voicemail"]
    assert task.priority is Priority.STAT


def test_danger_in_a_message_that_the_desk_is_done_with_is_a_task_of_its_own(wants_person: House, clock: Clock):
    clock.set(AFTER_HOURS)
    call = Call(wants_person)
    call.press("0")
    house, about = wants_person, {"RecordingSid": "RE4", "RecordingDuration": "4"}

    def left() -> list[Task]:
        return [task for task in tasks(house) if task.reason == "voicemail"]

    def close() -> None:
        with house.database.transaction() as session:
            for task in left():
                handoff.close_task(session, task_id=task.id, agent="staff:nora")

    house.post("/twilio/voice/recording", call.params | about)
    close()
    words = {"TranscriptionText": "I have crushing chest pain", "TranscriptionStatus": "completed"}
    house.post("/twilio/voice/transcript", call.params | about | words)
    first, alarm = sorted(left(), key=lambda task: task.status is TaskStatus.REQUESTED)
    assert (first.status, alarm.status) == (TaskStatus.COMPLETED, TaskStatus.REQUESTED)
    assert (alarm.priority, alarm.team) == (Priority.STAT, "clinical")
    assert "crushing chest pain" in alarm.description
    with house.database.reading() as session:
        assert session.scalars(select(Recording.task_id)).one() == alarm.id
    close()
    house.post("/twilio/voice/recording", call.params | about | {"RecordingDuration": "5"})
    assert [task.status for task in left()] == [TaskStatus.COMPLETED] * 2, "what staff have seen is not new"


def test_a_recording_of_no_call_of_ours_is_not_kept(sqlite_house: House):
    answer = sqlite_house.post("/twilio/voice/recording", LEG | {"RecordingSid": "RE3"})
    assert answer.status_code == 204
    with sqlite_house.database.reading() as session:
        assert list(session.scalars(select(Recording))) == []


def test_the_greeting_tells_the_emergency_sentence_after_hours_alone(sqlite_house: House, clock: Clock):
    assert "911" not in Call(sqlite_house).heard
    clock.set(AFTER_HOURS)
    assert "911" in Call(sqlite_house).heard


def test_staff_see_what_was_said_on_the_call(wants_person: House):
    call = Call(wants_person)
    call.say("a person please")
    with wants_person.database.reading() as session:
        kept = session.scalars(
            select(Communication.body).where(Communication.conversation_id == conversation(wants_person, call).id)
        ).all()
    assert kept == ["a person please", "I will connect you with our desk now."]
