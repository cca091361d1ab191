"""What goes wrong with calls: hung up at any point, told twice or out of order, noise, and what is away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.voice.owed import Owed
from scheduling_core import booking, calls
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Appointment, AppointmentStatus, Communication, Conversation
from tests.bot.conftest import PATIENT, House
from tests.bot.voice.call import Call, asks, conversation, tasks
from tests.conftest import Clock
from tests.factories import make_free_time, make_patient


def visits(house: House, status: AppointmentStatus) -> list[Appointment]:
    with house.database.reading() as session:
        return list(session.scalars(select(Appointment).where(Appointment.status == status)))


def hold(house: House, clinic: ClinicFile, conversation_id: str, start: str) -> None:
    with house.database.transaction() as session:
        booking.hold_all(
            session,
            clinic,
            free_times=[make_free_time(clinic, start=start)],
            held_for=conversation_id,
            patient_id=None,
            agent="test",
            key=f"hold:{conversation_id}:{start}",
        )


@contextmanager
def away(house: House) -> Iterator[None]:
    """The clinic cannot be read."""
    with house.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clinic_version RENAME TO clinic_version_away")
        connection.exec_driver_sql("ALTER TABLE conversation RENAME TO conversation_away")
    house.app.extensions["frontdesk"][0].engine.dispose()
    yield
    with house.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE conversation_away RENAME TO conversation")
        connection.exec_driver_sql("ALTER TABLE clinic_version_away RENAME TO clinic_version")


def test_hanging_up_frees_what_was_held_and_keeps_what_was_booked(house: House, clinic: ClinicFile, clock: Clock):
    call, other = Call(house), Call(house)
    call.say("a checkup")
    other.say("a checkup")
    mine, theirs = conversation(house, call).id, conversation(house, other).id
    hold(house, clinic, mine, "2026-11-17T09:00")
    hold(house, clinic, theirs, "2026-11-17T09:20")
    with house.database.transaction() as session:
        patient = make_patient(session, phone=PATIENT)
        time_ = make_free_time(clinic, start="2026-11-17T10:00")
        booking.book(session, clinic, patient_id=patient.id, time=time_, agent=f"assistant:{mine}", key="book")
    call.hang_up()
    call.hang_up()
    assert [visit.held_for for visit in visits(house, AppointmentStatus.PROPOSED)] == [theirs]
    assert len(visits(house, AppointmentStatus.BOOKED)) == 1


def test_what_a_turn_holds_after_the_caller_hung_up_is_freed_too(sqlite_house: House, clinic: ClinicFile, clock: Clock):
    house = sqlite_house
    call = Call(house)

    def reply(asked):
        call.hang_up()
        hold(house, clinic, asked["sender"], "2026-11-17T09:00")
        return asks("choice", "1) Tuesday 9:00 AM", count=1)

    house.dialogue.reply = reply
    call.say("a checkup")
    assert visits(house, AppointmentStatus.PROPOSED) == []


def test_a_turn_posted_after_the_call_ended_holds_nothing(sqlite_house: House, clinic: ClinicFile, clock: Clock):
    call = Call(sqlite_house)
    call.say("a checkup")
    hold(sqlite_house, clinic, conversation(sqlite_house, call).id, "2026-11-17T09:00")
    call.post(call.action, SpeechResult="", CallStatus="completed")
    assert call.is_over
    assert sqlite_house.dialogue.texts == ["a checkup"]
    assert visits(sqlite_house, AppointmentStatus.PROPOSED) == []


def test_status_callbacks_of_calls_come_in_any_order_and_of_unknown_calls(sqlite_house: House):
    call = Call(sqlite_house)
    for status in ("completed", "in-progress", "ringing", "completed", "no-answer"):
        assert sqlite_house.post("/twilio/status", call.params | {"CallStatus": status}).status_code == 204
    with sqlite_house.database.reading() as session:
        kept = calls.find(session, call.sid)
        assert kept is not None
        assert kept.ended_at is not None
    assert "You said: hello" in call.say("hello")
    unknown = call.params | {"CallSid": "CA" + "0" * 32, "CallStatus": "completed"}
    assert sqlite_house.post("/twilio/status", unknown).status_code == 204


def test_the_same_turn_twice_at_once_has_one_effect_and_one_answer(house: House):
    call = Call(house)
    house.dialogue.reply = lambda asked: (time.sleep(0.3), [{"text": f"heard {asked['message']}"}])[1]
    action, found = call.action, []

    def post() -> None:
        found.append(house.post(action, call.params | {"CallStatus": "in-progress", "SpeechResult": "book me in"}).text)

    both = [threading.Thread(target=post) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert found[0] == found[1]
    assert house.dialogue.texts == ["book me in"]


def test_the_same_turn_later_hears_the_same_whatever_came_in_between(sqlite_house: House):
    call = Call(sqlite_house)
    action = call.action
    call.say("a checkup")
    first = call.raw
    call.press("8")
    call.say("en la tarde")
    call.post(action, SpeechResult="a checkup", Confidence="0.93")
    assert call.raw == first
    greeting = Call(sqlite_house)
    before = greeting.raw
    greeting.greet()
    assert greeting.raw == before


@pytest.mark.parametrize(
    "heard",
    [
        {"SpeechResult": "book " * 1000},
        {"SpeechResult": "\u200b\u0000 <Say>hi</Say> & ]]>"},
        {"SpeechResult": "/restart"},
        {"Digits": "*#*#"},
        {"Digits": "#"},
        {"Digits": "0" * 40},
        {"Digits": "ABCD"},
        {"SpeechResult": "hello", "Confidence": ""},
        {},
    ],
)
def test_whatever_is_heard_is_answered(sqlite_house: House, heard: dict[str, str]):
    call = Call(sqlite_house)
    call.post(call.action, **heard)
    assert call.heard
    assert call.twiml.find("Gather") is not None
    assert all(not text.startswith("/") for text in sqlite_house.dialogue.texts)


def test_a_turn_number_that_is_none_of_ours_is_refused(sqlite_house: House):
    call = Call(sqlite_house)
    for turn in ("0", "-1", "5000", "x"):
        assert sqlite_house.post(f"/twilio/voice/turn?turn={turn}", call.params).status_code == 400


def test_two_calls_from_one_number_share_nothing(sqlite_house: House):
    first, second = Call(sqlite_house), Call(sqlite_house)
    first.say("a checkup")
    second.say("a flu shot")
    senders = [asked["sender"] for asked in sqlite_house.dialogue.asked]
    assert senders[0] != senders[1]
    with sqlite_house.database.reading() as session:
        assert {row.phone for row in session.scalars(select(Conversation))} == {PATIENT}


@pytest.mark.parametrize("number", ["anonymous", "Anonymous", "+266696687", "+7378742833", ""])
def test_hidden_numbers_are_nobodys(sqlite_house: House, number: str):
    call = Call(sqlite_house, phone=number)
    call.say("hello")
    assert conversation(sqlite_house, call).phone == "anonymous"


def test_an_answer_that_never_comes_in_time_is_a_callback(hasty_house: House):
    hasty_house.dialogue.reply = lambda _: (time.sleep(3.5), [{"text": "too late"}])[1]
    call = Call(hasty_house)
    call.say("hello")
    for _ in range(6):
        target = call.twiml.findtext("Redirect")
        if call.twiml.find("Gather") is not None or not target:
            break
        assert "moment" in call.heard
        call.post(target)
    assert "call you back" in call.heard
    assert call.is_over
    assert [task.reason for task in tasks(hasty_house)] == ["call-back"]


def test_a_database_that_is_away_is_said_and_the_callback_is_owed(sqlite_house: House, clock: Clock):
    house = sqlite_house
    call = Call(house)
    engine = house.database.engine
    file = house.settings.data_dir / "owed-callbacks.jsonl"
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clinic_version RENAME TO clinic_version_away")
    house.app.extensions["frontdesk"][0].engine.dispose()
    call.say("hello")
    assert "problem" in call.heard
    assert "call you back" in call.heard
    assert call.is_over
    assert PATIENT in file.read_text(encoding="utf-8")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clinic_version_away RENAME TO clinic_version")
    for _ in range(100):
        if not file.exists():
            break
        time.sleep(0.1)
    (task,) = tasks(house)
    assert (task.reason, task.phone) == ("call-back", PATIENT)


@pytest.mark.parametrize("route", ["relayed", "reminder?message=M1", "recording", "transcript"])
def test_wherever_a_call_meets_a_database_that_is_away_the_callback_is_owed(sqlite_house: House, clock: Clock, route: str):
    house = sqlite_house
    call = Call(house)
    with away(house):
        told = {"RecordingSid": "RE1", "RecordingStatus": "completed", "TranscriptionStatus": "completed"}
        call.post(f"/twilio/voice/{route}", **told)
        assert call.is_over
        assert "call you back" in call.heard
        file = house.settings.data_dir / "owed-callbacks.jsonl"
        assert json.loads(file.read_text(encoding="utf-8")) == {"call": call.sid, "phone": PATIENT}


def test_the_desk_takes_a_call_with_the_database_away_too(sqlite_house: House, clock: Clock):
    call = Call(sqlite_house)
    with away(sqlite_house):
        call.post(f"/twilio/voice/whisper?call={call.sid}")
        assert "press 1" in call.heard
        action = call.gather.attrib["action"]
        taken = sqlite_house.post(action, call.params | {"Digits": "1"})
        assert taken.status_code == 200
        assert "Hangup" not in taken.text
    assert not (sqlite_house.settings.data_dir / "owed-callbacks.jsonl").exists(), "nobody was promised a call"


def test_what_is_owed_twice_for_one_call_is_one_task(sqlite_house: House, clock: Clock):
    with sqlite_house.database.transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE clinic_version RENAME TO clinic_version_away")
    owed = Owed(sqlite_house.settings.data_dir / "apart", sqlite_house.database)
    owed.add(call_id="CA1", phone=PATIENT)
    owed.add(call_id="CA1", phone=PATIENT)
    with sqlite_house.database.transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE clinic_version_away RENAME TO clinic_version")
    while not owed.pay():
        time.sleep(0.05)
    assert [task.phone for task in tasks(sqlite_house)] == [PATIENT]


@pytest.mark.parametrize("torn", ['{"call": "CA0", "pho', "[]", "7", "{}", '{"call": "CA0", "phone": null}', "\x00\x00"])
def test_a_line_that_cannot_be_read_keeps_nobody_else_from_being_called_back(
    sqlite_house: House, clock: Clock, caplog: pytest.LogCaptureFixture, torn: str
):
    folder = sqlite_house.settings.data_dir / "apart"
    folder.mkdir()
    file = folder / "owed-callbacks.jsonl"
    file.write_text(torn, encoding="utf-8")
    owed = Owed(folder, sqlite_house.database)
    owed.add(call_id="CA1", phone=PATIENT)
    owed.pay()
    assert [task.phone for task in tasks(sqlite_house)] == [PATIENT]
    assert not file.exists()
    assert "CA0" not in caplog.text


def test_what_another_process_adds_while_the_rest_is_paid_is_not_lost(
    sqlite_house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Owed, "_pay_later", lambda _: None)
    folder, database = sqlite_house.settings.data_dir / "apart", sqlite_house.database
    other = Owed(folder, database)

    class Meanwhile:
        @contextmanager
        def transaction(self) -> Iterator[Session]:
            with database.transaction() as session:
                other.add(call_id="CA2", phone="+14145550143")
                yield session

    other.add(call_id="CA1", phone=PATIENT)
    Owed(folder, Meanwhile()).pay()  # type: ignore[arg-type]
    other.pay()
    assert {task.phone for task in tasks(sqlite_house)} == {PATIENT, "+14145550143"}


def test_no_word_of_a_caller_is_lost_when_the_dialogue_is_away(sqlite_house: House):
    sqlite_house.dialogue.stop()
    call = Call(sqlite_house)
    call.say("I need my knee looked at")
    (task,) = tasks(sqlite_house)
    assert "knee" in task.description
    with sqlite_house.database.reading() as session:
        assert "I need my knee looked at" in session.scalars(select(Communication.body)).all()
