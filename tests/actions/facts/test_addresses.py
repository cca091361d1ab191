"""E-mail and postal addresses."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("it's Ann.Roe@Example.org.", "ann.roe@example.org"),
        ("ann at example dot org", "ann@example.org"),
        ("Ann at Example Dot Org", "ann@example.org"),
        ("mi correo es rosa@ejemplo.mx", "rosa@ejemplo.mx"),
        ("look at the clock", None),
    ],
)
def test_an_email_address_is_read_written_or_spoken(words: str, found: str | None) -> None:
    assert facts.email(words) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            "We moved to 907 W Oak Ave, Milwaukee, WI 53202, please update my address",
            "907 W Oak Ave, Milwaukee, WI 53202",
        ),
        ("my new address is 9 N. Main St. Thanks!", "9 N. Main St"),
        ("we live at 4 Rose Lane now; update it", "4 Rose Lane now"),
        ("vivo en 500 Calle Luna, Milwaukee", "500 Calle Luna, Milwaukee"),
        ("4 Rose Hill, Madison", None),
        ("3 kids, two shots", None),
    ],
)
def test_an_address_is_read_up_to_where_something_else_is_said(words: str, found: str | None) -> None:
    assert facts.address(words, asked=False) == found


def test_an_address_that_was_asked_for_needs_no_word_for_a_street() -> None:
    assert facts.address("4 Rose Hill, Madison", asked=True) == "4 Rose Hill, Madison"
    assert facts.address("at 3 on Tuesday", asked=True) is None


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("907 w oak ave apt three milwaukee wi 53202", "907 W Oak Ave Apt 3 Milwaukee WI 53202"),
        ("12 ne 3rd st, madison, wi 53703", "12 NE 3rd St, Madison, WI 53703"),
        ("4 St. Mary's Ct apt B", "4 St. Mary's Ct apt B"),
    ],
)
def test_an_address_in_small_letters_is_kept_as_on_an_envelope(heard: str, written: str) -> None:
    assert facts.address(heard, asked=True) == written
