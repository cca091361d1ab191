"""A referral's packet as a page to print, to fax or to mail."""

from __future__ import annotations

from markupsafe import Markup, escape

from scheduling_core.referrals import Packet


def render(packet: Packet) -> str:
    """An HTML page that needs nothing else."""
    rows = Markup("\n").join(Markup("<tr><th>{}</th><td>{}</td></tr>").format(word, value) for word, value in packet.facts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Referral</title>\n'
        "<style>body{font:14px sans-serif;margin:2cm}th{text-align:left;padding-right:2em;vertical-align:top}</style></head>\n"
        f"<body><h1>Referral</h1><p>To: {escape(packet.partner)}</p>\n<table>\n{rows}\n</table></body></html>"
    )
