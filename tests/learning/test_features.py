from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamafarm.learning.features import BINS, LOOKED_AT, SURFACE, read, stacked


def value(text: str, name: str) -> float:
    return float(read(text).surface[SURFACE.index(name)])


def test_a_surface_has_28_figures() -> None:
    assert len(SURFACE) == len(set(SURFACE)) == 28
    assert read("Why?").surface.shape == (28,)


@pytest.mark.parametrize(
    ("more", "less", "name"),
    [
        ("He has 3 eggs and 12 apples.", "He has eggs and apples.", "numbers"),
        ("It costs $5, then 7 dollars.", "It is dear, then cheap.", "money"),
        ("25% of 1/2", "a quarter of half", "parts"),
        ("3 + 4 × 5", "three and four", "sums"),
        ("def f(): return {}", "a function of nothing", "code"),
        ("A. one\nB. two\n", "one or two", "options"),
        ("\\frac{a}{b} ^ 2 ≤ π", "a over b", "formulas"),
        ("Which is not true, except none?", "Which is true?", "negations"),
        ("twice as many, each half", "as many as before", "quantities"),
        ("Suppose x. If y, when z?", "x and y and z", "conditions"),
        ("Prove it and explain why", "Say it", "analysis"),
        ("Write and translate a poem", "A poem is a poem", "making"),
        ("Was ist das für eine Größe? 为什么天空是蓝色的", "What is this?", "foreign"),
    ],
)
def test_a_figure_rises_with_what_it_counts(more: str, less: str, name: str) -> None:
    assert value(more, name) > value(less, name)


def test_words_of_scripts_without_spaces_are_told_apart() -> None:
    assert len(set(read("天空是蓝色").bins) & set(read("蓝色天空").bins)) >= 4


def test_which_number_it_is_does_not_matter_to_words() -> None:
    assert set(read("add 3 eggs").bins) == set(read("add 77 eggs").bins)


def test_features_are_the_same_on_every_machine() -> None:
    found = read("the cat")
    assert sorted(found.bins.tolist()) == sorted([0x3C456DE6 % BINS, 0x9E5E43A8 % BINS, int(read("the cat").bins[-1])])


def test_of_a_long_prompt_both_ends_are_looked_at() -> None:
    long = "begin " + "x " * 2 * LOOKED_AT + " finish"
    assert set(read("begin").bins) | set(read("finish").bins) <= set(read(long).bins)
    assert value(long, "letters") > value("x " * LOOKED_AT, "letters")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_every_text_has_finite_features(text: str) -> None:
    surface, words = stacked([read(text)])
    assert np.isfinite(surface).all()
    assert np.isfinite(words).all()
