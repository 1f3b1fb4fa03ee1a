"""A batch beside other programs: `uv run python -m tests.benchmarks.batch`. Writes a Markdown table.

200 prompts to each of 4 models, 32 calls at once, on a server with a known time line: first token after 50 ms, 20
tokens at 2 ms. Each program is a process of its own on the first core, the server has the second. A first run, which
is not counted, fills caches. Wall, CPU and peak memory are those of the whole process, from its start to its end.
"job" is what the program itself tells of the calls alone. `--only` names contenders by their start.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.benchmarks.batch.contenders import CONTENDERS, Prepare, environment_of
from tests.benchmarks.batch.job import AT_ONCE, CALLS, IDEAL_S, MODELS, PACE, PROMPTS
from tests.benchmarks.machine import busy_s, pin, processor, worked_s
from tests.benchmarks.mock import Server, paced_server

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Round:
    """One run. Spans in seconds; `others` is how many cores other processes took meanwhile."""

    wall_s: float
    cpu_s: float
    memory_mb: float
    others: float
    job_s: float | None


def measured(prepare: Prepare, folder: Path, server: Server) -> Round:
    """Run a program once, in a new folder. Raises RuntimeError where it fails."""
    folder.mkdir()
    command = prepare(folder, server.url + PACE.path)
    with (folder / "out").open("w+b") as out, (folder / "errors").open("w+b") as errors:
        busy, own, began = busy_s(), worked_s(server.pid), time.perf_counter()
        process = subprocess.Popen(command.line, cwd=folder, env=environment_of(command), stdout=out, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall, cpu = time.perf_counter() - began, used.ru_utime + used.ru_stime
        others = max(busy_s() - busy - cpu - (worked_s(server.pid) - own), 0.0) / wall
        out.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(f"exit code {process.returncode}: {errors.read()[-500:].decode('utf-8', 'replace')}")
        return Round(wall, cpu, used.ru_maxrss / 1024, others, _job_s(out.read()))


def _job_s(out: bytes) -> float | None:
    """What `lf batch --json` tells of the time from the first call to the last; checks that all were answered."""
    told = None
    with suppress(ValueError):
        told = json.loads(out)
    if not isinstance(told, dict):
        return None
    assert sum(model["answered"] for model in told["models"]) == CALLS
    return float(told["elapsed_s"])


def lines(found: dict[str, list[Round]]) -> Iterator[str]:
    """The table, in Markdown."""
    yield "| program | job / ideal | whole process | wall / ideal | CPU | peak memory |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, rounds in found.items():
        jobs = [each.job_s for each in rounds if each.job_s is not None]
        job = f"{median(jobs) / IDEAL_S:.2f}" if jobs else "–"
        wall, cpu = median(each.wall_s for each in rounds), median(each.cpu_s for each in rounds)
        memory = median(each.memory_mb for each in rounds)
        yield f"| {name} | {job} | {wall:.2f} s | {wall / IDEAL_S:.2f} | {cpu:.2f} s | {memory:.0f} MB |"


def circumstances(found: dict[str, list[Round]], rounds: int) -> Iterator[str]:
    """What was measured, where and when."""
    yield f"{PROMPTS} prompts × {MODELS} models, {AT_ONCE} at once, ideal {IDEAL_S:.2f} s; medians of {rounds}."
    yield f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
    yield f"{datetime.now(UTC).date().isoformat()}."
    others = [median(each.others for each in rounds) for rounds in found.values()]
    yield f"Other processes took {median(others):.2f} cores meanwhile, {max(others):.2f} in the worst row."


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.batch", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="starts of contenders' names; all, where none is given")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of each that count ({ROUNDS})")
    asked = parser.parse_args()
    found: dict[str, list[Round]] = {}
    pin(0)
    with paced_server() as server, tempfile.TemporaryDirectory(prefix="lf-batch-") as base:
        for number in range(asked.rounds + 1):
            for at, (name, prepare) in enumerate(CONTENDERS.items()):
                if asked.only and not any(name.lower().startswith(start.lower()) for start in asked.only):
                    continue
                sys.stderr.write(f"round {number}, {name} …\n")
                try:
                    each = measured(prepare, Path(base) / f"{number}-{at}", server)
                except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                    sys.stderr.write(f"{name} is left out: {error}\n")
                    continue
                if number:
                    found.setdefault(name, []).append(each)
    if found:
        print("\n".join([*circumstances(found, asked.rounds), "", *lines(found), ""]))


if __name__ == "__main__":
    main()
