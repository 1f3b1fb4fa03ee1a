"""lf init --discover: shown, asked, written; and then compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamafarm.config import load
from llamafarm.config.discovery.found import CLOUDS
from llamafarm.providers.discovery.places import Place
from llamafarm.runtime import discovering
from tests.cli.conftest import Run, Serve
from tests.cli.helpers import written
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import answer, plays, refuses

MODELS = {"data": [{"id": "tiny-1b"}, {"id": "large-70b"}, {"id": "text-embed"}]}


async def _speaks(exchange: Exchange) -> None:
    looks = exchange.seen.method == "GET"
    await (refuses(200, MODELS) if looks else plays("openai", answer("openai", "Hi")))(exchange)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the servers nor the keys of whoever runs these tests."""
    monkeypatch.setattr(discovering, "PLACES", ())
    for cloud in CLOUDS:
        monkeypatch.delenv(cloud.variable, raising=False)


@pytest.fixture
def server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    served = serve(_speaks)
    monkeypatch.setattr(discovering, "PLACES", (Place(served.port, "vLLM", "openai", "/v1/models", "/v1"),))
    return served


def test_what_is_there_is_shown_and_written_once_that_is_confirmed(
    tmp_path: Path, run: Run, server: FaultServer
) -> None:
    done = run("init", "--discover", given=b"y\n")
    assert done.code == 0
    assert f"vLLM at {server.url}/v1: 2 models" in done.notes
    _, _, text = (tmp_path / "llamafarm.yaml").read_text().partition("\n")  # behind the line for editors
    assert text == done.text.rstrip(" ")  # a blank of the prompt
    project = load(tmp_path / "llamafarm.yaml").project
    assert project is not None
    assert [(model.name, model.tier) for model in project.models] == [("tiny-1b", "fast"), ("large-70b", "expert")]
    compared = run("compare", "--no-record", "Hello")
    assert compared.code == 0
    assert "Hi" in compared.text


@pytest.mark.parametrize("given", [b"n\n", b"", b"\n"])
def test_without_a_yes_nothing_is_written(tmp_path: Path, run: Run, server: FaultServer, given: bytes) -> None:
    done = run("init", "--discover", given=given)
    assert done.code == 0
    assert f"{server.url}/v1" in done.text
    assert "Nothing was written: --yes writes it without asking." in done.notes
    assert list(tmp_path.glob("llamafarm*")) == []


def test_yes_asks_nobody(tmp_path: Path, run: Run, server: FaultServer) -> None:
    done = run("init", "--discover", "--yes")
    assert done.code == 0
    assert "?" not in done.notes
    assert f"{server.url}/v1" in (tmp_path / "llamafarm.yaml").read_text()


@pytest.mark.parametrize("name", ["llamafarm.yaml", "llamafarm.yml"])
def test_what_is_there_stays_unless_somebody_says_so(tmp_path: Path, run: Run, server: FaultServer, name: str) -> None:
    path = tmp_path / name
    path.write_text("my own\n")
    refused = run("init", "--discover", "--yes")
    assert refused.code == 2
    assert f"{name} is there already" in " ".join(refused.notes.split())
    assert server.requests == []
    assert run("init", "--discover", given=b"n\n").code == run("init", "--discover").code == 0
    assert [each.name for each in tmp_path.glob("llamafarm*")] == [name]
    assert path.read_text() == "my own\n"
    assert (
        f"{name} is there already. Write llamafarm.yaml all the same?" in run("init", "--discover", given=b"y\n").notes
    )
    assert load(tmp_path / "llamafarm.yaml").project is not None
    assert run("init", "--discover", "--yes", "--force").code == 0


@pytest.mark.usefixtures("server")
def test_a_file_that_comes_while_it_is_asked_stays(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def confirm(*_: object, **__: object) -> bool:
        written(tmp_path, "my own\n")
        return True

    monkeypatch.setattr("typer.confirm", confirm)
    assert run("init", "--discover").code == 2
    assert (tmp_path / "llamafarm.yaml").read_text() == "my own\n"


def test_keys_are_named_and_never_told(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    (tmp_path / ".env").write_text("GROQ_API_KEY=gsk-very-secret\n")
    done = run("init", "--discover", "--yes")
    assert done.code == 0
    assert "api_key: ${env:OPENAI_API_KEY}" in done.text
    assert "Groq: GROQ_API_KEY is set" in done.notes
    for text in (done.text, done.notes, (tmp_path / "llamafarm.yaml").read_text()):
        assert "very-secret" not in text
    loaded = load(tmp_path / "llamafarm.yaml")
    assert (loaded.errors, loaded.warnings) == ((), ())


def test_nothing_is_told_with_what_to_do(tmp_path: Path, run: Run) -> None:
    done = run("init", "--discover", "--yes")
    assert done.code == 1
    assert "begin with the model that needs none: lf init" in done.notes
    assert list(tmp_path.glob("llamafarm*")) == []


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("arguments", [("--discover", "basic"), ("--discover", "--list"), ("--yes",), ("basic", "-y")])
def test_options_that_don_t_go_together_are_exit_2(tmp_path: Path, run: Run, arguments: tuple[str, ...]) -> None:
    assert run("init", *arguments).code == 2
    assert list(tmp_path.glob("llamafarm*")) == []
