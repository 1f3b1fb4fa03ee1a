"""The programs that do the job, each as a command line in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.batch.job import AT_ONCE, write_ours, write_promptfoo

ROOT = Path(__file__).resolve().parents[3]
LF = ("-c", "from llamafarm.cli import main; main()")
PROMPTFOO = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    "PROMPTFOO_SELF_HOSTED": "1",
}


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, and with which variables of the environment beside this process's own."""

    line: Sequence[str]
    environment: dict[str, str]


Prepare = Callable[[Path, str], Command]


def _python(folder: Path, *arguments: str, **environment: str) -> Command:
    """A Python program as people run it: with its bytecode cached."""
    return Command(
        (sys.executable, *arguments), {"PYTHONPYCACHEPREFIX": str(folder.parent / "bytecode"), **environment}
    )


def ours(folder: Path, base_url: str) -> Command:
    """`lf batch` as it comes: recorded, in SQLite."""
    write_ours(folder, base_url)
    arguments = ("batch", "prompts.csv", "-c", "llamafarm.json", "--concurrency", str(AT_ONCE), "-y", "--json")
    return _python(folder, *LF, *arguments, LF_DATA_DIR=str(folder / "data"), LF_DATABASE_URL="")


def unrecorded(folder: Path, base_url: str) -> Command:
    """The same without a history."""
    command = ours(folder, base_url)
    return Command(command.line, command.environment | {"LF_DATABASE_URL": "off"})


def package(folder: Path, base_url: str) -> Command:
    """A plain script with the openai package."""
    return _python(folder, "-m", "tests.benchmarks.batch.plain_openai", base_url, PYTHONPATH=str(ROOT))


def promptfoo(folder: Path, base_url: str) -> Command:
    """promptfoo, which is installed by npm for the run."""
    home = folder.parent / "promptfoo-package"
    if not home.exists():
        subprocess.run((_found("npm"), "install", "--silent", "--prefix", str(home), "promptfoo"), check=True)
    write_promptfoo(folder, base_url)
    line = (
        str(home / "node_modules" / ".bin" / "promptfoo"), "eval", "-c", "promptfooconfig.json", "-j", str(AT_ONCE),
        "--no-cache", "--no-table", "--no-progress-bar",
    )  # fmt: skip
    return Command(line, PROMPTFOO | {"PROMPTFOO_CONFIG_DIR": str(folder / "home")})


def inspect(folder: Path, base_url: str) -> Command:
    """inspect_ai, in an environment of its own that uv keeps."""
    packages = [part for name in ("inspect-ai", "openai", "uvloop") for part in ("--with", name)]
    line = (
        _found("uv"), "run", "--quiet", "--no-project", "--python", sys.executable, *packages,
        "python", "-m", "tests.benchmarks.batch.inspect_job", base_url, str(folder / "logs"),
    )  # fmt: skip
    return Command(line, {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder.parent / "inspect-bytecode")})


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise RuntimeError(f"{program} is not installed")
    return path


CONTENDERS: dict[str, Prepare] = {
    "lf batch, recorded": ours,
    "lf batch, no history": unrecorded,
    "plain openai script": package,
    "promptfoo": promptfoo,
    "inspect_ai": inspect,
}


def environment_of(command: Command) -> dict[str, str]:
    """The environment of a program: this one's, but that bytecode may be written."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | command.environment
