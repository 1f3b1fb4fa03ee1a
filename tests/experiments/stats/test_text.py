"""Agreement and diversity against values computed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.experiments.stats.text import (
    MOST_WORDS,
    Answer,
    agrees,
    answers,
    distinct,
    normalised,
    similarity,
    words,
)


@pytest.mark.parametrize("text", ["42", " 42.", '"42"', "**42**", "42\n", "４２", "“42”!"])
def test_what_does_not_change_an_answer_is_taken_away(text: str) -> None:
    assert normalised(text) == "42"


@pytest.mark.parametrize(("one", "other"), [("42", "-42"), ("42", "4.2"), ("yes", "no"), ("a b", "ab"), ("C", "C++")])
def test_what_changes_an_answer_stays(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    # NFKC after case folding may fold once more (U+0345 and the like), so the second time settles.
    once = normalised(normalised(text))
    assert normalised(once) == once


def test_the_most_common_answer_is_agreed_upon() -> None:
    texts = ["Paris", "paris.", "Lyon", "PARIS", "Nice"]
    assert agrees(texts) == [1, 1, 0, 1, 0]
    assert answers(texts) == (Answer("Paris", 3), Answer("Lyon", 1), Answer("Nice", 1))
    assert agrees([]) == []


def test_jaccard_is_shared_words_over_all_words() -> None:
    one, other = frozenset(words("the cat sat")), frozenset(words("The cat ran away"))
    assert similarity(one, other) == pytest.approx(2 / 5)
    assert similarity(frozenset(), frozenset()) == 1
    assert similarity(one, frozenset()) == 0


def test_distinct_n_is_different_n_grams_over_all() -> None:
    tokens = [words("a b a b"), words("a b c")]
    assert distinct(tokens, 1) == pytest.approx(3 / 7)
    assert distinct(tokens, 2) == pytest.approx(3 / 5)  # ab ba ab | ab bc: none from b to a between them
    assert distinct([["a"], ["b"]], 2) is None
    assert distinct([], 1) is None


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=8), max_size=5), st.integers(1, 3))
def test_distinct_n_is_a_share_and_repeating_all_answers_lowers_it(tokens: list[list[str]], n: int) -> None:
    once, twice = distinct(tokens, n), distinct(tokens * 2, n)
    if once is None:
        assert twice is None
    else:
        assert twice == pytest.approx(once / 2)
        assert 0 < once <= 1


def test_a_long_answer_is_compared_by_its_beginning() -> None:
    assert len(words("word " * (MOST_WORDS + 5))) == MOST_WORDS
