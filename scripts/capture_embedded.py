"""Capture what the embedded server sends: `uv run scripts/capture_embedded.py`.

Writes the bytes of one streamed answer, one whole answer and one refusal to tests/providers/fixtures, as
they came off the wire, without the HTTP framing.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx

from llamafarm.providers.embedded.llama_cpp import model_file, start, stop

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "providers" / "fixtures"
MESSAGES = [{"role": "user", "content": "Name three colours of a rainbow, each with its emoji 🌈."}]
BODY = {"messages": MESSAGES, "max_tokens": 24, "seed": 1, "temperature": 0}
STREAM = {"stream": True, "stream_options": {"include_usage": True}, "timings_per_token": True}


async def main() -> None:
    """Ask thrice and write the answers down."""
    server = await start(model_file("smollm2-135m-instruct"))
    asked = {
        "embedded_stream.sse": BODY | STREAM,
        "embedded_whole.json": BODY,
        "embedded_too_long.json": {"messages": [{"role": "user", "content": "llama " * 20_000}]},
    }
    async with httpx.AsyncClient(
        base_url=server.address, headers={"Authorization": f"Bearer {server.key}"}, timeout=120
    ) as client:
        for name, body in asked.items():
            answer = await client.post(
                "/v1/chat/completions", content=json.dumps(body), headers={"Connection": "close"}
            )
            # The server names its model by the file's path, which is this machine's own.
            folder = str(model_file("smollm2-135m-instruct").parent).encode()
            (FOLDER / name).write_bytes(answer.content.replace(folder, b"/models"))
            print(name, answer.status_code, len(answer.content), "bytes")
    await stop(server)


if __name__ == "__main__":
    asyncio.run(main())
