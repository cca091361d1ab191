"""Answers are read line by line; what breaks off or cannot be an amount is refused, once and clearly."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling_core.x12 import Network, X12Error, parse_271
from scheduling_core.x12.segments import LONGEST, MOST_SEGMENTS
from tests.core.x12.answers import HEAD, answer, member, read


def test_a_benefit_line_is_read_whole() -> None:
    (line,) = member(
        "EB*C*FAM*98^UC*PR*GOLD*29*1234.5****Y*N", "DTP*291*RD8*20260101-20261231", "MSG*PER YEAR", "III*ZZ*11"
    ).benefits
    assert (line.kind, line.level, line.service_types, line.plan, line.period) == ("C", "FAM", ("98", "UC"), "GOLD", "29")
    assert (line.cents, line.share, line.authorization, line.network) == (123450, None, True, Network.OUT)
    assert (line.dates[0].start, line.dates[0].end) == (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert (line.messages, line.places) == (("PER YEAR",), ("11",))


@pytest.mark.parametrize(
    ("code", "network"),
    [
        ("Y", Network.IN),
        ("N", Network.OUT),
        ("W", Network.BOTH),
        ("U", Network.UNKNOWN),
        ("", Network.UNKNOWN),
        ("?", Network.UNKNOWN),
    ],
)
def test_the_network_is_what_eb12_says_and_else_unknown(code: str, network: Network) -> None:
    (line,) = member(f"EB*B**98***27*25*****{code}").benefits
    assert line.network is network


@pytest.mark.parametrize(
    ("written", "share"), [(".2", "0.2"), ("0.25", "0.25"), ("1", "1"), ("20", "0.2"), ("0", "0"), ("100", "1")]
)
def test_a_share_is_read_from_a_decimal_or_a_percentage(written: str, share: str) -> None:
    (line,) = member(f"EB*A**98*****{written}").benefits
    assert line.share == Decimal(share)


@pytest.mark.parametrize(
    "line", ["EB*C**30***29*abc", "EB*C**30***29*-5", "EB*C**30***29*1E9", "EB*A**98*****101", "EB*A**98*****x"]
)
def test_an_amount_that_is_no_number_is_refused_with_its_segment(line: str) -> None:
    with pytest.raises(X12Error) as told:
        read("EB*1**30", line)
    assert told.value.segment == 14
    assert "abc" not in str(told.value)


def test_a_dependent_is_the_member_and_the_subscriber_is_kept() -> None:
    body = "HL*1**20*1~HL*2*1*21*1~HL*3*2*22*1~NM1*IL*1*NOVAK*RUTH****MI*GLM1~REF*6P*G1~HL*4*3*23*0~TRN*2*T*9~NM1*03*1*NOVAK*ANA~"
    (found,) = read("DMG*D8*20150102*F", "EB*1**30", body=body).members
    assert found.dependent is not None
    assert (found.subscriber.given, found.dependent.given, found.dependent.birth_date) == ("RUTH", "ANA", dt.date(2015, 1, 2))
    assert (found.references[0].value, len(found.benefits)) == ("G1", 1)


OF_A_FAMILY = (
    "HL*1**20*1~HL*2*1*21*1~HL*3*2*22*1~NM1*IL*1*NOVAK*RUTH****MI*GLM1~REF*6P*G1~REF*18*P1~DTP*291*RD8*20250101-20251231~"
    "DTP*307*D8*20200101~HL*4*3*23*0~NM1*03*1*NOVAK*ANA~"
)


def test_a_dependent_has_the_subscribers_references_each_once() -> None:
    (found,) = read("REF*6P*G1", "REF*SY*1", body=OF_A_FAMILY).members
    assert [(one.kind, one.value) for one in found.references] == [("6P", "G1"), ("SY", "1"), ("18", "P1")]


def test_a_dependents_own_group_and_dates_go_before_the_subscribers() -> None:
    (found,) = read("REF*6P*G2", "DTP*291*RD8*20260101-20261231", body=OF_A_FAMILY).members
    assert [(one.kind, one.value) for one in found.references] == [("6P", "G2"), ("18", "P1")]
    assert [(one.code, one.start) for one in found.dates] == [("291", dt.date(2026, 1, 1)), ("307", dt.date(2020, 1, 1))]


def test_a_rejection_of_one_benefit_is_not_one_of_the_member() -> None:
    found = member("EB*1**30", "EB*V**98", "AAA*N**53*C")
    assert (found.rejections, found.benefits[1].rejections[0].where) == ((), "benefit")


def test_several_members_are_kept_apart() -> None:
    other = "HL*4*2*22*0~TRN*2*TRACE-2*9FRONTDESK~NM1*IL*1*POE*SAM~EB*6**30"
    first, second = read("EB*1**30", *other.split("~")).members
    assert (first.traces, second.traces) == (("TRACE-1",), ("TRACE-2",))
    assert (first.benefits[0].kind, second.benefits[0].kind) == ("1", "6")


def test_primary_care_and_other_payers_hang_on_their_lines() -> None:
    found = member("EB*L", "LS*2120", "NM1*P3*1*ALDER*ROBIN", "PER*IC**TE*4145550177", "LE*2120", "EB*1**30")
    (doctor,) = found.benefits[0].parties
    assert (doctor.name, doctor.phone, found.benefits[1].parties) == ("ALDER", "4145550177", ())


@pytest.mark.parametrize("level", ["payer", "provider", "subscriber"])
def test_a_rejection_says_where_and_what_to_do(level: str) -> None:
    whole = {
        "payer": "HL*1**20*0~NM1*PR*2*P*****PI*1~AAA*Y**42*P",
        "provider": "HL*1**20*1~NM1*PR*2*P*****PI*1~HL*2*1*21*0~NM1*1P*2*C*****XX*1~AAA*N**43*C",
        "subscriber": "HL*1**20*1~HL*2*1*21*1~HL*3*2*22*0~NM1*IL*1*N~AAA*N**72*C",
    }[level]
    response = read(body=whole + "~")
    (found,) = response.rejections + tuple(one for who in response.members for one in who.rejections)
    assert found.where == level
    assert found.do.endswith(".")
    assert found.passes is (found.code == "42")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("<html>", "does not start with ISA"),
        ("ISA", "names no element separator"),
        ("ISA*00*", "ISA has not its 16 elements"),
        (answer("EB*1**30")[:-60], "breaks off before SE"),
        (answer("EB*1**30").replace("ST*271", "ST*999"), "is an acknowledgement (999): the inquiry was not taken as it stands"),
        (answer("EB*1**30").replace("ST*271", "ST*270"), "is no 271"),
        (HEAD.format("", "PAYER", "US"), "holds no 271"),
        (HEAD.format("", "PAYER", "US") + "TA1*1*261116*1510*R*006~", "the interchange was refused: TA1 note 006"),
        (answer("EB*1**30", body="HL*1**20*1~"), "EB outside of a subscriber or dependent"),
        ("x" * (LONGEST + 1), f"longer than {LONGEST} characters"),
        (answer(*["EB*1**30"] * MOST_SEGMENTS), f"more than {MOST_SEGMENTS} segments"),
    ],
)
def test_what_is_no_answer_is_refused_clearly(text: str, what: str) -> None:
    for content in (text, text.encode()):
        with pytest.raises(X12Error) as told:
            parse_271(content)
        assert told.value.what == what


def test_other_delimiters_and_line_breaks_are_read() -> None:
    text = answer("EB*C*IND*98^UC***29*10").replace("~", "\n").replace("*", "|").replace("^", "{")
    assert parse_271(text).members[0].benefits[0].service_types == ("98", "UC")
    assert parse_271(answer("EB*1**30").replace("~", "~\r\n").encode("latin-1")).members[0].benefits


@pytest.mark.parametrize("terminator", ["~", "\x1c", "\n"])
def test_control_characters_are_separators_like_others(terminator: str) -> None:
    text = answer("EB*C*IND*98^UC***29*10**", "EB*B**98***27*30*****Y*HC:99213")
    for ours, theirs in (("*", "\x1d"), ("^", "\x1e"), (":", "\x1f"), ("~", terminator)):
        text = text.replace(ours, theirs)
    first, second = parse_271(text).members[0].benefits
    assert (first.service_types, first.cents) == (("98", "UC"), 1000)
    assert (second.network, second.procedure) == (Network.IN, "HC\x1f99213")


@pytest.mark.parametrize("mark", [" ", "\n", "\r", "A", "7"])
def test_what_stands_in_every_text_separates_no_elements(mark: str) -> None:
    with pytest.raises(X12Error, match="names no element separator"):
        parse_271(answer("EB*1**30").replace("*", mark))


def test_a_wrong_count_is_told_and_forgiven() -> None:
    response = parse_271(answer("EB*1**30").replace("SE*", "SE*9"))
    assert response.members[0].benefits
    assert len(response.warnings) == 1


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 600), st.text("*~^:ISAEBHL0129.\x00é٣ ", max_size=40), st.integers(0, 30))
def test_noise_is_read_or_refused_and_nothing_else(at: int, noise: str, gap: int) -> None:
    text = answer("EB*1**30", "EB*C*IND*30***29*400*****Y", "AAA*N**72*C")
    with contextlib.suppress(X12Error):
        parse_271(text[:at] + noise + text[at + gap :])
