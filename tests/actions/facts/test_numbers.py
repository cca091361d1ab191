"""Member numbers and telephone numbers."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("XOF-555-019-332", "XOF555019332"),
        ("X O F 4 4 0 9 1 2", "XOF440912"),
        ("my member id is W204958112", "W204958112"),
        ("123456", "123456"),
        ("W1234 5678 01", "W1234567801"),
        ("NC-12 34 56", "NC123456"),
        ("nc-12 34 56", "NC123456"),
        ("it's NC 12 34 56 thanks", "NC123456"),
        ("xof 555 019 332", "XOF555019332"),
        ("um 555 019 332", "555019332"),
        ("my id is xof 555 019 332", "XOF555019332"),
        ("778812 group 5567", "778812"),
        ("no sorry it's 99X23", "99X23"),
        ("mi número de miembro es W1234 5678", "W12345678"),
        ("10/21/1977", None),
        ("4/4/84", None),
        ("1234", None),
    ],
)
def test_a_member_number_is_read_spelled_or_not(words: str, number: str | None) -> None:
    assert facts.member_id(words, asked=True) == number


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("ID# 99-1234-X", "991234X"),
        ("es W204958112 gracias", "W204958112"),
        ("my insurance is now Beacon Mutual member 778812", "778812"),
        ("ahora es Beacon, número de miembro 7788 12", "778812"),
        ("member since 2019", None),
        ("123456", None),
        ("on 12 5 at 9 30 am", None),
        ("on 10/21/1977", None),
    ],
)
def test_a_member_number_that_nobody_asked_for_has_letters(words: str, number: str | None) -> None:
    assert facts.member_id(words, asked=False) == number


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("call me at 414-555-0142", "+14145550142"),
        ("(414) 555 0142", "+14145550142"),
        ("mi número es 4145550142", "+14145550142"),
        ("+52 55 1234 5678", "+525512345678"),
        ("my birthday is 3/4/1980", None),
    ],
)
def test_a_telephone_number_is_read_in_any_writing(words: str, number: str | None) -> None:
    assert facts.phone(words) == number
