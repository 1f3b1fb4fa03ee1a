"""The package costs half a second to import: nobody pays who names no server."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import asyncio, sys
from llamafarm.runtime import open_runtime
from llamafarm.config import load, sample_path

async def main():
    async with open_runtime() as runtime:
        await runtime.tools.offer(load(sample_path("embedded")).project, [])

asyncio.run(main())
assert not {"mcp", "mcp_types"} & set(sys.modules)
"""


def test_mcp_is_imported_with_the_first_server_only() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True, timeout=60)
