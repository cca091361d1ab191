"""What the day view costs for fifty practitioners with a thousand visits: server time, bytes, and what staying fresh costs.

python -m benchmarks.console_day [--engine sqlite] [--rounds 25]

The visits are in every state. Server time is the whole request through
the web app, without a network: session, role, reading, drawing, audit row, commit. The page is its HTML with the styles and scripts
that it loads, uncompressed. `changes` is the question that each open page asks every 15 seconds when nothing changed.
"""

from __future__ import annotations

import argparse
import random
import re
import secrets
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from bot.app import close, create_app
from bot.console.sessions import COOKIE, PATH
from scheduling_core import accounts, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Appointment, AppointmentStatus, Attendance, ParticipationStatus, Patient, Role, StaffSession
from tests.bot.conftest import make_settings

COMMAND = "python -m benchmarks.console_day"
PRACTITIONERS, VISITS = 50, 1_000
_MILLISECONDS, _KILOBYTES = 300, 300
_STATES = (
    [AppointmentStatus.BOOKED] * 10
    + [AppointmentStatus.FULFILLED] * 5
    + [AppointmentStatus.ARRIVED] * 2
    + [AppointmentStatus.CHECKED_IN, AppointmentStatus.NOSHOW, AppointmentStatus.CANCELLED]
)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--engine", choices=machine.ENGINES, action="append")
    options.add_argument("--rounds", type=int, default=25)
    chosen = options.parse_args()
    for engine in chosen.engine or machine.ENGINES:
        with machine.database(engine) as database, tempfile.TemporaryDirectory() as folder:
            _measure(engine, database, Path(folder), chosen.rounds)


def _measure(engine: str, database: Database, folder: Path, rounds: int) -> None:
    day = times.now().date()
    _fill(database)
    app = create_app(make_settings(folder, database.url))
    try:
        client = app.test_client()
        client.set_cookie(COOKIE, _sign_in(database), path=PATH)
        address = f"/console/day/?day={day.isoformat()}"
        page = client.get(address).text
        shown = page.count('class="v ')
        assert shown == VISITS, f"{shown} of {VISITS} visits are on the page"
        taken = _timed(client, address, rounds, 200)
        html = len(page.encode())
        loaded = sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)))
        whole = html + sum(len(client.get(one).data) for one in loaded)
        had = ",".join(f"{name}:{mark}" for name, mark in re.findall(r'id="c-([^"]+)"[^>]* data-mark="([^"]+)"', page))
        frame = re.search(r'data-frame="([^"]+)"', page)
        assert frame
        question = urlencode({"day": day.isoformat(), "have": had, "frame": frame[1]})
        fresh = _timed(client, f"/console/day/changes?{question}", rounds, 204)
    finally:
        close(app)
    what = f"Day view, {PRACTITIONERS} practitioners, {VISITS} visits, {engine}"
    command = f"{COMMAND} --engine {engine}"
    for name, value in (
        ("server time, median", statistics.median(taken)),
        ("server time, p95", statistics.quantiles(taken, n=20)[18]),
        ("nothing has changed, median", statistics.median(fresh)),
    ):
        report(f"{what}: {name}", round(value), "ms", f"<= {_MILLISECONDS}", value <= _MILLISECONDS, command)
    for name, value in (("HTML alone", html / 1000), ("HTML, styles, scripts", whole / 1000)):
        report(f"{what}: {name}", round(value), "KB", f"<= {_KILOBYTES}", value <= _KILOBYTES, command)


def _fill(database: Database) -> None:
    """A day of today, booked to five sixths, in every state, with names and services as long as real ones."""
    plain = busy_clinic.clinic(PRACTITIONERS, days="mon-sun").model_dump(mode="json", by_alias=True)
    plain["services"][0]["name"] = "Follow-up visit"
    for number, one in enumerate(plain["practitioners"]):
        one["name"] = f"Dr. Eleanor Whitcomb {number}"
    filled = busy_clinic.fill(database, ClinicFile.model_validate(plain), utilisation=5 / 6, days=1)
    assert filled == VISITS, filled
    dice = random.Random(3)
    mine = database.organization
    with database.transaction() as session:
        session.execute(update(Patient).where(Patient.organization_id == mine).values(given="Katherine", family="Delgado-Smith"))
        for one in session.scalars(select(Appointment)).all():
            one.status = dice.choice(_STATES)
            one.comment = "Brings her daughter" if dice.random() < 0.1 else None
            if dice.random() < 0.4:
                one.confirmation = ParticipationStatus.ACCEPTED
            if one.status is AppointmentStatus.ARRIVED:
                session.add(Attendance(appointment_id=one.id, arrived_at=one.start))
        session.flush()
        session.execute(text("ANALYZE"))


def _sign_in(database: Database) -> str:
    """The cookie of a scheduler."""
    cookie = secrets.token_urlsafe(32)
    with database.transaction() as session:
        account = accounts.add_staff(session, email="nora@busy.example", name="Nora", role=Role.SCHEDULER, agent="benchmark")
        account.totp_secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        now = time.time()
        content = {"_user_id": account.id, "_fresh": True}
        session.add(StaffSession(digest=accounts.digest(cookie), account_id=account.id, content=content, began=now, seen=now))
    return cookie


def _timed(client: FlaskClient, address: str, rounds: int, status: int) -> list[float]:
    """Milliseconds of each round, after three that warm up."""
    found = []
    for _ in range(rounds + 3):
        begun = time.perf_counter()
        answer = client.get(address, headers={"HX-Request": "true"} if status == 204 else {})
        found.append(1_000 * (time.perf_counter() - begun))
        assert answer.status_code == status, answer.status
    return found[3:]


if __name__ == "__main__":
    main()
