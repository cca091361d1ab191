"""X12 005010X279A1: an eligibility inquiry (270) written, an answer (271) read. Nothing else of the project knows segments."""

from scheduling_core.x12.inquiry import Inquiry, Person, write_270
from scheduling_core.x12.response import (
    Benefit,
    Member,
    Network,
    Party,
    Period,
    Reference,
    Rejection,
    Response,
    parse_271,
)
from scheduling_core.x12.segments import X12Error

__all__ = [
    "Benefit",
    "Inquiry",
    "Member",
    "Network",
    "Party",
    "Period",
    "Person",
    "Reference",
    "Rejection",
    "Response",
    "X12Error",
    "parse_271",
    "write_270",
]
