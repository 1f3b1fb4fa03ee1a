"""What counts as a word is the same for what is stored and for what is looked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.history.database.tables.words import MOST_ASKED, MOST_LETTERS, PIECE, asked_words, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Grass, hay; GRASS!", ["grass", "hay"]),
        ("Crème brûlée", ["creme", "brulee"]),
        ("Straße", ["strasse"]),
        ("snake_case don't 3.14", ["snake", "case", "don", "t", "3", "14"]),
        ("瑞利 散射a1", ["瑞", "利", "散", "射", "a1"]),
        ("\x00 \ud800 ?!", []),
        ("x" * 100, ["x" * 64]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of([text]) == words


def test_a_long_text_is_read_in_pieces_that_break_no_word() -> None:
    words = [f"word{number}" for number in range(30_000)]
    text = " ".join(words)
    assert len(text) > 3 * PIECE
    assert words_of([text]) == words
    assert words_of([f"{text} Crème {text}"]) == [*words, "creme"]
    assert words_of(["x" * 3 * PIECE]) == ["x" * 64]


@given(st.lists(st.text()))
def test_words_are_what_both_databases_take_as_they_are(texts: list[str]) -> None:
    words = words_of(texts)
    assert len(set(words)) == len(words)
    for word in words:
        assert word.isalnum()
        assert word.isascii() is False or word == word.lower()
    assert words_of([" ".join(words)]) == words


def test_bounds() -> None:
    many = [f"w{number}" for number in range(200_000)]
    kept = words_of([" ".join(many)])
    assert sum(len(word) + 1 for word in kept) <= MOST_LETTERS
    assert kept == many[: len(kept)]
    assert asked_words(" ".join(many)) == many[:MOST_ASKED]
