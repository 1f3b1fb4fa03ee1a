"""A project of what was found: it loads without a word, whatever servers name their models."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.config import parse
from llamafarm.config.discovery.draft import MOST_OFFERED, can_be_offered, draft
from llamafarm.config.discovery.found import CLOUDS, FoundModel, clouds_of
from llamafarm.config.model import Project

OLLAMA = FoundModel("Ollama", "ollama", "http://127.0.0.1:11434", "llama3.2:1b", 1.24, "Q8_0", ("tools",))


def of(*names: str) -> list[FoundModel]:
    return [replace(OLLAMA, model=name) for name in names]


def project(text: str, environ: dict[str, str] | None = None) -> Project:
    loaded = parse(text, trusted=True, environ=environ or {})
    assert (loaded.errors, loaded.warnings) == ((), ())
    assert loaded.project is not None
    assert all(model.usable for model in loaded.project.models)
    return loaded.project


def sized(*billions: float | None) -> list[FoundModel]:
    return [replace(OLLAMA, model=f"m{at}", billions=size) for at, size in enumerate(billions)]


@pytest.mark.parametrize(
    ("sizes", "tiers", "default"),
    [
        ((70.0, 1.0, 8.0), ["expert", "fast", "default"], "m2"),
        ((1.0, 70.0), ["fast", "expert"], "m0"),
        ((8.0,), [None], "m0"),
        ((8.0, 8.0), [None, None], "m0"),
        ((None, 1.0, 3.0, 8.0, 8.0), [None, "fast", "default", "expert", "expert"], "m2"),
    ],
)
def test_tiers_are_by_size(sizes: tuple[float | None, ...], tiers: list[str | None], default: str) -> None:
    found = project(draft(sized(*sizes), ()))
    assert [model.tier for model in found.models] == tiers
    assert found.default_model == default


def test_what_a_server_tells_is_in_the_file() -> None:
    (model,) = project(draft([replace(OLLAMA, context_window=4096)], ())).models
    assert (model.name, model.provider, model.model) == ("llama3.2-1b", "ollama", "llama3.2:1b")
    assert (model.base_url, model.context_window) == ("http://127.0.0.1:11434", 4096)
    assert model.description == "Ollama on this machine: 1.24B, Q8_0, tools"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "Llama-3.1-8B-Instruct"),
        ("/models/x-Q8_0.gguf", "x-Q8_0"),
        ("C:\\models\\x.gguf", "x"),
        ("llama3.2:latest", "llama3.2"),
        ("auto", "auto-2"),
        ("a,b c", "a-b-c"),
        ("模型", "model"),
        ("a" * 150, "a" * 48),
    ],
)
def test_names_are_those_that_people_can_type(model: str, name: str) -> None:
    (found,) = project(draft(of(model), ())).models
    assert (found.name, found.model) == (name, model)


def test_names_are_different() -> None:
    names = [model.name for model in project(draft(of("a/x", "b/x", "X:latest", "x-2"), ())).models]
    assert len({name.lower() for name in names}) == len(names) == 4


@pytest.mark.parametrize(
    "name",
    [
        "x: y", "x\n  api_key: y", "'", '"', "#x", "!!python/object:os.system", "&a", "*a", "{a: b}", "[a]", "null", "yes",
        "1e3", "007", "- a", "? a", "| a", "%a", "@a", "`a`", "x #y", "---", "...", "~", "=", "<<", "2026-01-01",
    ],
)  # fmt: skip
def test_no_name_is_anything_else_in_yaml(name: str) -> None:
    found = project(draft(of(name, "safe"), ()))
    assert [model.model for model in found.models] == [*([name] if can_be_offered(name) else []), "safe"]


@pytest.mark.parametrize(
    "name",
    [
        "${env:HOME}", "x${HOME}", "${HOME:-a}", "{{ secret }}", "$HOME", "%HOME%", "(hidden)", "", " ", "a\x1b[2J", "a\u202eb",
        "a\u2028b", "\ud800", "a" * 201, "a\x00",
    ],
)  # fmt: skip
def test_a_name_that_would_be_filled_in_or_is_not_seen_is_left_out(name: str) -> None:
    assert [model.model for model in project(draft(of(name, "safe"), ())).models] == ["safe"]


@given(st.lists(st.text(max_size=30), max_size=5))
def test_whatever_servers_name_their_models_it_loads(names: list[str]) -> None:
    found = project(draft(of("safe", *names), ()))
    assert [model.model for model in found.models] == [name for name in ("safe", *names) if can_be_offered(name)]


def test_of_many_the_first_are_offered_and_the_rest_counted() -> None:
    text = draft(of(*(f"m{n}" for n in range(100))), ())
    assert len(project(text).models) == MOST_OFFERED
    assert f"# {100 - MOST_OFFERED} more models were found" in text


def test_keys_are_named_and_never_told() -> None:
    environ = {cloud.variable: f"secret-of-{cloud.name}" for cloud in CLOUDS}
    text = draft((), clouds_of(environ))
    assert "secret" not in text
    found = project(text, environ)
    assert [model.key_variable for model in found.models] == [cloud.variable for cloud in CLOUDS]
    assert {"OPENAI_API_KEY", "TOGETHER_API_KEY", "OPENROUTER_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY"} <= set(
        environ
    )


def test_a_variable_that_is_empty_is_no_key() -> None:
    assert clouds_of({"OPENAI_API_KEY": "", "GROQ_API_KEY": "k", "MY_OPENAI_API_KEY": "k"}) == (CLOUDS[4],)


def test_each_cloud_has_an_address_and_a_variable_of_its_own() -> None:
    assert len({cloud.variable for cloud in CLOUDS}) == len({cloud.base_url for cloud in CLOUDS}) == len(CLOUDS)
    assert all(cloud.base_url.startswith("https://") for cloud in CLOUDS)
