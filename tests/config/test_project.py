"""Project files in every form that real files have."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config import load, parse, sample_names, sample_path
from llamafarm.config.model import Loaded, NamedModel, Project
from llamafarm.config.report import report

FRAGMENTS = sorted((Path(__file__).parent / "documentation").glob("*.yaml"))
HEAD = "version: v1\nname: test\nnamespace: default\n"
ENVIRON = {"OPENAI_API_KEY": "sk-from-the-environment", "HOST": "example.org", "EMPTY": ""}


def read(text: str, name: str = "llamafarm.yaml") -> Loaded:
    return parse(text, name=name, trusted=True, environ=ENVIRON)


def project(text: str) -> Project:
    loaded = read(text)
    assert loaded.project is not None, loaded.errors
    return loaded.project


def only_model(settings: str) -> NamedModel:
    body = "\n".join(f"      {line}" for line in settings.strip().splitlines())
    return project(f"{HEAD}runtime:\n  models:\n    - name: m\n{body}\n").models[0]


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_loads_without_a_word(name: str) -> None:
    loaded = load(sample_path(name), environ=ENVIRON)
    assert loaded.project is not None
    assert (loaded.errors, loaded.warnings) == ((), ())
    assert all(model.usable for model in loaded.project.models)


def test_there_is_a_sample_for_each_pattern() -> None:
    fragments = {path.stem for path in FRAGMENTS}
    assert set(sample_names()) == fragments | {"embedded"}
    assert sample_names()[0] == "embedded"


@pytest.mark.parametrize("path", [p for p in FRAGMENTS if not p.stem.startswith("provider_")], ids=lambda p: p.stem)
def test_fragments_of_the_documentation_load_with_a_warning(path: Path) -> None:
    loaded = load(path, environ=ENVIRON)
    assert loaded.project is not None
    assert (loaded.project.namespace, loaded.project.name) == ("default", "my-project")
    assert len(loaded.warnings) == 1
    assert "fragment" in loaded.warnings[0].message
    unusable = [model.name for model in loaded.project.models if not model.usable]
    assert unusable == (["general"] if path.stem == "prompts_per_model" else [])


@pytest.mark.parametrize("path", [p for p in FRAGMENTS if p.stem.startswith("provider_")], ids=lambda p: p.stem)
def test_a_list_of_models_alone_says_where_to_put_it(path: Path) -> None:
    loaded = load(path, environ=ENVIRON)
    assert loaded.project is None
    assert [(problem.line, "under `runtime:`" in problem.message) for problem in loaded.errors] == [(1, True)]


@pytest.mark.parametrize("path", [p for p in FRAGMENTS if p.stem.startswith("provider_")], ids=lambda p: p.stem)
def test_such_a_list_loads_where_it_belongs(path: Path) -> None:
    body = "\n".join(f"    {line}" for line in path.read_text().splitlines())
    (model,) = project(f"{HEAD}runtime:\n  models:\n{body}\n").models
    assert model.usable
    assert model.parameters["temperature"] == 0.7


def test_models_as_a_mapping() -> None:
    whole = project(
        f"{HEAD}runtime:\n  models:\n    a: {{provider: ollama, model: x}}\n    b: {{provider: ollama, model: y}}"
    )
    assert [(model.name, model.model) for model in whole.models] == [("a", "x"), ("b", "y")]
    assert whole.default_model == "a"


def test_the_single_form_of_old_files() -> None:
    whole = project(
        f"{HEAD}runtime:\n  provider: ollama\n  model: llama3\n  model_api_parameters: {{temperature: 0.5}}"
    )
    (model,) = whole.models
    assert (model.name, model.provider, model.model, model.parameters) == (
        "default",
        "ollama",
        "llama3",
        {"temperature": 0.5},
    )


def test_both_forms_at_once_keep_the_list() -> None:
    loaded = read(
        f"{HEAD}runtime:\n  provider: ollama\n  model: old\n  models:\n    - {{name: a, provider: ollama, model: new}}"
    )
    assert loaded.project is not None
    assert [model.model for model in loaded.project.models] == ["new"]
    assert [problem.key for problem in loaded.warnings] == ["runtime.provider", "runtime.model"]


@pytest.mark.parametrize(
    ("key", "marks", "expected", "warnings"),
    [
        ("b", "", "b", 0),
        ("", "b", "b", 0),
        ("", "", "a", 0),
        ("a", "b", "a", 1),
        ("", "bc", "b", 1),
        ("c", "c", "c", 0),
    ],
)
def test_the_default_model(key: str, marks: str, expected: str, warnings: int) -> None:
    models = "".join(
        f"    - {{name: {name}, provider: ollama, model: x{', default: true' if name in marks else ''}}}\n"
        for name in "abc"
    )
    loaded = read(f"{HEAD}runtime:\n{f'  default_model: {key}' if key else ''}\n  models:\n{models}")
    assert loaded.project is not None
    assert loaded.project.default_model == expected
    assert len(loaded.warnings) == warnings


def test_defaults_of_the_providers() -> None:
    def address(provider: str) -> str | None:
        return only_model(f"provider: {provider}\nmodel: smollm2-135m-instruct").base_url

    assert address("openai") == "https://api.openai.com/v1"
    assert address("ollama") == "http://localhost:11434"
    assert address("universal") == "http://127.0.0.1:11540/v1"
    assert address("lemonade") == "http://127.0.0.1:11534/api/v1"
    assert address("embedded") is None


def test_openai_without_a_key_takes_the_usual_variable() -> None:
    model = only_model("provider: openai\nmodel: gpt-4")
    assert model.api_key is not None
    assert model.api_key.get_secret_value() == "sk-from-the-environment"
    assert model.key_variable == "OPENAI_API_KEY"
    other = only_model("provider: openai\nmodel: m\nbase_url: http://localhost:8000/v1")
    assert other.api_key is None


def test_variables_of_the_environment_in_all_forms(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_FILE=filed\nHOST=not-this-one\n")
    path = tmp_path / "llamafarm.yaml"
    path.write_text(
        f"{HEAD}runtime:\n  models:\n    - name: m\n      provider: openai\n      model: ${{MISSING:-small}}\n"
        "      base_url: https://${HOST}/v1\n      api_key: ${env:FROM_FILE}\n      description: ${EMPTY:-none}\n"
    )
    loaded = load(path, environ=ENVIRON)
    assert loaded.project is not None
    (model,) = loaded.project.models
    assert (model.model, model.base_url, model.description) == ("small", "https://example.org/v1", "none")
    assert model.api_key is not None
    assert model.api_key.get_secret_value() == "filed"


def test_a_missing_variable_is_an_error_of_its_model_alone() -> None:
    loaded = read(
        f"{HEAD}runtime:\n  models:\n    - {{name: a, provider: ollama, model: x}}\n"
        "    - name: b\n      provider: openai\n      model: y\n      api_key: ${env:NOWHERE}\n"
    )
    assert loaded.project is not None
    good, bad = loaded.project.models
    assert good.usable
    assert [(problem.line, problem.key) for problem in bad.problems] == [(10, "runtime.models[1].api_key")]
    assert "NOWHERE is not set" in bad.problems[0].message


def test_nothing_is_filled_in_inside_prompts() -> None:
    whole = project(f"{HEAD}prompts:\n  - name: p\n    messages:\n      - {{role: system, content: 'Use ${{HOST}}'}}\n"
                    "runtime:\n  models:\n    - {name: a, provider: ollama, model: x}\n")  # fmt: skip
    assert whole.prompts[0].messages[0].content == "Use ${HOST}"


PROMPTS = {
    "messages": "- name: a\n  messages: [{role: system, content: one}, {role: user, content: two}]",
    "role and content": "- {role: system, content: one}\n- {role: user, content: two}",
    "sections": "- name: a\n  sections: [{title: one, content: []}]\n- name: b\n  role: user\n  sections: [{content: [two]}]",
    "raw text": "- {name: a, raw_text: one}\n- {name: b, role: user, raw_text: two}",
    "a mapping": "a: one\nb: {role: user, content: two}",
    "plain texts": "- one\n- {role: user, content: two}",
}


@pytest.mark.parametrize("form", PROMPTS)
def test_prompts_in_all_forms(form: str) -> None:
    body = "\n".join(f"  {line}" for line in PROMPTS[form].splitlines())
    whole = project(f"{HEAD}prompts:\n{body}\nruntime:\n  models:\n    - {{name: m, provider: ollama, model: x}}")
    messages = whole.messages_for(whole.models[0])
    assert [(message.role, message.content) for message in messages] == [("system", "one"), ("user", "two")]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", ("a", "b-c")),
        ("prompts: []", ("a", "b-c")),
        ("prompts:", ("a", "b-c")),
        ("prompts: [b-c]", ("b-c",)),
        ("prompt: a", ("a",)),
        ("prompts: [b-c]\nprompt: a", ("b-c", "a")),
    ],
)
def test_which_prompt_sets_apply(wanted: str, expected: tuple[str, ...]) -> None:
    body = "\n".join(f"      {line}" for line in ["provider: ollama", "model: x", *wanted.splitlines()])
    whole = project(f"{HEAD}prompts: {{a: one, b-c: two}}\nruntime:\n  models:\n    - name: m\n{body}\n")
    assert whole.models[0].prompts == expected


def test_mcp_servers_absent_none_and_some() -> None:
    whole = project(
        f"{HEAD}mcp:\n  servers:\n    - {{name: fs, transport: stdio, command: npx}}\n"
        "    - {name: db, transport: http, base_url: 'http://localhost:1/mcp'}\nruntime:\n  models:\n"
        "    - {name: a, provider: ollama, model: x}\n    - {name: b, provider: ollama, model: x, mcp_servers: []}\n"
        "    - {name: c, provider: ollama, model: x, mcp_servers: [db]}\n"
    )
    assert [model.mcp_servers for model in whole.models] == [("fs", "db"), (), ("db",)]


def test_an_mcp_server_runs_in_the_files_folder_within_its_bounds(tmp_path: Path) -> None:
    path = tmp_path / "llamafarm.yaml"
    path.write_text(
        f"{HEAD}mcp:\n  servers:\n    - {{name: fs, command: npx, timeout: {{connect: 5}}}}\n"
        "    - {name: db, base_url: 'http://localhost:1/mcp'}\n"
        "runtime:\n  models:\n    - {name: a, provider: ollama, model: x, max_tool_turns: 3}\n"
    )
    loaded = load(path, environ={})
    assert loaded.project is not None
    assert not loaded.errors
    fs, db = loaded.project.mcp_servers
    assert (fs.folder, fs.timeout.connect, fs.timeout.call) == (tmp_path, 5, 60)
    assert (fs.transport, db.transport) == ("stdio", "http")
    assert loaded.project.models[0].max_tool_turns == 3


def test_our_own_settings() -> None:
    model = only_model(
        "provider: openai\nmodel: x\nbase_url: http://localhost:1\npricing: {input: 0.15, output: 0.6, cached: 0.075}\n"
        "tier: fast\ntimeout: {first_token: 5}\nextra_body: {top_k: 5}"
    )
    assert model.pricing is not None
    assert (model.pricing.input, model.pricing.cached) == (Decimal("0.15"), Decimal("0.075"))
    assert model.pricing.cache_write is None
    assert (model.tier, model.timeout.first_token, model.timeout.connect) == ("fast", 5, 10)
    assert model.extra_body == {"top_k": 5}


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ("provider: ollama\nmodel: x", 300),
        ("provider: universal\nmodel: x", 300),
        ("provider: embedded\nmodel: smollm2-135m-instruct", 300),
        ("provider: openai\nmodel: x\nbase_url: http://gpu.local:8000/v1", 300),
        ("provider: openai\nmodel: x\nbase_url: http://192.168.1.7/v1\ntimeout: {connect: 3}", 300),
        ("provider: openai\nmodel: x\nbase_url: http://192.168.1.7/v1\ntimeout: {first_token: 7}", 7),
        ("provider: openai\nmodel: x\napi_key: k", 120),
        ("provider: ollama\nmodel: x\nbase_url: https://ollama.example.com", 120),
    ],
)
def test_a_first_token_may_take_long_on_ones_own_network(settings: str, seconds: float) -> None:
    assert only_model(settings).timeout.first_token == seconds


def test_text_stays_what_was_written() -> None:
    loaded = read(
        "version: v1\nname: 007\nnamespace: no\nruntime:\n  models:\n    - {name: 1.10, provider: ollama, model: 12:30}"
    )
    assert loaded.project is not None
    (model,) = loaded.project.models
    assert (loaded.project.name, loaded.project.namespace, model.name, model.model) == ("007", "no", "1.10", "12:30")


def test_numbers_of_parameters_are_numbers() -> None:
    model = only_model(
        "provider: ollama\nmodel: x\nmodel_api_parameters: {a: 1e3, b: 0x10, c: .5, d: yes, e: true, f: null}"
    )
    assert model.parameters == {"a": 1000.0, "b": 16, "c": 0.5, "d": "yes", "e": True, "f": None}


def test_aliases_and_merges() -> None:
    whole = project(
        f"{HEAD}x-base: &base {{provider: ollama, model: x, model_api_parameters: {{temperature: 1}}}}\n"
        "runtime:\n  models:\n    - {<<: *base, name: a}\n    - {<<: *base, name: b, model: y}\n"
    )
    assert [(model.name, model.model, model.parameters) for model in whole.models] == [
        ("a", "x", {"temperature": 1}),
        ("b", "y", {"temperature": 1}),
    ]


@pytest.mark.parametrize("kind", ["json", "toml"])
def test_other_formats_know_their_lines(kind: str) -> None:
    texts = {
        "json": json.dumps(
            {
                "version": "v1",
                "name": "n",
                "namespace": "s",
                "runtime": {"models": [{"name": "a", "provider": "nope"}]},
            },
            indent="\t",
        ),
        "toml": 'version = "v1"\nname = "n"\nnamespace = "s"\n[runtime]\n[[runtime.models]]\nname = "a"\n\n\nprovider = "nope"\n',
    }
    loaded = read(texts[kind], f"llamafarm.{kind}")
    assert loaded.project is not None
    (problem,) = loaded.project.models[0].problems
    assert (problem.line, problem.key) == (9, "runtime.models[0].provider")


def test_what_is_not_ours_loads_with_a_warning_and_its_line() -> None:
    loaded = read(
        f"{HEAD}rag:\n  databases: []\ndatasets: null\nvoice: {{}}\nmy-own-key: 1\nmemory:\n"
        "runtime:\n  models:\n    - name: hyphen-ated\n      provider: ollama\n      model: x\n      lora: {}\n      descripton: y\n"
    )
    assert loaded.project is not None
    assert loaded.errors == ()
    assert [(problem.line, problem.key) for problem in loaded.warnings] == [
        (4, "rag"),
        (6, "datasets"),
        (7, "voice"),
        (8, "my-own-key"),
        (9, "memory"),
        (15, "runtime.models[0].lora"),
        (16, "runtime.models[0].descripton"),
    ]
    assert "Did you mean `description`?" in loaded.warnings[-1].message


def test_the_report_for_machines() -> None:
    loaded = read(
        f"{HEAD}runtime:\n  models:\n    - {{name: a, provider: ollama, model: x}}\n    - {{name: b, provider: nope}}\n"
    )
    told: Any = report(loaded)
    assert told["project"] == {"namespace": "default", "name": "test"}
    assert told["default_model"] == "a"
    good, bad = told["models"]
    assert good == {"name": "a", "provider": "ollama", "model": "x", "errors": []}
    assert (bad["name"], bad["provider"], len(bad["errors"])) == ("b", "nope", 1)
    assert [error["line"] for error in told["errors"]] == [7]
    assert json.loads(json.dumps(told)) == told


def test_no_secret_in_any_words_about_a_project() -> None:
    loaded = read(
        f"{HEAD}mcp:\n  servers:\n    - {{name: s, command: x, env: {{TOKEN: very-secret}}}}\n"
        "runtime:\n  models:\n    - {name: a, provider: openai, model: x, api_key: sk-literal-secret}\n"
        "    - {name: b, provider: openai, model: x}\n"
    )
    for words in (repr(loaded), str(loaded), loaded.model_dump_json(), json.dumps(report(loaded))):
        for secret in ("very-secret", "sk-literal-secret", "sk-from-the-environment"):
            assert secret not in words
