"""The real file server of npm, over stdio through npx, as projects name it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from llamafarm.config import load, sample_path
from llamafarm.config.model import McpServer
from llamafarm.engine.lane import Lane, Question
from llamafarm.runtime import open_runtime
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, chunk, ending, plays
from tests.tools.helpers import HERE, calling


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


async def test_the_sample_makes_its_folder_and_a_model_reads_it(npx: str, tmp_path: Path) -> None:
    folder = tmp_path / "a new folder"
    loaded = load(sample_path("multi_tool"), environ={"LF_DATA": str(folder), "OPENAI_API_KEY": "x"})
    assert loaded.project is not None
    assert not loaded.errors
    project = loaded.project
    path = str(folder / "llamas.txt")
    asked = {
        "tool_calls": [
            {"index": 0, "id": "1", "function": {"name": "read_text_file", "arguments": json.dumps({"path": path})}}
        ]
    }
    turns = [
        plays("openai", [chunk(asked), ending("openai", "tool_calls")]),
        plays("openai", answer("openai", "Hay and grass.")),
    ]
    async with open_runtime() as runtime, FaultServer(turns[-1], *turns) as fault:
        power_user = next(model for model in project.models if model.name == "power-user")
        lane = Lane("lane", power_user.model_copy(update={"base_url": f"{fault.url}/v1"}))
        async with runtime.compare(project, [lane], Question.of("What do llamas eat?")) as comparison:
            reply = (await comparison.ended())["lane"]
    assert (reply.text, reply.finish_reason) == ("Hay and grass.", "stop")
    assert [(ran.server, ran.state) for ran in reply.tool_runs] == [("filesystem", "done")]
    assert "Llamas eat hay and grass." in reply.tool_runs[0].text
    assert "nothing answers at localhost:8080" in reply.tools_missing["database"]


async def test_without_a_word_the_samples_folder_is_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(sample_path("multi_tool"), environ={"OPENAI_API_KEY": "x"})
    assert loaded.project is not None
    stand_in = tmp_path / "bin" / "npx"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!/bin/sh\nexec {sys.executable} {HERE / 'raw.py'} few\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    async with calling(loaded.project.mcp_servers[0]) as call:
        assert await call.names() == ["echo"]
    assert (tmp_path / "home" / "llamafarm-data" / "llamas.txt").read_text().startswith("Llamas eat hay")
