"""Plays a conversation with the real assistant and draws it as docs/conversation.svg: python docs/conversation.py"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import textwrap
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.journeys import assistant as running

HERE = Path(__file__).parent
CLINIC = HERE.parent / "clinics" / "demo.yml"
SAID = (
    "Hi, I need a follow-up with Dr. Whitcomb next week, mornings are best",
    "5/12/1984",
    "the second one",
    "yes please",
    "where do I park?",
    "thanks!",
)
_WIDTH, _LINE, _CHARACTERS = 400, 19, 34
_STYLE = """
  text { font-family: -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; font-size: 14px }
  .phone { fill: #111827 } .screen { fill: #f8fafc }
  .title { font-weight: 600; fill: #0f172a } .small { font-size: 11px; fill: #64748b }
  .theirs { fill: #e2e8f0 } .theirs + text { fill: #0f172a } .mine { fill: #0f766e } .mine + text { fill: #ffffff }
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running.running(Path(folder), CLINIC) as assistant:
        phone = assistant.new_phone()
        assistant.put_on_file(given="Sofia", family="Marlow", birth_date=dt.date(1984, 5, 12), phone=phone)
        messages = []
        for text in SAID:
            messages += [(True, text), (False, assistant.text(phone, text))]
    for mine, text in messages:
        print(f"{'>' if mine else '<'} {text}")
    (HERE / "conversation.svg").write_text(_draw(messages), encoding="utf-8")


def _draw(messages: list[tuple[bool, str]]) -> str:
    parts, y = [], 96
    for mine, text in messages:
        lines = [line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph, _CHARACTERS)] or [""]
        width = min(290, 28 + round(8 * max(map(len, lines))))
        height = _LINE * len(lines) + 16
        x = _WIDTH - 28 - width if mine else 28
        parts.append(f'<rect class="{"mine" if mine else "theirs"}" x="{x}" y="{y}" width="{width}" height="{height}" rx="16"/>')
        spans = "".join(
            f'<tspan x="{x + 14}" y="{y + 22 + _LINE * number}">{escape(line)}</tspan>' for number, line in enumerate(lines)
        )
        parts.append(f"<text>{spans}</text>")
        y += height + 10
    height = y + 34
    frame = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>A patient texts with the assistant</title><style>{_STYLE}</style>",
        f'<rect class="phone" width="{_WIDTH}" height="{height}" rx="36"/>',
        f'<rect class="screen" x="10" y="10" width="{_WIDTH - 20}" height="{height - 20}" rx="28"/>',
        f'<text class="title" x="{_WIDTH // 2}" y="46" text-anchor="middle">Harborview Medical Group</text>',
        f'<text class="small" x="{_WIDTH // 2}" y="66" text-anchor="middle">Text message, today 9:10 AM</text>',
    ]
    return "\n".join([*frame, *parts, "</svg>\n"])


if __name__ == "__main__":
    main()
