"""What the worker does by the clinic's clock: reminders, offers of freed times, and ending what is over.

Each job first asks with a read alone whether there is something to do, so that it may be asked often. Each is idempotent: any
number of workers may run it at once, and what a killed one left is done by the next.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from scheduling_core import (
    claims,
    follow_ups,
    freed,
    news,
    outreach,
    plans,
    recalls,
    referrals,
    reminders,
    seals,
    staff_mail,
    waitlist,
)
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.eligibility import checks, good_faith

log = logging.getLogger(__name__)

_AT_MOST = 500  # transactions of one job before the worker turns to other work


@dataclass(frozen=True)
class Job:
    """`is_due` only reads; `step` does one transaction's work and tells whether there may be more."""

    name: str
    every_seconds: float  # of elapsed time
    is_due: Callable[[Session, ClinicFile], bool]
    step: Callable[[Session, ClinicFile], bool]


def _end_expired_holds(session: Session, _: ClinicFile) -> bool:
    return claims.end_some_expired(session, agent="worker") > 0


def _end_past_places(session: Session, clinic: ClinicFile) -> bool:
    waitlist.end_past_places(session, clinic)
    return False


def _tell_news(session: Session, clinic: ClinicFile) -> bool:
    """A few at a time: a thousand visits booked at once must not hold up the messages that are due."""
    news.tell(session, clinic)
    return False


def _note_released_blocks(session: Session, clinic: ClinicFile) -> bool:
    freed.note_released_blocks(session, clinic)
    return False


def _seal_the_audit_trail(session: Session, _: ClinicFile) -> bool:
    sealed = seals.seal_some(session)
    if sealed:
        log.info(
            "audit trail sealed to %s", seals.head(session)
        )  # a log kept elsewhere is a witness: frontdesk audit verify --noted
    return sealed > 0


JOBS = (
    Job("expired-holds", 5.0, lambda session, _: claims.any_expired(session), _end_expired_holds),
    Job("reminders", 0.5, reminders.any_due, lambda *both: reminders.send_due(*both) > 0),
    Job("news", 0.5, lambda session, _: news.any_to_tell(session), _tell_news),
    Job("day-sheets", 30.0, staff_mail.any_sheet_due, lambda *both: staff_mail.send_sheets(*both) > 0),
    Job("task-news", 5.0, staff_mail.any_task_to_tell, lambda *both: staff_mail.tell_tasks(*both) > 0),
    Job("released-blocks", 5.0, freed.any_released, _note_released_blocks),
    Job("offers", 0.5, lambda session, _: freed.any_to_offer(session), lambda *both: freed.offer_freed(*both)),
    Job("plans", 60.0, plans.any_overdue, plans.end_overdue),
    Job("past-places", 60.0, waitlist.any_past_place, _end_past_places),
    Job("coverage-checks", 60.0, checks.any_due, checks.request_due),
    Job("recalls", 60.0, recalls.any_to_find, lambda *both: recalls.find(*both) > 0),
    Job("outreach-settled", 60.0, lambda session, _: outreach.any_to_settle(session), lambda *both: outreach.settle(*both) > 0),
    Job("referrals", 60.0, lambda session, _: referrals.any_to_chase(session), lambda *both: referrals.chase(*both) > 0),
    Job("after-visits", 60.0, follow_ups.any_to_say, lambda *both: follow_ups.say_after_visits(*both) > 0),
    Job("outreach", 1.0, outreach.any_due, lambda *both: outreach.send_due(*both) > 0),
    Job("audit-seals", 10.0, lambda session, _: seals.any_unsealed(session), _seal_the_audit_trail),
    Job("good-faith-estimates", 60.0, good_faith.any_due, good_faith.open_tasks),
)


@dataclass
class Schedule:
    """The jobs of one worker and when each was looked at last."""

    database: Database
    jobs: tuple[Job, ...] = JOBS
    _next: dict[str, float] = field(default_factory=dict)  # time.monotonic()

    def run_due(self) -> int:
        """Run the jobs whose turn it is; in how many there was something to do. One that fails is logged and tried again."""
        worked = 0
        for job in self.jobs:
            if time.monotonic() < self._next.get(job.name, 0.0):
                continue
            self._next[job.name] = time.monotonic() + job.every_seconds
            try:
                worked += self._run(job)
            except NotLoadedError:
                continue
            except Exception as error:  # the worker's other work goes on; without the error's text, which may quote a row
                log.error(
                    "job %s failed: %s\n%s", job.name, type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
                )
        return worked

    def _run(self, job: Job) -> bool:
        with self.database.reading() as session:
            clinic = current(session)
            if not job.is_due(session, clinic):
                return False
        for _ in range(_AT_MOST):
            with self.database.transaction() as session:
                if not job.step(session, clinic):
                    break
        return True
