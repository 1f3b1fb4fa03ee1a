"""A request as a curl command for a POSIX shell: the same bytes to the same address, keys as variables."""

from __future__ import annotations

import re
import shlex

import orjson

from llamafarm.core.types import SentRequest

_VARIABLE = re.compile(r"Bearer (\$[A-Za-z_][A-Za-z0-9_]*)")


def curl_command(sent: SentRequest) -> str:
    """The command, a line for each header; only the body's white space differs from what would be sent.

    Every part is quoted, so that nothing of it means anything to the shell but the key's variable.
    """
    lines = [f"curl --no-buffer {shlex.quote(sent.url)}"]
    lines += [f"--header {_header(name, value)}" for name, value in sent.headers.items()]
    body = orjson.dumps(sent.body, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    lines.append(f"--data-raw {shlex.quote(body)}")
    return " \\\n  ".join(lines)


def key_variable(sent: SentRequest) -> str | None:
    """The name of the variable that holds the key, where there is one."""
    found = _VARIABLE.fullmatch(sent.headers.get("Authorization", ""))
    return found[1][1:] if found else None


def _header(name: str, value: str) -> str:
    if name == "Authorization" and _VARIABLE.fullmatch(value):
        return f'"{name}: {value}"'
    return shlex.quote(f"{name}: {value}")
