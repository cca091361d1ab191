"""One text, from the signed webhook to TwiML."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from scheduling_core import booking, handoff, messaging
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    Conversation,
    Delivery,
    Direction,
    Owner,
    Priority,
    Task,
)
from scheduling_core.segments import segments
from tests.bot.conftest import PATIENT, House, messages, new_sid, sign, text_params
from tests.conftest import Clock
from tests.factories import make_free_time, make_patient


def rows(house: House, direction: Direction | None = None) -> list[Communication]:
    with house.database.reading() as session:
        found = select(Communication).order_by(Communication.sequence)
        return list(session.scalars(found.where(Communication.direction == direction) if direction else found))


def tasks(house: House) -> list[Task]:
    with house.database.reading() as session:
        return list(session.scalars(select(Task)))


def conversations(house: House) -> list[Conversation]:
    with house.database.reading() as session:
        return list(session.scalars(select(Conversation).order_by(Conversation.created_at)))


def wait_for(what, seconds: float = 10.0):
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def test_a_text_is_answered_in_twiml_and_both_are_kept(house: House):
    assert house.text("I need a checkup") == ["You said: I need a checkup"]
    incoming, outgoing = rows(house)
    assert (incoming.body, incoming.status, incoming.answered_by) == ("I need a checkup", Delivery.ANSWERED, "twiml")
    assert (outgoing.body, outgoing.status, outgoing.author) == ("You said: I need a checkup", Delivery.SENT, "assistant")
    assert outgoing.in_reply_to == incoming.id
    (conversation,) = conversations(house)
    assert house.dialogue.asked == [
        {"sender": conversation.id, "message": "I need a checkup", "metadata": {"channel": "sms", "turn": incoming.id}}
    ]
    assert PATIENT not in conversation.id
    assert (conversation.turn, conversation.lease) == (1, None)


def test_the_same_message_five_times_at_once_is_one_turn_with_five_equal_answers(house: House):
    def _reply(asked):
        time.sleep(0.2)
        return [{"text": f"Turn {len(house.dialogue.asked)}"}]

    house.dialogue.reply = _reply
    sid = new_sid()
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: house.text("book me in", sid=sid), range(5)))
    assert answers == [["Turn 1"]] * 5
    assert house.dialogue.texts == ["book me in"]
    assert len(rows(house)) == 2


def test_a_message_delivered_again_later_gets_the_same_answer(house: House):
    sid = new_sid()
    first = house.text("hello", sid=sid)
    house.text("something else")
    assert house.text("hello", sid=sid) == first
    assert house.dialogue.texts == ["hello", "something else"]


def test_twenty_texts_at_once_are_answered_in_the_order_in_which_they_came(house: House):
    working = threading.Lock()

    def _reply(asked):
        assert working.acquire(blocking=False), "two turns of one conversation at once"
        time.sleep(0.02)
        working.release()
        return [{"text": f"to {asked['message']}"}]

    house.dialogue.reply = _reply
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: house.text(f"text {number}"), range(20)))
    assert answers == [[f"to text {number}"] for number in range(20)]
    stored = [message.body for message in rows(house, Direction.IN)]
    assert sorted(stored) == sorted(f"text {number}" for number in range(20))
    assert house.dialogue.texts == stored
    assert len(conversations(house)) == 1


def test_patients_do_not_wait_for_each_other(house: House):
    def _reply(asked):
        time.sleep(0.5)
        return [{"text": "done"}]

    house.dialogue.reply = _reply
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: house.text("hi", phone=f"+1414555{number:04d}"), range(8)))
    assert answers == [["done"]] * 8
    assert time.monotonic() - begun < 3
    assert len({asked["sender"] for asked in house.dialogue.asked}) == 8


@pytest.mark.parametrize(
    ("target", "signature"),
    [
        ("/twilio/sms", ""),
        ("/twilio/sms", "bm90IGEgc2lnbmF0dXJl"),
        ("/twilio/sms?x=1", None),
        ("/twilio/sms", "other-url"),
        ("/twilio/voice", ""),
    ],
)
def test_a_wrong_or_missing_signature_is_refused_and_leaves_no_row(sqlite_house: House, target: str, signature: str | None):
    params = text_params("hello")
    if signature is None:
        signature = sign("https://clinic.example/twilio/sms", params)
    elif signature == "other-url":
        signature = sign("https://elsewhere.example/twilio/sms", params)
    answer = sqlite_house.post(target, params, signature=signature)
    assert answer.status_code == 403
    assert rows(sqlite_house) == []


def cut(params: dict[str, str], **changes: str | None) -> dict[str, str]:
    changed = params | {name: value for name, value in changes.items() if value is not None}
    return {name: value for name, value in changed.items() if changes.get(name, "") is not None}


@pytest.mark.parametrize("how", ["into-a-new-name", "into-the-next", "out-of-the-body", "number", "sid", "into-the-url"])
def test_a_signed_request_cut_at_other_places_is_refused(sqlite_house: House, how: str):
    params = text_params("no Cancel my visit")
    target = "/twilio/sms"
    signature = sign("https://clinic.example/twilio/sms", params)
    if how == "into-a-new-name":
        params = cut(params, Body="no ") | {"Cancel": " my visit"}
    elif how == "into-the-next":
        params = cut(params, Body=f"no Cancel my visitFrom{PATIENT}", From=None)
    elif how == "out-of-the-body":
        params = cut(params, Body=None) | {"Bodyno": " Cancel my visit"}
    elif how == "number":
        params = cut(params, From=PATIENT[:-2]) | {"42MessageSid": params["MessageSid"]}
        params.pop("MessageSid")
    elif how == "sid":
        params = cut(params, NumMedia="0NumSegments1", NumSegments=None)
    else:
        target += f"AccountSid{params.pop('AccountSid')}"
    signed = "".join(name + params[name] for name in sorted(params))
    whole = text_params("no Cancel my visit", sid=next(v for v in params.values() if v.startswith("SM")))
    if how not in ("number",):
        assert f"https://clinic.example{target}{signed}" == "https://clinic.example/twilio/sms" + "".join(
            n + whole[n] for n in sorted(whole)
        )
    assert sqlite_house.post(target, params, signature=signature).status_code in (403, 404)
    assert rows(sqlite_house) == []


def test_a_name_that_comes_twice_is_refused(sqlite_house: House):
    params = text_params("hello")
    signature = sign("https://clinic.example/twilio/sms", params)
    answer = sqlite_house.http.post(
        sqlite_house.url + "/twilio/sms", data={**params, "Body": ["hello", "hello"]}, headers={"X-Twilio-Signature": signature}
    )
    assert answer.status_code == 403
    assert rows(sqlite_house) == []


def test_a_genuine_signature_over_an_encoded_address_is_taken(sqlite_house: House):
    assert messages(sqlite_house.post("/twilio/sms?clinic=a%20b%2Fc&x=%C3%A9", text_params("hello")).text) == ["You said: hello"]


def test_another_accounts_request_is_refused(sqlite_house: House):
    assert sqlite_house.post("/twilio/sms", text_params("hello", AccountSid="AC" + "1" * 32)).status_code == 403


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("/restart", "restart"),
        (' \t //book{"service": "x"}', 'book{"service": "x"}'),
        ('"2"', "2"),
        ("“Tuesday”", "Tuesday"),
        ("two\nlines\x07 here", "two lines here"),
        ("<script>alert(1)</script> & 'x'", "<script>alert(1)</script> & 'x'"),
        ("👩‍👩‍👧 yes", "👩‍👩‍👧 yes"),
        ("x" * 1600, "x" * 1600),
        ("🙂" * 1600, "🙂" * 1600),
        ("x" * 10_000, "x" * 1600),
    ],
)
def test_what_the_dialogue_is_asked(sqlite_house: House, said: str, asked: str):
    sqlite_house.dialogue.reply = lambda _: [{"text": "fine"}]
    assert sqlite_house.text(said) == ["fine"]
    assert sqlite_house.dialogue.texts == [asked]


@pytest.mark.parametrize("said", ["", "   ", "/", "\u200b\n"])
def test_a_text_without_words_is_answered_without_the_dialogue(sqlite_house: House, said: str):
    (answer,) = sqlite_house.text(said)
    assert "no words" in answer
    assert sqlite_house.dialogue.asked == []


def test_a_picture_is_answered_and_its_words_are_passed_on(sqlite_house: House):
    (answer,) = sqlite_house.text("", NumMedia="1", MediaUrl0="https://api.twilio.com/x", MediaContentType0="image/jpeg")
    assert "cannot see pictures" in answer
    (answer,) = sqlite_house.text("my rash", NumMedia="1", MediaUrl0="https://api.twilio.com/x", MediaContentType0="image/jpeg")
    assert answer == "You said: my rash\nWe cannot see the picture here."
    assert sqlite_house.dialogue.texts == ["my rash"]


def test_replies_are_joined_while_two_segments_hold_them(sqlite_house: House):
    sqlite_house.dialogue.reply = lambda _: [{"text": "One."}, {"text": "It’s two – okay."}, {"text": "y" * 300}, {"text": " "}]
    answers = sqlite_house.text("hi")
    assert answers == ["One.\nIt's two - okay.", "y" * 300]
    assert [segments(answer) for answer in answers] == [1, 2]


@pytest.mark.parametrize(
    "word", ["STOP", "stop", " Stop. ", "STOPALL", "unsubscribe", "END", "quit", "Revoke", "OPTOUT", "opt out", '"stop"']
)
def test_an_opt_out_word_is_recorded_and_confirmed_once(sqlite_house: House, word: str):
    house = sqlite_house
    (answer,) = house.text(word)
    assert "no more texts" in answer
    assert "Maple Grove Clinic" in answer
    assert "START" in answer
    with house.database.reading() as session:
        assert messaging.opted_out(session, PATIENT)
    assert house.text("STOP") == []
    assert house.dialogue.asked == []
    assert tasks(house) == []


@pytest.mark.parametrize(
    "words",
    [
        "please stop texting me",
        "don't text me anymore",
        "Take me off your list",
        "no more texts please",
        "dejen de mandarme mensajes",
    ],
)
def test_an_opt_out_in_free_words_is_one(sqlite_house: House, words: str):
    sqlite_house.text(words)
    with sqlite_house.database.reading() as session:
        assert messaging.opted_out(session, PATIENT)


@pytest.mark.parametrize(
    "words",
    [
        "cancel my appointment",
        "I can't stop coughing",
        "should I stop my meds",
        "the end of the week",
        "can you text me the address",
        "don't text me before 9, call instead",
    ],
)
def test_longer_words_are_no_opt_out(sqlite_house: House, words: str):
    sqlite_house.text(words)
    assert sqlite_house.dialogue.texts == [words]


def test_until_start_no_text_goes_out_and_what_is_asked_leaves_one_task(house: House):
    house.text("STOP")
    assert house.text("I need a visit on Tuesday") == []
    assert house.text("HELP") == []
    assert house.text("ok") == []
    (task,) = tasks(house)
    assert (task.team, task.reason, task.phone) == ("desk", "opted-out-asks", PATIENT)
    assert "I need a visit on Tuesday" in task.description
    assert "HELP" in task.description
    assert house.dialogue.asked == []
    (answer,) = house.text("START")
    assert "again" in answer
    assert house.text("I need a visit") == ["You said: I need a visit"]


def test_who_opted_out_still_gets_the_emergency_sentence(house: House, clinic: ClinicFile):
    house.text("STOP")
    assert house.text("I have chest pain") == [clinic.emergency.say]


def test_a_bare_cancel_opts_out_and_with_a_visit_on_the_books_asks_the_desk(house: House, clinic: ClinicFile):
    with house.database.transaction() as session:
        patient = make_patient(session, phone=PATIENT)
        visit = booking.book(session, clinic, patient_id=patient.id, agent="test", key="k1", time=make_free_time(clinic))
    (answer,) = house.text("Cancel")
    assert "no more texts" in answer
    (task,) = tasks(house)
    assert (task.team, task.reason, task.patient_id, task.appointment_id) == ("desk", "cancel-keyword", patient.id, visit.id)
    with house.database.reading() as session:
        assert session.scalars(select(Appointment.status)).one() is AppointmentStatus.BOOKED


def test_a_bare_cancel_without_a_visit_opts_out_alone(sqlite_house: House):
    (answer,) = sqlite_house.text("CANCEL")
    assert "no more texts" in answer
    assert tasks(sqlite_house) == []


def test_help_names_the_clinic_a_number_and_stop(sqlite_house: House):
    (answer,) = sqlite_house.text("HELP")
    assert "Maple Grove Clinic" in answer
    assert "(414) 555-0100" in answer
    assert "STOP" in answer
    assert segments(answer) <= 2
    assert tasks(sqlite_house) == []


def test_a_red_flag_is_answered_at_once_and_frees_the_offers(house: House, clinic: ClinicFile):
    house.text("I need a follow-up")
    (conversation,) = conversations(house)
    with house.database.transaction() as session:
        hold = booking.hold(session, clinic, time=make_free_time(clinic), held_for=conversation.id, agent="test")
    assert house.text("actually my chest hurts so much I can hardly breathe") == [clinic.emergency.say]
    assert house.text("I have chest pain!") == [clinic.emergency.say]
    assert house.dialogue.texts == ["I need a follow-up"]
    (task,) = tasks(house)
    assert (task.priority, task.team, task.reason, task.phone) == (Priority.STAT, "clinical", "red-flag", PATIENT)
    assert "my chest hurts so much" in task.description
    with house.database.reading() as session:
        assert session.scalars(select(Appointment.status).where(Appointment.id == hold.id)).one() is AppointmentStatus.CANCELLED


def test_a_red_flag_works_while_the_dialogue_is_down(sqlite_house: House, clinic: ClinicFile):
    sqlite_house.dialogue.stop()
    assert sqlite_house.text("chest pain") == [clinic.emergency.say]


def test_words_of_danger_that_may_be_harmless_are_judged_by_the_dialogue(sqlite_house: House):
    assert sqlite_house.text("my sugar is 45") == ["You said: my sugar is 45"]
    assert sqlite_house.dialogue.asked[-1]["metadata"]["alarm"] == "other"
    sqlite_house.text("thanks")
    assert "alarm" not in sqlite_house.dialogue.asked[-1]["metadata"]


def test_they_count_as_danger_where_it_is_down(sqlite_house: House, clinic: ClinicFile):
    sqlite_house.dialogue.stop()
    assert sqlite_house.text("my sugar is 45") == [clinic.emergency.say]
    (task,) = tasks(sqlite_house)
    assert (task.priority, task.reason) == (Priority.STAT, "red-flag")


def test_a_red_flag_over_two_texts_is_seen(sqlite_house: House, clinic: ClinicFile):
    sqlite_house.text("I have a bad pain")
    assert sqlite_house.text("in my chest") == [clinic.emergency.say]


def test_a_red_flag_in_spanish_is_answered_in_spanish(sqlite_house: House):
    (answer,) = sqlite_house.text("no puedo respirar y me duele mucho el pecho")
    assert "llame al 911" in answer


def test_words_of_suicide_name_988(sqlite_house: House):
    (answer,) = sqlite_house.text("I want to kill myself")
    assert "988" in answer


def test_a_conversation_that_staff_own_goes_to_the_inbox_in_silence(house: House, clinic: ClinicFile):
    house.text("hi")
    (conversation,) = conversations(house)
    with house.database.transaction() as session:
        handoff.take_over(session, conversation_id=conversation.id, owner_name="Ann", agent="staff:ann")
    assert house.text("are you there?") == []
    assert house.text("HELP") == []
    assert [message.status for message in rows(house, Direction.IN)] == [Delivery.ANSWERED, Delivery.INBOX, Delivery.INBOX]
    assert house.text("my chest hurts badly") == [clinic.emergency.say]
    with house.database.transaction() as session:
        handoff.give_back(session, conversation_id=conversation.id, agent="staff:ann")
    assert house.text("thanks") == ["You said: thanks"]
    assert house.dialogue.asked[-1]["sender"] != conversation.id


def test_a_fresh_episode_begins_after_hours_of_silence(house: House, clock: Clock):
    house.text("hi")
    clock.set("2026-11-16T16:00:00-06:00")
    house.text("still here")
    clock.set("2026-11-17T00:30:00-06:00")
    house.text("next day")
    senders = [asked["sender"] for asked in house.dialogue.asked]
    assert senders[0] == senders[1] != senders[2]
    first, second = conversations(house)
    assert (first.open, second.open) == (False, True)


def test_the_language_outlives_the_episode_but_the_identity_does_not(sqlite_house: House, clock: Clock):
    sqlite_house.text("hola")
    with sqlite_house.database.transaction() as session:
        conversation = session.scalars(select(Conversation)).one()
        conversation.language = "es"
        conversation.patient_id = make_patient(session, phone=PATIENT).id
    clock.set("2026-11-18T09:00:00-06:00")
    sqlite_house.text("hola")
    fresh = conversations(sqlite_house)[-1]
    assert (fresh.language, fresh.patient_id) == ("es", None)


def test_a_message_of_ours_keeps_the_episode(sqlite_house: House, clock: Clock):
    sqlite_house.text("hi")
    (conversation,) = conversations(sqlite_house)
    clock.set("2026-11-17T09:00:00-06:00")
    with sqlite_house.database.transaction() as session:
        messaging.queue(
            session, phone=PATIENT, body="A time is free.", author="assistant", kind="offer", conversation_id=conversation.id
        )
    sqlite_house.text("the first one")
    assert len(conversations(sqlite_house)) == 1


@pytest.mark.parametrize("broken", ["stopped", "status", "speechless", "no-list"])
def test_a_dialogue_that_fails_is_an_honest_sentence_and_a_task(house: House, broken: str):
    if broken == "stopped":
        house.dialogue.stop()
    elif broken == "status":
        house.dialogue.status = 500
    elif broken == "speechless":
        house.dialogue.reply = lambda _: []
    else:
        house.dialogue.reply = lambda _: {"oops": True}  # type: ignore[assignment,return-value]
    (answer,) = house.text("I need a visit with the nurse")
    assert "problem" in answer
    assert "desk" in answer
    house.text("hello?")
    (task,) = tasks(house)
    assert (task.team, task.reason, task.phone) == ("desk", "dialogue-down", PATIENT)
    assert "I need a visit with the nurse" in task.description
    assert "hello?" in task.description


def test_a_dialogue_that_was_told_to_be_silent_is(sqlite_house: House):
    sqlite_house.dialogue.reply = lambda _: [{"custom": {"silent": True}}]
    assert sqlite_house.text("hi") == []
    assert tasks(sqlite_house) == []


def test_a_late_answer_goes_out_through_the_rest_api_exactly_once(hasty_house: House):
    house = hasty_house
    go_on = threading.Event()

    def _reply(asked):
        go_on.wait(10)
        return [{"text": "Sorry for the wait."}]

    house.dialogue.reply = _reply
    sid = new_sid()
    assert house.text("book me", sid=sid) == []
    assert house.text("book me", sid=sid) == []
    go_on.set()
    wait_for(lambda: [message for message in rows(house, Direction.OUT) if message.status is Delivery.QUEUED])
    assert house.text("book me", sid=sid) == []
    worker = house.worker()
    assert worker.send_due() == 1
    assert worker.send_due() == 0
    assert house.twilio.bodies() == ["Sorry for the wait."]
    assert house.text("book me", sid=sid) == []
    assert house.dialogue.texts == ["book me"]


def test_a_text_behind_a_slow_one_waits_for_it(hasty_house: House):
    house = hasty_house

    def _reply(asked):
        time.sleep(0.7 if asked["message"] == "slow" else 0)
        return [{"text": f"to {asked['message']}"}]

    house.dialogue.reply = _reply
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(house.text, "slow")
        wait_for(lambda: house.dialogue.asked)
        quick = pool.submit(house.text, "quick")
        assert slow.result() == []
        assert quick.result() in ([], ["to quick"])
    wait_for(lambda: len(rows(house, Direction.OUT)) == 2)
    assert house.dialogue.texts == ["slow", "quick"]


def test_a_text_whose_process_was_killed_is_answered_by_the_worker(house: House):
    house.text("hi")
    with house.database.transaction() as session:  # what a killed process leaves: a row that waits, a lease that runs out
        conversation = session.scalars(select(Conversation)).one()
        conversation.lease, conversation.lease_until = "of the dead", time.time() + 0.3
        message = session.scalars(select(Communication).where(Communication.direction == Direction.IN)).one()
        message.status, message.answered_by, message.worker_until = Delivery.RECEIVED, None, time.time() - 1
    worker = house.worker()
    assert worker.answer_left_lying() == 0
    time.sleep(0.35)
    assert worker.answer_left_lying() == 1
    assert worker.answer_left_lying() == 0
    assert worker.send_due() == 1
    assert house.twilio.bodies() == ["You said: hi"]


def test_a_repeat_takes_up_what_a_killed_process_left(house: House):
    sid = new_sid()
    house.text("hi", sid=sid)
    with house.database.transaction() as session:
        session.execute(Communication.__table__.delete().where(Communication.direction == Direction.OUT))
        message = session.scalars(select(Communication)).one()
        message.status, message.answered_by, message.worker_until = Delivery.RECEIVED, None, time.time() + 9
        conversation = session.scalars(select(Conversation)).one()
        conversation.lease, conversation.lease_until = "of the dead", time.time() + 0.3
    assert house.text("hi", sid=sid) == ["You said: hi"]


def test_no_number_and_no_words_are_logged(sqlite_house: House, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    sqlite_house.dialogue.status = 500
    sqlite_house.text("a very private complaint")
    assert "private" not in caplog.text
    assert PATIENT not in caplog.text


def test_the_owner_is_the_assistant_by_default(sqlite_house: House):
    sqlite_house.text("hi")
    assert conversations(sqlite_house)[0].owner is Owner.BOT
