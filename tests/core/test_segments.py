"""What a text costs."""

from __future__ import annotations

import pytest

from scheduling_core.segments import clean, on_air, pack, segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 8, 2),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("🙂" * 35, 1),
        ("🙂" * 36, 2),
        ("🙂" * 67, 3),  # 33 whole ones a segment
        ("ñ¿¡Ñéü" * 20, 1),
        ("a\nb", 1),
    ],
)
def test_segments(text: str, count: int):
    assert segments(text) == count


def test_typographic_signs_become_cheap_ones_and_control_characters_go():
    assert clean("It’s\xa08–9…\x00 “ok”\r\nbye\u200b") == 'It\'s 8-9... "ok"\nbye'


def test_texts_are_packed_in_their_order():
    assert pack(["a" * 100, "b" * 100, "c" * 104, "d", ""]) == ["a" * 100 + "\n" + "b" * 100 + "\n" + "c" * 104, "d"]


def test_accents_that_alone_would_double_the_cost_are_left_off_on_the_air():
    assert (
        on_air("¿Qué día? Mañana, en la recepción: ¡sí! Útil, pingüino.")
        == "¿Qué dia? Mañana, en la recepcion: ¡si! Util, pingüino."
    )
    assert on_air("Sí 🙂") == "Sí 🙂"
    assert pack(["á" * 150, "í" * 150]) == ["á" * 150 + "\n" + "í" * 150]


def test_a_text_longer_than_two_segments_is_cut_at_a_line_then_a_sentence_then_a_word():
    line, sentence = "a" * 200, "b" * 150 + "."
    assert pack([f"{line}\n{sentence} {sentence} cccc"]) == [line, f"{sentence} {sentence}", "cccc"]
    assert pack(["d" * 200 + " " + "e" * 200]) == ["d" * 200, "e" * 200]
    assert pack(["f" * 400]) == ["f" * 400]
