"""An inquiry for tests: everything has a value, a test names what it is about."""

from __future__ import annotations

import datetime as dt

from scheduling_core.x12 import Inquiry, Person

SELF = Inquiry(
    control_number=123456789,
    trace="0123456789abcdef0123456789abcdef",
    asked_at=dt.datetime(2026, 11, 16, 9, 10, tzinfo=dt.UTC),
    on=dt.date(2026, 11, 20),
    sender="FRONTDESK",
    receiver="CLEARINGHOUSE",
    payer_name="Great Lakes Mutual",
    payer_id="70001",
    provider_name="Maple Grove Clinic",
    provider_npi="1234567893",
    provider_number="14145550100",
    subscriber=Person("Novak", "Ruth", dt.date(1980, 4, 19), "F"),
    member_id="GLM 12-34",
)
