"""Running `lf` as people do: in a process of its own, with pipes or in a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

HEAD = "version: v1\nname: p\nnamespace: n\nruntime:\n  models:\n"
COMMAND = (sys.executable, "-c", "from llamafarm.cli import main; main()")


def written(folder: Path, text: str) -> Path:
    """`text` as the project file of `folder`."""
    path = folder / "llamafarm.yaml"
    path.write_text(text)
    return path


def entry(name: str, url: str, **settings: Any) -> str:
    """A named model at an OpenAI-compatible server, as a line of a project file (JSON is YAML)."""
    fields = {"name": name, "provider": "openai", "model": f"{name}-id", "base_url": f"{url}/v1"} | settings
    return f"    - {json.dumps(fields)}\n"


def lf(*arguments: str, folder: Path, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """`lf` with `given` on standard input."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, input=given, capture_output=True, timeout=60, check=False,
        env=os.environ | environment, encoding="utf-8",
    )  # fmt: skip


async def lf_async(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same beside servers that run in the test's loop."""
    return await asyncio.to_thread(lf, *arguments, folder=folder, **environment)


async def started(
    *arguments: str, folder: Path, stdout: IO[bytes] | int = asyncio.subprocess.PIPE, **environment: str
) -> asyncio.subprocess.Process:
    """`lf`, running, with pipes."""
    return await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, cwd=folder, env=os.environ | environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=stdout, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
