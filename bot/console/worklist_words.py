"""The worklists in words."""

from __future__ import annotations

from flask_babel import gettext as _

from scheduling_core.worklists import Worklist


def list_word(one: Worklist) -> str:
    return {
        Worklist.CALLS: _("Calls and requests"),
        Worklist.UNCONFIRMED: _("Unconfirmed visits"),
        Worklist.WAITLIST: _("Waitlist"),
        Worklist.DISPLACED: _("Visits to be moved"),
        Worklist.LATE: _("Late cancellations"),
        Worklist.MESSAGES: _("Failed messages"),
        Worklist.RECALLS: _("Recalls and follow-ups"),
        Worklist.REFERRALS: _("Referrals out"),
        Worklist.ELIGIBILITY: _("Insurance problems"),
        Worklist.ESTIMATES: _("Good faith estimates"),
    }[one]


def empty_word(one: Worklist) -> str:
    return {
        Worklist.CALLS: _("Nothing waits. Callbacks, voicemail and other requests to a person appear here."),
        Worklist.UNCONFIRMED: _("Every visit of the next three days is confirmed."),
        Worklist.WAITLIST: _("Nobody waits for a time. Who joins the waitlist appears here."),
        Worklist.DISPLACED: _(
            "No visit has to move. Plans that wait for your word, and patients to be called about one, appear here."
        ),
        Worklist.LATE: _("Nobody cancelled at short notice."),
        Worklist.MESSAGES: _("Every message arrived. What could not be delivered appears here."),
        Worklist.RECALLS: _("Nobody is to be called. Patients who did not answer a recall or an order appear here."),
        Worklist.REFERRALS: _("No referral waits for a step."),
        Worklist.ELIGIBILITY: _("No insurance asks for a person. Refusals of payers and plans not in force appear here."),
        Worklist.ESTIMATES: _("No estimate is due. Visits of patients who pay alone appear here."),
    }[one]


def team_word(team: str) -> str:
    """A team of the clinic file as people read it."""
    known = {
        "desk": _("Desk"),
        "billing": _("Billing"),
        "clinical": _("Clinical"),
        "language-access": _("Interpreters"),
        "mobility": _("Mobility"),
        "manager": _("Managers"),
    }
    return known.get(team) or team.replace("-", " ").capitalize()
