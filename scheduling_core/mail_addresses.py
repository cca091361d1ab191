"""What a mail address is to all who keep one or send to one.

Stricter than RFC 5322, whose quotes, comments, lists and brackets make a header mean other recipients than were written.
"""

from __future__ import annotations

import re

_PART = r'[^@\s,;:<>()\[\]"\\\x00-\x1f\x7f]+'
_ADDRESS = re.compile(f"{_PART}@{_PART}")


def is_one(text: str) -> bool:
    """Whether a text is one mail address and nothing else."""
    return _ADDRESS.fullmatch(text) is not None
