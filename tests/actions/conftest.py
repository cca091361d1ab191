"""Talks that tests begin with."""

from __future__ import annotations

import pytest

from scheduling_core.db import Database
from tests.actions.talk import Talk
from tests.factories import make_conversation, make_patient

PHONE = "+14145550142"


@pytest.fixture
def talk(sqlite_loaded: Database) -> Talk:
    """A talk from a number that belongs to Ruth Novak, born on 19 April 1980."""
    with sqlite_loaded.transaction() as session:
        make_patient(session, phone=PHONE)
        return Talk(sqlite_loaded, make_conversation(session, phone=PHONE).id)


@pytest.fixture
def stranger(sqlite_loaded: Database) -> Talk:
    """A talk from a number that nobody on file has."""
    with sqlite_loaded.transaction() as session:
        return Talk(sqlite_loaded, make_conversation(session, phone="+14145550199").id)
