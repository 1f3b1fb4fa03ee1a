"""The documentation's own two examples, unchanged, against `lf serve` as it comes."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, plays
from tests.server.api.world import config_text

# From "Multi-Model Configuration Patterns", section "Usage", "API".
EXAMPLES = """\
# Use default model
response = requests.post(
    "http://localhost:8000/v1/projects/default/my-project/chat/completions",
    json={"messages": [{"role": "user", "content": "Hello"}]}
)

# Use specific model
response = requests.post(
    "http://localhost:8000/v1/projects/default/my-project/chat/completions",
    json={
        "messages": [{"role": "user", "content": "Complex question"}],
        "model": "expert"
    }
)
"""
SHOW = """
assert response.status_code == 200, response.text
print(response.json()["model"], response.json()["choices"][0]["message"]["content"])
"""
DOCUMENTED_PORT = 8000


def port_to_use() -> int:
    """The documented port, or another where something else has it."""
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", DOCUMENTED_PORT))
        except OSError:
            sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def start(*arguments: str) -> asyncio.subprocess.Process:
    """Python with `arguments`, its output to be read."""
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def lf_serve(config: Path, port: int) -> AsyncIterator[str]:
    """`lf serve` in a process of its own; what it said first."""
    command = "from llamafarm.cli import main; main()"
    process = await start("-c", command, "serve", "--config", str(config), "--port", str(port))
    try:
        assert process.stdout is not None
        yield (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.timeout(150)
async def test_the_two_examples_run_unchanged(tmp_path: Path) -> None:
    async with FaultServer(plays("openai", answer("openai", "Llamas."))) as upstream:
        config = tmp_path / "llamafarm.json"
        config.write_text(config_text(f"{upstream.url}/v1"))
        port = port_to_use()
        async with lf_serve(config, port) as said:
            assert f"http://127.0.0.1:{port}" in said
            first, second = EXAMPLES.replace(f":{DOCUMENTED_PORT}/", f":{port}/").split("# Use specific model")
            process = await start("-c", f"import requests\n{first}{SHOW}# Use specific model{second}{SHOW}")
            output, errors = await process.communicate()
    assert output.decode().splitlines() == ["default Llamas.", "expert Llamas."], errors.decode()
    assert [seen.json()["model"] for seen in upstream.requests] == ["small", "large"]
