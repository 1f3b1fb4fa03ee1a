"""The fault server by hand: `python -m tests.faultserver --port 9999`, then ask for a model named after a fault.

    base_url: http://127.0.0.1:9999    model: stall

It speaks OpenAI's form and Ollama's (by the path that is asked), and prints what it sees: each request, and
when its client has gone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence

from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import Protocol, answer, ending, plays, refuses, said, thought

WORDS = [
    f"{word} "
    for word in ["Llamas", "eat", "grass,", "hay", "and", "whatever", "else", "grows", "on", "their", "mountain."]
]
Make = Callable[[Protocol], Script]


def _slowly(
    protocol: Protocol, words: Sequence[str], *, first_s: float = 0.2, pause_s: float = 0.05
) -> list[bytes | float]:
    pieces: list[bytes | float] = [first_s]
    for word in words:
        pieces += [said(protocol, word), pause_s]
    return pieces


SCENARIOS: dict[str, Make] = {
    "ok": lambda p: plays(p, [*_slowly(p, WORDS), ending(p)]),
    "slow": lambda p: plays(p, [*_slowly(p, WORDS, first_s=3, pause_s=0.5), ending(p)]),
    "thinks": lambda p: plays(p, [0.2, thought(p, "Llamas… "), 0.5, thought(p, "hay?"), *answer(p, *WORDS)]),
    "no-usage": lambda p: plays(p, [*_slowly(p, WORDS), ending(p, usage=None)]),
    "length": lambda p: plays(p, [*_slowly(p, WORDS), ending(p, "length")]),
    "empty": lambda p: plays(p, [ending(p)]),
    "stall": lambda p: plays(p, _slowly(p, WORDS[:4]), then="hang"),
    "cut": lambda p: plays(p, _slowly(p, WORDS[:4]), then="cut"),
    "silence": lambda _: Exchange.hang,
    "html": lambda _: refuses(200, "<html><title>Log in</title></html>", "text/html"),
    "401": lambda _: refuses(401, {"error": {"message": "Incorrect API key."}}),
    "404": lambda _: refuses(404, {"error": {"message": "This model is not there."}}),
    "429": lambda _: refuses(429, {"error": {"message": "Slow down."}}, retry_after="2"),
    "500": lambda _: refuses(500, {"error": {"message": "Out of memory."}}),
    "503": lambda _: refuses(503, {"error": "the model is loading"}),
}


def _write(**told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


async def _play(exchange: Exchange) -> None:
    seen = exchange.seen
    protocol: Protocol = "ollama" if seen.path.startswith("/api/") else "openai"
    name = str(seen.json().get("model", "")) if seen.body else ""
    _write(asked=f"{seen.method} {seen.path}", model=name)
    if name not in SCENARIOS:
        await refuses(404, {"error": {"message": f"No model {name}; there are: {', '.join(SCENARIOS)}."}})(exchange)
        return
    try:
        await SCENARIOS[name](protocol)(exchange)
    finally:
        if seen.gone_at is not None:
            _write(gone=name, after_s=round(seen.gone_at - seen.at, 3), now=round(time.perf_counter() - seen.at, 3))


async def _serve(port: int) -> None:
    server = FaultServer(_play)
    server.port = port
    async with server:
        _write(listening=server.url, models=list(SCENARIOS))
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faultserver", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; 0 takes a free one")
    try:
        asyncio.run(_serve(parser.parse_args().port))
    except KeyboardInterrupt:
        sys.exit(130)
