"""Pictures of measurements, as SVG files in docs/pictures."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
Series = list[tuple[float, float]]  # what grows, and milliseconds

mpl.rcParams.update({"svg.hashsalt": "frontdesk", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})


def growth(name: str, title: str, panels: dict[str, dict[str, Series]]) -> None:
    """Side by side what grows along each axis: a panel each with a line per name, from zero, and the straight line to its end."""
    colours = {label: f"C{number}" for number, label in enumerate(dict.fromkeys(one for lines in panels.values() for one in lines))}
    figure = Figure(figsize=(3.4 * len(panels), 3), layout="constrained")
    for number, (along, lines) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), number)
        for label, series in lines.items():
            axes.plot(*zip(*series, strict=True), color=colours[label], marker="o", markersize=3, label=label)
            last_x, last_y = series[-1]
            axes.plot([0, last_x], [0, last_y], color=colours[label], linewidth=0.6, linestyle=":")
        axes.set_xlabel(along)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("milliseconds" if number == 1 else "")
        axes.legend(frameon=False)
    figure.suptitle(title, fontsize=10)
    save(figure, name)


def save(figure: Figure, name: str) -> None:
    """Write a picture without a date, so that the same figures make the same file."""
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
