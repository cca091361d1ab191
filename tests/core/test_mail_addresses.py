"""Mail addresses: one recipient, which no reader of a header takes for another."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from scheduling_core import mail_addresses, patients
from scheduling_core.errors import UnfitError
from scheduling_core.fhir.people import read_patient
from scheduling_core.fhir.reading import MalformedError
from tests.factories import make_patient

UNFIT = [
    "",
    "ann",
    "@",
    "a@",
    "@b",
    "a@b@c",
    "a@[",
    "a@b,c@d",
    "a@b;",
    "a@b:c",
    "<a@b>",
    "a(x)@b",
    'a"@b',
    "a\\@b",
    "a @b",
    "a@b\n",
    "a\u00a0@b",
    "a\0@b",
]


@pytest.mark.parametrize("text", ["ann@home.example", "o'neil+clinic@sub.home.example", "a.b_c-d@host", "nuñez@correo.example"])
def test_an_ordinary_address_is_one_recipient(text):
    assert mail_addresses.is_one(text)
    message = EmailMessage()
    message["To"] = text
    assert [one.addr_spec for one in message["To"].addresses] == [text]


@pytest.mark.parametrize("text", UNFIT)
def test_what_is_no_address_or_more_than_one_is_none(text):
    assert not mail_addresses.is_one(text)


def test_no_record_takes_what_is_no_address(sqlite_loaded):
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        with pytest.raises(UnfitError):
            patients.update(session, patient_id=patient.id, agent="test", email="a@b,c@d")
        with pytest.raises(UnfitError):
            patients.register(
                session,
                given="Ruth",
                family="Novak",
                birth_date=patient.birth_date,
                email="a@[",
                new=True,
                agent="test",
            )
        assert patient.email is None


def test_a_resource_with_what_is_no_address_is_refused_with_its_place(clock):
    resource = {
        "resourceType": "Patient",
        "name": [{"text": "Ruth Novak"}],
        "birthDate": "1980-04-19",
        "telecom": [{"system": "email", "value": "a@b,c@d"}],
    }
    with pytest.raises(MalformedError, match=r"Patient\.telecom\[0\]\.value"):
        read_patient(resource, region="US")
