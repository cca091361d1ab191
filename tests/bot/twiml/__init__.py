"""Whether TwiML is what Twilio takes, by the typings of Twilio's own library (`make_schema`).

Its Python helper writes any attribute that it is given.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_ENDS = ("Dial", "Redirect", "Hangup", "Record", "Connect", "Enqueue", "Reject")


def mistakes(text: str, *, voice: bool, bridges: bool = False) -> list[str]:
    """What is wrong, a line each. A voice answer must say what comes after its last verb: an empty one hangs up on the caller.

    `bridges`: it is the end of a whisper, behind which the two are put through.
    """
    root = ET.fromstring(text)
    if root.tag != "Response":
        return [f"<{root.tag}> where <Response> was expected"]
    kind = "VoiceResponse" if voice else "MessagingResponse"
    found = list(_below(root, kind, SCHEMA[kind]))
    if voice and not bridges and (len(root) == 0 or not _leads_on(root[-1])):
        found.append(f"ends in {root[-1].tag if len(root) else 'nothing'}: the call is over without a word")
    return found


def _leads_on(last: ET.Element) -> bool:
    """Whether the call goes on or ends on purpose; a Gather alone does where silence is answered, too."""
    return last.tag in _ENDS or (last.tag == "Gather" and last.get("actionOnEmptyResult") == "true")


def _below(element: ET.Element, cls: str, schema: dict[str, Any]) -> Iterator[str]:
    allowed = schema["children"].get(cls, {})
    for child in element:
        if child.tag not in allowed:
            yield f"<{child.tag}> in <{element.tag}>"
            continue
        made, attributes = allowed[child.tag]
        types = schema["attributes"].get(attributes, {})
        for name, value in child.attrib.items():
            name = "xml:lang" if name == _LANGUAGE else name
            if name not in types:
                yield f"<{child.tag} {name}>"
            elif not _fits(value, types[name], schema["aliases"]):
                yield f'<{child.tag} {name}="{value}"> is no {types[name]}'
        yield from _below(child, made, schema)


def _fits(value: str, type_: str, aliases: dict[str, list[str]]) -> bool:
    if type_.endswith("[]"):
        return bool(value.split()) and all(_fits(one, type_[:-2], aliases) for one in value.split())
    if type_ in aliases:
        return value in aliases[type_]
    if type_ == "number":
        return value.isdigit()
    return type_ == "string" or value in ("true", "false")
