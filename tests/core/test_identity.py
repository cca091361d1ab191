"""Who is speaking: tiers, counters, and nothing disclosed."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from scheduling_core import handoff, identity
from scheduling_core.db import Database
from scheduling_core.errors import NotFoundError
from scheduling_core.identity import Verdict
from scheduling_core.models import AuditEvent, Conversation, IdentityAttempt
from tests.conftest import Clock
from tests.factories import make_conversation, make_patient

PHONE, OTHER = "+14145550142", "+14145550199"
RIGHT, WRONG = "1980-04-19", "1980-04-09"


def _talk(database: Database, phone: str = PHONE) -> str:
    with database.transaction() as session:
        return make_conversation(session, phone=phone).id


def _register(database: Database, **details: str) -> str:
    with database.transaction() as session:
        return make_patient(session, **{"phone": PHONE, "birth_date": RIGHT, **details}).id  # type: ignore[arg-type]


def _start(database: Database, conversation_id: str, born: str, phone: str = PHONE) -> str:
    with database.transaction() as session:
        return identity.start_attempt(session, conversation_id=conversation_id, phone=phone, birth_date=dt.date.fromisoformat(born))


def _say(database: Database, conversation_id: str, born: str, *, phone: str = PHONE, name: str = "") -> Verdict:
    given, _, family = name.partition(" ")
    attempt = _start(database, conversation_id, born, phone)
    with database.transaction() as session:
        return identity.verify(
            session,
            attempt_id=attempt,
            conversation_id=conversation_id,
            birth_date=dt.date.fromisoformat(born),
            given=given or None,
            family=family or None,
            agent=f"assistant:{conversation_id}",
        )


def _counted(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(IdentityAttempt.id)).where(~IdentityAttempt.withdrawn)) or 0


def _tasks(database: Database) -> list[str]:
    with database.reading() as session:
        return [task.reason for task in handoff.open_tasks(session)]


def test_a_number_on_file_and_the_right_birth_date_prove_who_it_is(loaded: Database) -> None:
    ruth, talk = _register(loaded), _talk(loaded)
    assert _say(loaded, talk, RIGHT) == Verdict("verified", ruth)
    with loaded.reading() as session:
        assert session.scalars(select(Conversation.patient_id).where(Conversation.id == talk)).one() == ruth
        assert session.scalars(select(AuditEvent).where(AuditEvent.entity_id == ruth, AuditEvent.action == "E")).one()
    assert _counted(loaded) == 0


def test_the_attempt_is_counted_before_anything_is_compared(loaded: Database) -> None:
    _register(loaded)
    _start(loaded, _talk(loaded), RIGHT)
    assert _counted(loaded) == 1


def test_the_third_wrong_birth_date_locks_the_conversation(loaded: Database) -> None:
    _register(loaded)
    talk = _talk(loaded)
    assert [_say(loaded, talk, WRONG).kind for _ in range(3)] == ["wrong", "wrong", "locked-out"]
    assert _say(loaded, talk, RIGHT) == Verdict("locked-out")
    assert _tasks(loaded) == ["identity-lockout"]


def test_the_fifth_wrong_birth_date_of_a_number_locks_it_for_the_day(loaded: Database, clock: Clock) -> None:
    _register(loaded)
    first, second, third = _talk(loaded), _talk(loaded), _talk(loaded)
    assert [_say(loaded, first, WRONG).kind for _ in range(2)] == ["wrong", "wrong"]
    assert [_say(loaded, second, WRONG).kind for _ in range(2)] == ["wrong", "wrong"]
    assert _say(loaded, third, WRONG).kind == "locked-out"
    assert _say(loaded, _talk(loaded), RIGHT).kind == "locked-out"
    clock.set("2026-11-17T00:01:00-06:00")
    assert _say(loaded, _talk(loaded), RIGHT).kind == "verified"


def test_the_day_is_the_clinics_not_that_of_utc(loaded: Database, clock: Clock) -> None:
    _register(loaded)
    clock.set("2026-11-16T17:00:00-06:00")
    for talk in (_talk(loaded), _talk(loaded), _talk(loaded)):
        for _ in range(2):
            _say(loaded, talk, WRONG)
    clock.set("2026-11-16T18:30:00-06:00")  # the next day in UTC
    assert _say(loaded, _talk(loaded), RIGHT).kind == "locked-out"


def test_the_tenth_wrong_birth_date_for_a_patient_locks_them_for_every_number(loaded: Database) -> None:
    _register(loaded, given="Ruth", family="Novak")
    kinds = []
    for number in range(10):
        phone = f"+1414555{9000 + number // 2}"
        kinds.append(_say(loaded, _talk(loaded, phone), WRONG, phone=phone, name="Ruth Novak").kind)
    assert kinds == ["unknown"] * 9 + ["locked-out"]
    assert _say(loaded, _talk(loaded), RIGHT).kind == "locked-out"


def test_a_wrong_date_said_twice_counts_twice(loaded: Database) -> None:
    _register(loaded)
    talk = _talk(loaded)
    _say(loaded, talk, WRONG)
    _say(loaded, talk, WRONG)
    with loaded.reading() as session:
        assert session.scalars(select(Conversation.wrong_birth_dates).where(Conversation.id == talk)).one() == 2


def test_a_date_that_was_corrected_at_once_does_not_count(loaded: Database) -> None:
    _register(loaded)
    talk = _talk(loaded)
    attempt = _start(loaded, talk, WRONG)
    with loaded.transaction() as session:
        born = dt.date.fromisoformat(WRONG)
        assert identity.verify(session, attempt_id=attempt, conversation_id=talk, birth_date=born, agent="t").kind == "wrong"
    with loaded.transaction() as session:
        assert identity.withdraw(session, attempt_id=attempt)
        assert not identity.withdraw(session, attempt_id=attempt)
    assert _counted(loaded) == 0
    with loaded.reading() as session:
        assert session.scalars(select(Conversation.wrong_birth_dates).where(Conversation.id == talk)).one() == 0


def test_corrections_are_no_way_to_guess_without_end(loaded: Database) -> None:
    _register(loaded)
    withdrawn = []
    for _ in range(4):
        talk = _talk(loaded)
        _say(loaded, talk, WRONG)
        with loaded.transaction() as session:
            attempt = session.scalars(select(IdentityAttempt.id).where(IdentityAttempt.conversation_id == talk)).one()
            withdrawn.append(identity.withdraw(session, attempt_id=attempt))
    assert withdrawn == [True, True, False, False]


def test_guesses_at_the_same_moment_are_compared_no_more_often_than_allowed(loaded: Database) -> None:
    _register(loaded)
    talk = _talk(loaded)
    attempts = [_start(loaded, talk, WRONG) for _ in range(6)]
    with loaded.transaction() as session:
        kinds = [
            identity.verify(
                session, attempt_id=attempt, conversation_id=talk, birth_date=dt.date.fromisoformat(RIGHT), agent="t"
            ).kind
            for attempt in attempts
        ]
    assert "verified" not in kinds


def test_twins_are_told_apart_by_name(loaded: Database) -> None:
    ann, _ = _register(loaded, given="Ann"), _register(loaded, given="Ben")
    talk = _talk(loaded)
    assert _say(loaded, talk, RIGHT) == Verdict("who")
    assert _say(loaded, talk, RIGHT, name="Ann") == Verdict("verified", ann)


def test_twins_with_names_much_alike_are_told_apart_by_the_exact_one(loaded: Database) -> None:
    _, jayden = _register(loaded, given="Jaden"), _register(loaded, given="Jayden")
    assert _say(loaded, _talk(loaded), RIGHT, name="Jayden Novak") == Verdict("verified", jayden)


def test_a_sibling_who_is_not_on_file_is_not_taken_for_the_twin(loaded: Database) -> None:
    _register(loaded, given="Ann", family="Novak")
    assert _say(loaded, _talk(loaded), RIGHT, name="Ben Novak") == Verdict("unknown")


def test_a_nickname_is_enough_beside_the_birth_date(loaded: Database) -> None:
    liz = _register(loaded, given="Elizabeth", family="Novak")
    assert _say(loaded, _talk(loaded), RIGHT, name="Liz Novak") == Verdict("verified", liz)


def test_nobody_on_file_is_unknown_and_not_counted(loaded: Database) -> None:
    assert _say(loaded, _talk(loaded), RIGHT) == Verdict("unknown")
    assert _say(loaded, _talk(loaded), RIGHT, name="Ruth Novak") == Verdict("unknown")
    assert _counted(loaded) == 0
    assert _tasks(loaded) == []


def test_a_name_and_birth_date_from_another_number_are_a_strangers(loaded: Database) -> None:
    _register(loaded, given="Ruth", family="Novak")
    talk = _talk(loaded, OTHER)
    for _ in range(2):
        assert _say(loaded, talk, RIGHT, phone=OTHER, name="Ruth Novak") == Verdict("stranger")
    assert _tasks(loaded) == ["unknown-number"]
    with loaded.reading() as session:
        assert session.scalars(select(Conversation.patient_id).where(Conversation.id == talk)).one() is None


def test_a_guess_from_an_unknown_number_looks_like_nobody_and_is_counted(loaded: Database) -> None:
    _register(loaded, given="Ruth", family="Novak")
    assert _say(loaded, _talk(loaded, OTHER), WRONG, phone=OTHER, name="Ruth Novak") == Verdict("unknown")
    assert _counted(loaded) == 1


def test_the_next_person_must_prove_it_anew(loaded: Database) -> None:
    _register(loaded)
    talk = _talk(loaded)
    _say(loaded, talk, RIGHT)
    with loaded.transaction() as session:
        identity.forget(session, conversation_id=talk)
    with loaded.reading() as session:
        assert session.scalars(select(Conversation.patient_id).where(Conversation.id == talk)).one() is None


def test_a_birth_date_is_not_kept(loaded: Database) -> None:
    _register(loaded)
    _say(loaded, _talk(loaded), WRONG)
    with loaded.reading() as session:
        for table in (IdentityAttempt, AuditEvent):
            for row in session.scalars(select(table)):
                assert WRONG not in str(vars(row))


def test_an_attempt_that_nobody_started_is_refused(loaded: Database) -> None:
    with loaded.transaction() as session, pytest.raises(NotFoundError):
        identity.verify(session, attempt_id="none", conversation_id="none", birth_date=dt.date(1980, 4, 19), agent="t")
