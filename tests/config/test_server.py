"""Which models share a server, and which servers are public."""

from __future__ import annotations

import pytest

from llamafarm.config.server import server_of
from llamafarm.core.conditions import Sharing
from tests.engine.fakes import model


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://127.0.0.1:11434/v1", "http://localhost:11434"),
        ("http://[::1]:80/v1", "http://localhost/other/path"),
        ("https://api.openai.com/v1", "https://API.openai.com:443/v1/"),
        ("http://user:secret@host:8000/v1", "http://host:8000/v1"),
    ],
)
def test_one_server_however_it_is_written(one: str, other: str) -> None:
    first, second = server_of(model("a", base_url=one)), server_of(model("b", base_url=other))
    assert first == second
    assert "secret" not in first


@pytest.mark.parametrize("other", ["http://localhost:11435/v1", "https://localhost:11434/v1", "http://127.0.0.2:11434"])
def test_other_ports_schemes_and_hosts_are_other_servers(other: str) -> None:
    assert server_of(model("a", base_url="http://localhost:11434/v1")) != server_of(model("b", base_url=other))


def test_what_runs_models_here_shares_this_machine() -> None:
    here = [
        model("a", provider="embedded", base_url=None),
        model("b", provider="ollama", base_url="http://localhost:11434"),
        model("c", provider="lemonade", base_url="http://127.0.0.1:11534/api/v1"),
        model("d", provider="universal", base_url="http://[::1]:11540/v1"),
    ]
    assert {server_of(each) for each in here} == {"this machine"}
    assert server_of(model("e", provider="ollama", base_url="http://gpu-box:11434")) == "http://gpu-box:11434"
    assert server_of(model("f", base_url="http://localhost:4000/v1")) == "http://localhost:4000"


@pytest.mark.parametrize(
    ("server", "hosted"),
    [
        ("https://api.openai.com:443", True),
        ("http://8.8.8.8:80", True),
        ("http://localhost:11434", False),
        ("this machine", False),
        ("http://gpu-box:8000", False),
        ("http://gpu.lan:8000", False),
        ("http://192.168.1.7:11434", False),
        ("http://[fe80::1]:80", False),
        ("http://[::1", False),
    ],
)
def test_a_public_server_is_told_from_one_of_ones_own(server: str, hosted: bool) -> None:
    assert Sharing(server, 1).hosted is hosted
