"""Inquiries are right by the word of a validator that did not write them.

pyx12 has a map of 270 for 004010 alone. What 005010X279A1 changed of what we send is taken back before it looks: the version,
ST03, the separator in ISA11, and the qualifier of the date of service. Envelope, counts and hierarchy are checked as they are.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace

import pytest
import pyx12.params
from pyx12.x12file import X12Reader
from pyx12.x12n_document import x12n_document
from x12sdk.io import X12ModelReader

from scheduling_core.x12 import Inquiry, Person, write_270
from tests.core.x12.inquiries import SELF

CHILD = replace(SELF, dependent=Person("Novak", "Ana", dt.date(2015, 1, 2), "F"), relationship="child", group_number="G-1")
INQUIRIES = {
    "self": SELF,
    "child": CHILD,
    "spouse without a birth date": replace(CHILD, dependent=Person("Novak", "Jan"), relationship="spouse"),
    "parent": replace(CHILD, relationship="parent"),
    "a service": replace(SELF, service_type="98"),
    "without an NPI": replace(SELF, provider_npi=None),
    "without a member number": replace(SELF, member_id=None),
    "without birth date and sex": replace(SELF, subscriber=Person("Novak", "Ruth")),
    "accents and delimiters": replace(
        SELF, subscriber=Person("Núñez~*^:", "José\n María", dt.date(1980, 4, 19)), payer_name="A*B~C"
    ),
    "long names": replace(SELF, subscriber=Person("N" * 200, "R" * 200), payer_name="P" * 200, provider_name="C" * 200),
    "production": replace(SELF, production=True),
    "small number": replace(SELF, control_number=1),
}


@pytest.mark.parametrize("inquiry", INQUIRIES.values(), ids=INQUIRIES)
def test_an_independent_validator_finds_no_fault(inquiry: Inquiry) -> None:
    text = write_270(inquiry)
    reader = X12Reader(io.StringIO(text))
    assert [error for _ in reader for error in reader.pop_errors()] == []
    reader.cleanup()
    assert reader.pop_errors() == []
    earlier = text.replace("*^*00501*", "*U*00401*").replace("*005010X279A1~ST", "*004010X092A1~ST")
    earlier = earlier.replace("*005010X279A1~BHT", "~BHT").replace("~DTP*291*", "~DTP*307*")
    told = io.StringIO()
    assert x12n_document(pyx12.params.params(), io.StringIO(earlier), told, None)
    assert "AK5*A~" in told.getvalue()
    assert "AK3" not in told.getvalue()


def test_the_validator_finds_the_faults_that_are_there() -> None:
    text = write_270(SELF).replace("*^*00501*", "*U*00401*").replace("*005010X279A1~ST", "*004010X092A1~ST")
    told = io.StringIO()
    x12n_document(pyx12.params.params(), io.StringIO(text.replace("*005010X279A1~BHT", "~BHT")), told, None)
    assert "AK5*R" in told.getvalue()  # DTP*291 was no code of the earlier version


@pytest.mark.parametrize("inquiry", INQUIRIES.values(), ids=INQUIRIES)
def test_what_is_written_is_read_back_by_the_models_of_the_version(inquiry: Inquiry) -> None:
    with X12ModelReader(write_270(inquiry)) as reader:
        (model,) = reader.models()
    assert model.header.st_segment.implementation_convention_reference == "005010X279A1"


def test_a_dependent_is_asked_about_below_the_subscriber() -> None:
    segments = write_270(CHILD).split("~")
    assert [one for one in segments if one.startswith("HL*")] == ["HL*1**20*1", "HL*2*1*21*1", "HL*3*2*22*1", "HL*4*3*23*0"]
    assert "INS*N*19" in segments
    assert segments.index("TRN*1*0123456789ABCDEF0123456789ABCDEF*9FRONTDESK") > segments.index("HL*4*3*23*0")


def test_names_are_written_in_the_basic_character_set() -> None:
    text = write_270(INQUIRIES["accents and delimiters"])
    assert "NM1*IL*1*NUNEZ*JOSE MARIA****MI*GLM 12-34~" in text
    assert text.isascii()
