"""Taking down an insurance: what is a payer, what a member number, and what is kept without one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core.models import Coverage, CoverageStatus, Task
from tests.actions.talk import Talk


def covered(talk: Talk) -> list[tuple[str | None, str, str | None]]:
    with talk.database.reading() as session:
        found = session.scalars(select(Coverage).where(Coverage.status == CoverageStatus.ACTIVE))
        return [(row.payer_id, row.payer_name, row.subscriber_id) for row in found]


def begun(talk: Talk, language: str = "en") -> Talk:
    """A talk that is at the question for the insurer."""
    talk.slots["language"] = language
    talk.say("I want to update my insurance", "insurance_change")
    assert talk.say("4/19/1980") == ["utter_request_insurer"]
    return talk


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("my insurance is now Great Lakes Mutual member 778812", "en"),
        ("new insurance: great lakes, id 77-88-12", "en"),
        ("mi seguro ahora es Great Lakes Mutual, número de miembro 778812", "es"),
    ],
)
def test_payer_and_member_number_are_taken_from_the_first_text(talk: Talk, words: str, language: str) -> None:
    talk.slots["language"] = language
    talk.say(words, "insurance_change")
    assert talk.say("4/19/1980") == ["utter_confirm_coverage"]
    assert talk.say("yes", "affirm") == ["utter_coverage_saved"]
    assert covered(talk) == [("greatlakes", "Great Lakes Mutual", "778812")]


@pytest.mark.parametrize(("words", "language"), [("no sorry it's 99X23", "en"), ("no, perdón, es 99X23", "es"), ("99 X23", "en")])
def test_the_number_is_corrected_at_the_read_back(talk: Talk, words: str, language: str) -> None:
    begun(talk, language).say("Great Lakes")
    talk.say("W1234 5678 01")
    assert talk.last().values["member_id"] == "W1234567801"
    assert talk.say(words, "deny") == ["utter_confirm_coverage"]
    assert talk.last().values["member_id"] == "99X23"
    assert covered(talk) == []


def test_the_number_said_again_with_a_yes_is_no_correction(talk: Talk) -> None:
    begun(talk).say("Great Lakes")
    talk.say("W1234 5678 01")
    assert talk.say("yes W1234567801", "affirm") == ["utter_coverage_saved"]


@pytest.mark.parametrize(
    ("words", "intent", "language"),
    [
        ("no id with me", "deny", "en"),
        ("I don't have it with me", "inform", "en"),
        ("left my card at home", "inform", "en"),
        ("skip", "stop", "en"),
        ("no la tengo aquí", "deny", "es"),
        ("no traigo la tarjeta", "inform", "es"),
    ],
)
def test_without_the_member_number_the_payer_is_kept_and_the_desk_told(talk: Talk, words: str, intent: str, language: str) -> None:
    begun(talk, language).say("Great Lakes")
    assert talk.say(words, intent) == ["utter_confirm_coverage_without"]
    assert covered(talk) == []
    assert talk.say("yes", "affirm") == ["utter_coverage_saved", "utter_member_id_at_visit"]
    assert covered(talk) == [("greatlakes", "Great Lakes Mutual", None)]
    with talk.database.reading() as session:
        assert [(task.team, task.reason) for task in session.scalars(select(Task))] == [("billing", "member-id-missing")]


def test_the_number_may_turn_up_at_the_read_back(talk: Talk) -> None:
    begun(talk).say("Great Lakes")
    talk.say("I don't have it with me")
    assert talk.say("oh wait, W12345678") == ["utter_confirm_coverage"]
    talk.say("yes", "affirm")
    assert covered(talk) == [("greatlakes", "Great Lakes Mutual", "W12345678")]


@pytest.mark.parametrize(
    ("words", "intent", "language", "said"),
    [
        ("skip", "stop", "en", "utter_insurance_skipped"),
        ("not sure", "dont_know", "en", "utter_insurance_skipped"),
        ("I don't have it with me", "inform", "en", "utter_insurance_skipped"),
        ("no lo tengo aquí", "deny", "es", "utter_insurance_skipped"),
        ("después", "inform", "es", "utter_insurance_skipped"),
        ("I have none", "deny", "en", "utter_no_insurance"),
        ("none", "deny", "en", "utter_no_insurance"),
        ("I don't have insurance", "deny", "en", "utter_no_insurance"),
        ("ninguno", "deny", "es", "utter_no_insurance"),
        ("no tengo seguro", "inform", "es", "utter_no_insurance"),
        ("no tengo segiro", "inform", "es", "utter_no_insurance"),
        ("No twngo seguro", "inform", "es", "utter_no_insurance"),
    ],
)
def test_skipping_is_not_paying_oneself(talk: Talk, words: str, intent: str, language: str, said: str) -> None:
    begun(talk, language)
    assert talk.say(words, intent) == [said]
    assert talk.form is None
    assert covered(talk) == []


@pytest.mark.parametrize(
    ("words", "intent", "language"),
    [
        ("confirm", "inform", "en"),
        ("yes", "affirm", "en"),
        ("C", "inform", "en"),
        ("my son is here with me", "inform", "en"),
        ("he is on the blue one", "inform", "en"),
        ("whatever you have on the file there", "inform", "en"),
        ("do you need it now?", "inform", "en"),
        ("confirmo", "inform", "es"),
        ("mi hijo está conmigo", "inform", "es"),
    ],
)
def test_what_is_no_payer_is_asked_again_once_and_then_left(talk: Talk, words: str, intent: str, language: str) -> None:
    begun(talk, language)
    assert talk.say(words, intent) == ["utter_request_insurer_again"]
    assert talk.say(words, intent) == ["utter_insurance_skipped"]
    assert talk.form is None


@pytest.mark.parametrize(
    ("words", "language", "payer"),
    [
        ("Beacon Mutual", "en", "Beacon Mutual"),
        ("I have Beacon Mutual", "en", "Beacon Mutual"),
        ("it's called Beacon Mutual now", "en", "Beacon Mutual"),
        ("tengo Beacon Mutual", "es", "Beacon Mutual"),
        ("medicare", "en", "medicare"),
        ("the insurance that my job gives us is Beacon", "en", "Beacon"),
    ],
)
def test_a_payer_that_is_not_on_the_list_is_read_back(talk: Talk, words: str, language: str, payer: str) -> None:
    begun(talk, language)
    assert talk.say(words) == ["utter_request_member_id"]
    assert talk.say("778812") == ["utter_confirm_coverage"]
    assert talk.last().values["insurer"] == payer
    assert covered(talk) == []
    assert talk.say("yes", "affirm") == ["utter_coverage_saved_unknown"]
    assert covered(talk) == [(None, payer, "778812")]


def test_an_unlisted_payer_told_with_its_number_needs_no_further_question(talk: Talk) -> None:
    begun(talk)
    assert talk.say("Beacon Mutual, member 778812") == ["utter_confirm_coverage"]
    assert talk.last().values["insurer"] == "Beacon Mutual"


def test_a_refused_read_back_of_an_unlisted_payer_asks_for_it_anew(talk: Talk) -> None:
    begun(talk).say("Beacon Mutual")
    talk.say("778812")
    assert talk.say("no", "deny") == ["utter_request_insurer"]
    assert talk.say("Pinecrest") == ["utter_request_member_id"]


def test_a_refused_read_back_of_a_listed_payer_asks_for_the_number_anew(talk: Talk) -> None:
    begun(talk).say("Great Lakes")
    talk.say("778812")
    assert talk.say("no", "deny") == ["utter_request_member_id"]


def test_who_has_no_insurance_is_due_an_estimate_of_the_visit_ahead(talk: Talk) -> None:
    for text, intent in (("a follow-up tomorrow", "book_appointment"), ("4/19/1980", "inform"), ("1", "select"), ("yes", "affirm")):
        talk.say(text, intent)
    talk.say("I want to update my insurance", "insurance_change")
    assert talk.say("I don't have insurance, I'll pay myself", "deny") == ["utter_no_insurance"]
    assert covered(talk) == []
    with talk.database.reading() as session:
        assert [(task.team, task.reason) for task in session.scalars(select(Task))] == [("billing", "good-faith-estimate")]


def test_an_insurance_on_file_is_not_ended_by_none(talk: Talk) -> None:
    begun(talk).say("Great Lakes, member 778812")
    talk.say("yes", "affirm")
    talk.say("I want to update my insurance", "insurance_change")
    talk.say("none", "deny")
    assert covered(talk) == [("greatlakes", "Great Lakes Mutual", "778812")]


@pytest.mark.parametrize(
    ("words", "more", "kept"),
    [
        ("W12345678 group 5567", ", group 5567", ("5567", "self", 1)),
        ("W12345678, it's through my wife", ", through your spouse", (None, "spouse", 1)),
        ("W12345678 under my dad's plan", ", through your parent", (None, "child", 1)),
        ("W12345678, that's my secondary", ", as your second insurance", (None, "self", 2)),
    ],
)
def test_group_holder_and_second_insurance_are_read_back_and_kept(
    talk: Talk, words: str, more: str, kept: tuple[str | None, str, int]
) -> None:
    begun(talk).say("Great Lakes")
    assert talk.say(words) == ["utter_confirm_coverage"]
    assert talk.last().values["more"] == more
    assert talk.last().values["member_id"] == "W12345678"
    talk.say("yes", "affirm")
    with talk.database.reading() as session:
        found = session.scalars(select(Coverage)).one()
        assert (found.group_number, found.relationship, found.rank) == kept


def test_what_is_added_at_the_read_back_is_read_back_too(talk: Talk) -> None:
    begun(talk).say("Great Lakes, member W12345678")
    assert talk.say("it's under my husband's name") == ["utter_confirm_coverage"]
    assert talk.last().values["more"] == ", through your spouse"
