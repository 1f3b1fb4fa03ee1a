"""The schema and `lf validate` agree wherever a schema can say a thing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.config import parse, sample_names, sample_path
from llamafarm.config.model import Routing
from llamafarm.config.project import RUNTIME, USED
from llamafarm.config.reading.read import read_document
from llamafarm.config.schema.project import schema
from llamafarm.config.sections.mcp import KEYS as SERVER_KEYS
from llamafarm.config.sections.models import KEYS
from llamafarm.core.errors import ConfigError
from tests.config.test_broken import BROKEN, HEAD, MODEL
from tests.config.test_project import ENVIRON, FRAGMENTS, PROMPTS

SCHEMA = schema()
CHECK: Any = jsonschema.Draft7Validator(SCHEMA)
# What hangs together by names or by what stands elsewhere, and what is no YAML at all.
NOT_SAID = {
    "names twice", "keys twice", "unknown default", "unknown prompt set", "unknown prompt sets", "unknown MCP server",
    "unknown fallback", "a model's fallback", "prompt sets twice",
}  # fmt: skip


def marked(text: str, name: str = "llamafarm.yaml") -> list[str]:
    """What an editor would mark."""
    return [
        f"{list(error.absolute_path)}: {error.message}" for error in CHECK.iter_errors(read_document(text, name).value)
    ]


def wrong(text: str, name: str = "llamafarm.yaml") -> list[str]:
    """What `lf validate` finds."""
    return [problem.message for problem in parse(text, name=name, trusted=True, environ=ENVIRON).errors]


def agree(text: str) -> None:
    found, told = marked(text), wrong(text)
    assert bool(found) is bool(told), (text, found, told)


def agree_but_for_doubles(text: str) -> None:
    """Names that stand twice are told by `lf validate` alone."""
    found, told = marked(text), [each for each in wrong(text) if not each.startswith("There are two ")]
    assert bool(found) is bool(told), (text, found, told)


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_is_valid(name: str) -> None:
    assert marked(sample_path(name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_every_fragment_of_the_documentation_is_what_lf_validate_says(path: Path) -> None:
    agree(path.read_text())
    if path.stem.startswith("provider_"):
        body = "\n".join(f"    {line}" for line in path.read_text().splitlines())
        assert marked(f"{HEAD}runtime:\n  models:\n{body}\n") == []


@pytest.mark.parametrize("name", BROKEN)
def test_every_error_that_a_schema_can_say_is_one_of_it(name: str) -> None:
    text = BROKEN[name][0]
    try:
        found = marked(text)
    except ConfigError:
        return  # no YAML: an editor marks that without a schema
    assert found or name in NOT_SAID


ENTRY = "name: a, provider: ollama, model: x"


def with_(settings: str) -> str:
    return f"{HEAD}runtime:\n  models:\n    - {{{ENTRY}, {settings}}}\n"


@pytest.mark.parametrize(
    "settings",
    [
        "provider: '${NOPE:-ollama}'", "provider: ' ollama '", "provider: null", "provider: 5", "model: 007", "model: ''", "model: '$HOME'",
        "model: '${'", "model: '${HOST}-${NOPE:-x}'", "model: '${env:HOST:-a}'", "model: [a]", "base_url: ''", "base_url: ' '", "base_url: null",
        "base_url: 8080", "base_url: 'https://${HOST}/v1'", "base_url: '${NOPE:-http://h}'", "base_url: ' http://h:1/v1'",
        "base_url: ftp://h", "api_key: '(hidden)'", "api_key: '${vault.key}'", "api_key: '{{ env.KEY }}'", "api_key: '${NOPE:-{{x}}'", "api_key: 'a{{b'", "api_key: 12345", "api_key: {a: b}",
        "description: '(hidden)'", "description: [a]", "tier: 1", "tier: {}", "tool_call_strategy: ''", "tool_call_strategy: null",
        "tool_call_strategy: Native_api", "tool_call_strategy: prompt_based", "max_tool_turns: 101", "max_tool_turns: '5'",
        "max_tool_turns: 2.5", "max_tool_turns: null", "max_tool_turns: [1]", "context_window: 0", "context_window: 1e3", "context_window: x",
        "max_answer_mib: 65", "max_answer_mib: 64", "max_answer_mib: 0", "pricing: {input: 1}", "pricing: {input: 1, output: '0.5'}",
        "pricing: {input: 1, output: '-1'}", "pricing: {input: 1, output: 1, cached: null}", "pricing: {input: 1, output: null}",
        "pricing: {input: 1, output: 1, other: 2}", "pricing: []", "pricing: null", "timeout: {total: 5, conect: 1}", "timeout: 5",
        "timeout: {total: null}", "timeout: {}", "timeout: {total: '1e2'}", "default: maybe",
        "model_api_parameters: {temperature: '0.5'}", "model_api_parameters: {temperature: true}", "model_api_parameters: {temperature: null}",
        "model_api_parameters: {top_k: 1.5}", "model_api_parameters: {top_k: 2.0}", "model_api_parameters: {messages: []}",
        "model_api_parameters: {other: {deep: [1]}}", "model_api_parameters: hot", "model_api_parameters: {stop: ['(hidden)']}",
        "extra_body: {stream: false}", "extra_body: {models: [a]}", "extra_body: []", "extra_body: null", "prompts: {a: b}", "prompts: [[a]]",
        "prompts: 5", "mcp_servers: []", "mcp_servers: [null]", "fallback: []", "fallback: {a: 1}", "tools: none", "tools: [search]",
        "tools: [5]", "tools: [{name: f}]", "tools: [{name: 'a b'}]", "tools: [{name: '{{x}}'}]", "tools: [{description: x}]",
        "tools: [{name: f, type: web}]", "tools: [{type: function, function: {name: f, parameters: {type: object, properties: {}}}}]",
        "tools: [{type: function, function: 5}]", "tools: [{name: f, parameters: {type: array}}]", "tools: [{name: f, parameters: {city: x}}]",
        "tools: [{name: f, input_schema: {type: object}}]", "tools: [{name: f, input_schema: x}]", "tools: [{name: f, parameters: []}]",
        "tools: [{name: f, parameters: {properties: []}}]", "tools: [{name: f, parameters: {properties: {}, required: x}}]",
        "tools: [{name: f, description: 5}]", "lora: {}", "unknown: 1", "name: ''", "name: [a]", "name: 7", f"name: {'x' * 201}",
    ],
)  # fmt: skip
def test_a_models_settings(settings: str) -> None:
    key = settings.partition(":")[0]
    kept = ", ".join(part for part in ENTRY.split(", ") if part.partition(":")[0] != key)
    agree(f"{HEAD}runtime:\n  models:\n    - {{{kept}, {settings}}}\n")


@pytest.mark.parametrize(
    "server",
    [
        "{}", "{command: x}", "{command: 5}", "{command: ''}", "{url: 'http://h'}", "{base_url: 'http://h'}", "{base_url: '', url: 'http://h'}",
        "{transport: stdio, command: x}", "{transport: sse, base_url: 'http://h'}", "{transport: sse, command: x}", "{transport: '', command: x}",
        "{transport: Stdio, command: x}", "{command: x, args: [a, 5]}", "{command: x, args: a}", "{command: x, args: null}",
        "{command: x, env: {A: b}}", "{command: x, env: {A: 5}}", "{command: x, env: {A: '$HOME'}}", "{command: x, env: {A: '${HOST}'}}",
        "{command: x, env: {A: '(hidden)'}}", "{command: x, env: {A: '{{ KEY }}'}}", "{command: x, args: ['{{ KEY }}']}", "{url: 'http://h', headers: {A: 'Bearer ${vault.x}'}}", "{url: 'http://h', headers: []}",
        "{command: x, timeout: {connect: '5'}}", "{command: x, timeout: {connect: -1}}", "{command: x, timeout: {other: 1}}",
        "{command: x, more: 1}", "null", "x", "{base_url: 5}",
    ],
)  # fmt: skip
def test_mcp_servers(server: str) -> None:
    agree(f"{HEAD}{MODEL}mcp: {{servers: {{s: {server}}}}}\n")
    named = server.replace("{", "{name: s, ", 1) if server.startswith("{") and server != "{}" else "{name: s}"
    agree(f"{HEAD}{MODEL}mcp: {{servers: [{named}]}}\n")
    agree(f"{HEAD}{MODEL}mcp: {{servers: [{server}]}}\n")


@pytest.mark.parametrize(
    "text", ["null", "5", "[]", "{servers: null}", "{servers: 5}", "{servers: [{command: x}]}", "{other: 1}"]
)
def test_the_section_of_mcp(text: str) -> None:
    agree(f"{HEAD}{MODEL}mcp: {text}\n")


@pytest.mark.parametrize(
    "text",
    [
        *(f"\n{''.join(f'  {line}' + chr(10) for line in body.splitlines())}" for body in PROMPTS.values()),
        "null", "5", "true", "You are kind.", "[]", "[null]", "[5]", "[[a, {content: b}]]", "{a: null, b: [x]}", "{a: 5}", "[{name: a}]",
        "[{name: a, messages: null}]", "[{name: a, messages: 5}]", "[{name: a, messages: [{role: user}]}]", "[{content: 5}]", "[{content: [a, 5, null]}]",
        "[{content: {a: b}}]", "[{content: x, role: null}]", "[{content: x, role: ''}]", "[{content: x, role: 5}]", "[{content: x, role: tool}]",
        "[{raw_text: x, content: {}}]", "[{raw_text: {}, content: x}]", "[{sections: [a, {title: b, content: [c]}]}]", "[{sections: [{title: {}}]}]",
        "[{sections: x}]", "[{sections: x, content: y}]", "[{sections: [], raw_text: {}}]",
    ],
)  # fmt: skip
def test_prompts(text: str) -> None:
    agree(f"{HEAD}{MODEL}prompts: {text}\n")


ONE = "{provider: ollama, model: x}"


@pytest.mark.parametrize(
    "runtime",
    [
        "null", "[]", "x", "{}", "{models: null}", "{models: []}", "{models: {}}", "{models: 5}", "{models: x}", f"{{models: {{a: {ONE}}}}}",
        "{models: {a: null}}", "{models: {a: x}}", f"{{models: {{{'x' * 201}: {ONE}}}}}", ONE, "{provider: ollama}", "{model: x}", "{provider: null}",
        f"{{models: [], {ONE[1:]}", f"{{models: {{a: {ONE}}}, provider: nope}}", f"{{models: {{a: {ONE}}}, default_model: a}}",
        f"{{models: {{a: {ONE}}}, default_model: [a]}}", f"{{models: {{a: {ONE}}}, default_model: null}}", f"{{models: {{a: {ONE}}}, fallback: a}}",
        f"{{models: {{a: {ONE}}}, fallback: [[a]]}}", f"{{models: {{a: {ONE}}}, other: [[a]]}}", "{tier: fast}", "{other: 1}",
    ],
)  # fmt: skip
def test_the_runtime(runtime: str) -> None:
    agree(f"{HEAD}runtime: {runtime}\n")


@pytest.mark.parametrize(
    "head",
    [
        "",
        "version: v1",
        "version: 1",
        "version: [v1]",
        "version: null",
        "name: 007",
        "name: [a]",
        "namespace: {}",
        "namespace: no",
        "rag: []",
    ],
)
def test_the_head(head: str) -> None:
    agree(f"{head}\n{MODEL}")


def test_more_than_a_file_has_is_marked() -> None:
    for number in (200, 201):
        entries = "".join(f"    m{at}: {ONE}\n" for at in range(number))
        agree(f"{HEAD}runtime:\n  models:\n{entries}")
        agree(f"{HEAD}{MODEL}      prompts: [{', '.join(['p'] * number)}]\nprompts: {{p: x}}\n")
    for number in (50, 51):
        agree(
            f"{HEAD}{MODEL}mcp:\n  servers:\n{''.join(f'    s{at}: {{command: x}}{chr(10)}' for at in range(number))}"
        )


VALUES = st.sampled_from(
    [None, "", "a", "ollama", "5", 5, -1, 0.5, [], {}, ["a"], {"a": 1}, "${HOST}", "(hidden)", "http://h"]
)
# Whether what a variable holds is a number or an address, no schema knows.
WRITTEN = VALUES.filter(lambda value: value != "${HOST}")
MODELS = st.fixed_dictionaries(
    {"name": st.just("a"), "provider": st.just("ollama"), "model": st.just("x")},
    optional=dict.fromkeys(
        sorted({*KEYS} - {"name", "provider", "model", "fallback", "prompts", "prompt", "mcp_servers"}), WRITTEN
    ),
)


@given(MODELS)
def test_whatever_stands_in_a_model_they_agree(model: dict[str, object]) -> None:
    agree(yaml.safe_dump({"runtime": {"models": [model]}}, allow_unicode=True))


@given(st.dictionaries(st.sampled_from(SERVER_KEYS), VALUES))
def test_whatever_stands_in_a_server_they_agree(server: dict[str, object]) -> None:
    agree(yaml.safe_dump({"runtime": {"provider": "ollama", "model": "x"}, "mcp": {"servers": {"s": server}}}))


ROUTING: st.SearchStrategy[object] = st.sampled_from(
    [None, "learned", "complexity", "cleverness", 0.5, -1, "5", [], ["learned"], {}]
)


@given(ROUTING | st.dictionaries(st.sampled_from([*Routing.model_fields]), ROUTING))
def test_however_a_project_routes_they_agree(routing: object) -> None:
    agree(yaml.safe_dump({"runtime": {"provider": "ollama", "model": "x", "routing": routing}}))


PROMPT = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
    st.sampled_from(["messages", "content", "role", "sections", "raw_text", "title", "name"]), inner, max_size=3))  # fmt: skip


@given(PROMPT)
def test_whatever_stands_in_prompts_they_agree(prompts: object) -> None:
    agree_but_for_doubles(yaml.safe_dump({"runtime": {"provider": "ollama", "model": "x"}, "prompts": prompts}))


def keys(schema_: object) -> Iterator[str]:
    """All keys that an editor offers."""
    if isinstance(schema_, dict):
        yield from schema_.get("properties", {})
        for inner in schema_.values():
            yield from keys(inner)
    elif isinstance(schema_, list):
        for inner in schema_:
            yield from keys(inner)


def test_an_editor_offers_every_key() -> None:
    assert {*USED, *RUNTIME, *KEYS, *SERVER_KEYS} <= set(keys(SCHEMA))
