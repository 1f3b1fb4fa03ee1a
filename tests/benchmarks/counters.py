"""The same answers, measured by us and by the server's own counters: `uv run python -m tests.benchmarks.counters`.

Writes a Markdown table. llama.cpp's server tells in its last chunk how long it read the prompt and made the tokens
(`timings`), Ollama in its last record (`eval_duration` and others); what they say is read on the way, by a relay that
passes bytes on. llama.cpp is the embedded one; an Ollama is asked where `--ollama URL --model NAME` names one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from llamafarm.config import parse
from llamafarm.config.model import Project
from llamafarm.core.reply import Reply
from llamafarm.core.types import Timings
from llamafarm.engine.lane import Lane, Question
from llamafarm.providers.embedded.llama_cpp import model_file, start, stop
from llamafarm.runtime import Runtime, open_runtime, zero
from tests.benchmarks.machine import processor

PROMPT = "Write a story of a llama that learns to read, in many words."
TOKENS = 96
NANOSECONDS = 1e9
RECORD = re.compile(rb"^(?:data: )?(\{.*\})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Counters:
    """What a server says of one answer: seconds until its first token, tokens, and tokens a second after the first."""

    ttft_s: float
    tokens: int
    tokens_per_s: float


@dataclass(slots=True)
class Relay:
    """Passes the bytes of one server on, and keeps those of its answers."""

    host: str
    port: int
    answers: list[bytearray] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either side ends it."""
        up_reader, up_writer = await asyncio.open_connection(self.host, self.port)
        kept = bytearray()
        self.answers.append(kept)
        ways = [asyncio.create_task(_pass(reader, up_writer)), asyncio.create_task(_pass(up_reader, writer, kept))]
        with suppress(asyncio.CancelledError):  # a connection that is kept ends with the run
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for each in (writer, up_writer):
            each.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None = None) -> None:
    while data := await reader.read(65536):
        if kept is not None:
            kept += data
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def relayed(address: str) -> AsyncIterator[tuple[str, Relay]]:
    """A relay in front of `address`, and its own address."""
    parts = urlsplit(address)
    relay = Relay(parts.hostname or "", parts.port or 80)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", relay


def of_llamacpp(record: Mapping[str, Any]) -> Counters | None:
    """By llama.cpp's `timings`, in milliseconds: reading the prompt ends with the first token, making the others follows."""
    told = record.get("timings")
    if not told or not told.get("predicted_n"):
        return None
    tokens, made_s = told["predicted_n"], told["predicted_ms"] / 1000
    return _counters(told["prompt_ms"] / 1000, tokens, made_s)


def of_ollama(record: Mapping[str, Any]) -> Counters | None:
    """By the durations of Ollama's last record, in nanoseconds: loading, then reading the prompt, then making tokens."""
    if not record.get("done") or not record.get("eval_count"):
        return None
    spans = {name: value / NANOSECONDS for name, value in record.items() if name.endswith("_duration")}
    before_s = spans["load_duration"] + spans["prompt_eval_duration"]
    return _counters(before_s, record["eval_count"], spans["eval_duration"])


def _counters(before_s: float, tokens: int, made_s: float) -> Counters:
    return Counters(before_s, tokens, (tokens - 1) / made_s)


def last_counters(answer: bytes, read: Callable[[Mapping[str, Any]], Counters | None]) -> Counters:
    """What the last record that has counters says."""
    found = [counters for text in RECORD.findall(answer) if (counters := read(json.loads(text)))]
    return found[-1]


async def asked(runtime: Runtime, project: Project) -> Reply:
    """One answer, as every face gets it."""
    lane = Lane("m", project.models[0])
    comparison = runtime.compare(project, (lane,), Question.of(PROMPT))
    async with comparison:
        return (await comparison.ended())["m"]


async def measured(
    provider: str, address: str, model: str, key: str, rounds: int, read: Callable[[Mapping[str, Any]], Counters | None]
) -> list[tuple[Timings, Counters]]:
    """(what we measured, what the server told) of each answer, after one that loads the model."""
    found = []
    async with relayed(address) as (url, relay), open_runtime(record=False) as runtime:
        base_url = url if provider == "ollama" else f"{url}/v1"
        entry = {"name": "m", "provider": provider, "model": model, "base_url": base_url, "api_key": key}
        parameters = {"temperature": 0, "max_tokens": TOKENS, "seed": 1}
        text = json.dumps({"runtime": {"models": [{**entry, "model_api_parameters": parameters}]}})
        project = parse(text, name="counters.json", trusted=True).project
        assert project is not None
        await zero(runtime)
        for _ in range(rounds + 1):
            reply = await asked(runtime, project)
            assert reply.status == "done", reply.failure
            whole = b"".join(bytes(answer) for answer in relay.answers)
            found.append((reply.timings, last_counters(whole, read)))
    return found[1:]


def row(name: str, found: Sequence[tuple[Timings, Counters]]) -> str:
    """A line of the table."""
    ours_ttft = median((ours.ttft_s or 0.0) * 1000 for ours, _ in found)
    theirs_ttft = median(theirs.ttft_s * 1000 for _, theirs in found)
    off = median(((ours.ttft_s or 0.0) - theirs.ttft_s) * 1000 for ours, theirs in found)
    ours_speed = median(ours.tokens_per_s or 0.0 for ours, _ in found)
    theirs_speed = median(theirs.tokens_per_s for _, theirs in found)
    ratio = median((ours.tokens_per_s or 0.0) / theirs.tokens_per_s for ours, theirs in found)
    return (
        f"| {name} | {ours_ttft:.1f} ms | {theirs_ttft:.1f} ms | {off:+.1f} ms "
        f"| {ours_speed:.1f} | {theirs_speed:.1f} | {ratio:.3f} |"
    )


async def rows(arguments: argparse.Namespace) -> list[str]:
    """All lines of the table."""
    server = await start(model_file("smollm2-135m-instruct"))
    try:
        llamacpp = await measured("openai", server.address, "m", server.key, arguments.rounds, of_llamacpp)
    finally:
        await stop(server)
    lines = [row("llama.cpp", llamacpp)]
    if arguments.ollama:
        told = await measured("ollama", arguments.ollama, arguments.model, "none", arguments.rounds, of_ollama)
        lines.append(row("Ollama", told))
    return lines


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description="Answers measured by us and by the server's own counters.")
    parser.add_argument("--rounds", type=int, default=10, help="answers of each server that count (10)")
    parser.add_argument("--ollama", metavar="URL", help="an Ollama that runs")
    parser.add_argument("--model", default="smollm2", help="its model (smollm2)")
    arguments = parser.parse_args()
    lines = asyncio.run(rows(arguments))
    sys.stdout.write(
        f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{datetime.now(UTC).date().isoformat()}; medians of {arguments.rounds} answers of {TOKENS} tokens.\n\n"
        "| server | TTFT, ours | the server's | off | tokens/s, ours | the server's | ours / theirs |\n"
        "|---|---:|---:|---:|---:|---:|---:|\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    main()
