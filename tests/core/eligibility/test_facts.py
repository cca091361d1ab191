"""What the lines of an answer say of one visit."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from scheduling_core.eligibility import facts
from scheduling_core.eligibility.facts import Range, Status, Terms
from scheduling_core.x12 import Network
from tests.core.x12.answers import member

DAY = dt.date(2026, 11, 20)


def terms(*lines: str, kind: str = "98", network: Network = Network.IN) -> Terms:
    return facts.terms(member(*lines), kind, network, DAY)


def exactly(amount: str | int) -> Range:
    return Range(Decimal(amount), Decimal(amount))


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["EB*1**30"], Status.ACTIVE),
        (["EB*6**30"], Status.INACTIVE),
        (["EB*6**30", "EB*1**30"], Status.ACTIVE),
        (["EB*6**30", "EB*1**88"], Status.INACTIVE),
        (["EB*1**98"], Status.ACTIVE),
        (["EB*5**30"], Status.ACTIVE),
        (["EB*C**30***29*10"], Status.UNKNOWN),
        ([], Status.UNKNOWN),
        (["DTP*346*D8*20261201", "EB*1**30"], Status.INACTIVE),
        (["DTP*347*D8*20261031", "EB*1**30"], Status.INACTIVE),
        (["DTP*291*RD8*20260101-20261231", "EB*1**30"], Status.ACTIVE),
        (["DTP*291*D8*20260101", "EB*1**30"], Status.ACTIVE),
        (["AAA*N**72*C"], Status.UNKNOWN),
        (["EB*1**30", "DTP*291*RD8*20250101-20251231"], Status.INACTIVE),
        (["EB*1**30", "DTP*291*RD8*20250101-20251231", "EB*1**88"], Status.INACTIVE),
        (["EB*1**30", "DTP*307*RD8*20250101-20251231", "EB*1**30", "DTP*307*RD8*20260101-20261231"], Status.ACTIVE),
        (["EB*6**30", "DTP*291*RD8*20250101-20251231", "EB*1**30"], Status.ACTIVE),
        (["EB*6**30", "DTP*291*RD8*20250101-20251231"], Status.UNKNOWN),
        (["EB*1**30", "DTP*472*RD8*20250101-20251231"], Status.ACTIVE),  # a day of service is no term
        (["DTP*291*RD8*20250101-20251231", "DTP*291*RD8*20260101-20261231", "EB*1**30"], Status.ACTIVE),
        (["DTP*291*RD8*20250101-20251231", "DTP*291*RD8*20270101-20271231", "EB*1**30"], Status.INACTIVE),
        (["DTP*291*RD8*20260101-20261231", "DTP*347*D8*20261031", "EB*1**30"], Status.INACTIVE),
        (["DTP*347*D8*20261031"], Status.INACTIVE),
        (["EB*1**30", "EB*V**98", "AAA*N**53*C"], Status.ACTIVE),
    ],
)
def test_the_plan_is_in_force_on_a_day(lines: list[str], status: Status) -> None:
    assert facts.status_on(member(*lines), DAY) is status


def test_a_copay_is_of_its_service_type_alone() -> None:
    assert terms("EB*B**98***27*30*****Y").copay == exactly(3000)
    assert terms("EB*B**30***27*30*****Y").copay is None
    assert terms("EB*B**UC***27*30*****Y").copay is None


def test_a_plan_wide_deductible_counts_where_the_type_has_none() -> None:
    plan = ["EB*C*IND*30***23*1500*****Y", "EB*C*IND*30***29*400*****Y"]
    assert terms(*plan).deductible_left == exactly(40000)
    assert terms(*plan, "EB*C*IND*98***29*0*****Y").deductible_left == exactly(0)


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["EB*C*IND*30***29*400*****Y", "EB*C*FAM*30***29*150*****Y"], exactly(15000)),
        (["EB*C*FAM*30***29*150*****Y"], exactly(15000)),
        (["EB*C*IND*30***23*1000*****Y", "EB*C*IND*30***24*250*****Y"], exactly(75000)),
        (["EB*C*IND*30***23*1000*****Y"], Range(Decimal(0), Decimal(100000))),
        (["EB*C*IND*30***23*1000*****Y", "EB*C*FAM*30***29*300*****Y"], exactly(30000)),
        (["EB*C*IND*30***29*100*****Y", "EB*C*IND*30***29*300*****Y"], Range(Decimal(10000), Decimal(30000))),
        (["EB*C*IND*30***29*400*****N"], None),
        (["EB*C*IND*30***29*400"], exactly(40000)),
        (["EB*C*IND*30***29*400*****W"], exactly(40000)),
        (["EB*C*IND*30***29*400*****Y", "EB*C*IND*30***29*900"], exactly(40000)),
        (["EB*C*IND*30***23*500*****Y", "EB*C*FAM*30***29*3000*****Y"], Range(Decimal(0), Decimal(50000))),
        (["EB*C*IND*30***23*500*****Y", "EB*C*IND*30***29*200*****Y", "EB*C*FAM*30***29*3000*****Y"], exactly(20000)),
        (["EB*C*IND*30***23*500*****Y", "EB*C*FAM*30***29*500*****Y"], exactly(50000)),
    ],
)
def test_what_is_left_of_the_deductible(lines: list[str], left: Range | None) -> None:
    assert terms(*lines).deductible_left == left


def test_lines_of_another_network_place_procedure_or_year_do_not_count() -> None:
    found = terms(
        "EB*B**98***27*10*****N",
        "EB*B**98***27*20*****Y",
        "III*ZZ*22",
        "EB*B**98***27*30*****Y*HC:99213",
        "EB*B**98***27*40*****Y",
        "DTP*291*RD8*20250101-20251231",
        "EB*B**98***36*50*****Y",
        "EB*B**98***27*60*****Y",
    )
    assert found.copay == exactly(6000)


def test_two_copays_are_a_range() -> None:
    assert terms("EB*B**98***27*25*****Y", "MSG*PRIMARY CARE", "EB*B**98***27*50*****Y", "MSG*SPECIALIST").copay == Range(
        Decimal(2500), Decimal(5000)
    )


def test_only_the_maximum_known_leaves_the_rest_of_it_unknown() -> None:
    found = terms("EB*G*IND*30***23*6000*****Y")
    assert (found.out_of_pocket, found.out_of_pocket_left) == (exactly(600000), None)


def test_a_familys_rest_above_the_individuals_maximum_tells_nothing() -> None:
    found = terms("EB*G*IND*30***23*3000*****Y", "EB*G*FAM*30***23*9000*****Y", "EB*G*FAM*30***29*8000*****Y")
    assert (found.out_of_pocket, found.out_of_pocket_left) == (exactly(300000), None)


def test_lines_that_feed_no_fact_hide_none_that_are_silent_about_the_network() -> None:
    assert terms("EB*B**98***36*500*****Y", "EB*B**98***27*30").copay == exactly(3000)
    assert terms("EB*B**98***36*500*****Y").copay is None
    assert terms("EB*A**98********Y*Y", "EB*A**98*****.2").share == exactly("0.2")


@pytest.mark.parametrize(
    ("lines", "covered"),
    [
        (["EB*1**98", "EB*I**98*********Y"], False),  # what is said of the network is nearer to the question
        (["EB*1**98", "EB*I**98*********N"], True),
        (["EB*I**98", "EB*1**98*********Y"], True),
        (["EB*1**98"], True),
        (["EB*I**98"], False),
        (["EB*I**98", "EB*1**98"], True),
        (["EB*1**30"], None),
        (["EB*I**98*****"], False),
    ],
)
def test_a_service_type_is_covered_or_not_or_unknown(lines: list[str], covered: bool | None) -> None:
    assert terms(*lines).covered is covered


@pytest.mark.parametrize(("mark", "wanted"), [("Y", True), ("N", False), ("U", None), ("", None)])
def test_authorization(mark: str, wanted: bool | None) -> None:
    assert terms(f"EB*1**98********{mark}").authorization is wanted


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["EB*1**98********Y", "EB*1**98********N*Y"], False),
        (["EB*1**98********N", "EB*1**98********Y*Y"], True),
        (["EB*1**98********Y", "EB*1**98*********Y"], True),  # silence is no answer
        (["EB*1**98********N", "EB*B**98***27*30****U*Y"], False),
        (["EB*1**98********Y*N"], None),
        (["EB*1**98********N*Y", "EB*B**98***27*30****Y*W"], True),
    ],
)
def test_authorization_is_taken_from_lines_of_the_network_before_silent_ones(lines: list[str], wanted: bool | None) -> None:
    assert terms(*lines).authorization is wanted


def test_a_line_with_two_terms_counts_in_either() -> None:
    dates = ["DTP*292*RD8*20250101-20251231", "DTP*292*RD8*20260101-20261231"]
    assert terms("EB*B**98***27*30*****Y", *dates).copay == exactly(3000)


def test_plan_primary_care_and_other_payer() -> None:
    found = member(
        "EB*1**30*HM*GOLD HMO",
        "EB*L",
        "LS*2120",
        "NM1*P3*1*ALDER*ROBIN",
        "LE*2120",
        "EB*R**30",
        "LS*2120",
        "NM1*PR*2*SECOND MUTUAL",
        "LE*2120",
        "EB*1**88",
    )
    doctor = facts.primary_care(found)
    assert doctor is not None
    assert (facts.plan_name(found), doctor.name) == ("GOLD HMO", "ALDER")
    assert [party.name for party in facts.other_payers(found)] == ["SECOND MUTUAL"]
