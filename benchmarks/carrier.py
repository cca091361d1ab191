"""A stand-in for Twilio's Messages.json that answers in 50 ms, or, where it is told to, slowly, wrongly or not at all."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from email.utils import formatdate
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

SILENT_SECONDS = 4.5  # longer than the benchmark's workers wait
_MANNERS = {  # of a hundred requests; the rest are taken in 50 ms
    "slow": 3,
    "takes it and hangs up": 2,
    "hangs up": 2,
    "takes it and answers 500": 2,
    "answers 500": 2,
    "takes it and answers in words": 2,
    "429": 2,
    "503": 1,
    "takes it and never answers": 1,
    "never answers": 1,
}
REFUSED = {"+1414550": 21211, "+1414551": 21610}  # by the beginning of the number


@dataclass(frozen=True)
class Taken:
    """A text that the stand-in accepted: when it was asked (seconds since 1970), and what the clinic's clock showed then."""

    to: str
    body: str
    asked_at: float
    clock: str


class Carrier:
    """The stand-in in a process of its own. `clock`: the file with the clinic's clock."""

    def __init__(self, clock: Path, *, misbehaves: bool, seed: int = 1) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(theirs, clock, misbehaves, seed), daemon=True
        )
        self._process.start()
        self.url = f"http://127.0.0.1:{self._pipe.recv()}"

    def taken(self) -> list[Taken]:
        """Everything that was accepted, in that order."""
        self._pipe.send("taken")
        found: list[Taken] = self._pipe.recv()
        return found

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, clock: Path, misbehaves: bool, seed: int) -> None:
    asyncio.run(_Server(clock, misbehaves, seed).run(pipe))


class _Server:
    def __init__(self, clock: Path, misbehaves: bool, seed: int) -> None:
        self._clock = clock
        self._misbehaves = misbehaves
        self._random = random.Random(seed)
        self._taken: list[Taken] = []
        self._by_number: dict[str, list[dict[str, Any]]] = defaultdict(list)

    async def run(self, pipe: Connection) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        loop = asyncio.get_running_loop()
        over = asyncio.Event()

        def asked() -> None:
            try:
                pipe.recv()
            except EOFError:
                over.set()
                return
            pipe.send(self._taken)

        loop.add_reader(pipe.fileno(), asked)
        await over.wait()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False when the connection is to be closed."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        length = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
        asked_at = time.time()
        form = dict(parse_qsl((await reader.readexactly(length)).decode(), keep_blank_values=True))
        if method == "GET":
            to = parse_qs(urlsplit(target).query)["To"][0]
            return await _write(writer, 200, {"messages": self._by_number[to], "page": 0, "next_page_uri": None, "uri": target})
        refusal = next((code for start, code in REFUSED.items() if form["To"].startswith(start)), None)
        if refusal:
            return await _write(writer, 400, {"code": refusal, "message": "refused", "status": 400})
        manner = "well"
        if self._misbehaves:
            names = [*_MANNERS, "well"]
            manner = self._random.choices(names, [*_MANNERS.values(), 100 - sum(_MANNERS.values())])[0]
        await asyncio.sleep(self._random.uniform(0.5, 1.5) if manner == "slow" else 0.05)
        if manner == "takes it and never answers":
            await asyncio.sleep(SILENT_SECONDS - 1)
        message = self._take(form, asked_at) if manner in ("well", "slow") or manner.startswith("takes it") else {}
        match manner:
            case "well" | "slow":
                return await _write(writer, 201, message)
            case "takes it and hangs up" | "hangs up":
                return False
            case "takes it and answers 500" | "answers 500":
                return await _write(writer, 500, {"code": 20500, "message": "mishap", "status": 500})
            case "takes it and answers in words":
                return await _write(writer, 200, None)
            case "429" | "503":
                return await _write(writer, int(manner), {"code": 20429, "message": "later", "status": int(manner)})
        await asyncio.sleep(SILENT_SECONDS)
        return False

    def _take(self, form: dict[str, str], asked_at: float) -> dict[str, Any]:
        self._taken.append(Taken(form["To"], form["Body"], asked_at, self._clock.read_text(encoding="utf-8")))
        message = {
            "sid": f"SM{uuid.uuid4().hex}",
            "to": form["To"],
            "from": form["From"],
            "body": form["Body"],
            "status": "queued",
            "date_created": formatdate(usegmt=True),
        }
        self._by_number[form["To"]].append(message)
        return message


async def _write(writer: asyncio.StreamWriter, status: int, body: dict[str, Any] | None) -> bool:
    content = b"<html>one moment please</html>" if body is None else json.dumps(body).encode()
    writer.write(
        f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
    )
    await writer.drain()
    return True
