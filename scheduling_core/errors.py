"""Refusals. The docstring of each is the sentence for staff."""

from __future__ import annotations

import datetime as dt


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


class UnfitError(SchedulingError):
    """This cannot be kept so."""

    code = "unfit"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.why = field, why


class WrongStateError(SchedulingError):
    """This cannot be done in the present state of the record."""

    code = "wrong-state"


class HeldByOtherError(SchedulingError):
    """Somebody else has this conversation."""

    code = "held-by-other"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name  # of the colleague


class WrittenSinceError(SchedulingError):
    """The patient has written since you looked."""

    code = "written-since"


class NoTextsError(SchedulingError):
    """No text can go to this number: please call."""

    code = "no-texts"


class QuietHoursError(SchedulingError):
    """It is night for the patient."""

    code = "quiet-hours"

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(f"until {until.isoformat()}")
        self.until = until


class UnfitTextError(SchedulingError):
    """A text has at least one character, and no more than are allowed."""

    code = "unfit-text"
