"""The phone on a web page."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from scheduling_core import messaging
from tests.bot.conftest import PATIENT, House


def test_a_text_goes_through_the_signed_webhook(sqlite_house: House):
    answer = sqlite_house.http.post(f"{sqlite_house.url}/phone/messages", json={"from": "(414) 555-0142", "body": "hi <b> & 🙂"})
    assert answer.status_code == 200
    assert answer.json()["replies"] == ["You said: hi <b> & 🙂"]
    shown = sqlite_house.http.get(f"{sqlite_house.url}/phone/messages", params={"from": PATIENT}).json()
    assert [(message["mine"], message["body"]) for message in shown["messages"]] == [
        (True, "hi <b> & 🙂"),
        (False, "You said: hi <b> & 🙂"),
    ]
    assert shown["typing"] is False
    assert shown["messages"][0]["sid"] == answer.json()["sid"]


def test_only_what_is_new_is_shown_and_nothing_behind_a_text_on_its_way(sqlite_house: House):
    sqlite_house.http.post(f"{sqlite_house.url}/phone/messages", json={"from": PATIENT, "body": "one"})
    last = sqlite_house.http.get(f"{sqlite_house.url}/phone/messages", params={"from": PATIENT}).json()["messages"][-1]["sequence"]
    with sqlite_house.database.transaction() as session:
        messaging.queue(session, phone=PATIENT, body="late", author="assistant", kind="reply")
    sqlite_house.http.post(f"{sqlite_house.url}/phone/messages", json={"from": PATIENT, "body": "two"})
    ask = {"from": PATIENT, "after": last}
    assert sqlite_house.http.get(f"{sqlite_house.url}/phone/messages", params=ask).json()["messages"] == []
    sqlite_house.worker().send_due()
    shown = sqlite_house.http.get(f"{sqlite_house.url}/phone/messages", params=ask).json()["messages"]
    assert [message["body"] for message in shown] == ["late", "two", "You said: two"]


@pytest.mark.parametrize("sent", [{}, {"from": "x", "body": "hi"}, {"from": PATIENT}, {"from": PATIENT, "body": "x" * 1601}, []])
def test_nonsense_is_refused(sqlite_house: House, sent: object):
    answer = sqlite_house.http.post(f"{sqlite_house.url}/phone/messages", json=sent)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_page_needs_nothing_from_elsewhere_and_no_inline_script(sqlite_house: House):
    page = sqlite_house.http.get(f"{sqlite_house.url}/phone/").text
    assert "Maple Grove Clinic" in page
    assert not re.search(r"https?://", page)
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", page)
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert sqlite_house.http.get(sqlite_house.url + asset).status_code == 200
    for file in (Path(__file__).parents[2] / "bot" / "static").glob("phone.*"):
        assert "http" not in file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")


def call(house: House, **sent: object) -> httpx.Response:
    return house.http.post(f"{house.url}/phone/calls", json={"from": PATIENT, **sent})


def test_a_call_goes_through_the_signed_webhook_turn_by_turn(sqlite_house: House):
    begun = call(sqlite_house).json()
    assert "Maple Grove Clinic" in begun["steps"][0]["say"]
    assert (begun["waits_for"], begun["next"]) == ("words", "/twilio/voice/turn?turn=1")
    answered = call(sqlite_house, sid=begun["sid"], next=begun["next"], speech="I need a checkup").json()
    assert answered["steps"][-1]["say"] == "You said: I need a checkup"
    ended = sqlite_house.http.post(f"{sqlite_house.url}/phone/calls/end", json={"from": PATIENT, "sid": begun["sid"]})
    assert ended.json() == {"ended": True}


@pytest.mark.parametrize(
    "sent",
    [
        {"from": "x"},
        {"sid": "CA1", "next": "/twilio/voice/turn?turn=1"},
        {"sid": "CA" + "0" * 32},
        {"sid": "CA" + "0" * 32, "next": "/twilio/sms"},
        {"sid": "CA" + "0" * 32, "next": "https://elsewhere.example/twilio/voice"},
    ],
)
def test_the_page_signs_nothing_but_its_own_calls(sqlite_house: House, sent: dict[str, str]):
    assert call(sqlite_house, **sent).status_code == 400
