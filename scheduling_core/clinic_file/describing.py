"""The clinic file's documentation, made from its schema: a page for people and a JSON schema for editors.

`python -m scheduling_core.clinic_file.describing` writes both into the project.
"""

from __future__ import annotations

import datetime as dt
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scheduling_core.clinic_file.schema import ClinicFile, Part

_PROJECT = Path(__file__).parents[2]
PAGE = _PROJECT / "docs" / "clinic-file.md"
JSON_SCHEMA = _PROJECT / "clinics" / "clinic-file.schema.json"

_INTRODUCTION = """\
# The clinic file

A clinic file is all that a practice manager writes: who works where and when, what is offered, who pays, and the house rules.
It is YAML; [`clinics/demo.yml`](../clinics/demo.yml) is a whole one with comments, to start from.

- `frontdesk check FILE` explains every mistake in it, each with its line and what would be right.
- `frontdesk load FILE` brings the database in line with it. The same file again changes nothing; a changed file changes just
  that, and the command says what. It never touches patients or visits: a practitioner who leaves the file with visits on the
  books is kept as inactive, and each of those visits becomes a task for the desk.
- Editors that know JSON schemas help while you write: the line
  `# yaml-language-server: $schema=clinic-file.schema.json` at the top of a file in `clinics/` is enough for many.

Ids (`id`) are yours to choose and should then stay: visits, orders and coverages name them. Everything that patients read is in
`name`, `aliases`, `say` and the like, and may change at any time.

Text that holds a colon, starts with a digit, `*`, `@` or `&`, or is `yes`, `no`, `on` or `off`, belongs in quotes. So do phone
numbers, times and payer ids.

*This page is made from `scheduling_core/clinic_file/schema.py`; change it there.*
"""

_FORMS = {
    "Weekdays": 'weekdays: `mon-fri`, `"tue,thu"`',
    "WeeklyHours": 'weekdays with a time span each: `{mon-fri: "08:00-17:00", sat: "09:00-12:00"}`',
    "TimeSpan": 'time span: `"08:00-12:00"`',
    "AgeRange": 'ages in whole years: `"0-17"`, `"18+"`',
    "Zone": "time zone: `America/Chicago`",
    "Phone": 'phone number: `"+13125550100"`',
    "Email": "mail address",
    "StaffEmail": "mail address",
    "Language": "language code: `en`",
    "Id": "id: small letters, digits, hyphens",
    "Words": "text",
    "Npi": "NPI: ten digits",
    "ServiceType": 'X12 service type: `"98"`',
    "Pattern": "regular expression",
    "Rule": "`tell`, `ask` or `stop`",
    "str": "text",
    "Flag": "`true` or `false`",
    "Whole": "whole number",
    "Minutes": "minutes",
    "Buffer": "minutes",
    "Weight": "number, 0 or more",
    "Money": "amount: `110.00`",
    "KeepFor": "`urgent`, or a list of services",
    "dt.date": "date: `2026-11-26`",
    "TimeOfDay": 'time of day: `"06:30"`',
    "WebAddress": "address: `https://video.example/test`",
    "RoomAddress": "address with `{room}` in it: `https://video.example/{room}`",
    "FaxGateway": "mail address with `{fax}` in it: `{fax}@fax.example`",
    "list[Words]": "list of texts",
    "list[Id]": "list of ids",
    "list[Language]": "list of language codes: `[en, es]`",
    "list[ModeName]": "list of `in-person`, `video`",
    "list[Annotated[int, Field(strict=True, ge=1)]]": "list of whole numbers",
    "StaffRole": "one of `scheduler`, `billing`, `clinician`, `manager`, `auditor`",
    "list[StaffRole]": "list of roles",
    "dict[Id, Money]": "amounts by service: `{follow-up: 110.00}`",
    "dict[Words, Email]": "mail addresses by team: `{billing: billing@clinic.example}`",
}


def json_schema() -> str:
    """The JSON schema of a clinic file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | ClinicFile.model_json_schema(by_alias=True)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """The page for people: every key, its form, its default and what it means."""
    parts = [_INTRODUCTION, *_tables()]
    return "\n".join(parts)


def _tables() -> Iterator[str]:
    waiting: list[tuple[str, type[Part]]] = [("", ClinicFile)]
    seen: set[type[Part]] = set()
    while waiting:
        place, model = waiting.pop(0)
        seen.add(model)
        title = f"`{place}`" if place else "The whole file"
        rows = ["| key | form | default | meaning |", "| --- | --- | --- | --- |"]
        inner: list[tuple[str, type[Part]]] = []
        for name, field in model.model_fields.items():
            key = field.alias or name
            below = _model_in(field.annotation)
            rows.append(f"| `{key}` | {_form(model, name, field, below)} | {_default(field)} | {field.description} |")
            if below is not None and below not in seen:
                inner.append((f"{place}.{key}".lstrip(".") + ("[]" if _is_list(field) else ""), below))
        waiting = [*inner, *waiting]
        yield "\n".join([f"## {title}", "", inspect.getdoc(model) or "", "", *rows, ""])


def _form(model: type[Part], name: str, field: FieldInfo, below: type[Part] | None) -> str:
    if below is not None:
        return "list of parts" if _is_list(field) else "part"
    written = str(inspect.get_annotations(model)[name]).removesuffix(" | None").strip()
    if written.startswith("Literal["):
        return " or ".join(f"`{choice}`" for choice in _choices(field.annotation))
    if written.startswith("list[Literal["):
        return "list of " + ", ".join(f"`{choice}`" for choice in _choices(field.annotation))
    return _FORMS[written]


def _choices(annotation: Any) -> list[str]:
    found: list[str] = []
    for inner in get_args(annotation):
        found += _choices(inner) if get_args(inner) else [str(inner)] if not isinstance(inner, type) else []
    return found


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    if field.default in (None, "", [], {}) or isinstance(field.default, Part):
        return ""
    if isinstance(field.default, dt.time):
        return f"`{field.default:%H:%M}`"
    value = str(field.default) if isinstance(field.default, BaseModel) else json.dumps(field.default, ensure_ascii=False)
    return f"`{value}`".replace('"', "")


def _is_list(field: FieldInfo) -> bool:
    return str(field.annotation).startswith("list[")


def _model_in(annotation: Any) -> type[Part] | None:
    """The part of the file that a key holds. Spans and ages are models too, but are written as text."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation if issubclass(annotation, Part) else None
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    JSON_SCHEMA.write_text(json_schema(), encoding="utf-8")
