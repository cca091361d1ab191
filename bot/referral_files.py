"""A referral's packet as the files of a mail."""

from __future__ import annotations

import json

from bot import referral_page, referral_pdf
from bot.channels.mail import File
from scheduling_core.referrals import Packet


def of(packet: Packet, *, for_fax: bool) -> tuple[File, ...]:
    """What people read, a PDF or else a page, and what machines read, a FHIR Bundle; a fax prints the first alone."""
    document = referral_pdf.render(packet)
    if document is not None:
        paper = File("referral.pdf", "application/pdf", document)
    else:
        paper = File("referral.html", "text/html", referral_page.render(packet).encode())
    bundle = File("referral.json", "application/fhir+json", json.dumps(packet.bundle, ensure_ascii=False).encode())
    return (paper,) if for_fax else (paper, bundle)
