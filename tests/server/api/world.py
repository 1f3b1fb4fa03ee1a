"""The API on a real port, in the test's own loop, in front of a fault server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from llamafarm.access.asgi import App
from llamafarm.access.auth import Authentication
from llamafarm.access.settings import ServerSettings
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.providers.policies.retry import Pauses
from llamafarm.runtime import open_runtime
from llamafarm.server.api.app import build_api
from llamafarm.server.api.completions import chat
from llamafarm.server.api.completions.fast_path import FastPath
from llamafarm.server.api.services import Services
from llamafarm.server.security import SecurityMiddleware
from tests.faultserver.server import FaultServer, Script, Seen
from tests.faultserver.speech import answer, plays
from tests.serving import Announcing

NOT_THERE = "http://127.0.0.1:9/v1"
PROJECT = "/v1/projects/default/my-project"
PROMPTED = "/v1/projects/default/prompted"
STRICT = "/v1/projects/default/strict"
CHAT = f"{PROJECT}/chat/completions"
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
SAYS = plays("openai", answer("openai", "Llamas ", "eat ", "hay."))


@dataclass(frozen=True, slots=True)
class World:
    """A server at `url`, the model server behind it, and a client for the server's addresses."""

    url: str
    upstream: FaultServer
    services: Services
    client: httpx.AsyncClient
    config: Path

    @property
    def last(self) -> Seen:
        """What the model server was asked last."""
        return self.upstream.requests[-1]

    def says(self, script: Script) -> None:
        """What the model server does from now on."""
        self.upstream.script = script

    async def ask(self, path: str = CHAT, /, **body: Any) -> httpx.Response:
        """A chat completion."""
        headers = body.pop("headers", {})
        return await self.client.post(path, json=HELLO | body, headers=headers)

    def anew(self) -> None:
        """Forget what earlier tests did."""
        self.says(SAYS)
        self.upstream.requests.clear()
        self.services.runtime = replace(self.services.runtime, cooldowns=Cooldowns())


def config_text(base_url: str, name: str = "my-project", **more: Any) -> str:
    """A project of the namespace `default`: named models on one server, one that is not there, one without its key."""
    here = {"provider": "openai", "base_url": base_url}
    models = [
        {"name": "default", "model": "small", "pricing": {"input": 1, "output": 2}, **here},
        {"name": "expert", "model": "large", "api_key": "sk-literal-secret", "pricing": {"input": 10, "output": 20}, **here},
        {"name": "fast", "model": "tiny", "model_api_parameters": {"temperature": 0.5, "max_tokens": 50}, **here},
        {"name": "gone", "model": "x", **here, "base_url": NOT_THERE},
        {"name": "careful", "model": "x", **here, "base_url": NOT_THERE, "fallback": ["default"]},
        {"name": "keyless", "model": "x", **here, "api_key": "${env:A_MISSING_KEY}"},
        {"name": "hasty", "model": "x", **here, "timeout": {"first_token": 0.05}},
    ]  # fmt: skip
    runtime = {"models": models, "default_model": "default"}
    return json.dumps({"version": "v1", "name": name, "namespace": "default", "runtime": runtime, **more}, indent=1)


def system(text: str) -> dict[str, Any]:
    """The section `prompts` of a project file with one system message."""
    return {"prompts": [{"name": "s", "messages": [{"role": "system", "content": text}]}]}


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[str]:
    """The address of `app` on a real port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        ready = asyncio.Event()
        config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        server = Announcing(config, ready)
        task = asyncio.create_task(server.serve(sockets=[sock]))
        await ready.wait()
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def world(folder: Path, settings: ServerSettings | None = None) -> AsyncIterator[World]:
    """A server of three projects: `my-project`, `prompted`, and `strict`, whose prompt needs a variable."""
    settings = settings or ServerSettings()
    async with FaultServer(SAYS) as upstream:
        address = f"{upstream.url}/v1"
        config = folder / "a.json"
        config.write_text(config_text(address))
        (folder / "b.json").write_text(config_text(address, "prompted", **system("You are {{ who | nice }}.")))
        (folder / "c.json").write_text(config_text(address, "strict", **system("You are {{ who }}.")))
        async with open_runtime([folder], generations=settings.generations) as opened:
            runtime = replace(opened, providers=replace(opened.providers, pauses=Pauses(tries=1)))
            api = build_api(runtime, settings)
            app = SecurityMiddleware(Authentication(FastPath(api, chat.router), settings), settings)
            async with listening(app) as url, httpx.AsyncClient(base_url=url) as client:
                yield World(url, upstream, api.state.services, client, config)
