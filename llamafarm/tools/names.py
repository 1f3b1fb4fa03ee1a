"""The names by which models call tools: unique, and in the form that model servers take."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence

# The rule for function names in https://platform.openai.com/docs/api-reference/chat/create (tools).
VALID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
LONGEST = 64
_OTHER = re.compile(r"[^a-zA-Z0-9_-]")
_DIGITS = 8


def call_names(tools: Sequence[tuple[str, str]], taken: Collection[str] = ()) -> list[str]:
    """A name for each (server, tool), in order: the tool's own, or `server__tool` where that is not enough.

    It is not enough where another server has a tool of this name, where it is among `taken`, or where it is
    not valid. What is then still too long or not unique ends in a digest of both names, so that the same pair always
    has the same name beside the same others.
    """
    counts = Counter(tool for _, tool in tools)
    names = [
        tool
        if VALID.fullmatch(tool) and counts[tool] == 1 and tool not in taken
        else f"{_clean(server)}__{_clean(tool)}"
        for server, tool in tools
    ]
    wanted = Counter(names)
    return [
        name if len(name) <= LONGEST and wanted[name] == 1 and name not in taken else _digested(name, server, tool)
        for name, (server, tool) in zip(names, tools, strict=True)
    ]


def _clean(text: str) -> str:
    return _OTHER.sub("_", text)


def _digested(name: str, server: str, tool: str) -> str:
    digest = hashlib.sha256(f"{server}\0{tool}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{name[: LONGEST - _DIGITS - 1]}_{digest}"
