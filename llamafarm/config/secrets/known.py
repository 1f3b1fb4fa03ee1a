"""Lists the secrets of a named model or an MCP server, which its answers must not show."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from llamafarm.config.model import McpServer, NamedModel
from llamafarm.config.secrets.scrubber import Scrubber
from llamafarm.config.secrets.secret import (
    HIDDEN,
    address_secrets,
    announces_secret,
    holds_settings,
    is_literal,
    names_secret,
    shown_address,
    word_secrets,
)
from llamafarm.core.types import JsonValue

_PATHS = ("/", ".", "~", "\\")


def model_scrubber(model: NamedModel) -> Scrubber:
    """Takes the secrets of `model` out of what its server says: its key, and those in its address and parameters."""
    found = [model.api_key.get_secret_value()] if model.api_key else []
    found += address_secrets(model.base_url or "")
    found += _values(dict(model.extra_body), secret=False)
    found += _values(dict(model.parameters), secret=False)
    return _scrubber(tuple(found))


def server_scrubber(server: McpServer) -> Scrubber:
    """Takes the secrets of an MCP server out of what it says.

    Those are the values of its environment and headers that have a secret's name or look like one (a mode, a path or
    an address of its own is none: its results speak of them), and those in its arguments and its address.
    """
    settings = [*server.env.items(), *server.headers.items()]
    found = [value for name, each in settings if _is_secret(name, value := each.get_secret_value())]
    for before, word in zip(("", *server.args), server.args, strict=False):
        found += [word] if announces_secret(before) else word_secrets(word)
    for text in (*(each.get_secret_value() for _, each in settings), *server.args, server.base_url or ""):
        found += address_secrets(text)
    return _scrubber(tuple(found))


@lru_cache(maxsize=256)
def _scrubber(secrets: tuple[str, ...]) -> Scrubber:
    return Scrubber(secrets)


def _is_secret(name: str, value: str) -> bool:
    if names_secret(name):
        return True
    mixed = any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
    return mixed and not value.startswith(_PATHS) and "://" not in value and " " not in value.strip()


def _values(value: JsonValue, *, secret: bool) -> Iterator[str]:
    match value:
        case dict():
            for name, each in value.items():
                yield from _values(each, secret=secret or _hides(name, each))
        case list():
            for each in value:
                yield from _values(each, secret=secret)
        case str() | int() | float() if secret and not isinstance(value, bool):
            yield str(value)
        case str():
            yield from address_secrets(value)


def shown_json(value: JsonValue, *, secret: bool = False) -> JsonValue:
    """A part of a request as it may be shown: what has a secret's name is hidden, and what is in addresses."""
    match value:
        case dict():
            return {name: shown_json(each, secret=secret or _hides(name, each)) for name, each in value.items()}
        case list():
            return [shown_json(each, secret=secret) for each in value]
        case str() if not secret or not is_literal(value):
            return shown_address(value)
        case None | bool():
            return value
        case _:
            return HIDDEN if secret else value


def _hides(name: str, value: JsonValue) -> bool:
    return names_secret(name) or (holds_settings(name) and isinstance(value, dict | list))
