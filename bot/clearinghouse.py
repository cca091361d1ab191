"""Asking payers over HTTP, outside of any transaction: the adapter to a clearinghouse, and who works the checks off with it."""

from __future__ import annotations

import logging
import threading
import time
import traceback
import uuid
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import httpx
from sqlalchemy.orm import Session

from bot import core_envelope
from bot.core_envelope import EnvelopeError
from bot.settings import Envelope, Environment, Settings
from scheduling_core import times
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.eligibility import answers, checks, consequences
from scheduling_core.models import EligibilityCheck
from scheduling_core.x12 import Inquiry, write_270

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
LEASE_SECONDS = 45.0  # longer than an inquiry takes
_LONGEST_ANSWER = 2_000_000
_AT_ONCE = 16
_POLL_SECONDS = 0.5
_GATHER_SECONDS = 0.02


class ClearinghouseError(Exception):
    """No answer. `code` is ours and holds no data; `permanent`: asking the same again is of no use."""

    def __init__(self, code: str, *, permanent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent


class Clearinghouse:
    """One address to which inquiries go. Safe to use from several threads."""

    def __init__(self, settings: Settings, *, url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self._settings = settings
        self._url = url
        self._timeout = timeout
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(5.0, timeout)), limits=httpx.Limits(max_connections=64), trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def ask(self, text: str) -> str:
        """The answer to an X12 inquiry. Raises ClearinghouseError, at the latest after the timeout."""
        told = self._settings
        about = core_envelope.fields(
            payload_type=core_envelope.REQUEST,
            payload_id=str(uuid.uuid4()),
            timestamp=f"{times.now():%Y-%m-%dT%H:%M:%SZ}",
            sender=told.clearinghouse_sender,
            receiver=told.clearinghouse_receiver,
        )
        kind = told.clearinghouse_envelope
        message = core_envelope.wrap(kind, text, about, user=told.clearinghouse_user, password=told.clearinghouse_password)
        content_type, body = self._post(message)
        try:
            payload, said = core_envelope.unwrap(content_type, body)
        except EnvelopeError as error:
            raise ClearinghouseError(f"envelope-{error}".replace(" ", "-")) from None
        if (code := said.get("ErrorCode", core_envelope.SUCCESS)) != core_envelope.SUCCESS:
            raise ClearinghouseError(f"core-{code[:40]}", permanent=True)
        return payload

    def _post(self, message: core_envelope.Message) -> tuple[str, bytes]:
        """Content type and body. The whole of it is bounded in time and size: a timeout of the library's is for each read."""
        until = time.monotonic() + self._timeout
        told = self._settings
        plain = told.clearinghouse_envelope is Envelope.PLAIN and told.clearinghouse_user
        auth = httpx.BasicAuth(told.clearinghouse_user or "", told.clearinghouse_password or "") if plain else None
        chunks: list[bytes] = []
        size = 0
        try:
            with self._client.stream(
                "POST", self._url, content=message.body, headers={"Content-Type": message.content_type}, auth=auth
            ) as response:
                if response.status_code >= 300:
                    permanent = response.status_code in (400, 413, 415, 422)
                    raise ClearinghouseError(f"http-{response.status_code}", permanent=permanent)
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > _LONGEST_ANSWER:
                        raise ClearinghouseError("too-long", permanent=True)
                    if time.monotonic() > until:
                        raise ClearinghouseError("timeout")
                return response.headers.get("Content-Type", ""), b"".join(chunks)
        except httpx.TimeoutException:
            raise ClearinghouseError("timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ClearinghouseError(f"connection-{type(error).__name__}") from None


@dataclass
class Asker:
    """Works the eligibility checks off: claims, asks several payers at once, keeps what they answer. Any number run at once."""

    database: Database
    clearinghouse: Clearinghouse
    sender: checks.Sender
    name: str
    lease_seconds: float = LEASE_SECONDS
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="payer"))
    _asked: dict[Future[str | ClearinghouseError], EligibilityCheck] = field(default_factory=dict)

    def work_until(self, stop: threading.Event) -> None:
        """Asks until `stop` is set; what is under way then is waited for, no longer than an inquiry takes."""
        while not stop.is_set():
            try:
                busy = self.step()
            except NotLoadedError:
                busy = False
            except Exception as error:  # the next look goes on; without the error's text, which may quote a row
                frames = "".join(traceback.format_tb(error.__traceback__))
                log.error("asking payers failed: %s\n%s", type(error).__name__, frames)
                stop.wait(1.0)
                continue
            if not busy:
                stop.wait(_POLL_SECONDS)
        while self._asked:
            self._keep_and_claim(self._come(TIMEOUT_SECONDS + 5), 0)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def step(self) -> bool:
        """Keep what has come and claim what there is room for; whether there was anything to do."""
        done = self._come(_POLL_SECONDS)
        room = _AT_ONCE - len(self._asked) + len(done)
        if done or (room and self._any_waiting()):
            self._keep_and_claim(done, room)
        return bool(done or self._asked)

    def _come(self, seconds: float) -> set[Future[str | ClearinghouseError]]:
        """What is answered when the first answer comes and a moment has passed: one commit for all of it."""
        if wait(self._asked, timeout=seconds, return_when=FIRST_COMPLETED).done:
            return wait(self._asked, timeout=_GATHER_SECONDS).done
        return set()

    def _any_waiting(self) -> bool:
        with self.database.reading() as session:
            return checks.any_waiting(session)

    def _keep_and_claim(self, done: set[Future[str | ClearinghouseError]], room: int) -> None:
        with self.database.transaction() as session:
            clinic = current(session)
            self._keep(session, clinic, done)
            claimed = checks.claim(session, worker=self.name, limit=room, lease_seconds=self.lease_seconds) if room else []
            inquiries = checks.inquiries(session, clinic, claimed, self.sender) if claimed else []
            for check, inquiry in inquiries:
                if inquiry is None:
                    checks.cancel(session, check)
        for future in done:
            del self._asked[future]
        for check, inquiry in inquiries:
            if inquiry is not None:
                self._asked[self._pool.submit(self._ask, inquiry)] = check

    def _keep(self, session: Session, clinic: ClinicFile, done: set[Future[str | ClearinghouseError]]) -> None:
        settled = []
        with session.no_autoflush:  # the audit rows of all go in together
            for future in done:
                check, answer = self._asked[future], future.result()
                if isinstance(answer, ClearinghouseError):
                    log.warning("check %s got no answer: %s", check.id, answer.code)
                    status = checks.keep_failure(session, check, answer.code, permanent=answer.permanent)
                else:
                    status = checks.keep_answer(session, check, answer)
                if status in answers.SETTLED:
                    settled.append(check.id)
        for check_id in settled:
            consequences.tell_billing(session, clinic, check_id)

    def _ask(self, inquiry: Inquiry) -> str | ClearinghouseError:
        try:
            text = write_270(inquiry)
        except ValueError:
            return ClearinghouseError("cannot-be-written", permanent=True)
        try:
            return self.clearinghouse.ask(text)
        except ClearinghouseError as error:
            return error


def start(settings: Settings, database: Database, name: str, stop: threading.Event) -> threading.Thread | None:
    """Ask payers in a thread of this process until `stop` is set. None in production without an address."""
    url = settings.clearinghouse_url
    if url is None and settings.env is Environment.PRODUCTION:
        return None
    if url is None:
        from bot import payer_simulator  # where there is no payer, an invented one answers over the same way

        url = payer_simulator.serve_beside()
    sender = checks.Sender(settings.clearinghouse_sender, settings.clearinghouse_receiver, settings.env is Environment.PRODUCTION)
    clearinghouse = Clearinghouse(settings, url=url)
    asker = Asker(database, clearinghouse, sender, f"{name}-payers"[:64])

    def work() -> None:
        try:
            asker.work_until(stop)
        finally:
            clearinghouse.close()

    thread = threading.Thread(target=work, name="payers", daemon=True)
    thread.start()
    return thread
