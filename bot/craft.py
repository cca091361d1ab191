"""The commands of a scheduler's craft: why a time can be had, and plans. Each imports what it needs when it runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bot.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from scheduling_core.calendar.requests import FreeTime, Request
    from scheduling_core.clinic_file.schema import ClinicFile
    from scheduling_core.models import Plan
    from scheduling_core.series import Booked, Step

_AGENT = "command-line"
_BATCH = 50  # patients asked in one transaction

plan = typer.Typer(
    help="Plans: room for an urgent visit, somebody who is late or out, visits that belong together.", no_args_is_help=True
)

ServiceOption = Annotated[str, typer.Option("--service", help="The service's id.")]
PractitionerOption = Annotated[str, typer.Option("--practitioner", help="The practitioner's id.")]
AnyPractitionerOption = Annotated[str | None, typer.Option("--practitioner", help="The practitioner's id; anybody where left out.")]
PatientOption = Annotated[str, typer.Option("--patient", help="The patient's id.")]
AtOption = Annotated[
    dt.datetime, typer.Option("--at", formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], help="Wall time of the clinic.")
]
DayOption = Annotated[dt.datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="Today where left out.")]
ByOption = Annotated[str, typer.Option("--by", help="The email of the scheduler's account.")]
PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command("why")(why)
    app.add_typer(plan, name="plan")


def why(
    service: ServiceOption,
    at: AtOption,
    practitioner: AnyPractitionerOption = None,
    patient: Annotated[str | None, typer.Option("--patient", help="The patient's id.")] = None,
) -> None:
    """Say which rules allow, keep or forbid a time, to staff and to a patient."""
    from scheduling_core import why as words

    with _clinic(writes=False) as (session, clinic):
        reasons = words.explain(session, clinic, _request(service, practitioner, patient), _instant(clinic, at))
        for reason in reasons:
            _say(
                f"{reason.verdict:8} {reason.code:16} {reason.staff}"
                + (f'\n{"":26}to a patient: "{reason.patient}"' if reason.patient else "")
            )
        _say("This time is offered." if words.is_offered(reasons) else "This time is not offered.")


@plan.command("urgent")
def plan_urgent(
    service: ServiceOption,
    patient: Annotated[list[str], typer.Option("--patient", help="The patient's id; several are given room in one plan.")],
    by: ByOption,
    practitioner: AnyPractitionerOption = None,
    day: DayOption = None,
) -> None:
    """Find room for urgent visits; where nothing is free, propose whom to move."""
    from scheduling_core import displacement, plans, times

    with _clinic() as (session, clinic):
        plans.scheduler(session, by)
        requests = [_request(service, practitioner, one) for one in patient]
        chosen = day.date() if day else times.to_wall(times.now(), clinic.zone).date()
        if len(requests) == 1:
            answer = displacement.make_room(session, clinic, requests[0], day=chosen)
            for time in answer.times:
                _say(f"{answer.way}: {plans.in_words(clinic, time)}")
            if answer.times:
                return
            proposal = answer.proposal
        else:
            proposal = displacement.propose(session, clinic, requests, day=chosen)
        if proposal is None:
            _say("Nothing is free that day, and nobody can be moved.")
        else:
            _show(session, clinic, displacement.keep(session, requests, proposal, by=by))


@plan.command("late")
def plan_late(
    practitioner: PractitionerOption,
    minutes: Annotated[int, typer.Option(help="How far behind.")],
    by: Annotated[str | None, typer.Option("--tell-by", metavar="EMAIL", help="Text the patients, by a scheduler's word.")] = None,
) -> None:
    """Say whom it affects that somebody runs late, and the new expected times."""
    from scheduling_core import running_late, times

    with _clinic() as (session, clinic):
        late = running_late.delays(session, clinic, practitioner_id=practitioner, minutes=minutes)
        for one in late:
            start, expected = (times.to_wall(instant, clinic.zone) for instant in (one.start, one.expected))
            told = "tell" if one.is_told else "no need to tell"
            _say(f"{start:%-I:%M %p} -> {expected:%-I:%M %p}, {one.minutes} min, {told}: Appointment/{one.appointment_id}")
            if one.is_told:
                phone, words = running_late.what_to_tell(session, clinic, practitioner_id=practitioner, affected=one)
                _say(f"   {'by text' if phone else 'call, there is no number to text'}: {words}")
        if by:
            told_to = running_late.tell(session, clinic, practitioner_id=practitioner, minutes=minutes, by=by)
            _say(f"{len(told_to)} patients are told.")
        elif not late:
            _say("Nobody is affected.")


@plan.command("day")
def plan_day(location: Annotated[str, typer.Option(help="The location's id.")], day: DayOption = None) -> None:
    """Show a day's waiting room by the quarter of an hour, and the move that flattens it."""
    from scheduling_core import plans, running_late, times

    with _clinic(writes=False) as (session, clinic):
        chosen = day.date() if day else times.to_wall(times.now(), clinic.zone).date()
        for one in running_late.waiting_room(session, clinic, location_id=location, day=chosen):
            start = times.to_wall(one.start, clinic.zone_of(location))
            _say(f"{start:%H:%M} {one.waiting:3} waiting {one.seen:3} seen  {'#' * one.waiting}")
        better = running_late.flatten(session, clinic, location_id=location, day=chosen)
        if better is None:
            _say("No move within the day would flatten it.")
        else:
            _say(
                f"Appointment/{better.appointment_id}: {plans.in_words(clinic, better.old)} -> {plans.in_words(clinic, better.new)}"
            )
            now, then = f"{better.peak} in {better.quarters} quarters", f"{better.peak_after} in {better.quarters_after}"
            _say(f"would lower the peak from {now} to {then}.")


@plan.command("storm")
def plan_storm(
    first: Annotated[dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day out.")],
    last: Annotated[dt.datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day out.")],
    practitioner: Annotated[list[str] | None, typer.Option(help="Who is out; may be given several times.")] = None,
    location: Annotated[str | None, typer.Option(help="The location that is out, or where they are out.")] = None,
    *,
    by: ByOption,
) -> None:
    """Propose a new time for every visit of somebody, or a location, that is out."""
    from scheduling_core import storm

    outage = storm.Outage(first.date(), last.date(), tuple(practitioner or ()), location)
    with _clinic() as (session, clinic):
        _show(session, clinic, storm.plan(session, clinic, outage, by=by))
        for sentence in storm.still_open(clinic, outage):
            _say(sentence)


@plan.command("series")
def plan_series(
    service: ServiceOption,
    patient: PatientOption,
    at: AtOption,
    every_days: Annotated[int, typer.Option(help="Days from one to the next.")],
    times: Annotated[int, typer.Option(help="How many.")],
    practitioner: AnyPractitionerOption = None,
    book: Annotated[
        str | None, typer.Option("--book", metavar="KEY", help="Book them; the same key again books nothing twice.")
    ] = None,
) -> None:
    """Plan the same visit every few days; one conflict does not sink the others."""
    from scheduling_core import series

    with _clinic() as (session, clinic):
        request = _request(service, practitioner, patient)
        steps = series.plan(session, clinic, request, start=_instant(clinic, at), every_days=every_days, count=times)
        _show_steps(clinic, steps)
        if book:
            _show_booked(series.book(session, clinic, patient_id=patient, steps=steps, agent=_AGENT, key=book))


@plan.command("before")
def plan_before(
    appointment: Annotated[str, typer.Argument(help="The id of the visit before which the other should be.")],
    service: ServiceOption,
    days: Annotated[int, typer.Option(help="How many days before.")],
    practitioner: AnyPractitionerOption = None,
    book: Annotated[
        str | None, typer.Option("--book", metavar="KEY", help="Book it; the same key again books nothing twice.")
    ] = None,
) -> None:
    """Plan a visit a fixed time before another, like a blood draw a week ahead."""
    from scheduling_core import plans, series

    with _clinic() as (session, clinic):
        main = plans.visit(session, appointment)
        step = series.linked(session, clinic, _request(service, practitioner, main.patient_id), main=main, days_before=days)
        _show_steps(clinic, [step])
        if book and main.patient_id:
            _show_booked(series.book(session, clinic, patient_id=main.patient_id, steps=[step], agent=_AGENT, key=book))


@plan.command("overbook")
def plan_overbook(
    service: ServiceOption,
    patient: PatientOption,
    by: ByOption,
    practitioner: AnyPractitionerOption = None,
    day: DayOption = None,
    at: Annotated[dt.datetime | None, typer.Option("--at", formats=["%Y-%m-%dT%H:%M"], help="Where; else only proposed.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
) -> None:
    """Show where one more visit hurts least, or put it there on purpose, over what stands."""
    from scheduling_core import overbooking, plans, times

    with _clinic() as (session, clinic):
        request, agent = _request(service, practitioner, patient), plans.scheduler(session, by)
        if at is None:
            chosen = day.date() if day else times.to_wall(times.now(), clinic.zone).date()
            places = overbooking.best_place_to_overbook(session, clinic, request, day=chosen, agent=agent)
            for place in places:
                _say(place.staff)
            if not places:
                _say("No visit may be put over another on that day.")
            return
        key = f"overbook:{patient}:{service}:{practitioner}:{at:%Y-%m-%dT%H:%M}"
        visit = overbooking.overbook(
            session, clinic, request=request, start=_instant(clinic, at), reason=reason, agent=agent, key=key
        )
        _say(f"booked: Appointment/{visit.id}{', over another visit' if visit.lane else ''}")


@plan.command("learn-no-shows")
def plan_learn_no_shows() -> None:
    """Learn from the clinic's own visits who may not come."""
    from scheduling_core import no_show

    with _clinic() as (session, clinic):
        model = no_show.train(session, clinic, agent=_AGENT)
        _say(f"learned from {model.visits:,} visits. Of the latest fifth it would have foretold: AUC {model.auc:.2f},")
        _say(
            f"calibration slope {model.slope:.2f} (1 is right), expected calibration error {100 * model.ece:.1f} percentage points."
        )
        if not clinic.no_shows.estimate:
            _say("It is not used: the clinic file has no_shows: {estimate: false}.")


@plan.command("calls")
def plan_calls(day: DayOption = None) -> None:
    """Say whom to call first of those who have not confirmed a visit."""
    from scheduling_core import no_show, times

    with _clinic() as (session, clinic):
        chosen = day.date() if day else times.to_wall(times.now(), clinic.zone).date()
        for call in no_show.whom_to_call(session, clinic, day=chosen, agent=_AGENT):
            start = times.to_wall(call.visit.start or times.now(), clinic.zone)
            _say(f"{start:%-I:%M %p} Appointment/{call.visit.id}: {call.staff}")


@plan.command("line")
def plan_line(count: Annotated[int, typer.Option(min=1, help="How many of each line.")] = 3) -> None:
    """Say who on the waitlist comes first for each time that came free, and why."""
    from scheduling_core import freed, times

    with _clinic() as (session, clinic):
        for one in freed.to_be_offered(session):
            _say(f"{times.to_wall(one.start, clinic.zone):%a, %b %-d, %-I:%M %p} with {one.practitioner_id}:")
            for number, who in enumerate(freed.best_for(session, clinic, one, count=count, agent=_AGENT), start=1):
                _say(f"  {number}. Appointment/{who.place.id}: {who.waiting.why(clinic.zone)}")


@plan.command("show")
def plan_show(plan_id: PlanArgument) -> None:
    """Show a plan and where each of its visits stands."""
    from scheduling_core import plans

    with _clinic() as (session, clinic):
        _show(session, clinic, plans.get(session, plan_id))


@plan.command("again")
def plan_again(plan_id: PlanArgument, by: ByOption) -> None:
    """Plan anew for the same need, as the calendar stands now."""
    from scheduling_core import displacement, plans, storm
    from scheduling_core.models import PlanKind

    with _clinic() as (session, clinic):
        is_storm = plans.get(session, plan_id).kind is PlanKind.STORM
        made = (storm if is_storm else displacement).plan_again(session, clinic, plan_id=plan_id, by=by)
        if made is None:
            _say("There is no room any more, and nobody can be moved.")
        else:
            _show(session, clinic, made)


@plan.command("approve")
def plan_approve(plan_id: PlanArgument, by: ByOption) -> None:
    """The scheduler's word: keep the new times and ask the patients of an urgent plan; a storm waits for `ask`."""
    from scheduling_core import plans

    with _clinic() as (session, clinic):
        _show(session, clinic, plans.approve(session, clinic, plan_id=plan_id, by=by))


@plan.command("ask")
def plan_ask(
    plan_id: PlanArgument, by: ByOption, per_minute: Annotated[float, typer.Option(min=0.1, help="Messages a minute.")] = 60
) -> None:
    """Ask the patients of a storm at a rate; goes on where it stood after an interruption."""
    from scheduling_core import plans

    asked = _BATCH
    while asked:
        with _clinic() as (session, clinic):
            asked = plans.ask_next(session, clinic, plan_id=plan_id, limit=_BATCH, per_minute=per_minute, by=by)
            found = ", ".join(f"{number} {status}" for status, number in sorted(plans.counts(session, plan_id).items()))
    _say(found)


@plan.command("answer")
def plan_answer(
    plan_id: PlanArgument,
    number: Annotated[int, typer.Argument(help="The visit's number in the plan.")],
    agrees: Annotated[bool, typer.Option("--agrees/--declines", help="What the patient said.")],
    by: ByOption,
) -> None:
    """Write down what a patient said to a proposed time."""
    from scheduling_core import plans

    with _clinic() as (session, clinic):
        agent = plans.scheduler(session, by)
        plans.answer(session, clinic, plan_id=plan_id, number=number, agrees=agrees, agent=agent)
        _show(session, clinic, plans.get(session, plan_id))


@plan.command("carry-out")
def plan_carry_out(plan_id: PlanArgument, by: ByOption) -> None:
    """Move the visits of an urgent plan and book the urgent one: all of it or nothing."""
    from scheduling_core import plans

    with _clinic() as (session, clinic):
        _show(session, clinic, plans.carry_out(session, clinic, plan_id=plan_id, by=by))


@plan.command("undo")
def plan_undo(plan_id: PlanArgument, by: ByOption) -> None:
    """Take an urgent plan back: all of it or nothing."""
    from scheduling_core import plans

    with _clinic() as (session, clinic):
        _show(session, clinic, plans.undo(session, clinic, plan_id=plan_id, by=by))


@plan.command("give-up")
def plan_give_up(plan_id: PlanArgument, by: ByOption) -> None:
    """Release what a plan keeps, and tell who was asked that their visit stays."""
    from scheduling_core import plans

    with _clinic() as (session, clinic):
        _show(session, clinic, plans.give_up(session, clinic, plan_id=plan_id, agent=plans.scheduler(session, by)))


@contextmanager
def _clinic(*, writes: bool = True) -> Iterator[tuple[Session, ClinicFile]]:
    """One transaction with the clinic that holds."""
    from scheduling_core.clinic_file import loading
    from scheduling_core.db import Database

    database = Database(Settings.from_env().database_url)
    try:
        with database.transaction() if writes else database.reading() as session:
            yield session, loading.current(session)
    finally:
        database.dispose()


def _request(service: str, practitioner: str | None, patient: str | None) -> Request:
    from scheduling_core.calendar.requests import Request

    return Request(service, practitioners=(practitioner,) if practitioner else (), patient_id=patient)


def _instant(clinic: ClinicFile, at: dt.datetime) -> dt.datetime:
    from scheduling_core import times

    return times.from_wall(at.date(), at.time(), clinic.zone)


def _show(session: Session, clinic: ClinicFile, made: Plan) -> None:
    from scheduling_core import plans

    for line in plans.describe(session, clinic, made):
        _say(line)


def _show_steps(clinic: ClinicFile, steps: list[Step]) -> None:
    from scheduling_core import plans, times

    for number, step in enumerate(steps, start=1):
        wished = f"{times.to_wall(step.wanted, clinic.zone):%a, %b %-d, %-I:%M %p}"
        found: FreeTime | None = step.time
        _say(f"{number}. {plans.in_words(clinic, found) if found else f'nothing near {wished}'}")
        for reason in step.against:
            _say(f"   not {wished}: {reason.staff}")


def _show_booked(done: list[Booked]) -> None:
    for number, one in enumerate(done, start=1):
        _say(f"{number}. " + (f"booked: Appointment/{one.appointment.id}" if one.appointment else f"not booked: {one.refused}"))


def _say(text: str) -> None:
    print(text, flush=True)
