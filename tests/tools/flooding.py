"""A stdio server that answers the first request, and then writes without end: `python flooding.py line|storm|text|stderr`."""

from __future__ import annotations

import json
import os
import sys

WRITES = {
    "line": (1, b"x" * 65536),
    "json": (1, b'{"jsonrpc": "2.0", "method": "' + b"x" * 65536),
    "storm": (1, b'{"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}\n' * 500),
    "requests": (1, b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n' * 500),
    "answers": (1, b'{"jsonrpc": "2.0", "id": 999, "result": {}}\n' * 500),
    "text": (1, b"hello\n" * 5000),
    "empty": (1, b"\n" * 65536),
    "stderr": (2, b"x" * 65536),
}


def main() -> None:
    if sys.argv[1] != "before":
        first = json.loads(sys.stdin.readline())
        result = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "f", "version": "1"},
        }
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": first["id"], "result": result}) + "\n")
        sys.stdout.flush()
    end, piece = WRITES[sys.argv[-1]]
    try:
        while True:
            os.write(end, piece)
    except OSError:
        os._exit(0)


main()
