"""Accounts of staff: what the console's own tests do not reach."""

from __future__ import annotations

import threading

import pytest

from scheduling_core import accounts, audit
from scheduling_core.db import Database
from scheduling_core.models import Role
from tests.core.test_races import at_once

LONGEST = "n" * 176 + "@maple.example"


def test_an_address_is_as_long_as_the_trail_can_name_it(database: Database):
    with database.transaction() as session:
        account = accounts.add_staff(session, email=f" {LONGEST} ", name="Nora", role=Role.SCHEDULER, agent="test")
        audit.record(session, agent=f"staff:{account.email}", action="E", entity="Session")
    with pytest.raises(accounts.LongAddressError, match="up to 190 characters"), database.transaction() as session:
        accounts.add_staff(session, email=f"n{LONGEST}", name="Nora", role=Role.SCHEDULER, agent="test")


def test_of_two_managers_who_shut_each_other_out_at_once_one_stays(postgres_database: Database):
    with postgres_database.transaction() as session:
        ids = [
            accounts.add_staff(session, email=f"{name}@maple.example", name=name, role=Role.MANAGER, agent="test").id
            for name in ("nora", "paul")
        ]
    both_have_read = threading.Barrier(2)

    def shut_out(number: int) -> None:
        with postgres_database.transaction() as session:
            account = accounts.get(session, ids[number])
            both_have_read.wait()
            accounts.change(session, account, active=False, agent="test")

    assert at_once(2, shut_out) == {"done": 1, "wrong-state": 1}
    with postgres_database.reading() as session:
        assert [one.active for one in accounts.everybody(session)] == [True, False]
