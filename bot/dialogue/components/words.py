"""A patient's words before anything is read from them."""

import re
import unicodedata

# What matters is said in the first sentences; a pasted page would cost seconds.
MOST_CHARACTERS = 320


def plain(text: str) -> str:
    """The text as the readers take it: one line, lower case, no control characters, no stretched letters, not longer than
    MOST_CHARACTERS."""
    text = unicodedata.normalize("NFKC", text[: 4 * MOST_CHARACTERS]).replace("’", "'").replace("`", "'")
    text = "".join(" " if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs") else letter for letter in text)
    text = re.sub(r"(\w)\1{3,}", r"\1\1", text.lower())
    return " ".join(text.split())[:MOST_CHARACTERS].rstrip()
