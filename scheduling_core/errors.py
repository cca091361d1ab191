"""Refusals. The docstring of each is the sentence for staff."""

from __future__ import annotations


class SchedulingError(Exception):
    """The request was understood and refused.

    `code` is a stable word that edges turn into sentences for patients; `detail` says what it was about, in ids and times only.
    """

    code = "refused"

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{(self.__doc__ or '').strip().splitlines()[0]}{f' ({detail})' if detail else ''}")
        self.detail = detail


class TimeTakenError(SchedulingError):
    """Somebody else has this time."""

    code = "time-taken"


class PatientBusyError(SchedulingError):
    """The patient has another visit at this time."""

    code = "patient-busy"


class HoldExpiredError(SchedulingError):
    """The hold on this time has expired."""

    code = "hold-expired"


class NotBookableError(SchedulingError):
    """A rule of the clinic forbids this visit at this time."""

    code = "not-bookable"

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule


class NotFoundError(SchedulingError):
    """There is nothing with this id."""

    code = "not-found"


class WrongStateError(SchedulingError):
    """This cannot be done in the present state of the record."""

    code = "wrong-state"
