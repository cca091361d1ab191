"""What Duckling finds in sentences, in an environment of its own: JSON lines of {"text", "now"} in, {"found", "ms"} out."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time

import duckling

_TIME = duckling.parse_dimensions(["time"])
_ENGLISH = duckling.parse_locale("EN_US", duckling.default_locale_lang(duckling.parse_lang("EN")))
_ZONES = duckling.load_time_zones("/usr/share/zoneinfo")


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        now = dt.datetime.fromisoformat(case["now"]).replace(tzinfo=dt.UTC)
        context = duckling.Context(duckling.parse_ref_time(_ZONES, "UTC", int(now.timestamp())), _ENGLISH)
        began = time.perf_counter()
        found = duckling.parse(case["text"], context, _TIME, False)
        print(json.dumps({"found": found, "ms": 1000 * (time.perf_counter() - began)}))


if __name__ == "__main__":
    main()
