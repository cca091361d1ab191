"""Why something is a matter for people, in words: the reason of a Task."""

from __future__ import annotations

from flask_babel import gettext as _


def reason_word(reason: str) -> str:
    """A task's reason as staff read it; one that has no words of its own reads as its code does."""
    known = {
        "after-visit": _("Question after a visit"),
        "asked-for-person": _("Asked for a person"),
        "billing-question": _("Question about a bill"),
        "call-back": _("Call back"),
        "cancel-keyword": _("Texted CANCEL: cancel the visit too?"),
        "complaint": _("Complaint"),
        "coverage-stops-visit": _("Coverage stands against the visit"),
        "dialogue-down": _("The assistant could not answer"),
        "identity-lockout": _("Too many wrong birth dates"),
        "late-cancellation": _("Late cancellation"),
        "medical-question": _("Medical question"),
        "member-id-missing": _("Member number is missing"),
        "not-on-file": _("Not on file"),
        "not-understood": _("Not understood"),
        "opted-out-asks": _("Wants no texts, and asks"),
        "red-flag": _("Possible emergency"),
        "referral": _("Referral"),
        "running-late": _("Running late"),
        "unknown-number": _("Unknown number"),
        "wrong-number": _("Wrong number"),
        "broken-glass": _("A restricted record was opened"),
        "coverage-after-merge": _("Two insurances after a merge"),
        "coverage-authorization": _("The payer has to authorize the visit"),
        "coverage-inactive": _("Plan not in force"),
        "coverage-not-covered": _("The payer does not cover the visit"),
        "coverage-other-payer": _("Another payer is known"),
        "coverage-referral": _("The payer wants a referral"),
        "coverage-rejected": _("The payer refused the question"),
        "coverage-unanswered": _("The payer gave no answer"),
        "follow-up": _("Ordered, and not booked"),
        "good-faith-estimate": _("Good faith estimate"),
        "not-delivered": _("Message not delivered"),
        "over-limit": _("Message not sent: too many to this number"),
        "plan": _("Visit to be moved"),
        "quiet-hours": _("Message not sent: quiet hours"),
        "recall": _("Due again, and no answer"),
        "referral-in": _("Referred here, and not booked"),
        "voicemail": _("Voicemail"),
    }
    return known.get(reason) or reason.replace("-", " ").capitalize()
