"""An X12 interchange as segments: the delimiters that its ISA names, and nothing of what the segments mean.

Our own reader, since x12sdk's answers an unknown code with a validation error for the whole message and takes seconds over
a long one; payers send codes that no guide lists.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 300_000
"""Characters of one interchange; the largest answers of payers have a third of it."""
MOST_SEGMENTS = 4_000
_ISA_ELEMENTS = 16


class X12Error(Exception):
    """This is no answer that can be read. `segment` counts from 1, the ISA; 0 where there is none. The text quotes no data."""

    def __init__(self, segment: int, what: str) -> None:
        super().__init__(f"segment {segment}: {what}" if segment else what)
        self.segment = segment
        self.what = what


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: `elements[0]` is its name; `number` counts from 1."""

    number: int
    elements: list[str]

    @property
    def name(self) -> str:
        return self.elements[0]

    def __getitem__(self, position: int) -> str:
        """The element at a position as the guides count (EB03 is 3); "" where it is absent."""
        return self.elements[position] if position < len(self.elements) else ""


@dataclass(frozen=True)
class Interchange:
    """The segments and what separates repetitions and components inside an element."""

    segments: list[Segment]
    repetition: str
    component: str


def read(content: str | bytes) -> Interchange:
    """Split an interchange by the delimiters of its ISA. Raises X12Error."""
    text = _text(content)
    if len(text) > LONGEST:
        raise X12Error(0, f"longer than {LONGEST} characters")
    if not text.startswith("ISA"):
        raise X12Error(0, "does not start with ISA" if text else "is empty")
    separator = text[3:4]
    if not separator or separator.isalnum() or separator in " \r\n":  # control characters, 0x1D among them, are allowed
        raise X12Error(1, "names no element separator")
    isa = text[:200].split(separator, _ISA_ELEMENTS)
    if len(isa) <= _ISA_ELEMENTS or len(isa[16]) < 2:
        raise X12Error(1, "ISA has not its 16 elements")
    component, terminator = isa[16][0], isa[16][1]
    repetition = isa[11]
    marks = {separator, component, terminator}
    if len(marks) < 3 or any(mark.isalnum() or mark == " " for mark in marks):
        raise X12Error(1, "ISA names delimiters that cannot be told apart")
    if len(repetition) != 1 or repetition.isalnum() or repetition in marks:
        repetition = ""  # before 005010 ISA11 was something else
    if text.count(terminator) > MOST_SEGMENTS:
        raise X12Error(0, f"more than {MOST_SEGMENTS} segments")
    segments: list[Segment] = []
    for piece in text.split(terminator):
        stripped = piece.strip("\r\n\t ")
        if stripped:
            segments.append(Segment(len(segments) + 1, stripped.split(separator)))
    return Interchange(segments, repetition, component)


def _text(content: str | bytes) -> str:
    if isinstance(content, bytes):
        if len(content) > 4 * LONGEST:
            raise X12Error(0, f"longer than {LONGEST} characters")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    else:
        text = content
    return text.lstrip("\ufeff\r\n\t ")
