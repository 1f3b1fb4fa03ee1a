"""What a cold process measures, beside the truth: `uv run python -m tests.benchmarks.cold`.

Writes a Markdown table. The server is a process of its own with an exact time line, so that the error of every figure is
known: a lane's first token comes 200 ms after its request, its last 490 ms later. Each run is a new process of `lf`, or
the first comparison that a new page of a new server makes, recorded in a new history (as on anybody's first day) or in
one that is there. A run counts by its worst lane, a case by the median of its runs and by their worst.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright

from tests.benchmarks.machine import busy_s, processor
from tests.benchmarks.mock import DurationEstimate, paced_server
from tests.browser.conftest import ARGUMENTS, NAMES

PACED = DurationEstimate(ttft_s=0.2, gap_s=0.01, tokens=50)
LANES = (1, 8, 32)
GOALS_MS = {1: 5, 8: 5, 32: 15}
NEVER_MS = 25
ADDRESS = re.compile(r"http://[^\s]+")
LF = (sys.executable, "-c", "from llamafarm.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Case:
    """What is run: its name, how many lanes, and whether its history is new each time."""

    name: str
    lanes: int
    fresh: bool
    run: Callable[[Path, Mapping[str, str]], list[Mapping[str, Any]]]


def errors_ms(timings: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The worst lane's error of TTFT and of total, in milliseconds."""
    ttft = max(abs(each["ttft_s"] - PACED.ttft_s) for each in timings)
    total = max(abs(each["total_s"] - PACED.ideal_s) for each in timings)
    return ttft * 1000, total * 1000


def lf(*arguments: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What a new process of `lf` writes."""
    return subprocess.run(
        [*LF, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True, text=True
    ).stdout  # fmt: skip


def chat(folder: Path, environment: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """`lf chat --json`."""
    return [json.loads(lf("chat", "--json", "hi", folder=folder, environment=environment))["timings"]]


def compare(folder: Path, environment: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """`lf compare --json`."""
    whole = json.loads(lf("compare", "--json", "hi", folder=folder, environment=environment))
    return [lane["timings"] for lane in whole["lanes"]]


def page(folder: Path, environment: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The first comparison of a new server's first page; its figures are those that it recorded."""
    with served(folder, environment) as address, sync_playwright() as playwright:
        path = next(found for name in NAMES if (found := shutil.which(name)))
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        shown = browser.new_page()
        shown.goto(address)
        shown.locator("#prompt textarea").fill("hi")
        shown.locator("#send").click()
        shown.wait_for_function("document.querySelectorAll('.lf-table .lf-pill.lf-done').length > 0")
        shown.wait_for_function("!document.querySelector('.lf-table .lf-running')")
        browser.close()
    told = lf("history", "export", "--format", "jsonl", folder=folder, environment=environment)
    newest = json.loads(told.splitlines()[0])
    return [lane["timings"] for lane in newest["lanes"]]


@contextmanager
def served(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of a new `lf serve`, as it prints it."""
    command = [*LF, "serve", "--config", "llamafarm.yaml", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = None
            while found is None:
                found = ADDRESS.search(process.stdout.readline())
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)


def project(folder: Path, url: str, lanes: int) -> None:
    """A project file with `lanes` models at the paced server."""
    models = [
        {"name": f"m{number}", "provider": "openai", "model": "m", "base_url": url + PACED.path, "api_key": "k"}
        for number in range(lanes)
    ]
    (folder / "llamafarm.yaml").write_text(json.dumps({"runtime": {"models": models}}), encoding="utf-8")


def cases() -> Iterator[Case]:
    """All of them, each with a history that is there and with a new one."""
    for fresh in (False, True):
        yield Case("lf chat", 1, fresh, chat)
        for lanes in LANES:
            yield Case("lf compare", lanes, fresh, compare)
    yield Case("first comparison of a page", 3, fresh=False, run=page)
    yield Case("first comparison of a page", 8, fresh=True, run=page)


def measured(case: Case, url: str, runs: int) -> list[tuple[float, float]]:
    """The errors of each run, after one that keeps the bytecode."""
    found = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, url, case.lanes)
        for number in range(runs + 1):
            data = folder / (f"data{number}" if case.fresh else "data")
            environment = {**os.environ, "LF_DATA_DIR": str(data)}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            found.append(errors_ms(case.run(folder, environment)))
            progress(f"{case.name}, {case.lanes} lanes, run {number}: {found[-1][0]:.1f} / {found[-1][1]:.1f} ms")
    return found[1:]


def progress(text: str) -> None:
    """Tell a person at a terminal what is being done."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:75}")


def row(case: Case, found: Sequence[tuple[float, float]]) -> str:
    """A line of the table: medians and worst of the worst lanes' errors."""
    ttft, total = [each[0] for each in found], [each[1] for each in found]
    goal = GOALS_MS.get(case.lanes, GOALS_MS[8])
    met = max(median(ttft), median(total)) <= goal and max(*ttft, *total) <= NEVER_MS
    history = "new" if case.fresh else "there"
    figures = f"{median(ttft):.1f} ms | {max(ttft):.1f} ms | {median(total):.1f} ms | {max(total):.1f} ms"
    return f"| {case.name} | {case.lanes} | {history} | {figures} | {goal} ms | {'met' if met else 'missed'} |"


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description="What cold processes measure, beside the truth.")
    parser.add_argument("--runs", type=int, default=10, help="processes of each case (10)")
    runs = parser.parse_args().runs
    lines: list[str] = []
    began = datetime.now(UTC)
    with paced_server() as server:
        busy = busy_s()
        lines += [row(case, measured(case, server.url, runs)) for case in cases()]
        busy = busy_s() - busy
    took = (datetime.now(UTC) - began).total_seconds()
    sys.stdout.write(
        f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {began.date().isoformat()}; "
        f"medians and worst of {runs} processes; the machine worked {busy / took:.2f} cores in all.\n\n"
        "| process | lanes | history | TTFT off, median | worst | total off, median | worst | goal | |\n"
        "|---|---:|---|---:|---:|---:|---:|---:|---|\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    main()
