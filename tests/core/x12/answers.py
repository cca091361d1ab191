"""Answers of a payer, made of the lines that a test is about."""

from __future__ import annotations

from scheduling_core.x12 import Member, Response, parse_271

HEAD = (
    "ISA*00*{0:10}*00*{0:10}*ZZ*{1:15}*ZZ*{2:15}*261116*1510*^*00501*000000012*0*T*:~"
    "GS*HB*PAYER*US*20261116*1510*12*X*005010X279A1~"
)
MEMBER = (
    "HL*1**20*1~NM1*PR*2*GREAT LAKES MUTUAL*****PI*70001~HL*2*1*21*1~NM1*1P*2*MAPLE GROVE CLINIC*****XX*1234567893~"
    "HL*3*2*22*0~TRN*2*TRACE-1*9FRONTDESK~NM1*IL*1*NOVAK*RUTH****MI*GLM1~DMG*D8*19800419*F~"
)


def answer(*lines: str, body: str = MEMBER) -> str:
    """A whole interchange with these segments behind the member."""
    inner = "ST*271*0001*005010X279A1~BHT*0022*11*ABC*20261116*1510~" + body + "".join(f"{line}~" for line in lines)
    return f"{HEAD.format('', 'PAYER', 'US')}{inner}SE*{inner.count('~') + 1}*0001~GE*1*12~IEA*1*000000012~"


def read(*lines: str, body: str = MEMBER) -> Response:
    return parse_271(answer(*lines, body=body))


def member(*lines: str) -> Member:
    (found,) = read(*lines).members
    return found
