"""The documentation of the clinic file says what its schema says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from scheduling_core.clinic_file import describing
from scheduling_core.clinic_file.schema import ClinicFile


def test_the_page_and_the_json_schema_are_up_to_date() -> None:
    """`python -m scheduling_core.clinic_file.describing` writes them anew."""
    assert describing.PAGE.read_text(encoding="utf-8") == describing.page()
    assert describing.JSON_SCHEMA.read_text(encoding="utf-8") == describing.json_schema()


def test_every_key_is_described() -> None:
    schema = ClinicFile.model_json_schema(by_alias=True)
    parts = {"clinic file": schema} | {name: part for name, part in schema["$defs"].items() if "properties" in part}
    for name, part in parts.items():
        for key, said in part["properties"].items():
            assert "$ref" in said or said.get("description"), f"{name}.{key}"


def test_the_example_shows_every_key() -> None:
    shown = set(_keys(yaml.safe_load((describing.JSON_SCHEMA.parent / "demo.yml").read_text(encoding="utf-8"))))
    schema = ClinicFile.model_json_schema(by_alias=True)
    for part in (schema, *schema["$defs"].values()):
        assert set(part.get("properties", ())) <= shown


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _keys(item)
