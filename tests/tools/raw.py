"""A stdio server of the 2025 protocol, written by hand: quick to start, and it can break every rule.

`python raw.py [quirk …]`. Quirks: slow (never answers), dead (ends at once, with last words), deaf (lists nothing and
never answers calls), bad_list, chatty (other text on its output), paged, no_tools, few (one tool alone), stubborn (does not end when its
input does).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUIRKS = set(sys.argv[1:])
OBJECT = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "$schema": "http://json-schema.org/draft-07/schema#",
}
TOOLS = "echo add fail crash hang huge environment where child deaf_child grow undeclared nothing"
NAMES = TOOLS.split()[: 1 if "few" in QUIRKS else None]
hanging: dict[Any, str] = {}


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tools(cursor: str | None) -> dict[str, Any]:
    if "bad_list" in QUIRKS:
        return {"tools": [{"name": "x", "inputSchema": "not a schema"}]}
    listed: list[dict[str, Any]] = [
        {"name": name, "description": f"To {name}.", "inputSchema": OBJECT} for name in NAMES
    ]
    for tool in listed:
        if tool["name"] == "undeclared":
            tool["outputSchema"] = {"type": "object", "required": ["a"]}
    if "paged" in QUIRKS:
        at = int(cursor or 0)
        return {"tools": listed[at : at + 5]} | ({"nextCursor": str(at + 5)} if at + 5 < len(listed) else {})
    return {"tools": listed}


def crash() -> None:
    sys.stderr.write("last words")
    sys.stderr.flush()
    os._exit(3)


def child() -> str:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return f"{os.getpid()} {process.pid}"


def deaf_child() -> str:
    """One that no polite word ends, and that holds the server's pipes."""
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code = f"{deaf}; print('deaf', flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return f"{os.getpid()} {process.pid}"


def grow() -> dict[str, Any]:
    NAMES.append(f"new{len(NAMES)}")
    send({"method": "notifications/tools/list_changed"})
    return said("grown")


def hang(mark: str, number: Any) -> None:
    Path(mark).write_text("begun")
    hanging[number] = mark


def call(name: str, arguments: dict[str, Any], number: Any) -> dict[str, Any] | None:
    """The result of a tool; None where no answer is to come."""
    text = str(arguments.get("text", ""))
    made: dict[str, Callable[[], dict[str, Any] | None]] = {
        "echo": lambda: said(text),
        "add": lambda: said(str(arguments["a"] + arguments["b"])),
        "fail": lambda: said("it broke") | {"isError": True},
        "crash": crash,
        "hang": lambda: hang(text, number),
        "huge": lambda: said("x" * int(text)),
        "environment": lambda: {"content": [], "structuredContent": dict(os.environ)},
        "where": lambda: said(f"{Path.cwd()} {os.getpid()}"),
        "child": lambda: said(child()),
        "deaf_child": lambda: said(deaf_child()),
        "grow": grow,
        "undeclared": lambda: {"content": [], "structuredContent": {"b": 1}},
        "nothing": lambda: {"content": []},
    }
    return made.get(name, lambda: said("unknown tool") | {"isError": True})()


def said(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}


def answer(message: dict[str, Any]) -> None:
    number, params = message.get("id"), message.get("params") or {}
    match message.get("method"):
        case "initialize":
            able: dict[str, Any] = {} if "no_tools" in QUIRKS else {"tools": {"listChanged": True}}
            info = {"name": "raw", "version": "1"}
            hello: dict[str, Any] = {"protocolVersion": "2025-06-18", "capabilities": able, "serverInfo": info}
            send({"id": number, "result": hello})
        case "tools/list":
            send({"id": number, "result": tools(params.get("cursor"))})
        case "tools/call":
            if "deaf" not in QUIRKS and (result := call(params["name"], params.get("arguments") or {}, number)):
                send({"id": number, "result": result})
        case "notifications/cancelled":
            if (mark := hanging.pop(params.get("requestId"), None)) is not None:
                Path(mark).write_text("cancelled")
        case _ if number is not None:
            send({"id": number, "error": {"code": -32601, "message": "Method not found"}})


def main() -> None:
    if "dead" in QUIRKS:
        sys.exit(f"No key: {os.environ.get('TOKEN', 'none')}.")
    if "slow" in QUIRKS:
        time.sleep(600)
    for line in sys.stdin:
        if "chatty" in QUIRKS:
            sys.stdout.write("Here I am, on the wrong stream.\n")
        answer(json.loads(line))
    if "stubborn" in QUIRKS:
        time.sleep(600)


if __name__ == "__main__":
    main()
