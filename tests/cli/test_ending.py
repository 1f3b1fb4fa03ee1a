"""How commands end that are not let finish: pipes that close, full disks, signals that come twice, terminals that go."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import COMMAND, HEAD, entry, started, written
from tests.cli.test_serve import running
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, plays, said

PATIENCE_S = 60
COMMANDS = (
    "--help",
    "--version",
    "chat --help",
    "chat --curl Hi",
    "chat Hi",
    "chat --json Hi",
    "compare Hi",
    "compare --json Hi",
    "sweep -y --values 0 --repeats 1 Hi",
    "sweep -y --values 0 --repeats 1 --json Hi",
    "batch p.csv -y",
    "batch p.csv -y --json",
    "route Hi",
    "models list",
    "models list --json",
    "models check",
    "history list",
    "history list --json",
    "history search Hi",
    "history runs",
    "history show ID",
    "history show ID --json",
    "history diff ID ID",
    "history export",
    "history export --format csv",
    "history export --format markdown",
    "history rerun ID",
    "history delete ID --yes",
    "report ID --out r.html",
    "validate llamafarm.yaml",
    "validate llamafarm.yaml --json",
    "init",
    "serve --help",
    "nonsense",
    "validate missing.yaml",
)


@pytest.fixture
def kept(tmp_path: Path, run: Run, serve: Serve) -> str:
    """A project, a file of prompts, and the id of a comparison in the history."""
    written(tmp_path, HEAD + entry("m", serve(plays("openai", answer("openai", "Yes."))).url))
    (tmp_path / "p.csv").write_text("prompt\nHi\n")
    found: str = json.loads(run("compare", "--json", "Hi").text)["id"]
    return found


def into(sink: int, command: str, folder: Path, *, notes: int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *command.split()], cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=notes,
        timeout=PATIENCE_S, check=False, env=os.environ | {"TERM": "dumb"},
    )  # fmt: skip


@pytest.fixture
def deaf_pipe() -> int:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


NOTHING_TO_TELL = ("nonsense", "validate missing.yaml", "init", "history delete ID --yes")  # there


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_whose_reader_has_gone_ends_in_silence(
    tmp_path: Path, kept: str, deaf_pipe: int, command: str
) -> None:
    done = into(deaf_pipe, command.replace("ID", kept), tmp_path)
    os.close(deaf_pipe)
    told = done.stderr.decode()
    assert done.returncode == 141 or (command in NOTHING_TO_TELL and done.returncode in (0, 2)), told
    for word in ("Traceback", "BrokenPipe", "Broken pipe", "Exception ignored"):
        assert word not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_that_the_disk_is_full(tmp_path: Path, kept: str, command: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = into(full, command.replace("ID", kept), tmp_path)
    os.close(full)
    told = done.stderr.decode()
    for word in ("Traceback", "Exception ignored"):
        assert word not in told
    if command in NOTHING_TO_TELL and done.returncode in (0, 2):
        return
    assert done.returncode == 1
    assert "can't be written: No space left on device." in told


@pytest.mark.parametrize("command", ["compare Hi", "batch p.csv -y", "models list", "history list", "nonsense"])
def test_a_reader_of_both_streams_may_go(tmp_path: Path, kept: str, deaf_pipe: int, command: str) -> None:
    assert kept
    assert into(deaf_pipe, command, tmp_path, notes=deaf_pipe).returncode == 141
    os.close(deaf_pipe)


# --- signals

STORY = plays("openai", [said("openai", "Once upon")], then="hang")
STOPPED = {
    "chat": ("chat", "--json", "Tell me a story"),
    "compare": ("compare", "--json", "Tell me a story"),
    "sweep": ("sweep", "-y", "--json", "--values", "0", "--repeats", "1", "Tell me a story"),
    "batch": ("batch", "p.csv", "-y", "--json"),
}


@pytest.mark.parametrize("name", STOPPED)
@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((signal.SIGHUP,), 129),
        ((signal.SIGTERM, signal.SIGTERM), 143),
        ((signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM), 143),
    ],
)
async def test_signals_that_come_together_are_one_wish(
    tmp_path: Path, name: str, numbers: tuple[signal.Signals, ...], code: int
) -> None:
    async with FaultServer(STORY) as server:
        written(tmp_path, HEAD + entry("m", server.url))
        (tmp_path / "p.csv").write_text("prompt\nTell me a story\n")
        process = await started(*STOPPED[name], folder=tmp_path)
        await asyncio.wait_for(server.arrived.wait(), PATIENCE_S)
        for number in numbers:
            process.send_signal(number)
        told, notes = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        await asyncio.wait_for(server.requests[0].gone.wait(), PATIENCE_S)
    assert process.returncode in (code, 128 + numbers[-1], *(128 + each for each in numbers)), notes
    assert json.loads(told), "what had come is told"
    assert b"Traceback" not in notes


async def test_a_terminal_that_goes_stops_nothing_under_nohup(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with FaultServer(plays("openai", [said("openai", "Once "), gate, *answer("openai", "more")])) as server:
        written(tmp_path, HEAD + entry("m", server.url))
        process = await asyncio.create_subprocess_exec(
            "nohup", *COMMAND, "chat", "Hi", cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readexactly(5) == b"Once "
        process.send_signal(signal.SIGHUP)
        gate.set()
        rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"more\n")


@pytest.mark.parametrize(
    "numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGHUP,), (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
)
async def test_a_server_that_is_told_twice_loses_nothing(
    tmp_path: Path, numbers: tuple[signal.Signals, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LF_DATA_DIR", str(tmp_path / "data"))
    async with FaultServer(STORY) as server:
        written(tmp_path, HEAD + entry("m", server.url))
        command = ("-c", "from llamafarm.cli import main; main()", "serve", "-c", "llamafarm.yaml", "--port", "0")
        with running(*command, folder=tmp_path) as (process, url):
            async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
                body = {"messages": [{"role": "user", "content": "Hi"}]}
                async with client.stream("POST", "/v1/projects/n/p/compare", json=body) as stream:
                    lines = stream.aiter_lines()
                    async for line in lines:
                        if "Once upon" in line:
                            break
                    for number in numbers:
                        process.send_signal(number)
                    rest = [line async for line in lines]
            code = await asyncio.to_thread(process.wait, PATIENCE_S)
            assert process.stderr is not None
            assert (code, "Traceback" in process.stderr.read()) == (0, False)
    assert "event: error" in rest
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", COMMAND[-1], "history", "list", "--json"],
        capture_output=True,
        check=True,
    )
    (comparison,) = json.loads(done.stdout)["comparisons"]
    (lane,) = comparison["lanes"]
    assert lane["status"] == "stopped"
