"""How likely a patient does not come: a logistic regression on the clinic's own history, off until the clinic file says so.

It knows what the patient did here before and what the visit is like, nothing else: no sex, age, language, address, insurer or name
(`docs/overbooking.md` says why). It is kept as numbers in a row of JSON; using it takes no library and runs no stored code.
The estimate is for staff alone: it orders calls and weighs places to overbook, and refuses nobody anything.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import audit, sending, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import SchedulingError
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    Direction,
    Mode,
    NoShowModel,
    ParticipationStatus,
    Task,
    TaskStatus,
)

FEWEST_VISITS, FEWEST_MISSED = 500, 50  # that a model is learned from
UNKNOWN = 0.1  # the risk where nothing is estimated: the same for everybody, so that it orders nothing
_CAME = (AppointmentStatus.FULFILLED, AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN)
_PRIORS = (1.0, 2.0, 4.0, 8.0)  # so many average visits are added to a patient's own; chosen by what predicts best
_BUCKETS = 10  # of the expected calibration error


class TooLittleHistoryError(SchedulingError):
    """There are too few visits with a known outcome to learn from."""

    code = "too-little-history"


class NotEstimatedError(SchedulingError):
    """No-shows are not estimated here: the clinic file has it switched off, or no model was learned yet."""

    code = "not-estimated"


@dataclass(frozen=True)
class Known:
    """What is known of a visit before it: all that the estimate may use."""

    lead_days: float  # from booking to start
    hour: float  # of the clock on the wall
    weekday: int  # 0 is Monday
    video: bool
    came: int  # earlier visits of the patient
    missed: int
    missed_last: bool
    late: int  # earlier cancellations at short notice
    reminded: bool = False
    confirmed: bool = False

    def values(self, base: float, prior: float) -> dict[str, float]:
        """The numbers that are weighed. A patient's own rate is drawn to the clinic's (`base`) by `prior` average visits."""
        rate = (self.missed + prior * base) / (self.came + self.missed + prior)
        return {
            "rate": _logit(rate) - _logit(base),
            "missed-last": float(self.missed_last),
            "new": float(self.came + self.missed == 0),
            "late": math.log1p(self.late),
            "lead": math.log1p(self.lead_days),
            "hour": (self.hour - 12) / 4,
            "hour-squared": ((self.hour - 12) / 4) ** 2,
            "video": float(self.video),
            "reminded": float(self.reminded),
            "confirmed": float(self.confirmed),
        } | {f"weekday-{day}": float(self.weekday == day) for day in range(7)}


@dataclass(frozen=True)
class Model:
    """Weights, and how well an equal model learned from the older visits foretold the latest fifth (`ece`, `auc`, `slope`)."""

    intercept: float
    weights: dict[str, float]
    base: float
    prior: float
    visits: int
    ece: float
    auc: float
    slope: float

    def risk(self, known: Known) -> float:
        """The chance that the patient does not come, 0 to 1."""
        values = known.values(self.base, self.prior)
        return 1 / (1 + math.exp(-self.intercept - sum(self.weights[name] * value for name, value in values.items())))


@dataclass(frozen=True)
class Call:
    """An unconfirmed visit that a call may save, and the sentence for staff."""

    visit: Appointment
    risk: float
    staff: str


class _History:
    """What one patient did here, by time."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[dt.datetime, bool]] = []  # start, and whether it was missed
        self.late: list[dt.datetime] = []

    def before(self, instant: dt.datetime) -> tuple[int, int, bool, int]:
        """Earlier visits that took place and that were missed, whether the last was missed, and late cancellations."""
        earlier = [missed for start, missed in self.outcomes if start < instant]
        late = sum(at < instant for at in self.late)
        return len(earlier) - sum(earlier), sum(earlier), bool(earlier and earlier[-1]), late


class Risks:
    """The risks of visits, with what is known of their patients read once (see `risks`)."""

    def __init__(self, clinic: ClinicFile, model: Model | None, histories: dict[str, _History], reminded: Collection[str]) -> None:
        self._clinic, self._model, self._histories, self._reminded = clinic, model, histories, reminded

    def of(self, visit: Appointment) -> float:
        """The risk of a visit on the books."""
        return self._model.risk(self.known(visit)) if self._model else UNKNOWN

    def at(self, patient_id: str | None, start: dt.datetime, mode: Mode) -> float:
        """The risk of a visit that is to be booked now."""
        if self._model is None:
            return UNKNOWN
        return self._model.risk(_known(self._clinic, self._histories[patient_id or ""], start, times.now(), mode, None))

    def known(self, visit: Appointment) -> Known:
        assert visit.start
        confirmed = visit.confirmation is ParticipationStatus.ACCEPTED
        place = visit.location_id
        known = _known(self._clinic, self._histories[visit.patient_id or ""], visit.start, visit.created_at, visit.mode, place)
        return _told(known, visit.id in self._reminded, confirmed)


def risks(
    session: Session, clinic: ClinicFile, visits: Collection[Appointment], *, patient_id: str | None = None, agent: str
) -> Risks:
    """What is needed for the risks of visits, and of another one of `patient_id`. The same risk for all where none is estimated."""
    model = current(session) if clinic.no_shows.estimate else None
    if model is None:
        return Risks(clinic, None, {}, ())
    who = {visit.patient_id for visit in visits if visit.patient_id} | ({patient_id} if patient_id else set())
    for one in sorted(who):
        audit.record(
            session, agent=agent, action="R", entity="Patient", entity_id=one, patient_id=one, detail={"for": "no-show risk"}
        )
    return Risks(clinic, model, _histories(session, who), _reminded(session, who))


def whom_to_call(session: Session, clinic: ClinicFile, *, day: dt.date, agent: str, count: int = 20) -> list[Call]:
    """The unconfirmed visits of a day that a call may save: the most minutes that are likely lost first.

    Raises NotEstimatedError.
    """
    if not clinic.no_shows.estimate or current(session) is None:
        raise NotEstimatedError
    start, end = (times.from_wall(one, dt.time(0), clinic.zone) for one in (day, day + dt.timedelta(days=1)))
    visits = session.scalars(
        select(Appointment).where(
            Appointment.start >= max(start, times.now()),
            Appointment.start < end,
            Appointment.status.in_((AppointmentStatus.BOOKED, AppointmentStatus.PENDING)),
            Appointment.confirmation == ParticipationStatus.NEEDS_ACTION,
        )
    ).all()
    known = risks(session, clinic, visits, agent=agent)
    calls = [Call(one, risk := known.of(one), _because(risk, known.known(one))) for one in visits]
    calls.sort(
        key=lambda one: (-one.risk * ((one.visit.end_tick or 0) - (one.visit.first_tick or 0)), one.visit.start, one.visit.id)
    )
    return calls[:count]


def current(session: Session) -> Model | None:
    """The model that holds, None where none was learned."""
    content = session.scalars(select(NoShowModel.content).order_by(NoShowModel.number.desc()).limit(1)).first()
    return Model(**content) if content else None


def train(session: Session, clinic: ClinicFile, *, agent: str) -> Model:
    """Learn from every visit of the clinic that took place or was missed, and keep the model. Takes seconds.

    Raises TooLittleHistoryError.
    """
    rows = session.execute(
        select(
            Appointment.id,
            Appointment.patient_id,
            Appointment.start,
            Appointment.created_at,
            Appointment.mode,
            Appointment.location_id,
            Appointment.confirmation,
            Appointment.status,
        )
        .where(Appointment.status.in_((*_CAME, AppointmentStatus.NOSHOW)), Appointment.end < times.now())
        .where(Appointment.patient_id.is_not(None))
        .order_by(Appointment.start, Appointment.id)
    ).all()
    outcomes = [row.status is AppointmentStatus.NOSHOW for row in rows]
    if len(rows) < FEWEST_VISITS or sum(outcomes) < FEWEST_MISSED or sum(outcomes) == len(rows):
        raise TooLittleHistoryError(f"{len(rows)} visits, {sum(outcomes)} missed")
    histories, reminded = _histories(session), _reminded(session)
    known = []
    for row in rows:
        at_booking = _known(clinic, histories[row.patient_id], row.start, row.created_at, row.mode, row.location_id)
        confirmed = row.confirmation is ParticipationStatus.ACCEPTED
        known.append((at_booking, _told(at_booking, row.id in reminded, confirmed)))
    model = _learn(known, outcomes)
    number = (session.scalar(select(func.max(NoShowModel.number))) or 0) + 1
    session.add(NoShowModel(number=number, content=asdict(model), trained_at=times.now()))
    audit.record(session, agent=agent, action="E", entity="NoShowModel", entity_id=str(number), detail={"visits": len(rows)})
    session.flush()
    return model


def figures(risks: Sequence[float], outcomes: Sequence[bool]) -> dict[str, float]:
    """How good risks are: `ece` in buckets of equal size, `auc`, and the calibration `slope` (1: not too bold, not too timid)."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

    ranked = sorted(zip(risks, outcomes, strict=True))
    parts = [ranked[len(ranked) * one // _BUCKETS : len(ranked) * (one + 1) // _BUCKETS] for one in range(_BUCKETS)]
    off = [abs(sum(risk for risk, _ in part) - sum(missed for _, missed in part)) for part in parts]
    told = [[_logit(risk)] for risk in risks]
    slope = LogisticRegression(C=1e9).fit(told, list(outcomes)).coef_[0][0]
    return {"ece": sum(off) / len(ranked), "auc": float(roc_auc_score(list(outcomes), list(risks))), "slope": float(slope)}


def _learn(known: Sequence[tuple[Known, Known]], outcomes: Sequence[bool]) -> Model:
    """`known`, oldest first: of each visit what was known at booking, and on the day before. It is learned from both."""
    older, newer = len(known) * 3 // 5, len(known) * 4 // 5
    trials = [_fit(known[:older], outcomes[:older], prior) for prior in _PRIORS]
    prior = min(trials, key=lambda model: _loss(model, known[older:newer], outcomes[older:newer])).prior
    tried = _fit(known[:newer], outcomes[:newer], prior)
    measured = figures([tried.risk(late) for _, late in known[newer:]], outcomes[newer:])
    fitted = _fit(known, outcomes, prior)
    return replace(fitted, ece=measured["ece"], auc=measured["auc"], slope=measured["slope"])


def _fit(known: Sequence[tuple[Known, Known]], outcomes: Sequence[bool], prior: float) -> Model:
    from sklearn.linear_model import LogisticRegression

    base = sum(outcomes) / len(outcomes)
    rows = [one.values(base, prior) for both in known for one in both]
    fitted = LogisticRegression(max_iter=1_000).fit([list(row.values()) for row in rows], [one for one in outcomes for _ in "ab"])
    weights = dict(zip(rows[0], map(float, fitted.coef_[0]), strict=True))
    return Model(float(fitted.intercept_[0]), weights, base, prior, len(known), 0.0, 0.0, 0.0)


def _loss(model: Model, known: Sequence[tuple[Known, Known]], outcomes: Sequence[bool]) -> float:
    chances = (model.risk(late) if missed else 1 - model.risk(late) for (_, late), missed in zip(known, outcomes, strict=True))
    return -sum(map(math.log, chances))


def _known(
    clinic: ClinicFile, history: _History, start: dt.datetime, booked_at: dt.datetime, mode: Mode, location_id: str | None
) -> Known:
    wall = times.to_wall(start, clinic.zone_of(location_id) if location_id in clinic.locations_by_id else clinic.zone)
    came, missed, missed_last, late = history.before(start)
    lead = max(0.0, (start - booked_at) / dt.timedelta(days=1))
    return Known(lead, wall.hour + wall.minute / 60, wall.weekday(), mode is Mode.VIDEO, came, missed, missed_last, late)


def _told(known: Known, reminded: bool, confirmed: bool) -> Known:
    return replace(known, reminded=reminded or confirmed, confirmed=confirmed)


def _histories(session: Session, who: Iterable[str] | None = None) -> dict[str, _History]:
    """By patient, of all or of some; who has none has an empty one."""
    found: dict[str, _History] = defaultdict(_History)
    visits = select(Appointment.patient_id, Appointment.start, Appointment.status).where(
        Appointment.status.in_((*_CAME, AppointmentStatus.NOSHOW)), Appointment.end < times.now()
    )
    late = select(Task.patient_id, Task.created_at).where(
        Task.reason == "late-cancellation", Task.status != TaskStatus.CANCELLED
    )  # a task is cancelled where the clinic itself took the visit off the books
    if who is not None:
        visits, late = visits.where(Appointment.patient_id.in_(who)), late.where(Task.patient_id.in_(who))
    for patient_id, start, status in session.execute(visits.order_by(Appointment.start)):
        found[patient_id].outcomes.append((start, status is AppointmentStatus.NOSHOW))
    for patient_id, at in session.execute(late):
        found[patient_id].late.append(at)
    return found


def _reminded(session: Session, who: Iterable[str] | None = None) -> set[str]:
    """The visits that a reminder went out for."""
    sent = select(Communication.appointment_id).where(
        Communication.kind == sending.REMINDER,
        Communication.direction == Direction.OUT,
        Communication.status.in_(sending.GONE_OUT),
    )
    return {one for one in session.scalars(sent if who is None else sent.where(Communication.patient_id.in_(who))) if one}


def _because(risk: float, known: Known) -> str:
    reasons = []
    if known.missed:
        reasons.append(f"missed {known.missed} of {known.came + known.missed} visits before")
    elif known.came == 0:
        reasons.append("first visit here")
    if known.late:
        reasons.append(f"cancelled late {known.late} time{'s' if known.late > 1 else ''}")
    if known.lead_days >= 14:
        reasons.append(f"booked {known.lead_days:.0f} days ahead")
    if known.reminded:
        reasons.append("has not answered the reminder")
    return f"{round(100 * risk)}% may not come: {', '.join(reasons) or 'nothing out of the ordinary'}."


def _logit(chance: float) -> float:
    return math.log(chance / (1 - chance))
