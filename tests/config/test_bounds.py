"""Small files that are large: whatever a file says, what is made of it has a size."""

from __future__ import annotations

import json
import time

import pytest

from llamafarm.access.operator import Rights
from llamafarm.config.model import Loaded
from llamafarm.config.project import MOST_ASKS, MOST_MODELS, parse
from llamafarm.config.reading.document import MOST_PROBLEMS
from llamafarm.config.reading.env import resolve
from llamafarm.config.reading.read import MAX_BYTES
from llamafarm.config.sections.prompts import MOST_SETS
from llamafarm.config.sections.template import variables
from llamafarm.ui.project.file_cards import asks, report

ONE = "    - {{name: {}, provider: openai, base_url: 'http://127.0.0.1:9', model: m}}\n"
HEAD = "runtime:\n  models:\n"


def size(loaded: Loaded) -> int:
    """Letters of all that would go out of a file."""
    return len(loaded.model_dump_json()) + len(report(loaded, "x")) + len(asks(loaded, Rights(trust=True)))


def laughs(levels: int) -> str:
    lines = ["l0: &l0 [ha, ha]"] + [f"l{at}: &l{at} [*l{at - 1}, *l{at - 1}]" for at in range(1, levels)]
    return "\n".join(lines)


TEXT = "x" * 295_000
NAMES = [f"m{at}" for at in range(9000)]
LARGE: dict[str, str] = {
    "billion laughs": f"{laughs(40)}\n{HEAD}{ONE.format('a')}",
    "laughs of mappings": "a0: &a0 {k: v}\n"
    + "".join(f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}\n" for n in range(1, 30)),
    "one long text, many aliases": f"a: &a {TEXT}\nprompts:\n"
    + "  - {name: *a, content: *a}\n" * 700
    + HEAD
    + ONE.format("a"),
    "aliases as texts of a tool": f"a: &a {TEXT}\n{HEAD}    - {{name: a, provider: openai, model: m, tools: [{{x: [{'*a, ' * 700}]}}]}}\n",
    "aliases as keys": f"a: &a {TEXT}\n{HEAD}    - name: a\n      provider: openai\n      model: m\n      extra_body: ["
    + "{*a : 1}, " * 700
    + "]\n",
    "merged without end": f"a: &a {{t: {TEXT}}}\nb: [" + "{<<: *a}, " * 700 + f"]\n{HEAD}{ONE.format('a')}",
    "quadratic": f"a: &a [{'x, ' * 2000}]\nb: [{'*a, ' * 2000}]\n{HEAD}{ONE.format('a')}",
    "many models": HEAD + "".join(ONE.format(name) for name in NAMES),
    "models by name": "runtime:\n  models:\n"
    + "".join(f"    {name}: {{provider: openai, model: m}}\n" for name in NAMES),
    "each falls back to nobody": HEAD
    + "".join(f"    - {{name: {n}, provider: openai, model: m, fallback: [zz{n}]}}\n" for n in NAMES),
    "each names a prompt that is not there": f"prompts:\n{''.join(f'  - {{name: p{n}, content: x}}{chr(10)}' for n in range(3000))}{HEAD}"
    + "".join(f"    - {{name: {n}, provider: openai, model: m, prompts: [no]}}\n" for n in NAMES[:3000]),
    "many prompt sets": "prompts:\n"
    + "".join(f"  - {{name: {n}, content: hay}}\n" for n in NAMES)
    + HEAD
    + ONE.format("a"),
    "unknown keys": "".join(f"key{n}: 1\n" for n in range(20_000)) + HEAD + ONE.format("a"),
    "unknown keys of a model": HEAD
    + "    - name: a\n      provider: openai\n      model: m\n"
    + "".join(f"      temperatura{n}: 1\n" for n in range(9000)),
    "keys twice": "a: 1\n" * 15_000 + HEAD + ONE.format("a"),
    "a long key": f"{'k' * 500_000}: 1\n{HEAD}{ONE.format('a')}",
    "a long name": f"{HEAD}    - {{name: {'n' * 500_000}, provider: {'q' * 300_000}, model: m}}\n",
    "variables": HEAD + "    - {name: a, provider: openai, model: m, extra_body: {x: [" + "'${V}', " * 20_000 + "]}}\n",
    "different variables": HEAD
    + "    - {name: a, provider: openai, model: m, extra_body: {x: ["
    + ", ".join(f"'${{V{n}}}'" for n in range(15_000))
    + "]}}\n",
    "many MCP servers": "mcp:\n  servers:\n"
    + "".join(f"    - {{name: s{n}, command: x}}\n" for n in range(9000))
    + HEAD
    + ONE.format("a"),
    "commands of one server": f"mcp:\n  servers:\n    - {{name: s, command: x, args: [{'y, ' * 40_000}]}}\n{HEAD}{ONE.format('a')}",
    "deep and wide": "a: " + "[" * 95 + "1, " * 300_000 + "]" * 95 + "\n",
}


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("case", LARGE)
def test_what_is_made_of_a_small_file_is_small(case: str, trusted: bool) -> None:
    text, began = LARGE[case][:MAX_BYTES], time.perf_counter()
    loaded = parse(text, trusted=trusted, environ={})
    assert time.perf_counter() - began < 20
    assert size(loaded) < 8 * 1024 * 1024
    for told in (loaded.errors, loaded.warnings):
        assert len(told) <= MOST_PROBLEMS + 1
        assert all(len(each.message) + len(each.key) <= 1000 for each in told)
    assert len(loaded.asks) <= MOST_ASKS
    assert loaded.project is None or len(loaded.project.models) <= MOST_MODELS
    assert loaded.project is None or len(loaded.project.prompts) <= MOST_SETS


@pytest.mark.parametrize("name", ["x.json", "x.toml"])
def test_the_other_forms_have_the_same_bounds(name: str) -> None:
    models = [{"name": each, "provider": "openai", "model": "m"} for each in NAMES]
    text = json.dumps({"runtime": {"models": models}})
    if name == "x.toml":
        text = "".join(f'[[runtime.models]]\nname="{each}"\nprovider="openai"\nmodel="m"\n' for each in NAMES)
    loaded = parse(text[:MAX_BYTES], name=name, trusted=False)
    assert loaded.project is not None
    assert len(loaded.project.models) == MOST_MODELS
    assert size(loaded) < 4 * 1024 * 1024
    assert any("8,800 from here on" in each.message for each in loaded.errors)


ODD: dict[str, tuple[str, str]] = {
    "a key of many parts": ("x.toml", "a" + ".a" * 200_000 + " = 1\n"),
    "a table of many parts": ("x.toml", "[a" + ".a" * 200_000 + "]\n"),
    "nested arrays": ("x.toml", "a = " + "[" * 300 + "]" * 300),
    "many numbers": ("x.toml", "a = [" + "1," * 300_000 + "]"),
    "many numbers as JSON": ("x.json", "[" + "1," * 300_000 + "1]"),
    "nested JSON": ("x.json", "[" * 900 + "]" * 900),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_files_are_told_and_take_no_time(case: str) -> None:
    (name, text), began = ODD[case], time.perf_counter()
    loaded = parse(text, name=name, trusted=False)
    assert loaded.project is None
    assert loaded.errors
    assert time.perf_counter() - began < 20


def test_how_many_more_there_are_is_told() -> None:
    loaded = parse(LARGE["unknown keys"], trusted=False)
    assert loaded.warnings[-1].message == f"And {20_000 - MOST_PROBLEMS + 1:,} more."
    asking = parse(LARGE["different variables"], trusted=False)
    assert asking.more_asks == 15_000 - MOST_ASKS + 1  # the key of OpenAI's own address is one
    assert f"And {asking.more_asks:,} things more" in asks(asking, Rights(trust=True))


def test_a_pattern_of_ours_reads_a_file_once() -> None:
    began = time.perf_counter()
    assert variables(["{{ a |" * 170_000]) == ()
    assert variables(["{{" + " " * 900_000]) == ()
    assert resolve("${A:-" * 200_000, {}).text.startswith("${A:-")
    assert [each.default for each in variables(["{{ a | x }} {{ b | 'y' }}"])] == ["x", "y"]
    assert resolve("${A:-$5} ${B:-x}", {}).text == "$5 x"
    assert time.perf_counter() - began < 5
