"""What a text costs on the air, and texts made to fit."""

from __future__ import annotations

import unicodedata

_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = set("^{}\\[~]|€\f")  # sent with an escape before them
_IN_GSM = str.maketrans(
    {
        "\xa0": " ",  # one blank that cannot break makes the whole text cost twice the money
        "\u202f": " ",
        "\u2009": " ",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "•": "-",
        "\t": " ",
    }
)
TWO_SEGMENTS = 2


def segments(text: str) -> int:
    """How many SMS segments the text takes: 160 or 153 septets each in GSM-7, 70 or 67 UTF-16 units each otherwise.

    An empty text takes one. A character of two units is never cut in half.
    """
    if all(char in _GSM or char in _GSM_TWICE for char in text):
        return _count([2 if char in _GSM_TWICE else 1 for char in text], 160, 153)
    return _count([2 if ord(char) > 0xFFFF else 1 for char in text], 70, 67)


def _count(sizes: list[int], alone: int, joined: int) -> int:
    if sum(sizes) <= alone:
        return 1
    count, room = 1, joined
    for size in sizes:
        if size > room:
            count, room = count + 1, joined
        room -= size
    return count


def clean(text: str) -> str:
    """A text as it may go out: typographic signs as GSM has them, no control characters but line ends."""
    plain = text.replace("\r\n", "\n").translate(_IN_GSM)
    return "".join(
        char for char in plain if char == "\n" or not unicodedata.category(char).startswith("C") or char == "\u200d"
    ).strip()


def pack(texts: list[str]) -> list[str]:
    """Short texts joined by line ends, as long as two segments hold them: messages sent apart may arrive in another order."""
    packed: list[str] = []
    for text in filter(None, map(clean, texts)):
        if packed and segments(joined := f"{packed[-1]}\n{text}") <= TWO_SEGMENTS:
            packed[-1] = joined
        else:
            packed.append(text)
    return packed
