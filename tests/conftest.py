"""What every test may ask for: both database engines, the clinic of the tests, and a clock that stands still."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from scheduling_core import migrating
from scheduling_core.clinic_file import loading, reading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from tests import postgres

CLINICS = Path(__file__).parent / "clinics"
_numbers = itertools.count(1)


class Clock:
    """The one clock of every process, at an instant of the test's choice."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def set(self, iso: str) -> None:
        """`iso` carries an offset, as in 2026-11-16T09:10:00-06:00."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(iso, encoding="utf-8")
        fresh.replace(self.file)  # never half written for a process that looks just now


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clinic's clock, frozen on a Monday at 9:10 in Chicago until `set`."""
    frozen = Clock(tmp_path / "clock")
    frozen.set("2026-11-16T09:10:00-06:00")
    monkeypatch.setenv("FRONTDESK_CLOCK", str(frozen.file))
    return frozen


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole run, started when the first test asks for it."""
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a migrated database that copies are made of."""
    _on_server(postgres_url, "CREATE DATABASE template_frontdesk")
    migrating.upgrade(_named(postgres_url, "template_frontdesk"))
    return "template_frontdesk"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "frontdesk.sqlite"
    migrating.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh, migrated SQLite database."""
    file = tmp_path / "frontdesk.sqlite"
    shutil.copyfile(sqlite_template, file)
    database = Database(f"sqlite:///{file}")
    yield database
    database.dispose()


@pytest.fixture
def postgres_database(postgres_url: str, postgres_template: str) -> Iterator[Database]:
    """A fresh, migrated PostgreSQL database."""
    name = f"test_{next(_numbers)}"
    _on_server(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    database = Database(_named(postgres_url, name))
    yield database
    database.dispose()
    _on_server(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A fresh, migrated database; the test runs once on each engine."""
    name = {"sqlite": "sqlite_database", "postgresql": "postgres_database"}[request.param]
    found: Database = request.getfixturevalue(name)
    return found


@pytest.fixture(scope="session")
def clinic() -> ClinicFile:
    """Maple Grove Clinic."""
    return reading.read(CLINICS / "maple.yml")


@pytest.fixture
def loaded(database: Database, clinic: ClinicFile, clock: Clock) -> Database:
    """A fresh database with the clinic of the tests in it, on each engine; the clock stands still."""
    return _load(database, clinic)


@pytest.fixture
def sqlite_loaded(sqlite_database: Database, clinic: ClinicFile, clock: Clock) -> Database:
    """As `loaded`, on SQLite alone."""
    return _load(sqlite_database, clinic)


def _load(database: Database, clinic: ClinicFile) -> Database:
    with database.transaction() as session:
        loading.load(session, clinic, agent="load")
    return database


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _on_server(url: str, statement: str) -> None:
    with psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(statement.encode())
