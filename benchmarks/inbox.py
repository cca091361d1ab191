"""The inbox under load: how soon a text is on every open page, and whether the webhooks still answer meanwhile.

python -m benchmarks.inbox [--streams 200] [--rate 50] [--seconds 30] [--conversations 2000]

A web process of its own serves as many open inboxes as `--streams`, each with an account of its own. Texts come in through the
signed webhook, for conversations that staff own. Timed is from before a text is posted until its words have arrived on a page, for
each text and each page. Then handed-over conversations are talked into while the web process is killed and started anew.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import psutil
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from bot.console.sessions import COOKIE
from bot.settings import DEMO_ACCOUNT_SID, DEMO_AUTH_TOKEN, PROJECT
from scheduling_core import accounts, inbox, times
from scheduling_core.clinic_file import loading
from scheduling_core.db import Database
from scheduling_core.inbox import Clerk
from scheduling_core.models import Channel, Communication, Conversation, Delivery, Direction, Role, StaffSession, new_id

COMMAND = "python -m benchmarks.inbox"
_WORD = re.compile(rb"word-(\d+)-")
_TALKERS = 200  # numbers that write while the pages are timed
_HERE = "+14145"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--streams", type=int, default=200)
    options.add_argument("--rate", type=int, default=50, help="texts a second")
    options.add_argument("--seconds", type=int, default=30)
    options.add_argument("--conversations", type=int, default=2000, help="for what is told once")
    options.add_argument("--engine", choices=machine.ENGINES, action="append")
    chosen = options.parse_args()
    for engine in chosen.engine or machine.ENGINES:
        with machine.database(engine) as database:
            with database.transaction() as session:
                loading.load(session, busy_clinic.clinic(1), agent="benchmark")
            _measure_pages(database, engine, chosen.streams, chosen.rate, chosen.seconds)
            if chosen.conversations:
                _measure_once(database, engine, chosen.conversations)


def _measure_pages(database: Database, engine: str, streams: int, rate: int, seconds: int) -> None:
    phones = _hand_over(database, _TALKERS, f"{_HERE}50")
    cookies = _sign_in(database, streams)
    with _Web(database) as web:
        _warm_up(web, phones)
        pages = _Pages(web, cookies)
        pages.open()
        before = web.cpu_seconds()
        sent, webhooks = _talk(web, phones, rate, seconds)
        cores = (web.cpu_seconds() - before) / seconds
        time.sleep(3.0)
        pages.close()
    late = [
        page.get(number, float("inf")) - posted  # what never came is later than any
        for page in pages.arrived
        for number, posted in sent.items()
    ]
    never = sum(seconds_ == float("inf") for seconds_ in late)
    p95 = _percentile(late, 0.95)
    print(f"{engine}: {len(sent)} texts on {streams} pages, {rate} a second; the web process took {cores:.2f} of a core")
    report(f"inbox: text on an open page, p95 of {streams} ({engine})", round(p95, 3), "s", "<= 1", p95 <= 1, COMMAND)
    report(f"inbox: texts that a page never showed ({engine})", never, "", "0", never == 0, COMMAND)
    hook = _percentile(webhooks, 0.95)
    report(f"inbox: webhook meanwhile, p95 ({engine})", round(hook * 1000, 1), "ms", "<= 500", hook <= 0.5, COMMAND)


def _measure_once(database: Database, engine: str, conversations: int) -> None:
    """Each number writes three times while the web process is killed; each text is delivered until the webhook has answered 200."""
    phones = _hand_over(database, conversations, f"{_HERE}6")
    spoke: list[str] = []
    lock = threading.Lock()
    kills = 0
    with _Web(database) as web:
        over = threading.Event()

        def kill() -> int:
            count = 0
            while not over.wait(random.uniform(1.0, 4.0)):
                web.kill()
                web.start()
                count += 1
            return count

        def write(phone: str) -> None:
            for number in range(3):
                body = ("/restart", f"word-{number}- hello", "HELP")[number]
                sid = f"SM{secrets.token_hex(16)}"
                for _ in range(60):  # the carrier delivers again what was not answered
                    try:
                        answer = web.post(phone, body, sid)
                    except httpx.HTTPError:
                        time.sleep(0.3)
                        continue
                    if answer.status_code == 200:
                        break
                if "<Message>" in answer.text:
                    with lock:
                        spoke.append(answer.text)

        with ThreadPoolExecutor(13) as pool:
            killer = pool.submit(kill)
            list(pool.map(write, phones))
            over.set()
            kills = killer.result()
    with database.reading() as session:
        found = session.execute(
            select(Communication.phone, Communication.status, Communication.direction).where(Communication.phone.in_(phones))
        ).all()
    heard = Counter(row.phone for row in found if row.direction is Direction.IN and row.status is Delivery.INBOX)
    wrong = sum(abs(heard[phone] - 3) for phone in phones)
    out = len(spoke) + sum(row.direction is Direction.OUT for row in found)
    print(f"{engine}: {conversations} conversations, the web process killed {kills} times")
    name = f"{conversations} conversations ({engine})"
    report(f"inbox: texts lost or twice, {name}", wrong, "", "0", wrong == 0, COMMAND)
    report(f"inbox: words of the assistant, {name}", out, "", "0", out == 0, COMMAND)


def _warm_up(web: _Web, phones: list[str]) -> None:
    """A fresh process reads its words of danger and compiles its statements with the first texts, which takes seconds."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda phone: web.post(phone, "good morning", f"SM{secrets.token_hex(16)}"), phones[:40]))


def _talk(web: _Web, phones: list[str], rate: int, seconds: int) -> tuple[dict[int, float], list[float]]:
    """When each text was posted, by its number, and how long its webhook took."""
    sent: dict[int, float] = {}
    took: list[float] = []
    begun = time.monotonic()

    def write(number: int) -> None:
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        sent[number] = posted = time.monotonic()
        answer = web.post(phones[number % len(phones)], f"word-{number}- could you look at this", f"SM{secrets.token_hex(16)}")
        took.append(time.monotonic() - posted)
        answer.raise_for_status()

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(write, range(rate * seconds)))
    return sent, took


@dataclass
class _Pages:
    """Open inboxes: streams read in a thread of their own, each word's arrival noted for each page."""

    web: _Web
    cookies: list[str]
    arrived: list[dict[int, float]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def open(self) -> None:
        self.arrived = [{} for _ in self.cookies]
        opened = threading.Barrier(2)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._read(opened)), daemon=True)
        self._thread.start()
        opened.wait(120)

    def close(self) -> None:
        self._over.set()
        assert self._thread
        self._thread.join()

    async def _read(self, opened: threading.Barrier) -> None:
        ready = [asyncio.Event() for _ in self.cookies]
        tasks = [
            asyncio.create_task(self._follow(cookie, seen, event))
            for cookie, seen, event in zip(self.cookies, self.arrived, ready, strict=True)
        ]
        await asyncio.gather(*(event.wait() for event in ready))
        await asyncio.to_thread(opened.wait)
        await asyncio.to_thread(self._over.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, cookie: str, seen: dict[int, float], ready: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.web.port, limit=2**22)
        target = f"/console/inbox/stream?since={time.time():.3f}"
        writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost:{self.web.port}\r\nCookie: {COOKIE}={cookie}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n", 1)[0], head
        ready.set()
        rest = b""
        while chunk := await reader.read(2**18):
            now = time.monotonic()
            whole = rest + chunk
            for word in _WORD.findall(whole):
                seen.setdefault(int(word), now)
            rest = whole[-32:]
        writer.close()


class _Web:
    """`frontdesk web` in a process of its own, over this database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._http = httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=64))
        self._validator = RequestValidator(DEMO_AUTH_TOKEN)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Web:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def start(self) -> None:
        environ = dict(os.environ) | {
            "FRONTDESK_ENV": "test",
            "FRONTDESK_DATABASE_URL": self.database.url,
            "FRONTDESK_PORT": str(self.port),
            "FRONTDESK_PUBLIC_URL": self.url,
            "FRONTDESK_DIALOGUE_URL": "http://127.0.0.1:9",
        }
        command = [sys.executable, "-m", "bot.cli", "web"]
        self._process = subprocess.Popen(command, cwd=PROJECT, env=environ, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/healthz", trust_env=False, timeout=2).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise RuntimeError("the web process did not start")

    def cpu_seconds(self) -> float:
        assert self._process
        used = psutil.Process(self._process.pid).cpu_times()
        return used.user + used.system

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def post(self, phone: str, body: str, sid: str) -> httpx.Response:
        params = {
            "MessageSid": sid,
            "AccountSid": DEMO_ACCOUNT_SID,
            "From": phone,
            "To": "+13125550100",
            "Body": body,
            "NumMedia": "0",
        }
        signature = self._validator.compute_signature(f"{self.url}/twilio/sms", params)
        return self._http.post(f"{self.url}/twilio/sms", data=params, headers={"X-Twilio-Signature": signature})


def _hand_over(database: Database, count: int, prefix: str) -> list[str]:
    """Numbers whose conversations a clerk has."""
    phones = [f"{prefix}{number:0{12 - len(prefix)}}" for number in range(count)]
    now = times.now()
    with database.transaction() as session:
        clerk = Clerk.of(
            accounts.add_staff(session, email=f"{prefix}@clinic.example", name="Clerk", role=Role.SCHEDULER, agent="benchmark")
        )
        made = [
            Conversation(id=new_id(), channel=Channel.SMS, phone=phone, last_turn_at=now, created_at=now, claim={}, state={})
            for phone in phones
        ]
        session.add_all(made)
        session.flush()
        for conversation in made:
            inbox.claim(session, conversation_id=conversation.id, clerk=clerk)
    return phones


def _sign_in(database: Database, count: int) -> list[str]:
    """The cookies of as many accounts, each in a session of its own."""
    cookies = [secrets.token_urlsafe(32) for _ in range(count)]
    now = time.time()
    with database.transaction() as session:
        for number, cookie in enumerate(cookies):
            account = accounts.add_staff(
                session, email=f"{number}@clinic.example", name=f"Clerk {number}", role=Role.SCHEDULER, agent="benchmark"
            )
            content = {"_user_id": account.id, "_fresh": True}
            digest = accounts.digest(cookie)
            session.add(StaffSession(digest=digest, account_id=account.id, content=content, began=now, seen=now))
    return cookies


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


if __name__ == "__main__":
    main()
