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


@pytest.mark.parametrize(
    ("lines", "covered"),
    [
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


def test_the_network_of_the_answer_is_unknown_where_it_is_silent() -> None:
    assert facts.network_said(member("EB*1**30", "EB*B**98***27*25*****Y"), "98") is Network.UNKNOWN
    assert facts.network_said(member("EB*1**98*********Y"), "98") is Network.IN
    assert facts.network_said(member("EB*1**30*********N"), "98") is Network.OUT
    assert facts.network_said(member("EB*1**98*********Y", "EB*1**98*********N"), "98") is Network.UNKNOWN


def test_plan_primary_care_other_payer_and_messages() -> None:
    found = member(
        "REF*6P*G1",
        "EB*1**30*HM*GOLD HMO",
        "MSG*CALL US",
        "EB*L",
        "LS*2120",
        "NM1*P3*1*ALDER*ROBIN",
        "LE*2120",
        "EB*R**30",
        "LS*2120",
        "NM1*PR*2*SECOND MUTUAL",
        "LE*2120",
        "EB*1**88",
        "MSG*CALL US",
    )
    doctor = facts.primary_care(found)
    assert doctor is not None
    assert (facts.plan_name(found), doctor.name, facts.group_number(found)) == ("GOLD HMO", "ALDER", "G1")
    assert [party.name for party in facts.other_payers(found)] == ["SECOND MUTUAL"]
    assert facts.messages(found) == ("CALL US",)
