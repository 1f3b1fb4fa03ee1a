"""Checks that would take for ever, or the whole memory: refused when they are read, or ended when their time is over."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from llamafarm.core.errors import RequestError
from llamafarm.experiments.checks.budget import BUDGET_S
from llamafarm.experiments.checks.checks import check_of
from llamafarm.experiments.grade import verdict
from tests.experiments.stats.samples import reply

REFUSED = {
    "nested groups": "regex:" + "(" * 300 + "a" + ")" * 300,
    "groups that capture nothing": "regex:" + "(?:" * 300 + "a" + ")" * 300,
    "lookaheads": "regex:" + "(?=" * 300 + "a" + ")" * 300,
    "a count of a billion": "regex:a{1000000000}",
    "counts of counts": "regex:(?:(?:a{1000}){1000}){1000}",
    "counts of sets": "regex:[a-z]{100}{100}{100}",
    "counts behind escapes": r"regex:(?:\{\(x{300}){300}",
    "a count of more digits than there are": "regex:a{" + "9" * 3000 + "}",
    "recursion": "regex:(?R)?a",
    "recursion by name": "regex:(?<x>(?&x)?a)",
    "a long pattern": "regex:" + "a" * 10_000,
    "a schema's pattern": 'schema:{"pattern": "a{1000000000}"}',
    "a pattern deep inside": 'schema:{"properties": {"a": {"items": {"pattern": "' + "(" * 300 + ")" * 300 + '"}}}}',
    "a deep schema": "schema:" + '{"items":' * 900 + "{}" + "}" * 900,
    "deeper than JSON": "schema:" + "[" * 100_000,
    "a wide schema": "schema:" + json.dumps({"enum": list(range(10_000))}),
    "a long schema": "schema:" + json.dumps({"title": "x" * 100_000}),
    "another dialect, with its own patterns": 'schema:{"items": {"$schema": "http://json-schema.org/draft-07/schema#"}}',
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_bounded_is_refused_at_once(case: str) -> None:
    began = time.perf_counter()
    with pytest.raises(RequestError) as told:
        check_of(REFUSED[case])
    assert time.perf_counter() - began < 3
    assert len(str(told.value)) < 1000


def doubled(levels: int) -> Any:
    definitions: dict[str, Any] = {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": {**definitions, f"a{levels}": {"type": "string"}}}


TREE = {"$ref": "#/$defs/t", "$defs": {"t": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/t"}}] * 3}}}
EVIL = {"$schema": "https://json-schema.org/draft/2020-12/schema", "pattern": "^(a|aa)+$"}
SLOW: dict[str, tuple[Any, Any]] = {
    "choices of choices": (doubled(38), 1),
    "a loop": ({"$ref": "#"}, 1),
    "a loop of two": ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, 1),
    "a tree of choices": (TREE, [[[[[[[[[[[[1]]]]]]]]]]]]),
    "a pattern for each": ({"items": {"pattern": "^(a|aa)+$"}}, ["a" * 60 + "b"] * 1000),
    "a pattern behind a dialect": ({"items": EVIL}, ["a" * 60 + "b"]),
    "a pattern behind a reference to the root": ({**EVIL, "items": {"$ref": "#"}}, ["a" * 60 + "b"]),
    "not of not": ({"not": {"not": doubled(30)["$defs"]["a0"]}, "$defs": doubled(30)["$defs"]}, 1),
    "unevaluated": (
        {"anyOf": [{"properties": {f"p{i}": {}}} for i in range(300)], "unevaluatedProperties": False},
        {f"q{i}": i for i in range(9000)},
    ),
    "contains": ({"contains": {"contains": {"contains": {"const": 1}}}}, [[[0] * 40] * 40] * 40),
    "patterns of catastrophe": ({"pattern": r"(?:\b\w+\b[\s,]*)*!!$"}, "aaaa, " * 2000),
}


@pytest.mark.parametrize("case", SLOW)
def test_a_schema_is_ended_when_its_time_is_over(case: str) -> None:
    schema, value = SLOW[case]
    check, began = check_of("schema:" + json.dumps(schema)), time.perf_counter()
    told = check(json.dumps(value))
    assert time.perf_counter() - began < 15 * BUDGET_S
    assert told.passed is not True
    assert len(told.why) <= 400


@pytest.mark.parametrize(
    "answer", ["[" * 100_000, "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "1e999", "9" * 5000]
)
def test_deep_and_odd_answers_are_told(answer: str) -> None:
    for check in ("json", 'schema:{"items": {"$ref": "#"}, "multipleOf": 0.1}', 'schema:{"uniqueItems": true}'):
        began = time.perf_counter()
        check_of(check)(answer)
        assert time.perf_counter() - began < 15 * BUDGET_S


def test_a_long_list_of_objects_is_unique_in_a_moment() -> None:
    check, began = check_of('schema:{"uniqueItems": true}'), time.perf_counter()
    assert check(json.dumps([{"a": at} for at in range(12_000)])).passed is True
    assert check(json.dumps([{"a": 1}, {"a": 1.0}])).passed is False
    assert check("[1, true, 0, false]").passed is True
    assert time.perf_counter() - began < 3


async def test_all_checks_of_an_answer_share_one_time_and_the_loop_goes_on() -> None:
    checks = [check_of(f"regex:^(a|aa)+${'x' * at}") for at in range(20)] + [
        check_of(f"schema:{json.dumps(doubled(38))}")
    ] * 20
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            worst = max(worst, time.perf_counter() - began - 0.01)

    watching, began = asyncio.create_task(watch()), time.perf_counter()
    passed, notes = await verdict(checks, reply("a" * 60 + "b"))
    watching.cancel()
    assert time.perf_counter() - began < 15 * BUDGET_S
    assert worst < 0.5
    assert passed in (None, False)
    assert any("more than 1 s" in note for note in notes)


def test_usual_checks_of_a_batch_are_fast() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"pattern": "^x"}}, "required": ["a"]}
    checks = [
        check_of("schema:" + json.dumps(schema)),
        check_of(r"regex:\d+"),
        check_of("json"),
        check_of("contains:a"),
    ]
    began = time.perf_counter()
    for at in range(500):
        assert all(check(json.dumps({"a": at, "b": "xy"})).passed for check in checks)
    assert time.perf_counter() - began < 6


USUAL: dict[str, tuple[str, str, bool]] = {
    "dates": (r"regex:^\d{4}-\d{2}-\d{2}$", "2026-01-02", True),
    "a set with a bracket": (r"regex:^[]a{9}]+$", "]a{", True),
    "a literal brace": (r"regex:^{x}\{9999999\}$", "{x}{9999999}", True),
    "options": (r"regex:(?i)^HAY(?=!)", "hay!", True),
    "names": (r"regex:(?P<a>x)(?P=a)", "xx", True),
    "lines": ("regex:^b$", "a\nb", True),
    "some repeats": ("regex:(?:ab){100}", "ab" * 100, True),
}


@pytest.mark.parametrize("case", USUAL)
def test_what_people_write_is_as_before(case: str) -> None:
    check, answer, passed = USUAL[case]
    assert check_of(check)(answer).passed is passed


PROBE = """
import re, sys
from pathlib import Path
from llamafarm.experiments.checks.checks import check_of
check = check_of(sys.argv[1])
check(sys.argv[2] * int(sys.argv[3]))
# Not getrusage's: that begins with what the parent had when it started this process.
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.parametrize("check", [r"regex:(?e)(?:abcabcabc){e<=9}$", r"regex:(?:(a)|(b))*c", r"regex:(\w+\s?)+$"])
def test_no_pattern_takes_the_memory(check: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROBE, check, "ab ", "60000"], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 900
