"""The console's sentences in other languages: `python -m bot.console.catalogue` brings the catalogues in line with the pages.

New sentences get an empty translation, which a person then fills in; run again, it compiles what is there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot.console.languages import LANGUAGES

BOT = Path(__file__).parent.parent
OTHERS = tuple(code for code in LANGUAGES if code != "en")
_METHODS = [("console/**.py", "python"), ("templates/console/**.html", "jinja2")]
_KEYWORDS = DEFAULT_KEYWORDS | {"lazy_gettext": None, "_l": None, "_n": (1, 2)}


def file_of(language: str) -> Path:
    """The catalogue that people edit; the compiled one lies beside it."""
    return BOT / "translations" / language / "LC_MESSAGES" / "messages.po"


def sentences() -> Catalog:
    """Every sentence of the code and the pages, without places: they would change with each line moved."""
    found = Catalog(project="Frontdesk", charset="utf-8")
    for _file, _line, message, comments, context in _extracted():
        found.add(message, auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """The catalogue as it stands."""
    with file_of(language).open("rb") as source:
        return read_po(source, locale=language)


def compiled(catalogue: Catalog) -> bytes:
    """The form that gettext reads."""
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def missing(catalogue: Catalog) -> list[str]:
    """The sentences without a translation, in the order of the alphabet."""
    return sorted(
        str(wanted.id)
        for wanted in sentences()
        if wanted.id and (not (found := catalogue.get(wanted.id, wanted.context)) or not _is_said(found.string) or found.fuzzy)
    )


def renew() -> None:
    """Write all catalogues anew."""
    wanted = sentences()
    for language in OTHERS:
        catalogue = read(language)
        catalogue.update(wanted, no_fuzzy_matching=True, update_creation_date=False)
        file = file_of(language)
        with file.open("wb") as target:
            write_po(target, catalogue, width=110, sort_output=True, no_location=True, ignore_obsolete=True)
        file.with_suffix(".mo").write_bytes(compiled(read(language)))
        for sentence in missing(catalogue):
            print(f"{language}: {sentence}")


def _is_said(translation: str | list[str] | tuple[str, ...]) -> bool:
    return all(translation) if isinstance(translation, list | tuple) else bool(translation)


def _extracted() -> Iterator[tuple]:
    options = {"templates/console/**.html": {"silent": "false", "extensions": "jinja2.ext.i18n"}}
    yield from extract_from_dir(str(BOT), _METHODS, options, keywords=_KEYWORDS)


if __name__ == "__main__":
    renew()
