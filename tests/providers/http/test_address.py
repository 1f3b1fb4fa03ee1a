"""Addresses: the path goes before the query, and what is written stays as it is, for every request."""

from __future__ import annotations

import pytest

from llamafarm.config import parse
from llamafarm.core.errors import RequestRejected
from llamafarm.providers.check import check_models
from llamafarm.providers.http.address import endpoint, host_and_port, user_of, without_user
from llamafarm.providers.http.client import open_client
from llamafarm.providers.residency import Residency
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import Protocol, answer, plays, refuses
from tests.providers.helpers import ask, named, text_of

VERSION = "api-version=2024-10-21"


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http://h:1/hay", "http://h:1/hay/x"),
        ("http://h:1/hay?api-version=2024-10-21", "http://h:1/hay/x?api-version=2024-10-21"),
        ("http://h/v1/?a=1&b=2#top", "http://h/v1/x?a=1&b=2"),
        ("http://h/v1#top", "http://h/v1/x"),
        ("http://h/v1///", "http://h/v1/x"),
        ("http://h", "http://h/def/x"),
        ("http://h/?a=1", "http://h/def/x?a=1"),
        (" http://h/v1 ", "http://h/v1/x"),
        ("http://h/a%2Fb%41/v1", "http://h/a%2Fb%41/v1/x"),
        ("http://h/a b/größe?q=ü", "http://h/a%20b/gr%C3%B6%C3%9Fe/x?q=%C3%BC"),
        ("http://h/v1?sig=a%2Bb%3D", "http://h/v1/x?sig=a%2Bb%3D"),
        ("http://[::1]:11434/v1", "http://[::1]:11434/v1/x"),
        ("http://[fe80::1]?a=1", "http://[fe80::1]/def/x?a=1"),
        ("http://müller.example/v1", "http://xn--mller-kva.example/v1/x"),
        ("https://u:p%40ss@h/v1?q", "https://u:p%40ss@h/v1/x?q"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_a_path_under_an_address(base_url: str, address: str) -> None:
    assert endpoint(base_url, "/x", default="/def") == address


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http://h:11434", "http://h:11434/api/chat"),
        ("http://h:11434/v1/", "http://h:11434/api/chat"),
        ("http://h:11434/api/?k=1", "http://h:11434/api/chat?k=1"),
        ("http://h/ollama/v1?k=1#f", "http://h/ollama/api/chat?k=1"),
    ],
)
def test_an_ending_that_is_left_out(base_url: str, address: str) -> None:
    assert endpoint(base_url, "/api/chat", drop=("/v1", "/api")) == address


def test_names_and_passwords() -> None:
    assert user_of("http://u:p%40ss@h/v1?a=b@c") == "u:p@ss"
    assert without_user("http://u:p%40ss@h/v1?a=b@c") == "http://h/v1?a=b@c"
    assert user_of("http://h/v1?mail=a@b") is None
    assert without_user("http://h/a@b?c=%41") == "http://h/a@b?c=%41"
    assert host_and_port("http://u:p@[::1]:8/v1") == "[::1]:8"
    assert host_and_port("http://u:p@[::1") == "[::1"


PLACES: list[tuple[str, Protocol, str, str]] = [
    ("openai", "openai", "/hay/chat/completions", "/hay/models"),
    ("universal", "openai", "/hay/chat/completions", "/hay/models"),
    ("lemonade", "openai", "/hay/chat/completions", "/hay/models"),
    ("ollama", "ollama", "/hay/api/chat", "/hay/api/tags"),
]


@pytest.mark.parametrize(("provider", "protocol", "chat", "listing"), PLACES)
@pytest.mark.parametrize("ending", ["", "/", "#part"])
async def test_each_request_keeps_the_query(
    provider: str, protocol: Protocol, chat: str, listing: str, ending: str
) -> None:
    path = f"/hay{'/' if ending == '/' else ''}?{VERSION}&sig=a%2Bb%3D{ending if ending != '/' else ''}"
    async with FaultServer(plays(protocol, answer(protocol, "so")), plays(protocol, answer(protocol, "so"))) as server:
        model = named(provider, f"{server.url}{path}")
        events, error = await ask(model)
        server.play(refuses(200, {"data": [{"id": "llama3.1:8b"}]}))
        async with open_client() as client:
            (check,) = await check_models([model], client)
            await Residency().look([model], client)
        paths = [request.path for request in server.requests]
    assert error is None
    assert text_of(events) == "so"
    assert check.found == "yes"
    query = f"?{VERSION}&sig=a%2Bb%3D"
    assert paths == [f"{chat}{query}", f"{listing}{query}", *([f"/hay/api/ps{query}"] if provider == "ollama" else [])]


@pytest.mark.parametrize("provider", ["openai", "ollama", "universal", "lemonade"])
@pytest.mark.parametrize("address", ["http://[::1", "http://h:99999/v1", "http://\u2028/v1", "http:///v1"])
async def test_what_is_no_address(provider: str, address: str) -> None:
    _, error = await ask(named(provider, address))
    assert isinstance(error, RequestRejected)
    assert "can't be called" in error.message
    async with open_client() as client:
        (check,) = await check_models([named(provider, address)], client)
    assert "can't be called" in check.message


@pytest.mark.parametrize("address", ["http://[::1", "http://h:99999/v1", "http://", "https://:80/v1"])
def test_the_file_says_what_is_no_address(address: str) -> None:
    text = f"runtime:\n  models:\n  - {{name: a, provider: openai, api_key: x, model: m, base_url: '{address}'}}\n"
    loaded = parse(text, name="llamafarm.yaml", trusted=True, environ={})
    assert any("no address that can be called" in problem.message for problem in loaded.errors)
