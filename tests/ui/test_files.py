"""No file of the server can be read through the page: whatever a browser sends as an input's value."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from llamafarm.config import sample_path
from tests.serving import serving

SECRET = "planted-and-never-to-be-read"  # noqa: S105 - bait
UNSAFE = {"file", "uploadbutton", "chatbot", "multimodaltextbox", "image", "audio", "video", "gallery", "fileexplorer"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving([sample_path("embedded")]) as url:
        yield url


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture(scope="module")
def config(server: str) -> dict[str, Any]:
    told: dict[str, Any] = httpx.get(f"{server}/config").json()
    return told


def test_no_component_takes_files(config: dict[str, Any]) -> None:
    assert {component["type"] for component in config["components"]}.isdisjoint(UNSAFE)


def test_a_path_in_the_place_of_a_value_reads_nothing(server: str, config: dict[str, Any], planted: Path) -> None:
    bait = {"path": str(planted), "meta": {"_type": "gradio.FileData"}, "url": None}
    with httpx.Client(base_url=server, timeout=20) as client:

        def attack(number: int) -> str:
            dependency, session = config["dependencies"][number], f"attack{number}"
            event = {
                "data": [bait] * len(dependency["inputs"]),
                "fn_index": dependency.get("id", number),
                "session_hash": session,
            }
            client.post("/gradio_api/queue/join", json=event)
            lines = []
            with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as told:
                for line in told.iter_lines():
                    lines.append(line)
                    if "process_completed" in line or "close_stream" in line:
                        break
            return "\n".join(lines)

        with ThreadPoolExecutor(16) as attackers:
            answers = list(attackers.map(attack, range(len(config["dependencies"]))))
        assert all(answers)
        assert not any(SECRET in answer for answer in answers)
        for address in (f"/gradio_api/file={planted}", f"/file={planted}", "/gradio_api/file=/etc/passwd"):
            answer = client.get(address)
            assert answer.status_code in (403, 404)
            assert SECRET not in answer.text


def test_nothing_can_be_uploaded(server: str) -> None:
    answer = httpx.post(f"{server}/gradio_api/upload", files={"files": ("../../x.txt", b"mine")})
    assert answer.status_code == 404
