"""A running LlamaFarm or OpenAI-compatible server as a project of one model, so that the engine can ask it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr

from llamafarm.config.model import NamedModel, Project
from llamafarm.config.secrets.secret import shown_address
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, JsonValue

KEY_VARIABLE = "LF_API_KEY"
ENDPOINT = "/chat/completions"
DEFAULT = "default"


def remote_project(url: str, key: str | None, model: str | None, variables: Mapping[str, JsonValue]) -> Project:
    """A project in memory for the server at `url`, which is asked for `model`, or for its default.

    `key`, else that of the environment (LF_API_KEY), goes to it. `variables` fill the templates of its project's
    prompts. Wrong usage where `url` is no address.
    """
    secret = key or os.environ.get(KEY_VARIABLE)
    body: dict[str, JsonValue] = {"variables": dict(variables)} if variables else {}
    named = NamedModel(
        name=model or DEFAULT,
        provider="openai",
        model=model or "",
        base_url=base_url(url),
        api_key=SecretStr(secret) if secret else None,
        key_variable=KEY_VARIABLE,
        extra_body=body,
    )
    return Project(
        namespace="remote",
        name=urlsplit(base_url(url)).netloc.rpartition("@")[2],
        models=(named,),
        default_model=named.name,
    )


def renamed(project: Project, name: str) -> Project:
    """A project of `remote_project` that asks its server for the model `name`."""
    model = project.models[0]
    other = model.model_copy(update={"name": name, "model": name})
    return project.model_copy(update={"models": (other,), "default_model": name})


def base_url(url: str) -> str:
    """The address under which /chat/completions stands: /v1 where `url` has no path. Wrong usage for no address."""
    address = (url if "://" in url else f"http://{url}").rstrip("/").removesuffix(ENDPOINT)
    try:
        parts = urlsplit(address)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment:
        raise typer.BadParameter(
            f"{shown_address(url)!r} is no address such as http://127.0.0.1:8000.", param_hint="--url"
        )
    return address if parts.path else f"{address}/v1"


def seen_through(reply: Reply) -> Reply:
    """`reply` with the server's own named model and cost, where the server told them."""
    told = reply.relayed
    if told is None:
        return reply
    return replace(
        reply,
        model=told.model,
        provider=told.provider,
        model_id=told.model_id,
        cost=told.cost or Cost(None, "unknown", detail="The server told no cost."),
    )
