from __future__ import annotations

import numpy as np
import pytest

from llamafarm.learning.signals.answers import Given, figures, forms_of, guessed_right, signals, usual_form
from llamafarm.learning.signals.sums import written_sums


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("16 - 3 = 13", [True]),
        ("She has 16 - 3 = 12 eggs.", [False]),
        ("9 * $2 = $18, and 18 + 1 = 20", [True, False]),
        ("8 x $5 x 60% = $24", [True]),
        ("$<<8*5*60/100=24>>24", [True]),
        ("1,000 + 500 = 1,500", [True]),
        ("2 + 3 * 4 = 14", [True]),
        ("2 + 3 * 4 = 20", [False]),
        ("10 / 3 = 3.33", [True]),
        ("9 / 12 = 75%", [True]),
        ("5 − 8 = −3", [True]),
        ("7 ÷ 0 = 7", []),
        ("(2 + 3) * 4 = 20", []),  # what stands in brackets is not read
        ("x + 3 * 2 = 10", []),
        ("2/4 = 1/2", []),
        ("no sum at all", []),
        ("3 + 4", []),
        ("a = 3 + 4 = 7", [True]),
        ("12 × 12 = 144. 12 · 11 = 131", [True, False]),
        ("6 \\times 7 = 42", [True]),
    ],
)
def test_written_sums_are_checked(text: str, right: list[bool]) -> None:
    assert list(written_sums(text)) == right


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Given(""), ("empty",)),
        (Given(" \n"), ("empty",)),
        (Given("Paris."), ()),
        (Given("Paris.", passed=0.5), ("failed_check",)),
        (Given("Paris.", passed=1.0), ()),
        (Given("The capital is", cut=False), ("cut",)),
        (Given("A long story.", cut=True), ("cut",)),
        (Given("So she has 36 * $<<36*"), ("cut",)),
        (Given("```python\nx = 1"), ("cut",)),
        (Given("I'm sorry, but I can't help with that."), ("refusal",)),
        (Given("As an AI, I have no opinion."), ("refusal",)),
        (Given("I don’t know."), ("refusal",)),
        (Given("2 + 2 = 5."), ("wrong_sum",)),
        (Given("", passed=0.0), ("failed_check", "empty")),
    ],
)
def test_signals_speak_for_themselves(answer: Given, found: tuple[str, ...]) -> None:
    assert signals(answer) == found


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        ("…\n#### 18", "####"),
        ("so \\boxed{4}", "boxed"),
        ("The answer is 7.", "answer is"),
        ("B", "letter"),
        ('{"a": 1}', "json"),
        ("```\nx\n```", "code"),
    ],
)
def test_the_usual_form_is_read_from_answers_alone(answer: str, form: str) -> None:
    assert form in forms_of(answer)
    assert usual_form([answer] * 18 + ["something else entirely, quite long"] * 2) == form
    assert "no_final_form" in signals(Given("something else entirely, quite long"), form)
    assert "no_final_form" not in signals(Given(answer), form)


def test_there_is_no_usual_form_where_answers_differ_or_are_few() -> None:
    assert usual_form(["#### 1"] * 10 + ["well, something long"] * 10) is None
    assert usual_form(["#### 1"] * 19) is None


def test_each_signal_lowers_the_chance() -> None:
    assert guessed_right(()) > guessed_right(("wrong_sum",)) > guessed_right(("wrong_sum", "cut"))


@pytest.mark.parametrize("text", ["", "1" * 400, "9" * 5000 + ".5", "−3", "\x00", "😀" * 50, "1e999 = 2"])
def test_every_answer_has_finite_figures(text: str) -> None:
    assert np.isfinite(figures("How many of 3?", Given(text), signals(Given(text)))).all()
