"""The patient's words about time: `read` makes a wish of them, `read_birth_date` a birth date, `say_*` words again."""

from actions.when.births import BirthDate, read_birth_date
from actions.when.reading import Reading, as_contract, read
from actions.when.say import say_date, say_day, say_day_short, say_start, say_time, say_wish

__all__ = [
    "BirthDate",
    "Reading",
    "as_contract",
    "read",
    "read_birth_date",
    "say_date",
    "say_day",
    "say_day_short",
    "say_start",
    "say_time",
    "say_wish",
]
