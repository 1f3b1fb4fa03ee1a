"""An option that takes one value and is given twice: refused with what to do, and nothing is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperOption

from llamafarm.cli.main import app
from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.speech import answer, plays


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def singles() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every option of every command that takes one value."""
    for path, command in commands(typer.main.get_command(app)):
        for param in command.params:
            if isinstance(param, TyperOption) and not param.multiple and not param.is_flag:
                yield path, param.opts[0]


@pytest.mark.parametrize(("path", "option"), list(singles()), ids=" ".join)
def test_every_single_option_of_every_command(path: tuple[str, ...], option: str, run: Run) -> None:
    told = run(*path, option, "1", option, "2")
    assert told.code == 2
    assert option in told.notes
    assert "more than once" in " ".join(told.notes.replace("│", " ").split())


@pytest.mark.parametrize(
    "given",
    [["-m", "fast", "-m", "wise"], ["--model", "fast", "--model=wise"], ["-mfast", "-m", "wise"],
     ["-m", "fast", "--model", "wise", "--json"]],
)  # fmt: skip
def test_two_models_are_for_compare(given: list[str], tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(plays("openai", answer("openai", "Hay.")))
    written(tmp_path, HEAD + entry("fast", server.url) + entry("wise", server.url))
    told = run("chat", *given, "Hello")
    assert (told.code, told.text, server.requests) == (2, "", [])
    assert "lf compare -m fast -m wise" in " ".join(told.notes.replace("│", " ").split())


def test_a_flag_may_be_repeated_and_not_contradicted(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(plays("openai", answer("openai", "Hay.")))
    written(tmp_path, HEAD + entry("fast", server.url))
    assert run("compare", "--no-record", "--no-record", "Hello").code == 0
    told = run("compare", "--record", "--no-record", "Hello")
    assert (told.code, len(server.asked)) == (2, 1)
    assert "opposite" in told.notes
    assert run("compare", "--no-record", "--", "--record").code == 0  # what stands behind -- is the prompt


@pytest.mark.parametrize("given", [["-p", "top_p=1", "-p", "seed=2"], ["--var", "a=1", "--var", "b=2"]])
def test_what_may_be_repeated_still_may(given: list[str], tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(plays("openai", answer("openai", "Hay.")))
    written(tmp_path, HEAD + entry("fast", server.url))
    assert run("chat", *given, "Hello").code == 0
    assert run("compare", "-m", "fast", "-m", "fast", "Hello").code == 0
