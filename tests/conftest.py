"""What every test may ask for: both database engines, the clinic of the tests, and a clock that stands still."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from scheduling_core import migrating
from scheduling_core.clinic_file import loading, reading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Base
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
def postgres_tables(postgres_url: str) -> str:
    """The URL of a migrated database that tests take turns in."""
    _on_server(postgres_url, "CREATE DATABASE frontdesk")
    url = _named(postgres_url, "frontdesk")
    migrating.upgrade(url)
    return url


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
def postgres_database(postgres_tables: str) -> Iterator[Database]:
    """A migrated PostgreSQL database without a row."""
    _empty(postgres_tables)
    database = Database(postgres_tables)
    yield database
    database.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A fresh, migrated database; the test runs once on each engine."""
    name = {"sqlite": "sqlite_database", "postgresql": "postgres_database"}[request.param]
    found: Database = request.getfixturevalue(name)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table; the test runs once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.sqlite'}"
        return
    server: str = request.getfixturevalue("postgres_url")
    name = f"bare_{next(_numbers)}"
    _on_server(server, f"CREATE DATABASE {name}")
    yield _named(server, name)
    _on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


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


def _empty(url: str) -> None:
    """Take the rows out of the tables that hold some, and the connections of earlier tests out of their way."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    with _connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        full = connection.execute(" UNION ALL ".join(f"SELECT '{t}' WHERE EXISTS (SELECT FROM {t})" for t in tables)).fetchall()
        if full:
            connection.execute(f"TRUNCATE {', '.join(name for (name,) in full)} CASCADE")


def _on_server(url: str, statement: str) -> None:
    with _connect(url) as connection:
        connection.execute(statement)


def _connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)
