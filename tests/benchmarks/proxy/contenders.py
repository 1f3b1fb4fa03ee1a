"""Who is measured: each a process of its own on one core, in front of the same model server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.mock import DurationEstimate

LITELLM = "litellm[proxy]==1.106.12"
PATIENCE_S = 180.0
LF = "from llamafarm.cli import main; main()"
CORE = 1
KEY = "sk-benchmark"
PRICED = {"pricing": {"input": 1, "output": 2}}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contender answers at a pace: its base URL and the name of the model, by pace; its process."""

    urls: dict[DurationEstimate, tuple[str, str]]
    pid: int | None = None


@contextmanager
def direct(upstream: str, paces: Sequence[DurationEstimate]) -> Iterator[Place]:
    """The model server itself: what the others are compared with."""
    yield Place({pace: (upstream + pace.path, "m") for pace in paces})


@contextmanager
def minimal(upstream: str, paces: Sequence[DurationEstimate]) -> Iterator[Place]:
    """The pass-through of `minimal.py`."""
    port = _free_port()
    command = [sys.executable, "-m", "tests.benchmarks.proxy.minimal", upstream, str(port), str(CORE)]
    url = f"http://127.0.0.1:{port}"
    with _running(command, f"{url}/openapi.json") as process:
        yield Place({pace: (url + pace.path, "m") for pace in paces}, process.pid)


@contextmanager
def ours(upstream: str, paces: Sequence[DurationEstimate]) -> Iterator[Place]:
    """`lf serve`, as it comes: page, guards, keys, figures, prices and all."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        models = [
            {"name": _name(pace), "provider": "openai", "model": "m", "base_url": upstream + pace.path} | PRICED
            for pace in paces
        ]
        config = Path(folder) / "llamafarm.json"
        config.write_text(json.dumps({"version": "v1", "runtime": {"models": models}}))
        command = [sys.executable, "-c", LF, "serve", "--config", str(config), "--port", str(port)]
        url = f"http://127.0.0.1:{port}"
        with _running(command, f"{url}/health", LF_API_KEYS=KEY) as process:
            yield Place({pace: (f"{url}/v1", _name(pace)) for pace in paces}, process.pid)


@contextmanager
def litellm(upstream: str, paces: Sequence[DurationEstimate]) -> Iterator[Place]:
    """LiteLLM's proxy, one worker, without its database, logs off; in an environment of its own."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "venv"
        for step in (("venv", "--python", sys.executable, home), ("pip", "install", "--python", home, LITELLM)):
            # In a folder of its own, since uv would hold it to this project's versions.
            subprocess.run(["uv", *step, "--quiet"], check=True, cwd=folder)  # noqa: S607 - the uv that runs this
        models = [
            {
                "model_name": _name(pace),
                "litellm_params": {"model": "openai/m", "api_base": upstream + pace.path, "api_key": "none"},
            }
            for pace in paces
        ]
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
        program = [str(home / "bin/litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        url = f"http://127.0.0.1:{port}"
        with _running([*program, "--num_workers", "1"], f"{url}/health/liveliness") as process:
            yield Place({pace: (f"{url}/v1", _name(pace)) for pace in paces}, process.pid)


CONTENDERS: dict[str, Callable[[str, Sequence[DurationEstimate]], AbstractContextManager[Place]]] = {
    "the model server itself": direct,
    "minimal pass-through": minimal,
    "LlamaFarm Playground": ours,
    LITELLM: litellm,
}


def _name(pace: DurationEstimate) -> str:
    return pace.path.strip("/").replace("/", "-")


@contextmanager
def _running(command: list[str], ready: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`command` on its core, once `ready` answers."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, {CORE}),  # noqa: PLW1509 - no threads run yet
        )
        try:
            _wait(process, ready)
            yield process
        finally:
            process.terminate()
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - this machine
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} does not answer")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
