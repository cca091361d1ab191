"""The good faith estimate as a page."""

from __future__ import annotations

import datetime as dt

import pytest

from bot import estimate_page
from scheduling_core.eligibility.good_faith import GoodFaithEstimate, Item, Provider

ESTIMATE = GoodFaithEstimate(
    clinic_name="Maple Grove <Clinic>",
    clinic_phone="+14145550100",
    patient_name="Ruth Novak",
    birth_date=dt.date(1980, 4, 19),
    visit_at=dt.datetime(2026, 12, 2, 9, 0, tzinfo=dt.UTC),
    made_on=dt.date(2026, 11, 16),
    clinic=Provider("Maple Grove <Clinic>", "1234567893", "00-0000000", "410 N Maple St"),
    practitioner=Provider("Dr. Joana Ferreira", "", "00-0000000", "410 N Maple St"),
    items=(Item("Annual physical", ("99395",), (), 24000),),
)


@pytest.mark.parametrize(
    ("language", "said"), [("en", "This is an estimate of what is reasonably expected"), ("es", "Esto es una estimación")]
)
def test_the_page_says_what_the_law_wants(language: str, said: str) -> None:
    page = estimate_page.render(ESTIMATE, language)
    for word in ("Ruth Novak", "1980-04-19", "2026-12-02", "99395", "$240", "1234567893", "00-0000000", "$400", said):
        assert word in page
    assert "Maple Grove &lt;Clinic&gt;" in page
