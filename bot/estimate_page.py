"""The good faith estimate as a page to print or to send."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, Template, select_autoescape

from scheduling_core.eligibility.good_faith import GoodFaithEstimate
from scheduling_core.eligibility.words import money


def render(found: GoodFaithEstimate, language: str = "en") -> str:
    """An HTML page that needs nothing else."""
    return _template().render(estimate=found, spanish=language.startswith("es"), money=money)


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("bot"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("good_faith_estimate.html")
