"""Many lanes at once, measured beside a peer and the floor: `uv run python -m tests.benchmarks.lanes`.

Writes a Markdown table. The server is a process of its own, held to the second core; all clients take turns in this
one, on uvloop, as `lf serve` runs. Each figure is the median of five rounds, after one that opens the connections. On a
busy machine more rounds are run, and those count in which others worked least.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median, quantiles

import uvloop

from llamafarm.runtime import settle
from tests.benchmarks.contenders import CONTENDERS, Contender
from tests.benchmarks.machine import busy_s, processor, worked_s
from tests.benchmarks.mock import DurationEstimate, Server, paced_server

LANES = (8, 32, 128)
PACED = DurationEstimate(ttft_s=0.2, gap_s=0.01, tokens=50)
POURED = DurationEstimate(ttft_s=0.0, gap_s=0.0, tokens=20_000)
CASES = (*((PACED, lanes) for lanes in LANES), (POURED, 1))
QUIET = 0.05  # of one core: others may work so much while a round is measured


@dataclass(frozen=True, slots=True)
class Round:
    """One run of one contender. Spans in seconds; `cpu_s` is this process's own time on the processor.

    `others` is how many cores other processes took meanwhile.
    """

    wall_s: float
    cpu_s: float
    others: float
    tokens: int
    ttft_s: tuple[float, ...]


Found = dict[tuple[str, DurationEstimate, int], list[Round]]


async def measured(contender: Contender, server: Server, pace: DurationEstimate, lanes: int) -> Round:
    """Let `contender` ask `lanes` times at once; what others left behind is not collected in its time."""
    gc.collect()
    own = time.process_time() + worked_s(server.pid)
    busy, wall, cpu = busy_s(), time.perf_counter(), time.process_time()
    answers = await contender.run(server.url + pace.path, lanes)
    wall, cpu, busy = time.perf_counter() - wall, time.process_time() - cpu, busy_s() - busy
    own = time.process_time() + worked_s(server.pid) - own
    assert len({answer.text for answer in answers}) == 1, "the lanes got different answers"
    others = max(busy - own, 0.0) / wall
    return Round(wall, cpu, others, pace.tokens * lanes, tuple(answer.ttft_s for answer in answers))


@asynccontextmanager
async def open_contenders(server: Server) -> AsyncIterator[dict[str, Contender]]:
    """All contenders, each with connections for all lanes, in a process that has settled as a served one does."""
    async with AsyncExitStack() as stack:
        contenders = {name: await stack.enter_async_context(open_one()) for name, open_one in CONTENDERS.items()}
        settle()
        yield contenders


async def all_rounds(server: Server, count: int, tries: int) -> Found:
    """`count` rounds of every contender in every case, in turn, so that what disturbs the machine meets all."""
    found: Found = {}
    async with open_contenders(server) as contenders:
        for pace, lanes in CASES:
            for contender in contenders.values():
                await measured(contender, server, pace, lanes)
            for number in range(tries):
                if number >= count and all(quiet(found[name, pace, lanes], count) for name in contenders):
                    break
                for name, contender in contenders.items():
                    progress(f"{lanes:3} lanes, round {number + 1}, {name}")
                    found.setdefault((name, pace, lanes), []).append(await measured(contender, server, pace, lanes))
    return {case: sorted(rounds, key=lambda each: each.others)[:count] for case, rounds in found.items()}


def quiet(rounds: list[Round], count: int) -> bool:
    """Whether enough of the rounds were left alone by other processes."""
    return sum(each.others <= QUIET for each in rounds) >= count


def progress(text: str) -> None:
    """Tell a person at a terminal what is being done."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:60}")


def typical(rounds: list[Round], figure: Callable[[Round], float]) -> float:
    """The median of `figure` over the rounds."""
    return median(figure(each) for each in rounds)


def added_ms(percentile: int) -> Callable[[Round], float]:
    """The percentile of the time to first token beyond the server's own, in milliseconds."""
    return lambda each: (quantiles(each.ttft_s, n=100, method="inclusive")[percentile - 1] - PACED.ttft_s) * 1000


def cpu_us(each: Round) -> float:
    """Microseconds of CPU a token."""
    return each.cpu_s / each.tokens * 1e6


def table(found: Found) -> Iterator[str]:
    """The lines of the table, in Markdown."""
    yield "| lanes | client | wall / ideal | added TTFT p50 | p95 | CPU µs a token |"
    yield "|---:|---|---:|---:|---:|---:|"
    for (name, pace, lanes), rounds in found.items():
        cpu = f"{typical(rounds, cpu_us):.1f}"
        if pace is PACED:
            ratio = typical(rounds, lambda each: each.wall_s) / PACED.ideal_s
            p50, p95 = (f"{typical(rounds, added_ms(part)):.1f} ms" for part in (50, 95))
            yield f"| {lanes} | {name} | {ratio:.3f} | {p50} | {p95} | {cpu} |"
        else:
            yield f"| 1, {pace.tokens:,} tokens | {name} | – | – | – | {cpu} |"


def circumstances(found: Found, rounds: int) -> Iterator[str]:
    """What was measured, where and when."""
    yield f"A lane: first token after 200 ms, 50 tokens at 10 ms, ideal {PACED.ideal_s:.3f} s; medians of {rounds}."
    yield f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, openai {version('openai')}, "
    yield f"{datetime.now(UTC).date().isoformat()}."
    others = [typical(each, lambda one: one.others) for each in found.values()]
    yield f"Other processes took {median(others):.2f} cores meanwhile, {max(others):.2f} in the worst row."


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description="Many lanes at once, beside a peer and the floor.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each case that count (5)")
    parser.add_argument("--tries", type=int, default=15, help="rounds of each case at most, on a busy machine (15)")
    asked = parser.parse_args()
    with paced_server() as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(all_rounds(server, asked.rounds, max(asked.rounds, asked.tries)))
    sys.stdout.write("\n".join([*circumstances(found, asked.rounds), "", *table(found), ""]))


if __name__ == "__main__":
    main()
