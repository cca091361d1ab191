"""Writes schema.json from the typings of Twilio's own library for Node.

npm pack twilio && tar xzf twilio-*.tgz
python tests/bot/twiml/make_schema.py package

The typings name each verb's attributes and their values; the code beside them names the element that each method writes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

_CLASS = re.compile(r"^\s*(?:export |declare )*class (\w+)", re.M)
_WRITES = re.compile(r"return new (?:Voice|Messaging)Response\.(\w+)\(this\.\w+\.ele\(\"([\w-]+)\"")
_METHOD = re.compile(
    r"^\s+(\w+)\((?:comment|attributes\??: (?:(?:Voice|Messaging)Response\.)?(\w+))?.*\): (?:Voice|Messaging)Response\.(\w+);", re.M
)
_INTERFACE = re.compile(r"interface (\w+) \{(.*?)\n    \}", re.S)
_ATTRIBUTE = re.compile(r"^\s+\"?([\w:-]+)\"?\??: ([^;]+);", re.M)
_ALIAS = re.compile(r"^    type (\w+) = ([^;]+);", re.M)


def schema(folder: Path, name: str) -> dict[str, Any]:
    """{"aliases": {name: values}, "attributes": {name: {attribute: type}}, "children": {class: {element: [class, attributes]}}}"""
    typings = (folder / f"{name}.d.ts").read_text(encoding="utf-8")
    code = (folder / f"{name}.js").read_text(encoding="utf-8")
    attributes = {
        (cls, made): attributes for cls, body in _classes(typings) for _, attributes, made in _METHOD.findall(body) if attributes
    }
    children = {
        cls: {element: [made, attributes.get((cls, made), "")] for made, element in _WRITES.findall(body)}
        for cls, body in _classes(code)
    }
    return {
        "aliases": {alias: re.findall(r'"([^"]+)"', values) for alias, values in _ALIAS.findall(typings)},
        "attributes": {cls: dict(_ATTRIBUTE.findall(body)) for cls, body in _INTERFACE.findall(typings)},
        "children": {cls: below for cls, below in children.items() if below},
    }


def _classes(text: str) -> list[tuple[str, str]]:
    parts = _CLASS.split(text)
    return list(zip(parts[1::2], parts[2::2], strict=True))


if __name__ == "__main__":
    package = Path(sys.argv[1])
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    made = {"from": f"npm twilio {about['version']}, MIT License, Copyright (C) Twilio, Inc."}
    made |= {name: schema(package / "lib" / "twiml", name) for name in ("VoiceResponse", "MessagingResponse")}
    Path(__file__).with_name("schema.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
