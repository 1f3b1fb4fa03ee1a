"""Proxies beside each other: `uv run python -m tests.benchmarks.proxy`. Writes a Markdown table.

The proxy has one core; the model server and the callers share the other. Requests that are not streamed get an
answer of 20 tokens that costs the model server no time; streams are paced: first token after 200 ms, then 50 at
10 ms. `--only` names contenders by their start; LiteLLM is installed into an environment of its own for the run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import uvloop

from tests.benchmarks.machine import pin
from tests.benchmarks.mock import DurationEstimate, paced_server
from tests.benchmarks.proxy.contenders import CONTENDERS, Place
from tests.benchmarks.proxy.load import at_once, callers, request_bytes, sustained

AT_ONCE = (1, 32, 128)
PACED = DurationEstimate(ttft_s=0.2, gap_s=0.01, tokens=50)
SHORT = DurationEstimate(ttft_s=0.0, gap_s=0.0, tokens=20)
SECONDS = 4.0
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Whole:
    """Requests that are not streamed, at one number of callers: seconds at the median, requests a second, CPU of each."""

    p50_s: float
    rate: float
    cpu_us: float | None


@dataclass(frozen=True, slots=True)
class Streams:
    """Streams at once: medians over the rounds of the TTFT's p50 and p95 and of the longest stream, in seconds."""

    ttft_s: float
    ttft_p95_s: float
    wall_s: float
    cpu_us: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """What one contender reached, by number of callers."""

    whole: dict[int, Whole]
    streams: dict[int, Streams]
    memory_mb: float | None


async def measured(place: Place) -> Found:
    """All cases of one contender."""
    whole = {count: await _whole(place, count) for count in AT_ONCE}
    streams = {count: await _streams(place, count) for count in AT_ONCE}
    return Found(whole, streams, _memory_mb(place.pid) if place.pid else None)


async def _whole(place: Place, count: int) -> Whole:
    url, model = place.urls[SHORT]
    request = request_bytes(url, model, stream=False)
    async with callers(url, count) as asking:
        await sustained(asking, request, 1.0)
        before = _cpu_s(place.pid)
        answers = await sustained(asking, request, SECONDS)
        after = _cpu_s(place.pid)
    return Whole(
        median(answer.total_s for answer in answers), len(answers) / SECONDS, _each(before, after, len(answers))
    )


async def _streams(place: Place, count: int) -> Streams:
    url, model = place.urls[PACED]
    request = request_bytes(url, model, stream=True)
    async with callers(url, count) as asking:
        await at_once(asking, request)
        before = _cpu_s(place.pid)
        rounds = [await at_once(asking, request) for _ in range(ROUNDS)]
        after = _cpu_s(place.pid)
    tokens = ROUNDS * count * PACED.tokens
    return Streams(
        median(median(answer.ttft_s for answer in answers) for answers in rounds),
        median(_p95([answer.ttft_s for answer in answers]) for answers in rounds),
        median(max(answer.total_s for answer in answers) for answers in rounds),
        _each(before, after, tokens),
    )


def _each(before: float | None, after: float | None, count: int) -> float | None:
    """Microseconds of each of `count`, between two readings of seconds."""
    return None if before is None or after is None else (after - before) / count * 1e6


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def _cpu_s(pid: int | None) -> float | None:
    """Seconds of processor time that a process has had."""
    if pid is None:
        return None
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def lines(found: dict[str, Found]) -> Iterator[str]:
    """The tables, in Markdown."""
    direct = next(iter(found.values()))
    yield "| not streamed | added p50 at 1 | requests/s at 1 | 32 | 128 | CPU µs each at 32 | memory after load |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, each in found.items():
        added = (each.whole[1].p50_s - direct.whole[1].p50_s) * 1000
        rates = " | ".join(f"{each.whole[count].rate:,.0f}" for count in AT_ONCE)
        memory = f"{each.memory_mb:.0f} MB" if each.memory_mb else "–"
        yield f"| {name} | {added:.2f} ms | {rates} | {_figure(each.whole[32].cpu_us)} | {memory} |"
    yield ""
    yield "| streams at once | server | added TTFT p50 | p95 | wall / ideal | CPU µs a token |"
    yield "|---:|---|---:|---:|---:|---:|"
    for count in AT_ONCE:
        for name, each in found.items():
            streams = each.streams[count]
            p50, p95 = ((span - PACED.ttft_s) * 1000 for span in (streams.ttft_s, streams.ttft_p95_s))
            ratio = f"{streams.wall_s / PACED.ideal_s:.3f}"
            yield f"| {count} | {name} | {p50:.1f} ms | {p95:.1f} ms | {ratio} | {_figure(streams.cpu_us)} |"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.proxy", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="starts of contenders' names; all, where none is given")
    only = parser.parse_args().only
    pin(0)
    found: dict[str, Found] = {}
    with paced_server(core=0) as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for number, (name, contender) in enumerate(CONTENDERS.items()):
            if number and only and not any(name.lower().startswith(start.lower()) for start in only):
                continue
            sys.stderr.write(f"{name} …\n")
            try:
                with contender(server.url, (SHORT, PACED)) as place:
                    found[name] = runner.run(measured(place))
            except (RuntimeError, subprocess.CalledProcessError) as error:
                sys.stderr.write(f"{name} is left out: {error}\n")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC).date().isoformat()}.\n")
    print("\n".join(lines(found)))


if __name__ == "__main__":
    main()
