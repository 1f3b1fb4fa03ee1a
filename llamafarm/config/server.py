"""Which server a named model runs on: what several models share where they slow each other. Pure."""

from __future__ import annotations

from functools import lru_cache

from llamafarm.config.model import NamedModel
from llamafarm.config.profiles import profile_of
from llamafarm.config.trust import origin
from llamafarm.core.addresses import LOOPBACK, host_of, is_loopback
from llamafarm.core.conditions import THIS_MACHINE


def server_of(model: NamedModel) -> str:
    """The server that answers for `model`: the origin of its address, or `this machine`.

    Embedded models, and Ollama, Lemonade and LlamaFarm's Universal runtime at a loopback address, all use this
    machine's processor and memory. Of other addresses the path does not count, nor whether localhost is written as a
    number.
    """
    return _server(model.provider, model.base_url or "")


@lru_cache(maxsize=1024)
def _server(provider: str, base_url: str) -> str:
    profile = profile_of(provider)
    if profile.embedded or (profile.runs_models and is_loopback(host_of(base_url))):
        return THIS_MACHINE
    address = origin(base_url)
    for spelt in LOOPBACK:
        address = address.replace(f"://{spelt}:", "://localhost:")
    return address
