"""An untrusted file on a server that others reach: nothing of this machine or its network is called."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from llamafarm.access.settings import Login, ServerSettings
from llamafarm.config.model import Loaded, NamedModel
from llamafarm.config.project import parse
from llamafarm.core.errors import ConnectFailed
from llamafarm.providers.check import check_models
from llamafarm.providers.http.client import open_client
from llamafarm.ui.project.projects import Projects
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, plays
from tests.providers.helpers import ask, named, text_of

SAYS = plays("openai", answer("openai", "Hay."))
NAMES = ["rebound.example", "many.example"]


def file(url: str, provider: str = "openai") -> str:
    return f"runtime:\n  models:\n    - {{name: a, provider: {provider}, model: m, base_url: '{url}'}}\n"


@pytest.fixture
def named_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of others that lead here: the look-up is the system's, and so is what it answers."""
    real = socket.getaddrinfo

    def looked_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host in NAMES:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))] * (1 + (host == NAMES[1]))
        return real(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)


@pytest.mark.parametrize("provider", ["openai", "ollama", "universal", "lemonade"])
@pytest.mark.parametrize("host", [*NAMES, "127.0.0.1", "[::ffff:127.0.0.1]"])
async def test_it_is_looked_at_where_the_connection_is_made(provider: str, host: str, named_inside: None) -> None:
    async with FaultServer(SAYS) as server:
        model = named(provider, f"http://{host}:{server.port}", api_key=None, key_variable=None, outside_only=True)
        _, error = await ask(model)
        assert isinstance(error, ConnectFailed)
        assert "this machine or its network" in error.message
        assert not error.retryable
        assert server.requests == []


async def test_a_name_that_changes_is_looked_at_again(named_inside: None) -> None:
    async with FaultServer(SAYS) as server:
        url = f"http://{NAMES[0]}:{server.port}"
        events, error = await ask(named("openai", url))  # the operator's own models may call what they like
        assert (text_of(events), error) == ("Hay.", None)
        _, error = await ask(named("openai", url, outside_only=True))
        assert isinstance(error, ConnectFailed)
        assert len(server.requests) == 1


async def test_no_list_of_models_is_asked_for_either(named_inside: None) -> None:
    async with FaultServer(SAYS) as server, open_client() as client:
        model = named("openai", f"http://{NAMES[0]}:{server.port}", outside_only=True)
        (check,) = await check_models([model], client)
        assert not check.usable
        assert "this machine or its network" in check.message
        assert server.requests == []


async def test_no_proxy_looks_for_it(monkeypatch: pytest.MonkeyPatch, named_inside: None) -> None:
    async with FaultServer(SAYS) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        _, error = await ask(named("openai", f"http://{NAMES[0]}:80", outside_only=True))
        assert isinstance(error, ConnectFailed)
        assert proxy.requests == []


# --- which files that holds for --------------------------------------------------------------------------


def only(loaded: Loaded) -> NamedModel:
    assert loaded.project is not None
    (model,) = loaded.project.models
    return model


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:11434", "http://2130706433", "http://[::ffff:10.0.0.1]", "http://localhost:80"]
)
def test_what_is_written_so_is_told_with_its_line(url: str) -> None:
    model = only(parse(file(url), trusted=False, outside_only=True))
    (problem,) = model.problems
    assert problem.line == 3
    assert "is not called" in problem.message
    assert model.outside_only


def test_the_usual_address_of_a_local_server_is_inside_too() -> None:
    text = "runtime:\n  models:\n    - {name: a, provider: ollama, model: m}\n"
    assert not only(parse(text, trusted=False, outside_only=True)).usable
    assert only(parse(text, trusted=False)).usable
    assert only(parse(text, trusted=True)).usable


def test_what_the_operators_own_files_call_may_be_called() -> None:
    known = {"http://127.0.0.1:11434"}
    model = only(parse(file("http://127.0.0.1:11434"), trusted=False, outside_only=True, known_addresses=known))
    assert model.usable
    assert not model.outside_only


@pytest.mark.parametrize(
    ("settings", "outside_only"),
    [
        (ServerSettings(), False),
        (ServerSettings(host="0.0.0.0", login=Login.of("a:b")), True),  # noqa: S104 - nothing is bound
        (ServerSettings(login=Login.of("a:b")), True),
    ],
    ids=["this machine alone", "others", "behind a proxy on this machine"],
)
async def test_it_holds_where_others_reach_the_server(settings: ServerSettings, outside_only: bool) -> None:
    class _Library:
        entries = ()

    class _Runtime:
        library = _Library()

    projects = Projects(_Runtime(), reached=not settings.has_operator)  # type: ignore[arg-type]
    session = await projects.text(file("https://models.example"), "x.yaml")
    assert only(session.loaded).outside_only is outside_only
