"""`app.py` and `lf serve` as processes: what they take, what they say, and how they end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = (
    "version: v1\nname: mine\nnamespace: x\nruntime:\n  models:\n    - {name: only-one, provider: ollama, model: m}\n"
)


@contextmanager
def running(*command: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address of the link that it prints once it is about to listen."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        link = process.stdout.readline().strip().removeprefix("LlamaFarm Playground: ")
        yield process, link.partition("/?")[0]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_app_serves_the_named_project_until_a_signal_comes(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "llamafarm.yaml").write_text(PROJECT)
    options = ("--config", "llamafarm.yaml", "--host", "127.0.0.1", "--port", "0", "--trust-uploads")
    with running(str(ROOT / "app.py"), *options, folder=tmp_path) as (process, url):
        assert not url.endswith(":0")  # the port that it got, not the one that was asked for
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            assert '"llamafarm.yaml","operator:' in client.get(f"{url}/config").text
        process.send_signal(number)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_the_pages_files_are_in_a_folder_of_its_own_that_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    monkeypatch.setenv("TMPDIR", str(shared))
    with running(str(ROOT / "app.py"), "--port", "0", folder=tmp_path) as (process, url):
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            assert client.get(f"{url}/config").status_code == 200
        assert any(each.name.startswith("lf-page-") for each in shared.iterdir())
        assert not (shared / "gradio").exists()
        assert {each.stat().st_mode & 0o777 for each in shared.iterdir() if each.is_dir()} == {0o700}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert list(shared.iterdir()) == []


def test_app_has_the_port_that_hosts_expect(tmp_path: Path) -> None:
    def told(*command: str) -> str:
        return subprocess.run(
            [sys.executable, *command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    assert "[default: 7860;" in told(str(ROOT / "app.py"))
    assert "[default: 8000;" in told("-c", "from llamafarm.cli import main; main()", "serve")


def test_app_says_what_is_wrong_with_its_options(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "app.py", "--config", "x.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lf: There is no file or folder x.yaml. Look at --config.\n"
