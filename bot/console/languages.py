"""The languages of the console."""

from __future__ import annotations

LANGUAGES = {"en": "English", "es": "Español"}  # each in its own words
