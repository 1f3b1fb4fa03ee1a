"""The documentation's own examples of the API, run as they are written but for the port."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from llamafarm.config import sample_path
from tests.pages import API, blocks
from tests.server.api.test_documentation import DOCUMENTED_PORT, lf_serve, port_to_use, start

EXAMPLES = API.text[: API.text.index("## Chat completions")]


async def shell(script: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        "sh", "-euc", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.timeout(240)
async def test_the_examples_run() -> None:
    port = port_to_use()
    python, curl = blocks("python", EXAMPLES), [text for text in blocks("sh", EXAMPLES) if "curl" in text]
    assert (len(python), len(curl)) == (2, 1)
    async with lf_serve(sample_path("embedded"), port):
        for text in python:
            process = await start("-c", text.replace(f":{DOCUMENTED_PORT}/", f":{port}/"))
            output, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            assert output.strip()
        if shutil.which("curl"):
            code, said = await shell(curl[0].replace(f":{DOCUMENTED_PORT}/", f":{port}/"))
            assert code == 0, said
            for words in ('"id":"expert"', '"complexity"', "event: done"):
                assert words in said.replace(": ", ":").replace("event:", "event: ")
