"""What the open question makes of a reading. Runs in the root environment: `asked` needs neither Rasa nor the model."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

DIALOGUE = Path(__file__).parents[3] / "bot" / "dialogue"


@pytest.fixture(scope="module")
def asked() -> ModuleType:
    sys.path.insert(0, str(DIALOGUE))
    try:
        return importlib.import_module("components.asked")
    finally:
        sys.path.remove(str(DIALOGUE))


def best(asked, ranking, text, question, form="booking_form"):
    return asked.read(ranking, text, question, form)[0][0]


@pytest.mark.parametrize(
    ("question", "text", "ranking"),
    [
        ("birth_date", "4/9/61", [("select", 0.6), ("inform", 0.2)]),
        ("name", "brzezinski", [("out_of_scope", 0.97), ("inform", 0.03)]),
        ("name", "may rivers", [("check_availability", 0.5), ("inform", 0.3)]),
        ("member_id", "xq 44 19 02 7", [("out_of_scope", 0.9), ("inform", 0.1)]),
        ("detail", "77 birch lane apt 4", [("ask_location", 0.7), ("inform", 0.2)]),
        ("time", "anything on friday", [("check_availability", 0.7), ("inform", 0.2)]),
        ("time", "can we do wednesday instead", [("reschedule_appointment", 0.9), ("inform", 0.1)]),
    ],
)
def test_a_bare_answer_is_information(asked, question, text, ranking):
    assert best(asked, ranking, text, question) == "inform"


@pytest.mark.parametrize(
    ("text", "ranking"),
    [
        ("never mind, stop", [("stop", 0.95), ("inform", 0.05)]),
        ("i want a person", [("ask_for_human", 0.97), ("inform", 0.03)]),
        ("where do i park?", [("ask_parking", 0.9), ("inform", 0.1)]),
        ("why do you need that", [("help", 0.9), ("inform", 0.1)]),
    ],
)
def test_a_clear_other_wish_wins_over_the_question(asked, text, ranking):
    assert best(asked, ranking, text, "name") == ranking[0][0]


def test_a_weak_other_wish_does_not_win_over_the_question(asked):
    assert (
        best(asked, [("ask_location", 0.5), ("inform", 0.3)], "we live at the old mill now, the blue house", "detail") == "inform"
    )


@pytest.mark.parametrize(
    "text",
    ["2", "#2", "the second one", "second", "9:20", "9:20 please", "10 am", "option 2", "la segunda", "la de las 3", "a las 9"],
)
def test_the_second_one_is_a_choice(asked, text):
    assert best(asked, [("inform", 0.9), ("select", 0.01)], text, "choice") == "select"


def test_yes_selects_what_is_offered(asked):
    assert best(asked, [("affirm", 0.9), ("select", 0.05)], "yes that works", "choice") == "select"


def test_that_one_is_yes_where_yes_or_no_is_asked(asked):
    assert best(asked, [("select", 0.8), ("affirm", 0.1)], "sounds good to me", "confirm") == "affirm"


def test_another_day_at_the_read_back_is_a_correction(asked):
    assert (
        best(asked, [("reschedule_appointment", 0.9), ("deny", 0.1)], "can we do friday instead", "confirm") == "wrong_correction"
    )


def test_the_visit_on_the_books_is_another_errand_even_while_booking(asked):
    ranking = [("reschedule_appointment", 0.95), ("inform", 0.05)]
    assert best(asked, ranking, "can you move my appointment on monday", "confirm") == "reschedule_appointment"


@pytest.mark.parametrize("text", ["cancel it", "just cancel it", "actually just cancel that please", "cancélela", "no, cancel it"])
def test_cancel_it_is_the_visit_spoken_of(asked, text):
    assert best(asked, [("stop", 0.9), ("cancel_appointment", 0.1)], text, "visit", "reschedule_form") == "cancel_appointment"
    assert best(asked, [("stop", 0.9), ("cancel_appointment", 0.1)], text, None, None) == "cancel_appointment"


def test_cancel_it_while_booking_means_to_stop(asked):
    assert best(asked, [("stop", 0.9), ("cancel_appointment", 0.1)], "cancel it", "time") == "stop"


def test_without_a_question_nothing_changes(asked):
    ranking = [("inform", 0.6), ("book_appointment", 0.4)]
    assert asked.read(ranking, "tuesday", None, None) == ranking


def test_the_weights_still_sum_to_one(asked):
    ranking = [("affirm", 0.5), ("select", 0.3), ("deny", 0.2)]
    assert sum(weight for _, weight in asked.read(ranking, "yes", "choice", "booking_form")) == pytest.approx(1)
