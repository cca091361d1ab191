"""A referral's packet as a PDF, for the partner's mail or fax."""

from __future__ import annotations

import unicodedata

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from scheduling_core import times
from scheduling_core.referrals import Packet

_PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "})


def render(packet: Packet) -> bytes | None:
    """A document of US letter pages; None where the packet has letters that a PDF's own fonts do not: a page has them all.

    Those fonts know the letters of Latin-1, which write English, Spanish, French, German; not those of Polish or Vietnamese names.
    """
    facts = [(_written(word), _written(value)) for word, value in packet.facts]
    partner = _written(packet.partner)
    if not all(_can_be_set(text) for pair in (*facts, (partner, "")) for text in pair):
        return None
    document = _Document(format="letter", unit="mm")
    document.set_title("Referral")
    document.set_lang("en-US")
    document.set_creation_date(times.now())
    document.set_margin(20)
    document.add_page()
    document.set_font("helvetica", style="B", size=18)
    document.cell(text="Referral", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    document.set_font("helvetica", size=11)
    document.ln(2)
    document.cell(text=f"To: {partner}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    document.ln(4)
    for word, value in facts:  # one below the other: a note may be longer than a page
        document.set_font("helvetica", style="B", size=9)
        document.cell(text=word, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        document.set_font("helvetica", size=11)
        document.multi_cell(w=0, h=6, text=value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        document.ln(2)
    return bytes(document.output())


class _Document(FPDF):
    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("helvetica", size=8)
        self.cell(w=0, align="C", text=f"Confidential: health information of the person named. Page {self.page_no()} of {{nb}}")


def _written(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(_PLAIN))


def _can_be_set(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
