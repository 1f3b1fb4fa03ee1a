"""What sweeps and batches say of their keeping, where the history fails: nothing is lost without a word."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import resource
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import COMMAND, HEAD, entry, lf_async, started, written
from tests.databases import Cluster, cluster
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import answer, plays

__all__ = ["cluster"]

ROWS = 120
LONG = "grass" * 900  # one word: what is counted by words is not the matter here
says_much = plays("openai", answer("openai", LONG))


def project(folder: Path, server: FaultServer, rows: int = ROWS) -> None:
    written(folder, HEAD + entry("m", server.url))
    (folder / "p.csv").write_text("prompt\n" + "".join(f"Question {at}?\n" for at in range(rows)))


COMMANDS = {
    "batch": ("batch", "p.csv", "-y", "--json"),
    "sweep": ("sweep", "--values", "0,1", "--repeats", str(ROWS // 2), "-y", "--json", "Why?"),
}
BOTH = pytest.mark.parametrize("name", COMMANDS)


async def on_a_small_disk(*arguments: str, folder: Path) -> tuple[int | None, str, str]:
    """`lf` where no file can grow beyond 400 KB; what it ended with and said."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)),
        env=os.environ | {"LF_DATA_DIR": str(folder / "data")},
    )
    out, notes = await process.communicate()
    return process.returncode, out.decode(), notes.decode()


@BOTH
async def test_what_a_full_disk_lost_is_told_and_can_be_asked_again(tmp_path: Path, name: str) -> None:
    async with FaultServer(says_much) as server:
        project(tmp_path, server)
        code, out, notes = await on_a_small_disk(*COMMANDS[name], folder=tmp_path)
        told = json.loads(out)  # what was measured is shown in any case
        again = [name, *(("p.csv",) if name == "batch" else ()), "--resume", told["run"], "--json"]
        done = await lf_async(*again, folder=tmp_path, LF_DATA_DIR=str(tmp_path / "data"))
        asked = len(server.requests)
    assert code == 1
    assert "can't be written: the disk" in notes
    stored = int(notes.partition(" answers are stored")[0].split()[-3])
    assert 0 < stored < ROWS
    lost = f"{stored} of {ROWS} answers are stored, {ROWS - stored} are lost; to ask those again: lf {name}"
    assert lost in notes
    assert f"--resume {told['run']}" in notes.partition(lost)[2]
    assert done.returncode == 0, done.stderr
    assert asked == ROWS + ROWS - stored


async def test_a_comparison_that_is_not_kept_whole_says_so_by_its_exit_code(tmp_path: Path) -> None:
    async with FaultServer(plays("openai", answer("openai", "grass" * 200_000))) as server:
        written(tmp_path, HEAD + entry("m", server.url) + entry("n", server.url))
        code, out, notes = await on_a_small_disk("compare", "--json", "Why?", folder=tmp_path)
        kept = await lf_async("compare", "--json", "--no-record", "Why?", folder=tmp_path)
    assert {lane["status"] for lane in json.loads(out)["lanes"]} == {"done"}
    assert code == 1
    assert "can't be written: the disk" in notes
    assert kept.returncode == 0, kept.stderr


@BOTH
def test_where_the_history_cannot_be_used_nothing_is_asked(
    tmp_path: Path, run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    server = serve(says_much)
    project(tmp_path, server, rows=2)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LF_DATA_DIR", str(tmp_path / "file"))
    done = run(*COMMANDS[name])
    assert done.code == 2
    assert "can't be opened" in done.notes
    assert "Nothing was asked. --no-record asks without keeping anything." in done.notes
    assert not server.requests
    done = run(*COMMANDS[name], "--no-record")
    assert done.code == 0, done.notes
    assert json.loads(done.text)["run"] is None
    assert server.requests


def test_a_batch_that_is_not_kept_writes_no_file_from_the_history(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(says_much)
    project(tmp_path, server, rows=1)
    assert run("batch", "p.csv", "--no-record", "--out", "a.csv").code == 2
    assert run("batch", "p.csv", "--no-record", "--resume", "x").code == 2
    assert not server.requests


def test_results_are_shown_although_their_file_cannot_be_written(tmp_path: Path, run: Run, serve: Serve) -> None:
    (tmp_path / "out").mkdir()

    async def folder_goes(exchange: Exchange) -> None:
        await asyncio.to_thread(shutil.rmtree, tmp_path / "out", ignore_errors=True)
        await says_much(exchange)

    project(tmp_path, serve(folder_goes), rows=2)
    done = run("batch", "p.csv", "--json", "--out", "out/a.csv")
    assert done.code == 1
    assert "a.csv can't be written" in done.notes
    assert json.loads(done.text)["models"][0]["answered"] == 2


async def test_a_database_that_goes_away_is_told_when_it_is_over(tmp_path: Path, cluster: Cluster) -> None:
    name = f"away_{os.urandom(4).hex()}"
    url = cluster.create(name)

    async def fourth_finds_it_gone(exchange: Exchange) -> None:
        if len(server.requests) == 4:
            await asyncio.to_thread(cluster.drop, name)
        await says_much(exchange)

    async with FaultServer(fourth_finds_it_gone) as server:
        project(tmp_path, server, rows=8)
        done = await lf_async(*COMMANDS["batch"], "--concurrency", "1", folder=tmp_path, LF_DATABASE_URL=url)
    assert done.returncode == 1
    assert json.loads(done.stdout)["models"][0]["answered"] == 8
    assert "3 of 8 answers are stored, 5 are lost" in done.stderr


async def test_the_second_who_goes_on_with_a_run_is_told(tmp_path: Path) -> None:
    """Also where the first is the one that began it."""
    held = asyncio.Event()

    async def second_hangs(exchange: Exchange) -> None:
        if len(server.requests) == 2:
            held.set()
            await exchange.hang()
        else:
            await says_much(exchange)

    async with FaultServer(second_hangs) as server:
        project(tmp_path, server, rows=3)
        data = str(tmp_path / "data")
        first = await started(*COMMANDS["batch"], "--concurrency", "1", folder=tmp_path, LF_DATA_DIR=data)
        await held.wait()
        assert first.stderr is not None
        line = ""
        while "--resume" not in line:
            line = (await first.stderr.readline()).decode()
        run = line.split()[-1]
        second = await lf_async("batch", "p.csv", "--resume", run, folder=tmp_path, LF_DATA_DIR=data)
        assert second.returncode == 2
        assert f"The run {run} is under way elsewhere" in second.stderr
        assert len(server.requests) == 2
        first.kill()  # it tidies up nothing
        await first.wait()
        third = await lf_async("batch", "p.csv", "--resume", run, "--out", "a.csv", folder=tmp_path, LF_DATA_DIR=data)
        assert third.returncode == 0, third.stderr
        questions = Counter(seen.json()["messages"][-1]["content"] for seen in server.requests)
    assert questions == {"Question 0?": 1, "Question 1?": 2, "Question 2?": 1}
    with (tmp_path / "a.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
