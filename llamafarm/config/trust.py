"""Decides what an untrusted file may do, and lists what it asks a person to trust."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal
from urllib.parse import urlsplit

from llamafarm.config.model import MAX_ANSWER_MIB, Ask, McpServer, NamedModel, Project
from llamafarm.config.outside import names_inside
from llamafarm.config.profiles import BUNDLED
from llamafarm.config.reading.document import Document
from llamafarm.config.reading.env import references
from llamafarm.config.secrets.secret import (
    HIDDEN,
    announces_secret,
    is_literal,
    names_secret,
    shown_address,
    shown_words,
)
from llamafarm.config.sections.mcp import servers_as_written
from llamafarm.core.errors import Problem
from llamafarm.core.types import JsonValue

INSIDE = "The file is not trusted, and others reach this server, so {target} is not called: it is an inner address."
RAW = "The file is not trusted, so its `extra_body` is not sent to a model on this machine."
_RUNS = re.compile(r"[`$|<>()]")  # what a shell acts on: TOKEN=$(…) hides no command
_KEY = re.compile(r"(?=.*[0-9])[A-Za-z0-9_~+=-]{8,}|[A-Za-z]+ [A-Za-z0-9_.~+/=-]{8,}")  # the second: `Bearer …`
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


def untrusted(model: NamedModel, known: Collection[str], *, outside_only: bool = False) -> tuple[NamedModel, list[Ask]]:
    """`model` as it may be used before its file is trusted, and what it asks for.

    It may run the bundled model, call an address that the operator's own projects name, or call any address without a
    key: with `outside_only`, any of the internet at large. Its answers may be as long as by default, and no longer.
    """
    asks = _asks(model, known)
    problems = tuple(
        Problem(model.line, model.name, _REFUSALS[ask.kind].format(target=ask.target))
        for ask in asks
        if ask.kind in _REFUSALS
    )
    if model.profile.embedded and model.extra_body:
        problems += (Problem(model.line, model.name, RAW),)
    guarded = outside_only and not model.profile.embedded and origin(model.base_url or "") not in known
    if guarded and names_inside(model.base_url or ""):
        problems += (Problem(model.line, model.name, INSIDE.format(target=origin(model.base_url or ""))),)
    held = {
        "outside_only": guarded,
        "problems": (*model.problems, *problems),
        "max_answer_mib": min(model.max_answer_mib, MAX_ANSWER_MIB),
    }
    return model.model_copy(update=held), asks


_REFUSALS = {
    "address": "The file is not trusted, so its key is not sent to {target}.",
    "file": "The file is not trusted, so {target} is not read: only the bundled model is.",
}


def _asks(model: NamedModel, known: Collection[str]) -> list[Ask]:
    if model.profile.embedded:
        needs_file = model.model not in ("", BUNDLED)
        return [Ask(kind="file", name=model.name, target=model.model, line=model.line)] if needs_file else []
    target = origin(model.base_url or "")
    if model.key_variable:
        return [Ask(kind="variable", name=model.key_variable, target=target, line=model.line)]
    key = model.api_key.get_secret_value() if model.api_key else ""
    if key and key != model.profile.placeholder_key and target not in known:
        return [Ask(kind="address", name=model.name, target=target, line=model.line)]
    return []


def other_variables(model: NamedModel, entry: Mapping[str, JsonValue]) -> list[Ask]:
    """The variables that a model's entry would send beside its key."""
    names = _variables({key: value for key, value in entry.items() if key != "api_key"})
    return [Ask(kind="variable", name=name, target=origin(model.base_url or ""), line=model.line) for name in names]


def server_asks(document: Document) -> list[Ask]:
    """What the MCP servers of an untrusted file ask for: commands, addresses, and variables.

    It is told of the very servers that the file would have if it were trusted.
    """
    asks: list[Ask] = []
    for name, line, server, entry in servers_as_written(document):
        variables = _variables(entry)
        if server is None and not variables:
            continue  # an error, in a trusted file too
        target, kind = _told(server, entry)
        to = shown_address(server.base_url or "") if server and kind == "server" else target
        asks += [Ask(kind="variable", name=each, target=to, line=line) for each in dict.fromkeys(variables)]
        asks.append(Ask(kind=kind, name=name, target=target, line=line))
    return asks


def _told(server: McpServer | None, entry: JsonValue) -> tuple[str, Literal["command", "server"]]:
    """A server as a line of a shell, or as its address with its headers; secrets are hidden."""
    if server is None:
        return shown_words(json.dumps(entry, ensure_ascii=False)), "command"
    if server.transport == "stdio":
        env = [_assigned(name, value.get_secret_value(), "=") for name, value in server.env.items()]
        return " ".join([*env, *_shown_command([server.command or "", *server.args])]), "command"
    headers = [_assigned(name, value.get_secret_value(), ": ") for name, value in server.headers.items()]
    address = shown_address(server.base_url or "")
    return f"{address} with {', '.join(headers)}" if headers else address, "server"


def _assigned(name: str, value: str, sign: str) -> str:
    return shlex.quote(name) + sign + (HIDDEN if names_secret(name) and _is_key(value) else _word(value))


def _shown_command(words: Sequence[str]) -> Iterator[str]:
    """The words of a command, each quoted as a shell would need it."""
    for before, word in pairwise(("", *words)):
        yield HIDDEN if announces_secret(before) and _is_key(word) else _word(word)


def _word(word: str) -> str:
    """A word of a command as a shell would need it; secrets are hidden, but nothing that could run."""
    shown = word if _RUNS.search(word) else shown_words(word)
    return shlex.quote(shown) if shown == word else shown


def _is_key(word: str) -> bool:
    """Whether a word is a secret and can't be a program, a script or a part of one: `bash -u script.sh`."""
    return bool(_KEY.fullmatch(word)) and is_literal(word)


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
