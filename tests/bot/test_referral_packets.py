"""A referral's packet on its way to the partner: a PDF and a FHIR Bundle by mail, or a PDF to the fax."""

from __future__ import annotations

import json
import re
import zlib

import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import select

from bot import referral_files, referral_pdf
from bot.channels.mail import Mailer
from bot.channels.sender import DemoCarrier
from bot.worker import Worker
from scheduling_core import packets, patients, referrals
from scheduling_core.errors import WrongStateError
from scheduling_core.models import AuditEvent, Communication, Delivery, Referral, ReferralStatus, Task, TaskStatus
from tests.bot.test_craft import frontdesk  # noqa: F401 - a fixture
from tests.bot.test_mail import server  # noqa: F401 - a fixture
from tests.core.clinics import load
from tests.core.test_referrals import insure, refer
from tests.factories import make_patient

HEART = "referrals@heart.example"


def reworked(clinic, **partner):
    """The tests' clinic, with these facts of its partner."""
    content = clinic.model_dump(by_alias=True)
    content["referral_partners"][0] |= partner
    content["outreach"]["fax_by_mail"] = "{fax}@fax.example"
    return type(clinic).model_validate(content)


@pytest.fixture
def referral_id(sqlite_loaded, clinic) -> str:
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142", given="Zoë")
        patient_id, patient.email = patient.id, "zoe@home.example"
    insure(sqlite_loaded, patient_id, "greatlakes")
    refer(sqlite_loaded, clinic, patient_id)
    with sqlite_loaded.reading() as session:
        return session.scalars(select(Referral.id)).one()


def worker(database, mail_server) -> Worker:
    return Worker(database, DemoCarrier(), None, Mailer(f"smtp://127.0.0.1:{mail_server.server_address[1]}"))  # type: ignore[arg-type]


def packet(database, clinic, referral_id):
    with database.transaction() as session:
        return referrals.packet(session, clinic, referral_id=referral_id, agent="staff:nora")


def text_of(document: bytes) -> str:
    """What a PDF says, as far as its own fonts write it."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", document, re.DOTALL)
    written = b"".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"x")
    parts = re.findall(rb"\((.*?)(?<!\\)\) Tj", written)
    return " ".join(re.sub(rb"\\([()\\])", rb"\1", part).decode("latin-1") for part in parts)


def send(database, clinic, referral_id) -> Communication:
    with database.transaction() as session:
        return packets.send(session, clinic, referral_id=referral_id, agent="staff:nora")


def referral(database) -> Referral:
    with database.reading() as session:
        return session.scalars(select(Referral)).one()


def test_the_pdf_says_what_the_clinic_file_allows_and_no_more(sqlite_loaded, clinic, referral_id):
    document = referral_pdf.render(packet(sqlite_loaded, clinic, referral_id))
    assert document.startswith(b"%PDF-")
    said = text_of(document)
    for words in (
        "Referral",
        "Lakefront Heart",
        "Zoë Novak",
        "1980-04-19",
        "+14145550142",
        "GLM 44",
        "Murmur <since> June",
        "Page 1",
    ):
        assert words in said
    assert "zoe@home.example" not in said


def test_a_long_note_goes_on_to_further_pages(sqlite_loaded, clinic, referral_id):
    made = packet(sqlite_loaded, clinic, referral_id)
    long = referrals.Packet(made.bundle, made.partner, (*made.facts, ("Note", "Chest pain (on stairs) since May. " * 200)))
    assert text_of(referral_pdf.render(long)).count("Confidential") >= 2


def test_a_name_that_the_pdf_cannot_write_goes_out_as_a_page(sqlite_loaded, clinic, referral_id):
    with sqlite_loaded.transaction() as session:
        patient = patients.get(session, referral(sqlite_loaded).patient_id)
        patient.given, patient.family = "Łukasz", "Nguyễn"
    made = packet(sqlite_loaded, clinic, referral_id)
    assert referral_pdf.render(made) is None
    paper, bundle = referral_files.of(made, for_fax=False)
    assert (paper.name, paper.kind) == ("referral.html", "text/html")
    assert "Łukasz Nguyễn" in paper.content.decode()
    assert "Łukasz" in bundle.content.decode()


def test_the_bundle_is_fhir_r4(sqlite_loaded, clinic, referral_id):
    made = packet(sqlite_loaded, clinic, referral_id)
    assert Bundle.model_validate_json(json.dumps(made.bundle)).type == "collection"


def test_a_packet_is_mailed_and_the_referral_goes_on_when_it_has_left(sqlite_loaded, clinic, referral_id, server):  # noqa: F811
    mailing = load(sqlite_loaded, reworked(clinic, email=HEART))
    assert send(sqlite_loaded, mailing, referral_id).id == send(sqlite_loaded, mailing, referral_id).id
    assert referral(sqlite_loaded).status is ReferralStatus.NEW
    worker(sqlite_loaded, server).send_due()
    [mail] = server.got
    assert (mail["To"], mail["Subject"]) == (HEART, "A referral from Maple Grove Clinic")
    assert "Zoë" not in mail.get_body(("plain",)).get_content() + mail["Subject"]
    paper, bundle = mail.iter_attachments()
    assert (paper.get_content_type(), paper.get_filename()) == ("application/pdf", "referral.pdf")
    assert "Zoë Novak" in text_of(paper.get_content())
    assert bundle.get_content_type() == "application/fhir+json"
    assert json.loads(bundle.get_content())["resourceType"] == "Bundle"
    assert referral(sqlite_loaded).status is ReferralStatus.SENT
    with sqlite_loaded.reading() as session:
        first = session.scalars(select(Task).where(Task.reason == "referral").order_by(Task.created_at)).first()
        assert first.status is TaskStatus.COMPLETED
        looks = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Referral", AuditEvent.action == "R")).all()
        assert {(look.agent, look.detail["for"]) for look in looks} == {("staff:nora", "packet-mail"), ("worker", "packet")}


def test_who_has_no_mail_gets_a_fax_by_mail_with_the_pdf_alone(sqlite_loaded, clinic, referral_id, server):  # noqa: F811
    mailing = load(sqlite_loaded, reworked(clinic))
    send(sqlite_loaded, mailing, referral_id)
    worker(sqlite_loaded, server).send_due()
    [mail] = server.got
    assert mail["To"] == "14145550189@fax.example"
    assert [part.get_filename() for part in mail.iter_attachments()] == ["referral.pdf"]


def test_without_an_address_staff_have_to_send_it(sqlite_loaded, clinic, referral_id):
    with pytest.raises(WrongStateError):
        send(sqlite_loaded, clinic, referral_id)


def test_a_packet_to_a_partner_who_was_changed_meanwhile_does_not_leave(sqlite_loaded, clinic, referral_id, server):  # noqa: F811
    content = reworked(clinic, email=HEART).model_dump(by_alias=True)
    content["referral_partners"].append({"id": "other", "name": "Other", "specialty": "cardiology"})
    mailing = load(sqlite_loaded, type(clinic).model_validate(content))
    send(sqlite_loaded, mailing, referral_id)
    with sqlite_loaded.transaction() as session:
        referrals.choose(session, mailing, referral_id=referral_id, partner_id="other", agent="staff:nora")
    worker(sqlite_loaded, server).send_due()
    assert server.got == []
    assert referral(sqlite_loaded).status is ReferralStatus.NEW


def test_a_packet_that_has_left_is_not_sent_again_where_its_referral_cannot_go_on(
    sqlite_loaded,
    clinic,
    referral_id,
    server,  # noqa: F811
    monkeypatch,
    caplog,
):
    mailing = load(sqlite_loaded, reworked(clinic, email=HEART))
    sent = send(sqlite_loaded, mailing, referral_id)

    def refuse(*_, **__):
        raise WrongStateError(f"Referral/{referral_id}")

    monkeypatch.setattr(referrals, "move_on", refuse)
    sending = worker(sqlite_loaded, server)
    assert [sending.send_due(), sending.send_due()] == [1, 0]
    assert len(server.got) == 1
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Communication.status).where(Communication.id == sent.id)).one() is Delivery.SENT
    assert [record.getMessage() for record in caplog.records] == [f"the referral of message {sent.id} stays as it is: wrong-state"]


def test_a_referral_that_went_to_another_partner_while_its_packet_left_is_not_taken_for_sent(
    sqlite_loaded,
    clinic,
    referral_id,
):
    content = reworked(clinic, email=HEART).model_dump(by_alias=True)
    content["referral_partners"].append({"id": "other", "name": "Other", "specialty": "cardiology"})
    mailing = load(sqlite_loaded, type(clinic).model_validate(content))
    left = send(sqlite_loaded, mailing, referral_id)
    with sqlite_loaded.transaction() as session:
        referrals.choose(session, mailing, referral_id=referral_id, partner_id="other", agent="staff:nora")
    with sqlite_loaded.transaction() as session:
        packets.note_sent(session, mailing, left)
    assert referral(sqlite_loaded).status is ReferralStatus.NEW


def test_a_packet_that_the_server_refuses_is_a_task_and_can_be_sent_again(sqlite_loaded, clinic, referral_id, server):  # noqa: F811
    mailing = load(sqlite_loaded, reworked(clinic, email=HEART))
    first = send(sqlite_loaded, mailing, referral_id)
    server.refuse = b"550 nobody\r\n"
    worker(sqlite_loaded, server).send_due()
    assert referral(sqlite_loaded).status is ReferralStatus.NEW
    with sqlite_loaded.reading() as session:
        assert "wrong-address" in session.scalars(select(Task.reason)).all()
        assert session.scalars(select(Communication.status)).all() == [Delivery.FAILED]
    server.refuse = None
    assert send(sqlite_loaded, mailing, referral_id).id != first.id
    worker(sqlite_loaded, server).send_due()
    assert referral(sqlite_loaded).status is ReferralStatus.SENT


def test_the_commands_write_send_and_give_it(frontdesk, sqlite_loaded, clinic, referral_id, tmp_path):  # noqa: F811
    load(sqlite_loaded, reworked(clinic, email=HEART))
    file = tmp_path / "packet.pdf"
    assert frontdesk("referral", "packet", referral_id, "--pdf", str(file)).startswith(f"{file}: ")
    assert file.read_bytes().startswith(b"%PDF-")
    assert frontdesk("referral", "send", referral_id) == f"The packet goes to {HEART}.\n"
    given = frontdesk("referral", "give", referral_id, "clinical", "--next", "Add the letter", "--due", "2026-11-20")
    assert given == "clinical; next: Add the letter\n"
    with sqlite_loaded.transaction() as session:
        one = session.scalars(select(Task).where(Task.team == "clinical")).one()
        assert one.description.startswith("Add the letter (cardiology)")
