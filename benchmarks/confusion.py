"""A picture of which intents are read as which: rows are what was meant, columns what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from html import escape
from pathlib import Path

_CELL, _LEFT, _TOP, _EDGE, _SLANT = 17, 190, 190, 16, 90
_STYLE = """
  text { font-family: -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; font-size: 11px; fill: #334155 }
  .title { font-size: 15px; font-weight: 600; fill: #0f172a } .count { font-size: 9px; text-anchor: middle }
  .paper { fill: #ffffff } .line { stroke: #e2e8f0 } .wrong { fill: #b91c1c } .right { fill: #0f766e } .on { fill: #ffffff }
"""


def draw(file: Path, title: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Writes an SVG of (meant, read) pairs. A cell is as dark as its share of the row."""
    counts = Counter(pairs)
    meant = sorted({pair[0] for pair in counts})
    read = [*meant, *sorted({pair[1] for pair in counts} - set(meant))]
    sums = Counter({row: sum(count for (said, _), count in counts.items() if said == row) for row in meant})
    width, height = _LEFT + _CELL * len(read) + _SLANT, _TOP + _CELL * len(meant) + _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text class="title" x="{_EDGE}" y="28">{escape(title)}</text>',
        f'<text x="{_EDGE}" y="46">down: meant</text><text x="{_EDGE}" y="62">across: read as</text>',
    ]
    for place, intent in enumerate(read):
        x = _LEFT + _CELL * place
        parts.append(f'<text transform="translate({x + 12},{_TOP - 6}) rotate(-60)">{escape(intent)}</text>')
        parts.append(f'<line class="line" x1="{x}" y1="{_TOP}" x2="{x}" y2="{height - _EDGE}"/>')
    for place, intent in enumerate(meant):
        y = _TOP + _CELL * place
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 12}" text-anchor="end">{escape(intent)}</text>')
        parts.append(f'<line class="line" x1="{_LEFT}" y1="{y}" x2="{width - _SLANT}" y2="{y}"/>')
    for (said, got), count in sorted(counts.items()):
        x, y, share = _LEFT + _CELL * read.index(got), _TOP + _CELL * meant.index(said), count / sums[said]
        kind = "right" if said == got else "wrong"
        parts.append(
            f'<rect class="{kind}" x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill-opacity="{0.15 + 0.85 * share:.2f}"/>'
        )
        parts.append(f'<text class="count{" on" if share > 0.4 else ""}" x="{x + _CELL / 2}" y="{y + 12}">{count}</text>')
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join([*parts, "</svg>\n"]), encoding="utf-8")
