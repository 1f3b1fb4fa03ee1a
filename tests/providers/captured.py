"""Bytes that real servers sent, as they went over the wire: the answers of `fixtures/captured`.

Taken in November 2026 with SmolLM2-135M-Instruct: vLLM 0.32, llama.cpp's server, LiteLLM 1.106.12 in front of it,
`transformers serve` 5.19, Ollama 0.33 and 0.17.4. Keys are hidden and paths replaced.
"""

from __future__ import annotations

from pathlib import Path

from tests.faultserver.server import Exchange, Script

FIXTURES = Path(__file__).parent / "fixtures" / "captured"


def sends(name: str) -> Script:
    """A script that answers with the bytes of `name`, from the status line on."""

    async def script(exchange: Exchange) -> None:
        await exchange.send((FIXTURES / f"{name}.http").read_bytes())

    return script
