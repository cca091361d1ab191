"""Services, practitioners, payers and places in patients' words, in a clinic that the code has never seen."""

from __future__ import annotations

import pytest

from actions.names import for_child, mentioned
from scheduling_core.clinic_file.schema import ClinicFile


@pytest.mark.parametrize(
    ("words", "services"),
    [
        ("I need a follow-up", ("follow-up",)),
        ("quick followup pls", ("follow-up",)),
        ("follow up visit", ("follow-up",)),
        ("time for my anual physical", ("physical",)),
        ("flu shot", ("vaccine",)),
        ("my kids need there flu shots", ("vaccine",)),
        ("i want this mole taken off", ("minor-procedure",)),
        ("bad sore throat since last night", ("sick",)),
        ("una cita de seguimiento", ("follow-up",)),
        ("necesito una vacuna", ("vaccine",)),
        ("tengo fiebre", ("sick",)),
        ("análisis de sangre", ("blood-draw",)),
        ("vacuna de la gripe", ("vaccine",)),
        ("quitarme un lunar", ("minor-procedure",)),
        ("soy paciente nuevo", ("new-patient",)),
        ("chequeo anual", ("physical",)),
        ("hello there", ()),
        ("a visit", ()),
    ],
)
def test_a_service_is_found_in_many_ways_to_say_it(clinic: ClinicFile, words: str, services: tuple[str, ...]) -> None:
    assert mentioned(clinic, words).services == services


@pytest.mark.parametrize(
    ("words", "practitioners"),
    [
        ("with Dr. Ferreira", ("ferreira",)),
        ("dr fereira please", ("ferreira",)),
        ("doctor Pharrera", ("ferreira",)),
        ("joana ferreira", ("ferreira",)),
        ("can I see tanaka", ("tanaka",)),
        ("Dr Tanaka's first opening", ("tanaka",)),
        ("either Ferreira or Tanaka", ("ferreira", "tanaka")),
        ("nurse practitioner sorenson", ("sorensen",)),
        ("Kenji", ("tanaka",)),
        ("seguimiento con la doctora Ferreira", ("ferreira",)),
        ("la Dra. Tanaka", ("tanaka",)),
        ("whoever is free", ()),
        ("Dr. who", ()),
    ],
)
def test_a_practitioner_is_found_misspelt_and_misheard(clinic: ClinicFile, words: str, practitioners: tuple[str, ...]) -> None:
    found = mentioned(clinic, words)
    assert set(found.practitioners or found.doubtful) == set(practitioners)


def test_a_name_that_nobody_here_has_is_told_apart(clinic: ClinicFile) -> None:
    assert mentioned(clinic, "an appointment with Dr. Quackenbush").unknown_practitioner == "Quackenbush"
    assert mentioned(clinic, "con el doctor Quackenbush").unknown_practitioner == "Quackenbush"


def test_who_ordered_a_visit_is_not_who_gives_it(clinic: ClinicFile) -> None:
    assert mentioned(clinic, "Dr. Ferreira ordered labs for me").practitioners == ()
    assert mentioned(clinic, "la doctora Ferreira me mando").practitioners == ()


def test_payers_and_places_are_found_by_their_nicknames(clinic: ClinicFile) -> None:
    assert mentioned(clinic, "I have great laks insurance").payers == ("greatlakes",)
    assert mentioned(clinic, "tengo Pinecrest").payers == ("pinecrest",)
    assert mentioned(clinic, "the one in Bay View").locations == ("south",)
    assert mentioned(clinic, "downtown").locations == ()


@pytest.mark.parametrize(
    "words",
    [
        *("I feel awful", "my knee is killing me", "the kid has a fever", "bad headache since Monday"),
        *("me duele la cabeza", "tengo fiebre", "mi hija tiene tos"),
    ],
)
def test_sickness_in_general_words_is_a_complaint(clinic: ClinicFile, words: str) -> None:
    assert mentioned(clinic, words).complaint


@pytest.mark.parametrize("words", ["I'm fine", "a yearly physical", "quiero una cita"])
def test_other_words_are_no_complaint(clinic: ClinicFile, words: str) -> None:
    assert not mentioned(clinic, words).complaint


def test_a_checkup_of_a_child_is_the_childrens_visit_where_the_words_fit(clinic: ClinicFile) -> None:
    assert for_child(clinic, "sick", "she has a cold") == "sick"
    assert for_child(clinic, "physical", "a child checkup, the well visit for kids") in ("physical", "well-child")
