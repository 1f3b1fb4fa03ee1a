import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.tokens import COUNTED, OVERHEAD, Growing, estimate, estimate_messages
from llamafarm.core.types import Message


def test_known_texts() -> None:
    assert estimate("") == 0
    assert estimate("What is the capital of France?") == 8  # 7 by SmolLM2's tokenizer
    assert 80 <= estimate("He had three llamas, and every morning he gave them hay and water. " * 6) <= 100  # 90 there


@given(st.text(max_size=200), st.text(max_size=200))
def test_two_texts_are_about_as_many_tokens_as_both(first: str, second: str) -> None:
    assert abs(estimate(first) + estimate(second) - estimate(first + second)) <= 2


@given(st.lists(st.text(alphabet="ab 1,.\n，喵ж\u00e9-", max_size=12), max_size=12))
def test_a_growing_text_is_estimated_as_a_whole_one(pieces: list[str]) -> None:
    growing, text = Growing(), ""
    for piece in pieces:
        text += piece
        assert growing.estimate(text) == estimate(text)


@pytest.mark.parametrize("words", ["llama hay 12345 ,.;\n", "一二三", "word ", "supercalifragilistic "])
def test_of_a_very_long_text_pieces_are_counted(words: str) -> None:
    times = COUNTED // len(words)
    once = estimate(words * (times // 4))
    assert 0.97 < estimate(words * times * 8) / (32 * once) < 1.03


def test_messages_add_what_their_template_does() -> None:
    assert estimate_messages([Message("user", "hay"), Message("assistant", "yes")]) == 2 + 2 * OVERHEAD


def test_a_megabyte_is_quick() -> None:
    started = time.perf_counter()
    assert estimate("llama hay 12345 ,.;\n" * 50_000) > 100_000
    assert time.perf_counter() - started < 5
