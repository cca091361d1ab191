"""What the patient pays: every rule of docs/coverage.md with its amount."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling_core.eligibility import facts
from scheduling_core.eligibility.costs import Basis, Estimate, Kind, Plan, Price, Unknown, estimate
from scheduling_core.eligibility.facts import Range, Status, Terms
from scheduling_core.x12 import Network
from tests.core.x12.answers import member

DAY = dt.date(2026, 11, 20)
LEFT_400 = "EB*C*IND*30***29*400*****Y"
MET = "EB*C*IND*30***29*0*****Y"
SHARE_20 = "EB*A*IND*30*****.2****Y"
COPAY_30 = "EB*B*IND*98***27*30*****Y"
ACTIVE = "EB*1**30"


def plan(*lines: str, network: Network = Network.IN) -> Plan:
    found = member(*lines)
    inside, outside = (facts.terms(found, "98", one, DAY) for one in (Network.IN, Network.OUT))
    return Plan(facts.status_on(found, DAY), network, inside, outside)


def pays(*lines: str, price: int | None = 24000, allowed: int | None = None, network: Network = Network.IN) -> Estimate:
    return estimate(Price(allowed, price), plan(ACTIVE, *lines, network=network))


@pytest.mark.parametrize(
    ("lines", "cents"),
    [
        ([COPAY_30], 3000),
        ([COPAY_30, LEFT_400, SHARE_20], 3000),  # the copay takes the place of what the plan says as a whole
        ([COPAY_30, LEFT_400, "EB*A*IND*98*****0****Y"], 3000),
        (["EB*B*IND*98***27*300*****Y"], 24000),  # no more than the price
        ([LEFT_400, SHARE_20], 24000),
        ([MET, SHARE_20], 4800),
        (["EB*C*IND*30***29*100*****Y", SHARE_20], 10000 + 2800),
        ([COPAY_30, "EB*C*IND*98***29*100*****Y"], 10000 + 3000),  # deductible first, then the copay
        ([COPAY_30, "EB*C*IND*98***29*220*****Y"], 22000 + 2000),
        ([COPAY_30, MET, "EB*A*IND*98*****.1****Y"], 3000 + 2100),
        (["EB*B*IND*98***27*0*****Y", "EB*A*IND*98*****0****Y", "EB*C*IND*98***29*0*****Y", LEFT_400], 0),
        ([LEFT_400, SHARE_20, "EB*G*IND*30***29*60*****Y"], 6000),
        ([COPAY_30, "EB*G*IND*30***29*10*****Y"], 1000),
        ([LEFT_400, SHARE_20, "EB*G*IND*30***29*500*****Y", "EB*G*FAM*30***29*0*****Y"], 0),
        (["EB*I**98", COPAY_30], 24000),
    ],
)
def test_known_facts_give_one_amount(lines: list[str], cents: int) -> None:
    found = pays(*lines)
    assert (found.low, found.high) == (cents, cents)
    assert sum(line.low for line in found.lines if line.kind is not Kind.PRICE) == cents


def test_a_share_of_a_cent_is_rounded_half_up() -> None:
    assert pays(MET, "EB*A*IND*30*****.5****Y", price=1).low == 1
    assert pays(MET, "EB*A*IND*30*****.15****Y", price=333).low == 50


def test_the_allowed_amount_goes_before_the_price_list() -> None:
    found = pays(MET, SHARE_20, allowed=19800)
    assert (found.low, found.basis) == (3960, Basis.ALLOWED)
    assert pays(MET, SHARE_20).basis is Basis.PRICE_LIST


@pytest.mark.parametrize(
    ("lines", "low", "high", "unknown"),
    [
        ([], 0, 24000, {Unknown.DEDUCTIBLE, Unknown.COINSURANCE, Unknown.MAXIMUM}),
        ([SHARE_20], 4800, 24000, {Unknown.DEDUCTIBLE, Unknown.MAXIMUM}),
        ([MET], 0, 24000, {Unknown.COINSURANCE, Unknown.MAXIMUM}),
        (["EB*C*IND*30***23*100*****Y", SHARE_20], 4800, 10000 + 2800, {Unknown.DEDUCTIBLE, Unknown.MAXIMUM}),
        ([LEFT_400], 24000, 24000, {Unknown.MAXIMUM}),  # the deductible takes it all, whatever the share
        ([COPAY_30, "EB*B*IND*98***27*50*****Y"], 3000, 5000, {Unknown.COPAY, Unknown.MAXIMUM}),
        ([LEFT_400, SHARE_20, "EB*G*IND*30***23*100*****Y"], 10000, 10000, {Unknown.MAXIMUM}),
    ],
)
def test_missing_facts_give_a_range_and_are_named(lines: list[str], low: int, high: int, unknown: set[Unknown]) -> None:
    found = pays(*lines)
    assert (found.low, found.high, set(found.unknown)) == (low, high, unknown)


def test_a_maximum_whose_rest_is_unknown_caps_both_ends_and_is_named() -> None:
    found = pays(LEFT_400, "EB*A*IND*30*****.2****Y", "EB*G*IND*30***23*60*****Y")
    assert (found.low, found.high, set(found.unknown)) == (6000, 6000, {Unknown.MAXIMUM})
    two = pays(LEFT_400, SHARE_20, "EB*G*IND*30***23*60*****Y", "EB*G*IND*30***22*80*****Y")
    assert (two.low, two.high) == (6000, 8000)


def test_an_inactive_plan_leaves_the_price() -> None:
    found = estimate(Price(19800, 24000), plan("EB*6**30"))
    assert (found.low, found.high, found.lines[1].kind) == (24000, 24000, Kind.NOT_COVERED)


def test_a_plan_that_has_not_answered_leaves_a_range() -> None:
    found = estimate(Price(None, 24000), Plan(Status.UNKNOWN, Network.IN))
    assert (found.low, found.high) == (0, 24000)
    assert Unknown.COVERAGE in found.unknown


def test_out_of_network_may_cost_the_whole_price() -> None:
    found = pays("EB*C*IND*30***29*0*****N", "EB*A*IND*30*****.4****N", allowed=19800, network=Network.OUT)
    assert (found.low, found.high) == (9600, 24000)
    assert Unknown.ALLOWED in found.unknown
    assert pays("EB*I**98*********N", network=Network.OUT).exact


def test_an_unknown_network_spans_both() -> None:
    found = pays(MET, SHARE_20, "EB*C*IND*30***29*0*****N", "EB*A*IND*30*****.4****N", network=Network.UNKNOWN)
    assert (found.low, found.high) == (4800, 24000)
    assert Unknown.NETWORK in found.unknown


def test_without_a_price_the_copay_alone_is_known() -> None:
    assert pays(COPAY_30, price=None).low == 3000
    unknown = pays(MET, SHARE_20, price=None)
    assert (unknown.high, unknown.basis) == (None, Basis.UNKNOWN)
    assert Unknown.PRICE in unknown.unknown


def test_who_pays_alone_pays_the_price_list() -> None:
    assert estimate(Price(None, 24000), None).high == 24000
    assert estimate(Price(None, None), None).unknown == (Unknown.PRICE,)


@pytest.mark.parametrize(
    ("second", "low", "high"),
    [
        ([MET, "EB*A*IND*30*****.1****Y"], 0, 0),  # would pay 216 of 240, more than the 48 that are left
        ([COPAY_30.replace("*30*", "*220*")], 2800, 2800),  # pays 20
        ([LEFT_400, SHARE_20], 4800, 4800),  # pays nothing before its deductible
        ([], 0, 4800),
    ],
)
def test_a_second_insurer_pays_its_benefit_of_what_the_first_left(second: list[str], low: int, high: int) -> None:
    first = plan(ACTIVE, MET, SHARE_20)
    found = estimate(Price(None, 24000), first, plan(ACTIVE, *second))
    assert (found.low, found.high) == (low, high)


def test_a_second_insurer_that_has_not_answered_may_pay_it_all() -> None:
    found = estimate(Price(None, 24000), plan(ACTIVE, MET, SHARE_20), Plan(Status.UNKNOWN, Network.IN))
    assert (found.low, found.high) == (0, 4800)
    assert Unknown.SECONDARY in found.unknown


_ends = st.tuples(st.integers(0, 60000), st.integers(0, 60000)).map(lambda both: Range(*map(Decimal, sorted(both))))
_shares = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(lambda both: Range(*(Decimal(n) / 100 for n in sorted(both))))
_terms = st.builds(
    Terms,
    copay=st.none() | _ends,
    share=st.none() | _shares,
    deductible_left=st.none() | _ends,
    out_of_pocket=st.none() | _ends,
    out_of_pocket_left=st.none() | _ends,
    copay_alone=st.booleans(),
)
_plans = st.builds(Plan, st.sampled_from(Status), st.sampled_from([Network.IN, Network.OUT, Network.UNKNOWN]), _terms, _terms)


@given(st.integers(0, 50000), st.none() | st.integers(0, 50000), _plans, st.none() | _plans)
def test_nobody_pays_more_than_the_price_or_less_than_nothing(
    listed: int, allowed: int | None, first: Plan, second: Plan | None
) -> None:
    found = estimate(Price(allowed, listed), first, second)
    assert found.high is not None
    assert 0 <= found.low <= found.high <= max(listed, allowed or 0)
    parts = [line for line in found.lines if line.kind is not Kind.PRICE]
    assert sum(line.low for line in parts) == found.low
    assert sum(line.high or 0 for line in parts) == found.high
