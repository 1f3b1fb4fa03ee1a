"""Holds one embedded model: `python -m llamafarm.providers.embedded.llama_process FILE PLACES CONTEXT`.

It is one of its own because loading a model holds Python's lock for as long as it takes: in the playground's own
process every other lane, every clock and the Stop button would stand still. And what native code breaks, such as
memory that runs out, ends this process alone.

The first line of its input is the key that it asks of callers. It answers with one line of JSON, {"address": URL}
or {"error": why}, and serves until its input ends: so it goes with the process that started it, however that went.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xllamacpp


def serve(path: str, key: str, *, places: int, context: int) -> xllamacpp.Server:
    """A running server of the model at `path` on loopback, with `places` of `context` tokens each.

    Raises ImportError without xllamacpp, RuntimeError where the model can't be loaded. It stops when it is let go of.
    """
    import xllamacpp  # noqa: PLC0415 - a missing package is told to the process that asked

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.cors_origins = "http://localhost"
    params.ui = False
    params.verbosity = 0
    params.n_parallel = places
    params.n_ctx = places * context
    # All cores but one: with every core busy the answers stall for seconds as soon as anything else runs.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 2) - 1)
    return xllamacpp.Server(params)


def main() -> None:
    """Serve the model that the arguments name until the input ends."""
    path, places, context = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what llama.cpp may print is no answer
    key = sys.stdin.readline().strip()
    server = None
    try:
        server = serve(path, key, places=int(places), context=int(context))
        told = {"address": server.listening_address}
    except (ImportError, RuntimeError) as error:
        told = {"error": str(error)}
    print(json.dumps(told), file=answers, flush=True)
    sys.stdin.read()
    del server


if __name__ == "__main__":
    main()
