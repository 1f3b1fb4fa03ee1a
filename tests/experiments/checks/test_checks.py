"""Checks: what passes, what does not, and what can't be told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamafarm.core.errors import RequestError
from llamafarm.experiments.checks.checks import check_of
from llamafarm.experiments.judge import judge_prompt, score_of

SCHEMA = json.dumps(
    {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "s": {"pattern": "^a"}}}
)


@pytest.mark.parametrize(
    ("check", "answer", "passed"),
    [
        ("equals:Paris", "**Paris.**", True),
        ("equals:Paris", "It is Paris", False),
        ("contains:New York", "in new\nyork city", True),
        ("contains:Rome", "Paris", False),
        ("not-contains:sorry", "I am Sorry", False),
        ("not-contains:sorry", "Gladly", True),
        (r"regex:^\d{4}$", "The year:\n1969", True),
        (r"regex:^\d{4}$", "in 1969", False),
        ("regex:a:b", "a:b", True),
        ("json", '{"a": 1}', True),
        ("json", '```json\n{"a": 1}\n```', True),
        ("json", 'Here: {"a": 1}', False),
        ("json", "NaN", False),
        ("json", "[" * 100_000, False),
        (f"schema:{SCHEMA}", '{"n": 1}', True),
        (f"schema:{SCHEMA}", '{"n": "1"}', False),
        (f"schema:{SCHEMA}", '{"n": 1, "s": "b"}', False),
        (f"schema:{SCHEMA}", "no", False),
        ("number:42", "6 × 7 = 42.", True),
        ("number:42", "42 is not 43", False),
        ("number:-3", "It is −3", True),
        ("number:1234567", "about 1,234,567 people", True),
        ("number:3.14±0.01", "3.145", True),
        ("number:3.14+-0.01", "3.2", False),
        ("number:1e5", "1e5", True),
        ("number:0.5", ".5", True),
        ("number:5", "value5 and A4", False),
        ("number:5", "none at all", False),
    ],
)
def test_a_check_says_yes_or_no(check: str, answer: str, passed: bool) -> None:
    assert check_of(check)(answer).passed is passed


@pytest.mark.parametrize(
    "text",
    ["", "contains:", "json:x", "python:1", "regex:(", "number:x", "number:inf", "number:1±-1", "schema:{", 'schema:{"type": 1}',
     'schema:{"pattern": "("}', 'schema:{"patternProperties": {"a": {}}}'],
)  # fmt: skip
def test_what_is_no_check_is_told(text: str) -> None:
    with pytest.raises(RequestError):
        check_of(text)


@pytest.mark.parametrize("check", ["regex:^(a|aa)+$", 'schema:{"pattern": "^(a|aa)+$"}'])
def test_a_pattern_that_would_take_for_ever_is_given_up(check: str) -> None:
    answer = "a" * 60 + "b"
    verdict = check_of(check)(json.dumps(answer) if check.startswith("schema") else answer)
    assert verdict.passed is None
    assert "1 s" in verdict.why


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://127.0.0.1:1/schema.json"])
def test_a_schema_fetches_nothing(address: str) -> None:
    verdict = check_of(f'schema:{{"$ref": "{address}"}}')("{}")
    assert verdict.passed is None
    assert address in verdict.why


@settings(max_examples=30)
@given(st.text(), st.sampled_from(["equals:a", "contains:a", "regex:a.b", "json", f"schema:{SCHEMA}", "number:1"]))
def test_any_answer_has_a_verdict(answer: str, check: str) -> None:
    assert check_of(check)(answer).passed in (True, False)


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("Good.\nScore: 7", 0.7),
        ("**Score:** 8/10", 0.8),
        ("Rating: 4 out of 5", 0.8),
        ("Score: 3. No, on reflection\nscore = 6.5", 0.65),
        ("10", 1.0),
        ("7/10.", 0.7),
        ("Score: 0", 0.0),
        ("The score is **9**", 0.9),
        ("I can't grade 3 answers", None),
        ("Score: 11", None),
        ("Score: -1", None),
        ("Score: 3/0", None),
        ("", None),
    ],
)
def test_a_judges_score_is_found_and_none_is_not_zero(said: str, score: float | None) -> None:
    assert score_of(said) == (None if score is None else pytest.approx(score))


@given(st.text())
def test_any_judgement_is_read(said: str) -> None:
    found = score_of(said)
    assert found is None or 0 <= found <= 1


def test_the_judge_sees_rubric_question_and_answer() -> None:
    prompt = judge_prompt("Be brief.", "Why?", "Because.")
    assert prompt.index("Be brief.") < prompt.index("Why?") < prompt.index("Because.")
