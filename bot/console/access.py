"""Who may go where. Every route of the console names one of these sets; what names none is refused."""

from __future__ import annotations

from flask_babel import gettext as _

from scheduling_core.models import Role

EVERYBODY = frozenset({Role.SCHEDULER, Role.BILLING, Role.CLINICIAN, Role.MANAGER, Role.AUDITOR})
DESK = frozenset({Role.SCHEDULER, Role.MANAGER})  # books, answers, runs the day
BILLING_DESK = frozenset({Role.BILLING, Role.SCHEDULER, Role.MANAGER})  # coverage and its checks
CARE = frozenset({Role.SCHEDULER, Role.BILLING, Role.CLINICIAN, Role.MANAGER})  # sees patients and the day
READERS = EVERYBODY  # sees, changes nothing
FLOOR = frozenset({Role.SCHEDULER, Role.CLINICIAN, Role.MANAGER})  # says who came, who is in a room and who has left
MANAGERS = frozenset({Role.MANAGER})
REVIEWERS = frozenset({Role.MANAGER, Role.AUDITOR})  # reports, and who saw what


def role_word(role: Role) -> str:
    """A role as people read it."""
    return {
        Role.SCHEDULER: _("Scheduler"),
        Role.BILLING: _("Billing"),
        Role.CLINICIAN: _("Clinician"),
        Role.MANAGER: _("Manager"),
        Role.AUDITOR: _("Auditor"),
        Role.INTEGRATION: _("Machine"),
    }[role]
