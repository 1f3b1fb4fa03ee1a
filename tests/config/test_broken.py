"""Files that are wrong: what, where, and never a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.config import load, parse
from llamafarm.config.model import Loaded

HEAD = "version: v1\nname: test\nnamespace: default\n"
MODEL = "runtime:\n  models:\n    - name: a\n      provider: ollama\n      model: x\n"


def read(text: str, name: str = "llamafarm.yaml") -> Loaded:
    return parse(text, name=name, trusted=True, environ={})


BOMB = "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

# text, line of the error, its key, words of it, whether there is a project all the same
BROKEN = {
    "a colon too many": (f"{HEAD}runtime: a: b\n", 4, "", "YAML can't be read", False),
    "open quote": (f'{HEAD}runtime: "\n', 5, "", "YAML can't be read", False),
    "a tab": (f"{HEAD}runtime:\n\tmodels: []\n", 5, "", "indent with spaces", False),
    "a list at the top": ("- a\n- b\n", 1, "", "this is a list", False),
    "text at the top": ("hello\n", 1, "", "this is text", False),
    "nothing": ("", 1, "", "this is empty", False),
    "version": (f"version: v2\n{MODEL}", 1, "version", "`version: v1`", False),
    "no models": (HEAD, None, "", "names no models", False),
    "no runtime in sight": (f"{HEAD}models: []\n", 4, "models", "under `runtime:`", False),
    "models as text": (f"{HEAD}runtime:\n  models: many\n", 5, "runtime.models", "must be a list", False),
    "provider": (f"{HEAD}{MODEL.replace('ollama', 'olama')}", 7, "runtime.models[0].provider", "did you mean", True),
    "no provider": (f"{HEAD}runtime:\n  models:\n    - name: a\n", 6, "runtime.models[0]", "`provider` is missing", True),
    "no model": (f"{HEAD}runtime:\n  models:\n    - {{name: a, provider: ollama}}\n", 6, "runtime.models[0]",
                 "`model` is missing", True),
    "no name": (f"{HEAD}runtime:\n  models:\n    - {{provider: ollama, model: x}}\n", 6, "runtime.models[0]",
                "has no `name`", True),
    "names twice": (f"{HEAD}{MODEL}    - name: a\n", 9, "runtime.models[1].name", "already (line 6)", True),
    "keys twice": (f"{HEAD}{MODEL}      model: y\n", 9, "runtime.models[0].model", "lines 8 and 9", True),
    "unknown default": (f"{HEAD}{MODEL}  default_model: z\n", 9, "runtime.default_model", "no model `z`", True),
    "unknown prompt set": (f"{HEAD}{MODEL}      prompt: z\nprompts: [{{name: other, messages: []}}]\n", 9, "runtime.models[0].prompt", "no prompt set `z`", True),
    "unknown prompt sets": (f"{HEAD}{MODEL}      prompts: [z]\nprompts: [{{name: other, messages: []}}]\n", 9, "runtime.models[0].prompts", "no prompt set", True),
    "unknown MCP server": (f"{HEAD}{MODEL}      mcp_servers: [z]\nmcp: {{servers: [{{name: other, command: x}}]}}\n", 9, "runtime.models[0].mcp_servers",
                           "no MCP server `z`", True),
    "unknown fallback": (f"{HEAD}{MODEL}  fallback: [z]\n", 9, "runtime.fallback", "no model `z`", True),
    "a model's fallback": (f"{HEAD}{MODEL}      fallback: [z]\n", 9, "runtime.models[0].fallback", "no model `z`", True),
    "price": (f"{HEAD}{MODEL}      pricing:\n        input: much\n        output: 1\n", 10,
              "runtime.models[0].pricing.input", "decimal", True),
    "negative price": (f"{HEAD}{MODEL}      pricing: {{input: -1, output: 1}}\n", 9, "runtime.models[0].pricing.input",
                       "greater", True),
    "timeout": (f"{HEAD}{MODEL}      timeout: {{connect: 0}}\n", 9, "runtime.models[0].timeout.connect", "greater", True),
    "parameters": (f"{HEAD}{MODEL}      model_api_parameters: [1]\n", 9, "runtime.models[0].model_api_parameters",
                   "mapping", True),
    "address": (f"{HEAD}{MODEL}      base_url: localhost:11434\n", 9, "runtime.models[0].base_url", "http://", True),
    "strategy": (f"{HEAD}{MODEL}      tool_call_strategy: magic\n", 9, "runtime.models[0].tool_call_strategy",
                 "native_api", True),
    "role": (f"{HEAD}prompts:\n  - {{role: boss, content: x}}\n{MODEL}", 5, "prompts[0].role", "role `boss`", True),
    "prompt without text": (f"{HEAD}prompts:\n  - {{name: x}}\n{MODEL}", 5, "prompts[0]", "has no text", True),
    "prompt sets twice": (f"{HEAD}prompts:\n  - {{name: x, content: a}}\n  - {{name: x, content: b}}\n{MODEL}", 6,
                          "prompts[1].name", "two prompt sets", True),
    "MCP without command": (f"{HEAD}mcp:\n  servers:\n    - {{name: s, transport: stdio}}\n{MODEL}", 6,
                            "mcp.servers[0]", "no `command`", True),
    "MCP without address": (f"{HEAD}mcp:\n  servers:\n    - {{name: s, transport: http}}\n{MODEL}", 6,
                            "mcp.servers[0]", "no `base_url`", True),
    "MCP transport": (f"{HEAD}mcp:\n  servers:\n    - {{name: s, transport: pigeon, command: x}}\n{MODEL}", 6,
                      "mcp.servers[0].transport", "stdio", True),
    "MCP bounds": (f"{HEAD}mcp:\n  servers:\n    - {{name: s, command: x, timeout: {{call: 0}}}}\n{MODEL}", 6,
                   "mcp.servers[0].timeout.call", "greater than 0", True),
    "no tool turns": (f"{HEAD}{MODEL}      max_tool_turns: 0\n", 9, "runtime.models[0].max_tool_turns",
                      "greater than or equal to 1", True),
    "a model that is text": (f"{HEAD}runtime:\n  models:\n    - gpt-4\n", 6, "runtime.models[0]", "mapping", True),
    "aliases without end": (f"a: &a [{'x,' * 9}]\n{BOMB}{MODEL}", 5, "", "than 50,000 values", False),
    "an alias in itself": ("a: &a [*a]\n", 1, "", "part of", False),
    "an unknown alias": ("a: *b\n", 1, "", "alias", False),
    "nested without end": ("[" * 100_000, 1, "", "levels deep", False),
    "a tag": ("a: !!python/object/apply:os.system [ls]\n", 1, "", "not supported", False),
    "our own tag": ("a: !env X\n", 1, "", "not supported", False),
    "a list as a key": ("? [a, b]\n: c\n", 1, "", "can't be a key", False),
    "too long": (f"{HEAD}# {'x' * 1_100_000}\n", None, "", "larger than", False),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    text, line, key, words, usable = BROKEN[name]
    started = time.perf_counter()
    loaded = read(text)
    assert time.perf_counter() - started < 1
    found = [problem for problem in loaded.errors if words in problem.message]
    assert found, loaded.errors
    assert (found[0].line, found[0].key) == (line, key)
    assert (loaded.project is not None) is usable


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"name: caf\xe9\n", 1, "UTF-8"),
        (b"a: b\nc: \x00\n", 2, "NUL"),
        (b"x" * 10_000_000, None, "larger than 1,024 KiB"),
        ("version: v1\n".encode("utf-16"), None, "no models"),
        (b"\xff\xfe\x00", 1, "UTF-8"),
    ],
)
def test_bytes_that_are_no_project(tmp_path: Path, data: bytes, line: int | None, words: str) -> None:
    path = tmp_path / "llamafarm.yaml"
    path.write_bytes(data)
    started = time.perf_counter()
    loaded = load(path)
    assert time.perf_counter() - started < 1
    assert loaded.project is None
    assert (loaded.errors[0].line, words in loaded.errors[0].message) == (line, True)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    loaded = load(tmp_path / "none.yaml")
    assert "can't be read" in loaded.errors[0].message


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("x.json", '{"a": 1,\n}', 1, "a comma stands before the closing }"),
        ("x.json", '{"a": [1,\n2,\n\n]\n}', 2, "a comma stands before the closing ]"),
        ("x.json", '{"a": 1,\n"b"}', 2, "not JSON"),
        ("x.json", '{"a": NaN}', None, "NaN"),
        ("x.json", "[" * 100_000, None, "JSON"),
        ("x.toml", "a = 1\nb = \n", 2, "not TOML"),
        ("x.toml", f"a = {'[' * 100_000}", None, "TOML"),
    ],
)
def test_other_formats(name: str, text: str, line: int | None, words: str) -> None:
    loaded = read(text, name)
    assert (loaded.errors[0].line, words in loaded.errors[0].message) == (line, True)


def test_one_bad_model_never_hides_the_good_ones() -> None:
    loaded = read(
        f"{HEAD}runtime:\n  models:\n    - 17\n    - {{name: b, provider: nope}}\n    - {{name: c, provider: ollama, model: x}}\n"
        "    - {name: d, provider: ollama, model: [x]}\n"
    )
    assert loaded.project is not None
    assert [model.name for model in loaded.project.models if model.usable] == ["c"]


@given(st.text(max_size=300), st.sampled_from(["x.yaml", "x.json", "x.toml"]))
def test_no_text_breaks_the_reader(text: str, name: str) -> None:
    assert read(text, name).project is None or "runtime" in text


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["version", "name", "runtime", "models", "provider", "model", "prompts", "messages", "content", "mcp", "servers",
         "default_model", "pricing", "timeout", "tools", "fallback", "default", "api_key", "role", "sections"]), inner, max_size=4),
    max_leaves=25,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["version", "name", "namespace", "runtime", "prompts", "mcp"]), PLAIN))
def test_no_shape_breaks_the_reader(shape: dict[str, object]) -> None:
    import yaml  # noqa: PLC0415 - only to write what is read

    loaded = read(yaml.safe_dump(shape))
    assert loaded.project is not None or loaded.errors
