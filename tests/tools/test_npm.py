"""The real file server of npm, over stdio through npx, as projects name it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from llamafarm.config.model import McpServer
from tests.tools.helpers import calling


@pytest.fixture
def npx() -> str:
    found = shutil.which("npx")
    if found is None:
        reason = "npx is not installed: it comes with Node"
        if os.environ.get("LF_REQUIRE_NPX"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


async def test_the_file_server_reads_its_folder_and_nothing_else(npx: str, tmp_path: Path) -> None:
    (tmp_path / "llamas.txt").write_text("Llamas eat hay.")
    server = McpServer(
        name="filesystem",
        transport="stdio",
        command="npx",
        args=("-y", "@modelcontextprotocol/server-filesystem", "."),
        folder=tmp_path,
    )
    async with calling(server) as call:
        assert {"read_text_file", "list_directory", "write_file"} <= set(await call.names())
        assert "Llamas eat hay." in (await call("read_text_file", path=str(tmp_path / "llamas.txt"))).text
        assert "llamas.txt" in (await call("list_directory", path=str(tmp_path))).text
        outside = await call("read_text_file", path="/etc/hostname")
        assert outside.is_error
        assert "denied" in outside.text.lower()
        assert (await call("read_text_file")).is_error
