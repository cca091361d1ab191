"""How words come in and go out: texts, calls, and the carrier's REST API."""
