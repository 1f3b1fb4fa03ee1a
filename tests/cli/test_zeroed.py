"""Nothing is imported, opened or compiled while a lane is timed: each command has done all that it does once before."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.helpers import HEAD, entry, written
from tests.cli.terminal import Terminal
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import Protocol, answer, plays

WATCHED = ("-m", "tests.cli.zeroed")
ROOT = Path(__file__).resolve().parent.parent.parent
ITS_ROWS = "open prompts.csv"  # a batch reads its rows as it goes
COMMANDS = {
    "compare": ["compare", "hi"],
    "compare --json": ["compare", "hi", "--json"],
    "chat": ["chat", "hi"],
    "chat --json": ["chat", "hi", "--json"],
    "sweep": ["sweep", "hi", "--values", "0,1", "--repeats", "2", "--yes"],
    "batch": ["batch", "prompts.csv", "--yes"],
}


def paced(protocol: Protocol) -> Any:
    """Long enough for the history's thread to begin in mid-answer, as it did."""
    pieces: list[bytes | float | asyncio.Event] = []
    for piece in answer(protocol, "one ", "two ", "three ", "four ", "five"):
        pieces += [piece, 0.08]
    return plays(protocol, pieces)


def project(folder: Path, url: str, protocol: Protocol, lanes: int = 3) -> None:
    """Lanes whose server has a name, so that one is looked up."""
    named = url.replace("127.0.0.1", "localhost")
    settings = {"provider": protocol, "base_url": f"{named}/v1"}
    written(folder, HEAD + "".join(entry(f"m{number}", named, **settings) for number in range(lanes)))
    (folder / "prompts.csv").write_text("prompt\nhi\nhello\n")


def environment(folder: Path) -> dict[str, str]:
    return {"LF_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("protocol", ["openai", "ollama"])
@pytest.mark.parametrize("command", COMMANDS)
async def test_nothing_happens_for_the_first_time_while_lanes_run(
    command: str, protocol: Protocol, tmp_path: Path
) -> None:
    async with FaultServer(paced(protocol)) as server:
        project(tmp_path, server.url, protocol)
        process = await asyncio.create_subprocess_exec(
            sys.executable, *WATCHED, "report.json", *COMMANDS[command], cwd=tmp_path, env=os.environ | environment(tmp_path),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["lanes"] >= 1
    assert [each for each in report["late"] if each != ITS_ROWS] == []


async def test_nor_while_a_terminal_shows_them(tmp_path: Path) -> None:
    async with FaultServer(paced("openai")) as server:
        project(tmp_path, server.url, "openai")

        def watch() -> None:
            program = "import runpy; runpy.run_module('tests.cli.zeroed', run_name='__main__')"
            found = environment(tmp_path)
            arguments = ("report.json", "compare", "hi")
            with Terminal(*arguments, folder=tmp_path, program=program, columns=120, **found) as terminal:
                terminal.wait_for("Kept in the history")
                terminal.process.wait(30)

        await asyncio.to_thread(watch)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report == {"lanes": 3, "late": []}
