"""What pages that were opened and closed leave behind in a real server process."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.test_serve import running

LOADS = 300
MOST_MB = 30


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1024


def opening(client: httpx.Client) -> int:
    """The number of the listener that opens the first project in a new tab."""
    told = client.get("/config").json()["dependencies"]
    return next(int(d["id"]) for d in told if d["backend_fn"] and any(event == "load" for _, event in d["targets"]))


def load(client: httpx.Client, number: int) -> None:
    """As a browser opens the page: its first listener is asked, and what it says is read; and then it is gone."""
    client.get("/").raise_for_status()
    tab = secrets.token_hex(6)
    asked = {"data": [""], "fn_index": number, "session_hash": tab}
    client.post("/gradio_api/queue/join", json=asked).raise_for_status()
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": tab}) as stream:
        told = (json.loads(line[5:]) for line in stream.iter_lines() if line.startswith("data:"))
        done = next(message for message in told if message["msg"] == "process_completed")
    assert done["success"]


@pytest.mark.skipif(sys.platform != "linux", reason="Reads /proc.")
def test_pages_that_were_closed_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LF_DATABASE_URL", "off")
    command = ("-c", "from llamafarm.cli import main; main()", "serve", "--port", "0")
    with running(*command, folder=tmp_path) as (process, url), httpx.Client(base_url=url, timeout=60) as client:
        number = opening(client)
        for _ in range(10):
            load(client, number)
        before = resident_mb(process.pid)
        for _ in range(LOADS):
            load(client, number)
        assert resident_mb(process.pid) - before < MOST_MB
