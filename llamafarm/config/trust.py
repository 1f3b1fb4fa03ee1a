"""What a file from a browser may do before a person trusts it, and what it asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from llamafarm.config.document import Document
from llamafarm.config.env import references
from llamafarm.config.model import Ask, NamedModel, Project
from llamafarm.config.models import PLACEHOLDER_KEYS
from llamafarm.config.secret import HIDDEN, announces_secret, is_literal, shown_address, shown_words
from llamafarm.errors import Problem
from llamafarm.types import JsonValue

BUNDLED = "smollm2-135m-instruct"
RAW = "The file is not trusted, so its `extra_body` is not sent to a model on this machine."
_PORTS = {"http": 80, "https": 443}


def origin(address: str) -> str:
    """`scheme://host:port` of an address, with the port written out; the address itself if it has no host."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return shown_address(address)
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else shown_address(address)


def addresses(project: Project) -> frozenset[str]:
    """The origins that the models of a project call."""
    return frozenset(origin(model.base_url) for model in project.models if model.base_url)


def untrusted(model: NamedModel, known: Collection[str]) -> tuple[NamedModel, list[Ask]]:
    """`model` as it may be used before its file is trusted, and what it asks for.

    It may run the bundled model, call an address that the operator's own projects name, or call any
    address without a key.
    """
    asks = _asks(model, known)
    problems = tuple(
        Problem(model.line, model.name, _REFUSALS[ask.kind].format(target=ask.target))
        for ask in asks
        if ask.kind in _REFUSALS
    )
    if model.provider == "embedded" and model.extra_body:
        problems += (Problem(model.line, model.name, RAW),)
    return model.model_copy(update={"problems": (*model.problems, *problems)}), asks


_REFUSALS = {
    "address": "The file is not trusted, so its key is not sent to {target}.",
    "file": "The file is not trusted, so {target} is not read: only the bundled model is.",
}


def _asks(model: NamedModel, known: Collection[str]) -> list[Ask]:
    if model.provider == "embedded":
        needs_file = model.model not in ("", BUNDLED)
        return [Ask(kind="file", name=model.name, target=model.model, line=model.line)] if needs_file else []
    target = origin(model.base_url or "")
    if model.key_variable:
        return [Ask(kind="variable", name=model.key_variable, target=target, line=model.line)]
    key = model.api_key.get_secret_value() if model.api_key else ""
    if key and key != PLACEHOLDER_KEYS.get(model.provider) and target not in known:
        return [Ask(kind="address", name=model.name, target=target, line=model.line)]
    return []


def other_variables(model: NamedModel, entry: Mapping[str, JsonValue]) -> list[Ask]:
    """The variables that a model's entry would send beside its key."""
    names = _variables({key: value for key, value in entry.items() if key != "api_key"})
    return [Ask(kind="variable", name=name, target=origin(model.base_url or ""), line=model.line) for name in names]


def server_asks(document: Document) -> list[Ask]:
    """What the MCP servers of an untrusted file ask for: commands, addresses, and variables."""
    value = document.value
    mcp = value.get("mcp") if isinstance(value, dict) else None
    servers = mcp.get("servers") if isinstance(mcp, dict) else None
    entries = servers.values() if isinstance(servers, dict) else servers if isinstance(servers, list) else []
    asks: list[Ask] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            asks += _server_asks(entry, document.line(("mcp", "servers", index)))
    return asks


def _server_asks(entry: Mapping[str, JsonValue], line: int | None) -> list[Ask]:
    name = str(entry.get("name") or "")
    target = shown_address(str(entry.get("base_url") or entry.get("url") or f"the MCP server {name}"))
    asks = [Ask(kind="variable", name=each, target=target, line=line) for each in _variables(dict(entry))]
    if entry.get("command"):
        args = entry.get("args")
        words = [str(word) for word in (entry["command"], *(args if isinstance(args, list) else []))]
        asks.append(Ask(kind="command", name=name, target=" ".join(_shown(words)), line=line))
    elif address := entry.get("base_url") or entry.get("url"):
        asks.append(Ask(kind="server", name=name, target=origin(str(address)), line=line))
    return asks


def _shown(words: Sequence[str]) -> Iterator[str]:
    """A command as it may be shown."""
    for before, word in zip(("", *words), words, strict=False):
        yield HIDDEN if announces_secret(before) and is_literal(word) else shown_words(word)


def _variables(value: JsonValue) -> list[str]:
    match value:
        case str():
            return list(references(value))
        case dict():
            return [name for each in value.values() for name in _variables(each)]
        case list():
            return [name for each in value for name in _variables(each)]
        case _:
            return []
