"""The commands of reaching out: what became of recalls, who is to be called, referrals. Each imports what it needs when it runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scheduling_core.clinic_file.schema import ClinicFile

_AGENT = "staff:command-line"
Kind = TypeVar("Kind", bound=StrEnum)

outreach = typer.Typer(help="Recalls, ordered follow-ups and referrals from outside.", no_args_is_help=True)
referral = typer.Typer(help="Referrals to other practices.", no_args_is_help=True)

ReferralArgument = Annotated[str, typer.Argument(metavar="REFERRAL", help="The referral's id.")]
AtOption = Annotated[dt.datetime | None, typer.Option("--at", formats=["%Y-%m-%dT%H:%M"], help="The clinic's wall time.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.add_typer(outreach, name="outreach")
    app.add_typer(referral, name="referral")


@outreach.command("report")
def report(days: Annotated[int, typer.Option(min=1, help="Recalls that began in the last days.")] = 90) -> None:
    """Say what became of recalls: who was due, asked, booked, declined."""
    from scheduling_core import recalls, times
    from scheduling_core.models import OutreachStatus as Status

    with _clinic() as (session, _):
        now = times.now()
        _say(
            f"{'service':20} {'due':>5} {'asked':>5} {'texts':>5} {'booked':>6} {'not now':>7} {'else':>5} {'stop':>5} {'staff':>5}"
        )
        for line in recalls.report(session, since=now - dt.timedelta(days=days), until=now + dt.timedelta(seconds=1)):
            booked = line.count(Status.BOOKED, Status.DONE)
            _say(
                f"{line.service_id:20} {line.due:5} {line.asked:5} {line.texts:5} {booked:6} {line.count(Status.DECLINED):7} "
                f"{line.count(Status.ELSEWHERE):5} {line.count(Status.STOPPED):5} {line.count(Status.FOR_STAFF):5}"
            )


@outreach.command("fairness")
def fairness(days: Annotated[int, typer.Option(min=1, help="Offers of the last days.")] = 90) -> None:
    """Say whom the waitlist offered freed times, by age, language, channel and wait."""
    from scheduling_core import fairness as core
    from scheduling_core import times

    with _clinic() as (session, clinic):
        now = times.now()
        _say(
            f"{'by':9} {'group':22} {'places':>6} {'asked':>5} {'offers':>6} {'taken':>5} {'passed':>6} {'lapsed':>6} {'hours':>6}"
        )
        for line in core.report(session, clinic, since=now - dt.timedelta(days=days), until=now + dt.timedelta(seconds=1)):
            hours = "" if line.hours_to_offer is None else f"{line.hours_to_offer:.1f}"
            _say(
                f"{line.by:9} {line.group:22} {line.places:6} {line.asked:5} {line.offers:6} {line.accepted:5} {line.passed:6} "
                f"{line.lapsed:6} {hours:>6}"
            )


@outreach.command("waiting")
def waiting() -> None:
    """Say who is to be called because nobody answered, the longest due first."""
    from scheduling_core import outreach as core

    with _clinic() as (session, _):
        for one in core.waiting_for_staff(session):
            _say(f"{one.id}  {one.kind:11} {one.service_id:20} due {one.due_on}  Patient/{one.patient_id}")


@outreach.command("answer")
def answer(
    outreach_id: Annotated[str, typer.Argument(metavar="OUTREACH", help="Its id.")],
    said: Annotated[str, typer.Argument(help="not-now, elsewhere or stop.")],
) -> None:
    """Write down what a patient said on the phone."""
    from scheduling_core import outreach as core
    from scheduling_core.models import new_id

    with _clinic() as (session, clinic):
        meant = _one_of(core.Answer, said)
        one = core.answer(session, clinic, outreach_id=outreach_id, said=meant, agent=_AGENT, key=f"command-line:{new_id()}")
        _say(one.status)


@outreach.command("day-sheet")
def day_sheet(
    practitioner: Annotated[str, typer.Argument(help="The practitioner's id.")],
    day: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day. [today]")] = None,
) -> None:
    """Write the visits of a practitioner's day, as they are mailed."""
    from scheduling_core import staff_mail, times

    with _clinic() as (session, clinic):
        chosen = day.date() if day else times.to_wall(times.now(), clinic.zone).date()
        _say(staff_mail.day_sheet(session, clinic, practitioner_id=practitioner, day=chosen, agent=_AGENT))


@outreach.command("bounced")
def bounced(address: Annotated[str, typer.Argument(help="The mail address.")]) -> None:
    """Note that mail to an address came back: nothing more goes there, and the desk asks the patient for another."""
    from scheduling_core import deliveries

    with _clinic() as (session, _):
        count = deliveries.note_bounce(session, address=address, agent=_AGENT)
        _say(f"Nothing more goes there. {count} {'patient has' if count == 1 else 'patients have'} this address.")


@outreach.command("links")
def links(appointment: Annotated[str, typer.Argument(metavar="APPOINTMENT", help="The visit's id.")]) -> None:
    """Say the links of a visit: its calendar file, and where it takes place by video."""
    from scheduling_core import audit, links, waitlist

    with _clinic() as (session, clinic):
        visit = waitlist.appointment(session, appointment)
        audit.record(session, agent=_AGENT, action="R", entity="Appointment", entity_id=visit.id, patient_id=visit.patient_id)
        for found in (links.calendar_link(session, visit), links.video_link(session, clinic, visit)):
            if found:
                _say(found)


@referral.command("late")
def late() -> None:
    """Say which referrals wait too long for their next step."""
    from scheduling_core import referrals, times

    with _clinic() as (session, clinic):
        for one in referrals.overdue(session):
            due = times.to_wall(one.due_at, clinic.zone)
            _say(
                f"{one.id}  {one.status:9} {one.specialty:16} {due:%Y-%m-%d}  {one.owner}: {one.next_step} Patient/{one.patient_id}"
            )


@referral.command("packet")
def packet(
    referral_id: ReferralArgument,
    fhir: Annotated[bool, typer.Option("--fhir", help="The bundle as JSON instead of the page.")] = False,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write a PDF to this file instead.")] = None,
) -> None:
    """Write what the partner is given: a page or a FHIR Bundle on standard output, or a PDF."""
    import json

    from bot import referral_page, referral_pdf
    from scheduling_core import referrals

    with _clinic() as (session, clinic):
        made = referrals.packet(session, clinic, referral_id=referral_id, agent=_AGENT)
    if pdf is None:
        _say(json.dumps(made.bundle, indent=2) if fhir else referral_page.render(made))
    elif document := referral_pdf.render(made):
        pdf.write_bytes(document)
        _say(f"{pdf}: {len(document):,} bytes.")
    else:
        raise typer.BadParameter("the packet has letters that the PDF's fonts do not; print the page", param_hint="--pdf")


@referral.command("send")
def send(referral_id: ReferralArgument) -> None:
    """Mail the packet to the partner, or to its fax; the referral is marked as sent when the mail has left."""
    from scheduling_core import packets

    with _clinic() as (session, clinic):
        _say(f"The packet goes to {packets.send(session, clinic, referral_id=referral_id, agent=_AGENT).phone}.")


@referral.command("give")
def give(
    referral_id: ReferralArgument,
    owner: Annotated[str, typer.Argument(help="A team, or a colleague's address.")],
    next_step: Annotated[str, typer.Option("--next", help="What is to be done.")],
    due: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="By when, the clinic's wall time.")],
) -> None:
    """Let somebody else own a referral, with a next step of their own."""
    from scheduling_core import referrals, times

    with _clinic() as (session, clinic):
        due_at = times.from_wall(due.date(), due.time(), clinic.zone)
        one = referrals.give_to(
            session, clinic, referral_id=referral_id, owner=owner, next_step=next_step, due_at=due_at, agent=_AGENT
        )
        _say(f"{one.owner}; next: {one.next_step}")


@referral.command("choose")
def choose(referral_id: ReferralArgument, partner: Annotated[str, typer.Argument(help="The partner's id.")]) -> None:
    """Send the patient to another partner."""
    from scheduling_core import referrals

    with _clinic() as (session, clinic):
        one = referrals.choose(session, clinic, referral_id=referral_id, partner_id=partner, agent=_AGENT)
        _say(f"{one.partner_id}: network {one.network}; next: {one.next_step}")


@referral.command("step")
def step(
    referral_id: ReferralArgument,
    to: Annotated[str, typer.Argument(help="sent, scheduled (with --at), seen, closed or cancelled.")],
    at: AtOption = None,
    outcome: Annotated[str | None, typer.Option(help="How it ended.")] = None,
) -> None:
    """Note how far a referral is; the patient is told when it was sent and when the appointment is."""
    from scheduling_core import referrals, times
    from scheduling_core.models import ReferralStatus

    with _clinic() as (session, clinic):
        one = referrals.move_on(
            session,
            clinic,
            referral_id=referral_id,
            to=_one_of(ReferralStatus, to),
            appointment_at=times.from_wall(at.date(), at.time(), clinic.zone) if at else None,
            outcome=outcome,
            agent=_AGENT,
        )
        _say(f"{one.status}" if one.status in referrals.OVER else f"{one.status}; next: {one.next_step}")


@contextmanager
def _clinic() -> Iterator[tuple[Session, ClinicFile]]:
    """One transaction with the clinic that holds."""
    from scheduling_core.clinic_file import loading
    from scheduling_core.db import Database

    database = Database(Settings.from_env().database_url)
    try:
        with database.transaction() as session:
            yield session, loading.current(session)
    finally:
        database.dispose()


def _one_of(kind: type[Kind], value: str) -> Kind:
    try:
        return kind(value)
    except ValueError:
        raise typer.BadParameter(f'"{value}" is none of {", ".join(kind)}') from None


def _say(text: str) -> None:
    print(text, flush=True)
