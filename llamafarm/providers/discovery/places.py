"""Where servers usually listen, after the documentation of each."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from llamafarm.config.profiles import PROFILES


@dataclass(frozen=True, slots=True)
class Place:
    """A server's usual port, the path of its list of models, and the path under which its models are asked.

    Several may share a port; then the first one whose list has models is it.
    """

    port: int
    server: str
    provider: str
    listing: str
    path: str = ""


def _port(provider: str) -> int:
    """The port of a provider's own address."""
    return urlsplit(PROFILES[provider].address).port or 0


PLACES = (
    Place(_port("ollama"), "Ollama", "ollama", "/api/tags"),
    Place(_port("universal"), "Universal runtime", "universal", "/v1/models", "/v1"),
    Place(_port("lemonade"), "Lemonade", "lemonade", "/api/v1/models", "/api/v1"),
    Place(13305, "Lemonade", "lemonade", "/api/v1/models", "/api/v1"),
    Place(1234, "LM Studio", "openai", "/api/v0/models", "/v1"),
    Place(1234, "LM Studio", "openai", "/v1/models", "/v1"),
    Place(8080, "llama.cpp", "openai", "/v1/models", "/v1"),
    Place(8000, "Lemonade", "lemonade", "/api/v1/models", "/api/v1"),
    Place(8000, "vLLM", "openai", "/v1/models", "/v1"),
    Place(30000, "SGLang", "openai", "/v1/models", "/v1"),
    Place(12434, "Docker Model Runner", "openai", "/engines/v1/models", "/engines/v1"),
    Place(1337, "Jan", "openai", "/v1/models", "/v1"),
    Place(4891, "GPT4All", "openai", "/v1/models", "/v1"),
    Place(5001, "KoboldCpp", "openai", "/v1/models", "/v1"),
)
HOSTS = ("127.0.0.1", "[::1]")
