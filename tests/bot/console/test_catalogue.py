"""The console in Spanish."""

from __future__ import annotations

import re

import pytest

from bot.console import catalogue

RENEW = "python -m bot.console.catalogue brings the catalogues in line"


@pytest.mark.parametrize("language", catalogue.OTHERS)
def test_no_sentence_is_without_its_translation(language: str):
    assert catalogue.missing(catalogue.read(language)) == [], RENEW


@pytest.mark.parametrize("language", catalogue.OTHERS)
def test_what_is_compiled_is_what_people_edit(language: str):
    file = catalogue.file_of(language)
    assert file.with_suffix(".mo").read_bytes() == catalogue.compiled(catalogue.read(language)), RENEW


@pytest.mark.parametrize("language", catalogue.OTHERS)
def test_a_translation_names_what_the_sentence_names(language: str):
    wrong = []
    for message in catalogue.read(language):
        said = message.id if isinstance(message.id, tuple) else (message.id,)
        translated = message.string if isinstance(message.string, tuple) else (message.string,)
        named = [set(re.findall(r"%\((\w+)\)s|\{(\w+)\}", words)) for words in (*said, *translated)]
        if message.id and named[-1] - named[-len(translated) - 1]:
            wrong.append(message.id)
    assert wrong == []
