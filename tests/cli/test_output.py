"""Files that commands write: never over what they read, and whole or not at all."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from llamafarm.cli.asking.find import listed
from llamafarm.config.samples import sample_path
from llamafarm.core.files import replacing, replacing_in_thread, same_file
from tests.cli.conftest import Run

PROMPTS = "prompt,x\nHi,1\n"
PROJECT = "runtime: {models: [{name: m, provider: ollama, model: x, base_url: 'http://127.0.0.1:9'}]}\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "llamafarm.yaml").write_text(PROJECT)
    (tmp_path / "mine.csv").write_text(PROMPTS)
    return tmp_path


@pytest.mark.parametrize("way", ["mine.csv", "./mine.csv", "link.csv", "hard.csv", "sub/../mine.csv", "absolute"])
def test_a_batch_never_writes_over_its_prompts(here: Path, run: Run, way: str) -> None:
    (here / "sub").mkdir()
    (here / "link.csv").symlink_to("mine.csv")
    os.link(here / "mine.csv", here / "hard.csv")
    done = run("batch", "mine.csv", "-y", "--out", str(here / "mine.csv") if way == "absolute" else way)
    assert done.code == 2
    assert "which is read here" in done.notes
    assert (here / "mine.csv").read_text() == PROMPTS


@pytest.mark.parametrize(
    "command",
    [
        ("history", "export", "--format", "csv", "--output"),
        ("history", "export", "-o"),
        ("report", "latest", "--out"),
        ("batch", "mine.csv", "-y", "--out"),
    ],
)
def test_no_command_writes_over_a_project_file(here: Path, run: Run, command: tuple[str, ...]) -> None:
    (here / "link.csv").symlink_to("llamafarm.yaml")
    for out in ("link.csv", "llamafarm.yaml"):
        if command[0] == "batch" and out.endswith("yaml"):
            continue
        done = run(*command, out)
        assert done.code == 2
        assert "name another file" in done.notes
    assert (here / "llamafarm.yaml").read_text() == PROJECT


def test_the_history_is_never_written_over(here: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LF_DATABASE_URL", f"sqlite:///{here / 'kept.csv'}")
    run("history", "list")
    before = (here / "kept.csv").read_bytes()
    assert run("history", "export", "-o", "kept.csv").code == 2
    assert run("report", "latest", "-o", str(here / "kept.csv")).code == 2
    assert (here / "kept.csv").read_bytes()[:16] == before[:16] == b"SQLite format 3\0"


def test_init_leaves_a_link_to_a_sample_alone(tmp_path: Path, run: Run) -> None:
    before = sample_path("basic").read_bytes()
    (tmp_path / "llamafarm.yaml").symlink_to(sample_path("basic"))
    assert run("init", "basic", "--force").code == 2
    assert sample_path("basic").read_bytes() == before


@pytest.mark.parametrize("old", [None, b"old"])
def test_what_was_interrupted_leaves_the_old_file_whole(tmp_path: Path, old: bytes | None) -> None:
    path = tmp_path / "out.csv"
    if old is not None:
        path.write_bytes(old)
        path.chmod(0o640)
    for error in (OSError("disk"), KeyboardInterrupt(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            _interrupted(path, old, error)
    assert [each.name for each in tmp_path.iterdir()] == ([] if old is None else ["out.csv"])
    with replacing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == (0o640 if old is not None else 0o666 & ~_umask())


def _interrupted(path: Path, old: bytes | None, error: BaseException) -> None:
    with replacing(path) as file:
        file.write(b"half")
        file.flush()
        assert (path.read_bytes() if path.exists() else None) == old
        raise error


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(b"old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    with replacing(tmp_path / "link.csv") as file:
        file.write(b"new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    with replacing(tmp_path / "pipe") as file:
        file.write(b"told")
    reader.join()
    assert read == [b"told"]


async def test_the_event_loop_s_way_does_the_same(tmp_path: Path) -> None:
    path = tmp_path / "out"
    async with replacing_in_thread(path) as file:
        file.write(b"new")

    async def half() -> None:
        async with replacing_in_thread(path) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await half()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out"]  # noqa: PTH208 - the only file, and no loop waits here


def test_files_that_are_not_there_are_the_same_by_their_way(tmp_path: Path) -> None:
    assert same_file(tmp_path / "a", tmp_path / "b" / ".." / "a")
    assert not same_file(tmp_path / "a", tmp_path / "A")
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    assert not same_file(tmp_path / "x", tmp_path / "z")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a,b"], ["a", "b"]),
        (["a", "b"], ["a", "b"]),
        (["a, b", "c"], ["a", "b", "c"]),
        (["x,y", "b"], ["x,y", "b"]),
        ([",", " "], []),
    ],
)
def test_names_come_with_commas_or_one_by_one(given: list[str], names: list[str]) -> None:
    assert listed(given, ["x,y"]) == names


def test_excel_is_for_csv(here: Path, run: Run) -> None:
    for arguments in (("batch", "mine.csv", "--excel"), ("history", "export", "--excel")):
        done = run(*arguments)
        assert done.code == 2
        assert "Excel reads CSV" in done.notes
