"""What a text costs on the air, and texts made to fit."""

from __future__ import annotations

import re
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
_BARE = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")  # the Spanish letters that GSM lacks: é, ñ, ü, ¿ and ¡ are in it
_BREAKS = (re.compile(r"\n+"), re.compile(r"(?<=[.!?])\s+"), re.compile(r"\s+"))  # where a long text may be cut, the best first
TWO_SEGMENTS = 2


def segments(text: str) -> int:
    """How many SMS segments the text takes: 160 or 153 septets each in GSM-7, 70 or 67 UTF-16 units each otherwise.

    An empty text takes one. A character of two units is never cut in half.
    """
    if _in_gsm(text):
        return _count([2 if char in _GSM_TWICE else 1 for char in text], 160, 153)
    return _count([2 if ord(char) > 0xFFFF else 1 for char in text], 70, 67)


def _in_gsm(text: str) -> bool:
    return all(char in _GSM or char in _GSM_TWICE for char in text)


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


def on_air(text: str) -> str:
    """The text as it goes to the carrier: without the accents that alone would make it cost twice, else as it is."""
    bare = text.translate(_BARE)
    return bare if _in_gsm(bare) else text


def pack(texts: list[str]) -> list[str]:
    """Short texts joined by line ends, as long as two segments hold them: messages sent apart may arrive in another order.

    A text that takes more is cut where a line ends, else a sentence, else a word.
    """
    packed: list[str] = []
    for text in filter(None, map(clean, texts)):
        for part in _cut(text):
            if packed and _fits(joined := f"{packed[-1]}\n{part}"):
                packed[-1] = joined
            else:
                packed.append(part)
    return packed


def _fits(text: str) -> bool:
    return segments(on_air(text)) <= TWO_SEGMENTS


def _cut(text: str) -> list[str]:
    if _fits(text):
        return [text]
    for places in _BREAKS:
        fitting = [at for at in places.finditer(text) if at.start() and _fits(text[: at.start()])]
        if fitting:
            return [text[: fitting[-1].start()], *_cut(text[fitting[-1].end() :])]
    return [text]
