"""An invented payer: answers X12 270 inquiries over HTTP from a list of members, for demos and tests.

It is asked over the same way as a real clearinghouse, in any of the envelopes, and says no more than a real one would.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from bot import core_envelope
from bot.core_envelope import EnvelopeError
from bot.settings import Envelope
from scheduling_core.x12.segments import Interchange, Segment, X12Error, read

MEMBERS = Path(__file__).parent / "payer_members.yml"
_THREADS = 32  # a silent member holds one
_LONGEST = 1_000_000
_PROVIDER_LEVEL = ("41", "43", "44", "45", "46", "47", "48", "50", "51")
_PAYER_LEVEL = ("04", "42", "79", "80", "T4")

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class MembersError(Exception):
    """The list of members cannot be read. Its text is for the person who wrote it."""


class Payer:
    """A WSGI application. `asked` counts the inquiries by trace number."""

    def __init__(self, members: Path = MEMBERS, *, pause: Callable[[float], None] = time.sleep) -> None:
        try:
            content = yaml.safe_load(members.read_text(encoding="utf-8"))
            self._plans: dict[str, dict[str, Any]] = content["plans"]
            self._members = {str(member["id"]): member for member in content["members"]}
            self._anybody: str | None = content.get("anybody_else")
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
            raise MembersError(f"{members} cannot be read as a list of members: {type(error).__name__}") from None
        for member in [*self._members.values(), {"id": "anybody_else", "plan": self._anybody}]:
            if member.get("plan") is not None and member["plan"] not in self._plans:
                raise MembersError(f'{members}: {member["id"]} has the plan "{member["plan"]}", which is not in the list')
        self._pause = pause
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            start_response("405 Method Not Allowed", [("Allow", "POST"), ("Content-Length", "0")])
            return [b""]
        body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), _LONGEST))
        try:
            text, about = core_envelope.unwrap(environ.get("CONTENT_TYPE", ""), body)
            answered = self.answer(text)
        except (EnvelopeError, X12Error) as error:
            told = f"not understood: {error}".encode()
            start_response("400 Bad Request", [("Content-Type", "text/plain"), ("Content-Length", str(len(told)))])
            return [told]
        message = _in_kind(environ.get("CONTENT_TYPE", ""), about, answered)
        start_response("200 OK", [("Content-Type", message.content_type), ("Content-Length", str(len(message.body)))])
        return [message.body]

    def answer(self, text: str) -> str:
        """The 271 to a 270. Raises X12Error where it is none."""
        asked = _Inquiry(read(text))
        with self._lock:
            self.asked[asked.trace] += 1
        member = self._members.get(asked.member_id)
        if member is None and self._anybody and asked.member_id:
            member = {"id": asked.member_id, "plan": self._anybody}
        if member and (seconds := member.get("silent_seconds")):
            self._pause(float(seconds))
        if member and member.get("garbage"):
            return "<html>Service temporarily unavailable</html>"
        whole = asked.interchange_of(self._body(asked, member))
        return whole[: len(whole) * 2 // 3] if member and member.get("breaks_off") else whole

    def _body(self, asked: _Inquiry, member: dict[str, Any] | None) -> list[str]:
        code = _refusal(asked, member)
        if code in _PAYER_LEVEL:
            return [*asked.payer_level("0"), f"AAA*Y**{code}*P"]
        if code in _PROVIDER_LEVEL:
            return [*asked.payer_level("1"), *asked.provider_level("0"), f"AAA*N**{code}*C"]
        head = [*asked.payer_level("1"), *asked.provider_level("1"), *asked.subscriber_level()]
        if code:
            return [*head, f"AAA*N**{code}*C", *asked.demographics()]
        assert member is not None
        plan = self._plans[member["plan"]] | {key: value for key, value in member.items() if key != "plan"}
        return [*head, *asked.demographics(), *_benefits(plan, asked)]


def _refusal(asked: _Inquiry, member: dict[str, Any] | None) -> str | None:
    """The AAA03 that such a payer would give."""
    if member is None:
        return "75" if asked.member_id else "72"
    if "reject" in member:
        return str(member["reject"])
    born = member.get("birth_date")
    if born is not None and asked.subscriber_born not in (None, born):
        return "71"
    if asked.dependent and (known := member.get("dependents")) is not None:
        same = [one for one in known if one["given"].upper() == asked.dependent[4] and one["birth_date"] == asked.dependent_born]
        return None if same else "67"
    return None


class _Inquiry:
    """What the payer needs of a 270."""

    def __init__(self, interchange: Interchange) -> None:
        self._by_level: dict[str, dict[str, Segment]] = {}
        level = ""
        self._isa = interchange.segments[0]
        for segment in interchange.segments:
            if segment.name == "HL":
                level = segment[3]
            self._by_level.setdefault(level, {}).setdefault(segment.name, segment)
        if self._by_level.get("", {}).get("ST", _NOTHING)[1] != "270" or "22" not in self._by_level:
            raise X12Error(0, "is no 270")
        self.trace = (self._of("23", "TRN") or self._of("22", "TRN") or _NOTHING)[2]
        self.member_id = self._need("22", "NM1")[9]
        self.dependent = self._of("23", "NM1")
        self.subscriber_born, self.dependent_born = _born(self._of("22", "DMG")), _born(self._of("23", "DMG"))
        self.service_type = (self._of("23", "EQ") or self._of("22", "EQ") or _NOTHING)[1] or "30"

    def _of(self, level: str, name: str) -> Segment | None:
        return self._by_level.get(level, {}).get(name)

    def _need(self, level: str, name: str) -> Segment:
        if found := self._of(level, name):
            return found
        raise X12Error(0, f"has no {name}")

    def payer_level(self, more: str) -> list[str]:
        return [f"HL*1**20*{more}", _again(self._need("20", "NM1"))]

    def provider_level(self, more: str) -> list[str]:
        return [f"HL*2*1*21*{more}", _again(self._need("21", "NM1"))]

    def subscriber_level(self) -> list[str]:
        name = self._need("22", "NM1")
        if self.dependent is None:
            return ["HL*3*2*22*0", *self._trace(), _again(name)]
        return ["HL*3*2*22*1", _again(name), "HL*4*3*23*0", *self._trace(), _again(self.dependent)]

    def demographics(self) -> list[str]:
        found = self._of("23" if self.dependent else "22", "DMG")
        return [_again(found)] if found else []

    def _trace(self) -> list[str]:
        return [f"TRN*2*{self.trace}*9FRONTDESK"] if self.trace else []

    def interchange_of(self, body: list[str]) -> str:
        now = dt.datetime.now(dt.UTC)
        number = self._isa[13]
        bht = f"BHT*0022*11*{self._need('', 'BHT')[3]}*{now:%Y%m%d}*{now:%H%M}"
        segments = ["ST*271*0001*005010X279A1", bht, *body]
        whole = [
            f"ISA*00*{'':10}*00*{'':10}*{self._isa[7]}*{self._isa[8]}*{self._isa[5]}*{self._isa[6]}"
            f"*{now:%y%m%d}*{now:%H%M}*^*00501*{number}*0*{self._isa[15]}*:",
            f"GS*HB*{self._isa[8].strip()}*{self._isa[6].strip()}*{now:%Y%m%d}*{now:%H%M}*1*X*005010X279A1",
            *segments,
            f"SE*{len(segments) + 1}*0001",
            "GE*1*1",
            f"IEA*1*{number}",
        ]
        return "~".join(whole) + "~"


_NOTHING = Segment(0, [""])


def _again(segment: Segment) -> str:
    return "*".join(segment.elements)


def _born(segment: Segment | None) -> dt.date | None:
    try:
        return dt.datetime.strptime(segment[2], "%Y%m%d").date() if segment else None
    except ValueError:
        return None


def _benefits(plan: dict[str, Any], asked: _Inquiry) -> list[str]:
    """The EB lines of a plan: as a whole, and of the service type asked about."""
    kind = asked.service_type
    if plan.get("inactive"):
        return ["EB*6**30"]
    found = [f"EB*1**30*PR*{plan['name'].upper()}"]
    for level, prefix in (("IND", ""), ("FAM", "family_")):
        for code, name in (("C", "deductible"), ("G", "out_of_pocket")):
            for period, suffix in (("23", ""), ("29", "_left")):
                amount = plan.get(f"{prefix}{name}{suffix}")
                if amount is not None:
                    found.append(f"EB*{code}*{level}*30***{period}*{_money(amount)}*****Y")
    if "coinsurance" in plan:
        found.append(f"EB*A*IND*30*****{plan['coinsurance']:g}****Y")
    copays = {str(code): amount for code, amount in plan.get("copays", {}).items()}
    for code in sorted({*copays, kind} - {"30"}) if kind == "30" else [kind]:
        if code in plan.get("not_covered", ()):
            found.append(f"EB*I**{code}")
            continue
        found.append(f"EB*1**{code}********Y*Y" if code in plan.get("authorization", ()) else f"EB*1**{code}")
        if code in plan.get("free", ()):
            found += [f"EB*B*IND*{code}***27*0*****Y", f"EB*A*IND*{code}*****0****Y", f"EB*C*IND*{code}***29*0*****Y"]
        elif code in copays:
            found.append(f"EB*B*IND*{code}***27*{_money(copays[code])}*****Y")
    if doctor := plan.get("primary_care"):
        found += ["EB*L", "LS*2120", f"NM1*P3*1*{doctor['family'].upper()}*{doctor['given'].upper()}", "LE*2120"]
    if other := plan.get("other_payer"):
        found += ["EB*R**30", "LS*2120", f"NM1*PR*2*{other['name'].upper()}*****PI*{other['id']}", "LE*2120"]
    return found


def _money(amount: float) -> str:
    return f"{amount:.2f}".rstrip("0").rstrip(".")


def _in_kind(content_type: str, about: dict[str, str], answered: str) -> core_envelope.Message:
    """The answer in the envelope of the question."""
    if not about:
        return core_envelope.wrap(Envelope.PLAIN, answered, {})
    now = dt.datetime.now(dt.UTC)
    told = core_envelope.fields(
        payload_type=core_envelope.RESPONSE,
        payload_id=about.get("PayloadID", ""),
        timestamp=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        sender=about.get("ReceiverID", ""),
        receiver=about.get("SenderID", ""),
    ) | {"ErrorCode": core_envelope.SUCCESS, "ErrorMessage": ""}
    kind = Envelope.MIME if content_type.lower().startswith("multipart/") else Envelope.SOAP
    return core_envelope.wrap(kind, answered, told)


def serve(members: Path, port: int, say: Callable[[str], None]) -> None:
    """Answer on loopback until the process ends. Port 0 picks a free one. Raises MembersError, OSError."""
    server = _server(Payer(members), port)
    say(f"The payer answers at {_address(server)}")
    server.run()


def serve_beside(payer: Payer | None = None) -> str:
    """Answer on loopback in a thread of this process, for as long as it lives; the address."""
    server = _server(payer or Payer(), 0)
    threading.Thread(target=server.run, name="payer-simulator", daemon=True).start()
    return _address(server)


def _server(payer: Payer, port: int) -> Any:
    import waitress

    return waitress.create_server(payer, host="127.0.0.1", port=port, threads=_THREADS, ident=None, connection_limit=200)


def _address(server: Any) -> str:
    return f"http://127.0.0.1:{server.effective_port}/"
