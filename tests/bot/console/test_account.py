"""One's own account, colleagues' accounts, and records behind glass."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from scheduling_core import accounts, glass, lockout, patients
from scheduling_core.db import Database
from scheduling_core.errors import WrongStateError
from scheduling_core.models import AuditEvent, BrokenGlass, Role, StaffAccount, Task
from tests.bot.console.conftest import Desks, make_staff
from tests.bot.console.test_doors import KEPT, PASSWORD
from tests.factories import make_patient


def prove(database: Database, client: FlaskClient, role: str) -> None:
    """Give the password once more."""
    account = make_staff(database, role)
    with database.transaction() as session:
        accounts.get(session, account.id).password = KEPT
    assert client.post("/console/account/prove", data={"password": PASSWORD}).location == "/console/account"


def test_a_language_is_chosen_and_kept(desk: Desks):
    client = desk("billing")
    client.post("/console/account/language", data={"language": "es"})
    assert '<html lang="es">' in client.get("/console/account").text
    client.post("/console/account/language", data={"language": "xx"})
    assert '<html lang="es">' in client.get("/console/account").text


@pytest.mark.parametrize("path", ["app/drop", "codes", "password", "passkeys/x/drop"])
def test_what_changes_the_doors_asks_for_the_password_once_more(sqlite_desk: Desks, sqlite_loaded: Database, path: str):
    client = sqlite_desk("scheduler")
    assert client.post(f"/console/account/{path}", data={"password": PASSWORD}).location == "/console/account/prove"
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(StaffAccount).where(StaffAccount.email == "scheduler@maplegrove.example")).one().totp_secret


def test_a_wrong_password_proves_nothing_and_counts(sqlite_desk: Desks, sqlite_loaded: Database):
    client = sqlite_desk("scheduler")
    for _ in range(lockout.TRIES_OF_ACCOUNT):
        assert client.post("/console/account/prove", data={"password": "x"}).location.endswith("wrong=password")
    assert client.post("/console/account/prove", data={"password": "x"}).location.endswith("wrong=often")
    assert client.post("/console/account/codes").location == "/console/account/prove"


def test_a_new_password_signs_the_other_browsers_out(desk: Desks, loaded: Database):
    here, there = desk("scheduler"), desk("scheduler")
    prove(loaded, here, "scheduler")
    assert here.post("/console/account/password", data={"password": "four ferries cross at dusk"}).location == "/console/account"
    assert here.get("/console/account").status_code == 200
    assert there.get("/console/account").status_code == 302


def test_a_poor_new_password_is_told_and_changes_nothing(sqlite_desk: Desks, sqlite_loaded: Database):
    client = sqlite_desk("scheduler")
    prove(sqlite_loaded, client, "scheduler")
    answer = client.post("/console/account/password", data={"password": "short"}, follow_redirects=True)
    assert "Please choose another password" in answer.text
    assert "Please choose another password" not in client.get("/console/account").text, "it is told once"
    with sqlite_loaded.reading() as session:
        assert accounts.get(session, make_staff(sqlite_loaded, "scheduler").id).password == KEPT


def test_nobody_who_writes_waits_for_a_password_to_be_hashed(
    sqlite_desk: Desks, sqlite_loaded: Database, monkeypatch: pytest.MonkeyPatch
):
    client = sqlite_desk("scheduler")
    prove(sqlite_loaded, client, "scheduler")
    hashed = accounts.hashed

    def hash_while_somebody_writes(password: str, *, about: str = "") -> str:
        make_staff(sqlite_loaded, "billing")
        return hashed(password, about=about)

    monkeypatch.setattr(accounts, "hashed", hash_while_somebody_writes)
    assert client.post("/console/account/password", data={"password": "four ferries cross at dusk"}).location == "/console/account"
    with sqlite_loaded.reading() as session:
        assert accounts.by_email(session, "billing@maplegrove.example")


def test_who_was_shut_out_sets_no_password(sqlite_desk: Desks, sqlite_loaded: Database):
    client = sqlite_desk("scheduler")
    prove(sqlite_loaded, client, "scheduler")
    with sqlite_loaded.transaction() as session:
        session.execute(update(StaffAccount).values(active=False))
    answer = client.post("/console/account/password", data={"password": "four ferries cross at dusk"})
    assert answer.location == "/console/sign-in"
    with sqlite_loaded.reading() as session:
        assert set(session.scalars(select(StaffAccount.password))) == {None, KEPT}


def test_the_last_second_factor_of_a_role_that_needs_one_stays(sqlite_desk: Desks, sqlite_loaded: Database):
    client = sqlite_desk("scheduler")
    prove(sqlite_loaded, client, "scheduler")
    assert client.post("/console/account/app/drop").status_code == 422


def test_a_made_up_passkey_is_refused(sqlite_desk: Desks, sqlite_app: Flask):
    client = sqlite_desk("scheduler")
    assert client.post("/console/account/passkeys", json={"name": "x", "answer": {"id": "x"}}).status_code == 409
    assert client.post("/console/sign-in/passkey/ask", json={}).json["challenge"]  # type: ignore[index]
    assert client.post("/console/sign-in/passkey", json={"id": "x", "response": {}}).status_code == 422
    assert client.post("/console/sign-in/passkey", json={"id": "x"}).status_code == 422  # the challenge is gone


def test_a_manager_adds_a_colleague_and_hands_over_the_link(desk: Desks, loaded: Database):
    client = desk("manager")
    page = client.post("/console/staff", data={"name": "Ines <b>Ruiz", "email": "Ines@maplegrove.example", "role": "billing"})
    assert "/console/welcome/" in page.text
    assert "<b>" not in page.text
    again = client.post("/console/staff", data={"name": "Ines", "email": "ines@maplegrove.example", "role": "billing"})
    assert again.status_code == 409
    assert client.post("/console/staff", data={"name": "", "email": "x", "role": "integration"}).status_code == 422


def test_an_address_that_is_too_long_is_told_so_and_what_was_typed_stays(sqlite_desk: Desks):
    email = f"{'i' * 190}@maplegrove.example"
    page = sqlite_desk("manager").post("/console/staff", data={"name": "Ines", "email": email, "role": "billing"})
    assert page.status_code == 422
    assert "up to 190 characters" in page.text
    assert email in page.text


def test_who_is_shut_out_is_out_at_once(desk: Desks, loaded: Database):
    clerk, manager = desk("scheduler"), desk("manager")
    assert clerk.get("/console/account").status_code == 200
    account = make_staff(loaded, "scheduler")
    manager.post(f"/console/staff/{account.id}", data={"active": "out"})
    assert clerk.get("/console/account").status_code == 302
    manager.post(f"/console/staff/{account.id}", data={"active": "in", "role": "billing"})
    with loaded.reading() as session:
        found = accounts.get(session, account.id)
        assert (found.active, found.role) == (True, Role.BILLING)


def test_a_reset_takes_every_door(desk: Desks, loaded: Database):
    clerk, manager = desk("scheduler"), desk("manager")
    account = make_staff(loaded, "scheduler")
    assert "/console/welcome/" in manager.post(f"/console/staff/{account.id}/reset").text
    assert clerk.get("/console/account").status_code == 302
    with loaded.reading() as session:
        found = accounts.get(session, account.id)
        assert (found.password, found.totp_secret) == (None, None)


def test_no_manager_changes_their_own_account_and_the_last_one_stays(sqlite_desk: Desks, sqlite_loaded: Database):
    manager = sqlite_desk("manager")
    account = make_staff(sqlite_loaded, "manager")
    assert manager.post(f"/console/staff/{account.id}", data={"role": "auditor"}).status_code == 422
    with sqlite_loaded.transaction() as session:
        session.execute(update(StaffAccount).where(StaffAccount.id != account.id).values(active=False))
    with pytest.raises(WrongStateError), sqlite_loaded.transaction() as session:
        accounts.change(session, accounts.get(session, account.id), active=False, agent="test")


def test_a_restricted_record_opens_to_who_says_why_and_a_manager_is_told(loaded: Database, desk: Desks):
    client = desk("scheduler")
    with loaded.transaction() as session:
        patient = make_patient(session)
        glass.restrict(session, patient, restricted=True, agent="test")
    with pytest.raises(glass.RestrictedError):
        _look(loaded, patient.id)
    assert client.post(f"/console/glass/{patient.id}", data={"reason": "  because  "}).status_code == 422
    said = "Her daughter called, she is at the desk now"
    opened = client.post(f"/console/glass/{patient.id}", data={"reason": said, "next": "/console/account"})
    assert opened.location == "/console/account"
    _look(loaded, patient.id)
    with loaded.reading() as session:
        task = session.scalars(select(Task).where(Task.reason == "broken-glass")).one()
        assert (task.team, task.patient_id) == ("manager", patient.id)
        assert said in task.description
        row = session.scalars(select(AuditEvent).where(AuditEvent.entity == "BrokenGlass")).one()
        assert (row.patient_id, row.detail["reason"]) == (patient.id, said)
    with loaded.transaction() as session:
        session.execute(update(BrokenGlass).values(until=time.time() - 1))
    with pytest.raises(glass.RestrictedError):
        _look(loaded, patient.id)


def _look(database: Database, patient_id: str) -> None:
    with database.reading() as session:
        account = accounts.by_email(session, "scheduler@maplegrove.example")
        assert account
        glass.check(session, account, patients.get(session, patient_id))
