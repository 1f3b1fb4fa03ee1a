"""What people write into project files: names of other files, slips, LlamaFarm's own forms, numbers that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config.model import Loaded, NamedModel
from llamafarm.config.project import load, parse
from llamafarm.core.errors import RequestError
from llamafarm.engine.lane import Lane, Question, request_for

FLAT = {
    "type": "function",
    "name": "search_{{ base }}",
    "description": "Search {{ what | all }} of {{ base }}.",
    "parameters": {"type": "object", "properties": {"q": {"type": "string", "enum": ["{{ base }}", "{x}"]}}},
}


def read(extra: dict[str, Any], environ: dict[str, str] | None = None, **root: Any) -> Loaded:
    entry = {"name": "m", "provider": "ollama", "model": "x", **extra}
    whole = {"version": "v1", "name": "p", "namespace": "n", "runtime": {"models": [entry]}, **root}
    text = "\n".join(f"{key}: {json.dumps(value)}" for key, value in whole.items())
    return parse(text, trusted=True, environ=environ or {})


def model(loaded: Loaded) -> NamedModel:
    assert loaded.project is not None
    return loaded.project.models[0]


def errors(loaded: Loaded) -> list[str]:
    return [problem.message for problem in loaded.errors]


def warnings(loaded: Loaded) -> list[str]:
    return [problem.message for problem in loaded.warnings]


# --- names that the file does not declare


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ({"mcp_servers": ["filesystem", "db"]}, "MCP server `db`"),
        ({"prompts": ["coder"]}, "prompt set `coder`"),
        ({"prompt": "coder"}, "prompt set `coder`"),
        ({"tools": ["calculator"]}, "`calculator` names a tool"),
    ],
)
def test_a_name_of_another_file_is_a_warning(extra: dict[str, Any], what: str) -> None:
    loaded = read(extra)
    assert model(loaded).usable
    assert errors(loaded) == []
    assert any(what in message for message in warnings(loaded))


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"mcp_servers": ["file_system"]}, "There is no MCP server `file_system`; did you mean `filesystem`?"),
        ({"mcp_servers": ["zzz"]}, "There is no MCP server `zzz`; the file has: filesystem."),
        ({"prompts": ["analist"]}, "There is no prompt set `analist`; did you mean `analyst`?"),
        ({"prompt": "Coder"}, "There is no prompt set `Coder`; did you mean `coder`?"),
        ({"fallback": ["n"]}, "There is no model `n` to fall back to."),
    ],
)
def test_a_slip_is_an_error_with_the_nearest_name(extra: dict[str, Any], told: str) -> None:
    loaded = read(
        extra,
        prompts=[{"name": name, "messages": []} for name in ("analyst", "coder")],
        mcp={"servers": [{"name": "filesystem", "command": "x"}]},
    )
    assert told in errors(loaded)
    assert not model(loaded).usable


def test_other_models_are_named_by_what_is_near() -> None:
    entry = {"name": "expert", "provider": "ollama", "model": "x"}
    models = [entry, {**entry, "name": "other", "fallback": ["exprt"]}]
    loaded = read({}, runtime={"models": models, "default_model": "expret", "fallback": "Expert"})
    assert errors(loaded) == [
        "There is no model `exprt` to fall back to: did you mean `expert`?",
        "There is no model `expret`; did you mean `expert`?",
        "There is no model `Expert` to fall back to: did you mean `expert`?",
    ]


# --- hints


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("modle_api_parameters", {"seed": 1}, "Did you mean `model_api_parameters`?"),
        ("mcp_server", [], "Did you mean `mcp_servers`?"),
        ("baseurl", "http://x", "Did you mean `base_url`?"),
        ("temprature", 0.5, "Put `temperature` under `model_api_parameters`."),
        ("temprature", "hot", None),  # would be no number
        ("baseurl", "x:1", None),  # would be no address
        ("fallbacks", ["nobody"], None),  # would name no model
        ("prompts_", "z", None),  # would name no prompt set
        ("timeouts", 5, None),  # would be no mapping
        ("modell", "y", None),  # there is a model already
        ("tool", {"a": 1}, None),  # would be no list
        ("prompt_style", "x", None),
    ],
)
def test_a_hint_is_given_where_the_file_loads_with_it(key: str, value: Any, hint: str | None) -> None:
    loaded = read({key: value})
    (told,) = [message for message in warnings(loaded) if f"`{key}`" in message]
    assert told == f"`{key}` is not known: ignored." + (f" {hint}" if hint else "")
    assert model(loaded).usable


@pytest.mark.parametrize(
    "key",
    ["prompt_format", "lemonade", "provider_config", "deployment", "environments", "instructor_mode", "encoder_config",
     "tools_mode", "prompts_mode", "keep_loaded"],
)  # fmt: skip
def test_keys_of_llamafarm_s_templates_are_known_and_not_used(key: str) -> None:
    told = warnings(read({key: {"a": 1}}))
    assert told == [f"`{key}` is not used by the playground: ignored."]


@pytest.mark.parametrize("provider", ["llamacpp", "vllm", "anthropic", "lmstudio", "openapi_compatible"])
def test_a_provider_that_is_merely_alike_is_no_hint(provider: str) -> None:
    (told,) = [message for message in errors(read({"provider": provider})) if "provider" in message]
    assert "did you mean" not in told
    assert "servers that speak OpenAI's API are `openai`" in told


# --- forms that are filled in


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("${secret:OPENAI}", "${secret:…}"),
        ("${vault:kv/openai#key}", "${vault:…}"),
        ("${OPENAI_API_KEY:sk-very-secret}", "${OPENAI_API_KEY:…}"),
        ("${env:MY-KEY}", "${env:…}"),
        ("Bearer ${env.KEY}", "${env.KEY}"),
        ("${env:KEY", "${env:…}"),
        ("${}", "${}"),
        ("$OPENAI_API_KEY", "$OPENAI_API_KEY"),
        ("%OPENAI_API_KEY%", "%OPENAI_API_KEY%"),
        ("{{ env.KEY }}", "{{ env.KEY }}"),
    ],
)
def test_a_form_that_is_not_filled_in_is_no_key(text: str, form: str) -> None:
    loaded = read({"api_key": text, "provider": "openai"}, {"KEY": "k"})
    assert errors(loaded) == [f"`{form}` is not filled in: write `${{env:NAME}}` for a variable."]
    assert not model(loaded).usable
    assert "very-secret" not in str(errors(loaded))
    server = {"name": "s", "transport": "http", "base_url": "http://x", "headers": {"Authorization": text}}
    assert f"`{form}` is not filled in" in errors(read({}, mcp={"servers": [server]}))[0]


@pytest.mark.parametrize("key", ["${env:KEY}", "${KEY}", "${NONE:-k}", "sk-$x{y}", "pa$$word"])
def test_forms_that_are_filled_in_and_plain_keys_stay_keys(key: str) -> None:
    loaded = read({"api_key": key, "provider": "openai"}, {"KEY": "k"})
    assert errors(loaded) == []


# --- tools


@pytest.mark.parametrize(
    "written",
    [FLAT, {"type": "function", "function": {key: FLAT[key] for key in ("name", "description", "parameters")}}],
)
def test_both_forms_of_tools_go_out_in_openai_s_with_their_templates_filled(written: dict[str, Any]) -> None:
    loaded = read({"tools": [written]})
    assert (errors(loaded), warnings(loaded)) == ([], [])
    project = loaded.project
    assert project is not None
    request = request_for(project, Lane("m", model(loaded)), Question.of("Hi", {"base": "docs"}))
    (tool,) = request.tools
    function: Any = tool["function"]
    assert (tool["type"], sorted(tool)) == ("function", ["function", "type"])
    assert (function["name"], function["description"]) == ("search_docs", "Search all of docs.")
    assert function["parameters"]["properties"]["q"]["enum"] == ["docs", "{x}"]
    with pytest.raises(RequestError, match="needs a value for: base"):
        request_for(project, Lane("m", model(loaded)), Question.of("Hi"))


def test_a_tool_without_parameters_takes_none() -> None:
    written: list[dict[str, Any]] = [{}, {"parameters": None}, {"parameters": {}}]
    for parameters in written:
        (tool,) = model(read({"tools": [{"name": "now", **parameters}]})).tools
        assert tool["function"] == {"name": "now", "parameters": {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    ("tool", "key", "told"),
    [
        ({"type": "function", "function": "now"}, "function", "must be a mapping"),
        ({"type": "retrieval", "name": "x"}, "type", "is `function`, not `retrieval`"),
        ({"description": "x"}, "name", "no `name`"),
        ({"name": "get weather"}, "name", "unlike `get weather`"),
        ({"name": "x", "description": ["a"]}, "description", "must be text"),
        ({"name": "x", "parameters": "{}"}, "parameters", "must be a JSON Schema"),
        ({"name": "x", "parameters": {"city": {"type": "string"}}}, "parameters", "under `properties`"),
        ({"name": "x", "parameters": {"type": "array"}}, "parameters", "`type: object`"),
        ({"name": "x", "parameters": {"properties": ["a"]}}, "parameters.properties", "must be a mapping"),
        ({"name": "x", "parameters": {"properties": {}, "required": "a"}}, "parameters.required", "list"),
        ({"name": "x", "input_schema": {}}, "input_schema", "name it `parameters`"),
        ([], "", "must be a mapping"),
    ],
)
def test_a_wrong_tool_is_a_problem_with_its_line(tmp_path: Path, tool: Any, key: str, told: str) -> None:
    path = tmp_path / "llamafarm.yaml"
    path.write_text(
        "runtime:\n  models:\n    - name: m\n      provider: ollama\n      model: x\n"
        f"      tools:\n        - {json.dumps({'name': 'good'})}\n        - {json.dumps(tool)}\n"
    )
    (problem,) = load(path, environ={}).errors
    assert told in problem.message
    assert (problem.line, problem.key) == (8, f"runtime.models[0].tools[1]{f'.{key}' if key else ''}")


def test_tools_that_are_no_list_or_have_one_name_are_told() -> None:
    assert "must be a list of functions" in errors(read({"tools": {"a": {}}}))[0]
    assert "two tools `a`" in errors(read({"tools": [{"name": "a"}, {"name": "a"}]}))[0]


# --- parameters


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("temperature", "hot", "`temperature` must be a number, but is text."),
        ("temperature", "0.7", "`temperature` must be a number, but is text: write it without quotes."),
        ("top_p", True, "`top_p` must be a number, but is true or false."),
        ("max_tokens", 1.5, "`max_tokens` must be a whole number, but is 1.5."),
        ("num_ctx", [4096], "`num_ctx` must be a whole number, but is a list."),
        ("seed", "x", "`seed` must be a whole number, but is text."),
    ],
)
@pytest.mark.parametrize("provider", ["ollama", "openai", "universal", "lemonade", "embedded"])
@pytest.mark.parametrize("section", ["model_api_parameters", "extra_body"])
def test_well_known_numbers_that_are_none_are_told(
    provider: str, section: str, name: str, value: Any, told: str
) -> None:
    loaded = read({"provider": provider, "api_key": "k", section: {name: value}})
    assert told in errors(loaded)
    assert not model(loaded).usable


@pytest.mark.parametrize("value", [0, 0.5, 1e-3, None])
def test_numbers_and_null_are_fine(value: Any) -> None:
    assert errors(read({"model_api_parameters": {"temperature": value, "seed": None, "max_tokens": 100.0}})) == []


def test_numbers_of_the_environment_are_numbers() -> None:
    written = {"temperature": "${env:T}", "max_tokens": "${N:-64}", "stop": "${env:T}"}
    loaded = read({"model_api_parameters": written}, {"T": "0.5"})
    assert model(loaded).parameters == {"temperature": 0.5, "max_tokens": 64, "stop": "0.5"}
    assert "`temperature` must be a number" in errors(read({"model_api_parameters": written}, {"T": "hot"}))[0]


@pytest.mark.parametrize(
    ("provider", "address", "name", "hint"),
    [
        ("ollama", None, "temprature", "Did you mean `temperature`?"),
        ("ollama", None, "max_token", "Did you mean `max_tokens`?"),
        ("ollama", None, "wibble", ""),
        ("openai", None, "top_k", "Did you mean `top_p`?"),
        ("openai", "http://127.0.0.1:1/v1", "max_token", "Did you mean `max_tokens`?"),
        ("openai", "http://127.0.0.1:1/v1", "guided_choice", None),
        ("universal", None, "temperatur", "Did you mean `temperature`?"),
        ("lemonade", None, "seeed", "Did you mean `seed`?"),
    ],
)
def test_unknown_parameters_are_told_with_the_nearest(
    provider: str, address: str | None, name: str, hint: str | None
) -> None:
    extra: dict[str, Any] = {"provider": provider, "api_key": "k", "model_api_parameters": {name: 1}}
    loaded = read(extra if address is None else {**extra, "base_url": address})
    told = [message for message in warnings(loaded) if f"`{name}`" in message]
    assert model(loaded).usable
    assert bool(told) == (hint is not None)
    assert not told or told[0].endswith(f"it is sent as it is.{f' {hint}' if hint else ''}")
