"""Where a request comes from, and where this console is."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import request

from bot.settings import Settings
from scheduling_core.passkeys import Site


def address() -> str:
    """The address that the request came from: behind a proxy of our own, the one that it names last."""
    peer = request.remote_addr or ""
    try:
        is_ours = ipaddress.ip_address(peer).is_private  # loopback too
    except ValueError:
        return peer[:64]
    said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return (said if is_ours and said else peer)[:64]


def site(settings: Settings) -> Site:
    """Where passkeys hold. They need a name, so on one machine they are made for `localhost`."""
    public = urlsplit(settings.public_url)
    host = "localhost" if public.hostname in (None, "127.0.0.1", "::1") else public.hostname
    port = f":{public.port}" if public.port else ""
    return Site(host, f"{public.scheme}://{host}{port}")
