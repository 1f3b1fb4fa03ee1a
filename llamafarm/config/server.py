"""Which server a named model runs on: what several models share where they slow each other. Pure."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

from llamafarm.config.model import NamedModel
from llamafarm.config.trust import origin
from llamafarm.core.conditions import THIS_MACHINE, host_of

RUN_MODELS = ("ollama", "lemonade", "universal")  # what stands behind an openai address may be a gateway
ALIASES = ("127.0.0.1", "::1", "[::1]")


def server_of(model: NamedModel) -> str:
    """The server that answers for `model`: the origin of its address, or `this machine`.

    Embedded models, and Ollama, Lemonade and LlamaFarm's Universal runtime at a loopback address, all use this
    machine's processor and memory. Of other addresses the path does not count, nor whether localhost is written as a
    number.
    """
    return _server(model.provider, model.base_url or "")


@lru_cache(maxsize=1024)
def _server(provider: str, base_url: str) -> str:
    if provider == "embedded" or (provider in RUN_MODELS and _is_loopback(host_of(base_url))):
        return THIS_MACHINE
    address = origin(base_url)
    for spelt in ALIASES:
        address = address.replace(f"://{spelt}:", "://localhost:")
    return address


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
