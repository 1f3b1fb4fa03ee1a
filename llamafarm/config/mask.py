"""A project file's text with the secrets that stand in it hidden: for pages, exports and stored records."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llamafarm.config.document import Path
from llamafarm.config.env import references
from llamafarm.config.read import read_document
from llamafarm.types import JsonValue

HIDDEN = "(hidden)"

_SECRET = re.compile(r"api[_-]?key|token|secret|password|passwd|authorization|credential", re.IGNORECASE)
_NO_SECRETS = re.compile(r"max_.*tokens|.*_tokens|tokens", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/?#\s@\"'$]+@")
_PLACEHOLDERS = {"", "not-needed", "none", "empty", "ollama", "universal", "lemonade", HIDDEN}


def masked_text(text: str, name: str = "llamafarm.yaml") -> str:
    """`text` with every literal secret replaced by `(hidden)`; `${…}` stays. Raises ConfigError."""
    return masked(text, read_document(text, name).value)


def masked(text: str, value: JsonValue) -> str:
    """The same, of a text that was read already, as `value`."""
    for secret in sorted(set(_secrets(value, ())), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _without_userinfo(text)


def masked_value(value: JsonValue, path: Path = ()) -> JsonValue:
    """A project file's plain value with every literal secret as `(hidden)`; `${…}` stays."""
    match value:
        case dict():
            return {key: masked_value(each, (*path, key)) for key, each in value.items()}
        case list():
            return [masked_value(each, (*path, index)) for index, each in enumerate(value)]
        case _ if any(_secrets(value, path)):
            return HIDDEN
        case str():
            return _without_userinfo(value)
        case _:
            return value


def _without_userinfo(text: str) -> str:
    """`text` without user names and passwords in its addresses."""
    return _USERINFO.sub(f"{HIDDEN}@", text)


def _secrets(value: JsonValue, path: Path) -> Iterator[str]:
    match value:
        case dict():
            for key, each in value.items():
                yield from _secrets(each, (*path, key))
        case list():
            for index, each in enumerate(value):
                yield from _secrets(each, (*path, index))
        case None | bool():
            return
        case _ if _holds_secret(path):
            text = str(value)
            if text.lower() not in _PLACEHOLDERS and not references(text):
                yield text


def _holds_secret(path: Path) -> bool:
    """A key that names a secret, or anything in the `env` and `headers` of an MCP server."""
    names = [part for part in path if isinstance(part, str)]
    if names[:2] == ["mcp", "servers"] and {"env", "headers"} & set(names):
        return True
    last = names[-1] if names else ""
    return bool(_SECRET.search(last)) and not _NO_SECRETS.fullmatch(last)
