"""Referrals to other practices: where each stands, its packet, and its next step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from bot import referral_page
from bot.console.access import CARE, DESK
from bot.console.patient_words import referral_word
from bot.console.shell import Answer, Console, Desk
from scheduling_core import audit, glass, patients, referrals, times
from scheduling_core.errors import WrongStateError
from scheduling_core.models import Patient, Referral, ReferralStatus

_LONGEST_STEP = 200


def add_referrals(console: Console, changed: Callable[[], None]) -> None:
    """`changed` is called by what makes a list shorter."""

    @console.get("/referrals/<referral_id>", may=CARE)
    def referral(desk: Desk, referral_id: str) -> Answer:
        one, patient = _opened(desk, referral_id)
        audit.record(desk.session, agent=desk.agent, action="R", entity="Referral", entity_id=one.id, patient_id=one.patient_id)
        return _page(desk, one, patient)

    @console.get("/referrals/<referral_id>/packet", may=CARE)
    def referral_packet(desk: Desk, referral_id: str) -> Answer:
        from bot.console.patients import as_page

        _opened(desk, referral_id)
        packet = referrals.packet(desk.session, desk.clinic, referral_id=referral_id, agent=desk.agent)
        return as_page(referral_page.render(packet))

    @console.post("/referrals/<referral_id>", may=DESK)
    def move_referral(desk: Desk, referral_id: str) -> Answer:
        changed()
        one, patient = _opened(desk, referral_id)
        form = request.form
        try:
            match form.get("do"):
                case "choose":
                    referrals.choose(
                        desk.session, desk.clinic, referral_id=one.id, partner_id=form.get("partner", ""), agent=desk.agent
                    )
                case "give":
                    _give(desk, one)
                case _:
                    _move_on(desk, one, form.get("do", ""))
        except (ValueError, WrongStateError):
            wrong = _("This step does not follow now, or its day and time are missing.")
            return _page(desk, one, patient, wrong=wrong, status=409)
        return redirect(url_for("console.referral", referral_id=one.id))


def _move_on(desk: Desk, one: Referral, step: str) -> None:
    """Raises ValueError for a step or a time that cannot be read."""
    to = ReferralStatus(step)
    at = None
    if to is ReferralStatus.SCHEDULED:
        wall = dt.datetime.fromisoformat(request.form.get("at", ""))
        at = times.from_wall(wall.date(), wall.time(), desk.clinic.zone)
    outcome = " ".join(request.form.get("outcome", "").split())[:_LONGEST_STEP] or None
    referrals.move_on(desk.session, desk.clinic, referral_id=one.id, to=to, agent=desk.agent, appointment_at=at, outcome=outcome)


def _give(desk: Desk, one: Referral) -> None:
    day = dt.date.fromisoformat(request.form.get("day", ""))
    step = " ".join(request.form.get("next_step", "").split())[:_LONGEST_STEP] or one.next_step
    owner = request.form.get("owner", one.owner)
    if owner not in desk.clinic.handoff.teams:
        raise ValueError(owner)
    due = times.from_wall(day, dt.time(17), desk.clinic.zone)
    referrals.give_to(desk.session, desk.clinic, referral_id=one.id, owner=owner, next_step=step, due_at=due, agent=desk.agent)


def _opened(desk: Desk, referral_id: str) -> tuple[Referral, Patient]:
    """Raises NotFoundError; RestrictedError where the patient's record is behind glass."""
    one = referrals.get(desk.session, referral_id)
    patient = patients.get(desk.session, one.patient_id)
    glass.check(desk.session, desk.me, patient)
    return one, patient


def _page(desk: Desk, one: Referral, patient: Patient, *, wrong: str | None = None, status: int = 200) -> AnyResponse:
    partners = [each for each in desk.clinic.referral_partners if each.specialty == one.specialty]
    page = render_template(
        "console/worklists/referral.html",
        one=one,
        patient=patient,
        state=referral_word(one.status),
        partner=next((each for each in desk.clinic.referral_partners if each.id == one.partner_id), None),
        partners=partners,
        steps=referrals.may_follow(one),
        may_move=desk.me.role in DESK,
        teams=desk.clinic.handoff.teams,
        due_day=times.to_wall(one.due_at, desk.clinic.zone).date(),
        wrong=wrong,
    )
    return make_response(page, status)
