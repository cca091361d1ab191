"""The audit trail's seals: each row's hash covers the row before it, so that none can be changed, taken out or put in unseen.

Rows are written without one: a chain inside each transaction would make all writers queue. A job seals what has been committed, a
batch at a time. A row that commits late comes into a later batch, wherever its sequence stands, so the order of the chain is batch,
then sequence. Whoever can rewrite the whole database can also compute the chain anew: keep its head elsewhere (the worker's log has
each), and `verify` against it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from scheduling_core import idempotency, times
from scheduling_core.errors import SchedulingError
from scheduling_core.models import AuditEvent, AuditSeal

_BATCH = 1000
_START = "0" * 64


@dataclass(frozen=True)
class Head:
    """Where the chain ends: the number of the last batch and its seal."""

    number: int
    seal: str

    def __str__(self) -> str:
        return f"{self.number}:{self.seal}"


@dataclass(frozen=True)
class Verified:
    """How many rows hold, how many wait for their seal, and where the chain ends."""

    rows: int
    unsealed: int
    head: Head


class BrokenChainError(SchedulingError):
    """The audit trail was changed after it was sealed."""

    code = "broken-chain"


def any_unsealed(session: Session) -> bool:
    return session.scalars(select(AuditEvent.sequence).where(AuditEvent.seal.is_(None)).limit(1)).first() is not None


def seal_some(session: Session) -> int:
    """Seal a batch of rows; how many. Of several at once one does it, the others come back empty-handed."""
    last = _last(session)
    number = last.number + 1
    if not idempotency.insert_unless_there(session, AuditSeal, number=number, rows=0, seal=last.seal, sealed_at=times.now()):
        return 0
    rows = session.scalars(select(AuditEvent).where(AuditEvent.seal.is_(None)).order_by(AuditEvent.sequence).limit(_BATCH)).all()
    seal = last.seal
    sealed = []
    for row in rows:
        seal = _next(seal, row)
        sealed.append({"sequence": row.sequence, "seal": seal, "sealed_in": number})
    if sealed:
        session.execute(update(AuditEvent), sealed)
    batch = session.scalars(select(AuditSeal).where(AuditSeal.number == number)).one()
    if not sealed:
        session.delete(batch)
        return 0
    batch.rows, batch.seal = len(sealed), seal
    return len(sealed)


def verify(session: Session, *, noted: Head | None = None) -> Verified:
    """Compute the chain anew. `noted` is a head that was kept elsewhere, which must be in the chain still.

    Raises BrokenChainError, naming the first place where it does not hold.
    """
    # The seals first: what a sealer adds while the rows are read is none of this reading's.
    batches = session.execute(select(AuditSeal.number, AuditSeal.rows, AuditSeal.seal).order_by(AuditSeal.number)).all()
    by_batch = _by_batch(session, batches[-1].number if batches else 0)
    group = next(by_batch, None)
    seal, rows, number = _START, 0, 0
    for number, batch in enumerate(batches, start=1):
        if batch.number != number:
            raise BrokenChainError(f"batch {number} is gone")
        if group is None or group[0] != number:
            raise BrokenChainError(f"the rows of batch {number} are gone")
        here = 0
        for row in group[1]:
            seal = _next(seal, row)
            here += 1
            if row.seal != seal:
                raise BrokenChainError(f"batch {number}, at row {row.sequence} or before it")
        if here != batch.rows or batch.seal != seal:
            raise BrokenChainError(f"batch {number} had {batch.rows} rows, {here} are there")
        rows += here
        if noted and noted.number == number and noted.seal != seal:
            raise BrokenChainError(f"batch {number} is not the one whose seal was noted")
        group = next(by_batch, None)
    if noted and noted.number > number:
        raise BrokenChainError(f"it ends at batch {number}, before the one whose seal was noted")
    if gone := session.execute(_without_batch()).first():
        raise BrokenChainError(f"batch {gone.sealed_in} is not there, its rows are")
    unsealed = session.scalars(select(func.count()).select_from(AuditEvent).where(AuditEvent.seal.is_(None))).one()
    return Verified(rows, unsealed, Head(number, seal))


def head(session: Session) -> Head:
    """Where the chain ends now."""
    return _last(session)


def _last(session: Session) -> Head:
    found = session.execute(select(AuditSeal.number, AuditSeal.seal).order_by(AuditSeal.number.desc()).limit(1)).first()
    return Head(found[0], found[1]) if found else Head(0, _START)


def _by_batch(session: Session, last: int) -> Iterator[tuple[int, Iterator[AuditEvent]]]:
    """The sealed rows up to the batch `last` in the order of the chain, read as they are needed."""
    found = select(AuditEvent).where(AuditEvent.seal.is_not(None), AuditEvent.sealed_in <= last)
    in_order = found.order_by(AuditEvent.sealed_in, AuditEvent.sequence).execution_options(yield_per=_BATCH)
    return groupby(session.scalars(in_order), key=lambda row: row.sealed_in or 0)


def _without_batch() -> Select[tuple[int | None]]:
    """Sealed rows that no batch answers for: one statement, which sees a batch with its rows or neither."""
    theirs = select(AuditSeal.number).where(
        AuditSeal.organization_id == AuditEvent.organization_id, AuditSeal.number == AuditEvent.sealed_in
    )
    return select(AuditEvent.sealed_in).where(AuditEvent.seal.is_not(None), ~theirs.exists()).limit(1)


def _next(seal: str, row: AuditEvent) -> str:
    said = [
        row.organization_id,
        row.sequence,
        row.at.isoformat(),
        row.agent,
        row.action,
        row.entity,
        row.entity_id,
        row.patient_id,
        row.detail,
    ]
    return hashlib.sha256(f"{seal}{json.dumps(said, sort_keys=True, ensure_ascii=False)}".encode()).hexdigest()
