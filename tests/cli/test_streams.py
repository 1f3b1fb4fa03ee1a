"""No text of a model, a project, a file's name or an argument steers the terminal, whichever command tells it."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn
from rich.live import Live
from rich.table import Table
from rich.text import Text

from llamafarm.cli.terminal.console import open_console, plain_table
from llamafarm.cli.terminal.screen import Screen
from llamafarm.cli.terminal.streams import CleanBytes, CleanStream, clean_streams
from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.cli.terminal import Terminal
from tests.faultserver.speech import answer, plays, said, thought

OSC = "\x1b]52;c;aGk=\x07"  # puts text into the clipboard
EVIL = f"x{OSC}\x9d52;c;aGk=\x9c\x1b[2J\x1b[31m\u202e\rover\x7f\x08\x00y"
STAYS = "a\u00a0b\u3000c\u200cd\u200de 👩\u200d🌾 \U0001faea"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
QUOTED = json.dumps(f"{EVIL} {STAYS}")


def hostile(url: str) -> str:
    """A project whose every text is hostile."""
    head = f"version: v1\nname: {QUOTED}\nnamespace: n\n{QUOTED}: {QUOTED}\nprompts:\n  - name: {QUOTED}\n    messages: []\nruntime:\n  models:\n"
    return (
        head
        + entry(f"m{EVIL}", url, description=EVIL, tier=EVIL)
        + entry(f"n{EVIL}", url)
        + entry("bad", url, provider=EVIL)
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate"], ["models", "list"], ["models", "check"], ["route", f"why {EVIL}"], ["compare", "Hello"], ["compare", f"{EVIL} {STAYS}"],
        ["chat", "--no-stream", "Hello", "--model", EVIL], ["chat", "--curl", EVIL, "--model", f"m{EVIL}"], ["history", "show", EVIL],
        ["history", "list", "--since", EVIL], ["history", "search", EVIL], ["report", EVIL], ["init", EVIL], ["validate", f"{EVIL}.yaml"], [EVIL], ["compare", "x", f"--{EVIL}"],
        ["compare", "x", "--models", EVIL], ["compare", "x", "--param", EVIL], ["batch", EVIL], ["sweep", "x", "--values", EVIL], ["serve", "--port", EVIL],
        ["serve", "--config", f"{EVIL}.yaml"], ["compare", "x", "--config", "broken.yaml"],
    ],
    ids=lambda arguments: " ".join(each for each in arguments if EVIL not in each) or "no such command",
)  # fmt: skip
def test_no_command_steers_the_terminal(arguments: list[str], run: Run, serve: Serve, tmp_path: Path) -> None:
    server = serve(plays("openai", answer("openai", f"Hay {EVIL}", f" and {STAYS}.")))
    written(tmp_path, hostile(server.url))
    (tmp_path / "broken.yaml").write_text(f"version: {QUOTED}\nruntime: [")
    done = run(*(each.replace("\x00", "") for each in arguments))
    assert not STEERS.search(done.text)
    assert not STEERS.search(done.notes)
    assert done.text or done.notes


def test_the_history_steers_nothing_and_keeps_what_is_harmless(run: Run, serve: Serve, tmp_path: Path) -> None:
    server = serve(plays("openai", answer("openai", f"Hay {EVIL}", f" and {STAYS}.")))
    written(tmp_path, HEAD + entry("m", server.url) + entry("n", server.url))
    first, second = (run("compare", f"Why {EVIL}{number}?".replace("\x00", ""), "--json") for number in "12")
    ids = [json.loads(each.text)["id"] for each in (first, second)]
    for arguments in (["list"], ["show", ids[0]], ["diff", *ids], ["search", "Hay"]):
        told = run("history", *arguments)
        assert not STEERS.search(told.text + told.notes), arguments
        whole = run("history", *arguments, "--json")
        assert not STEERS.search(whole.text), arguments
        json.loads(whole.text)
    shown = run("history", "show", ids[0]).text
    assert STAYS in shown
    assert "\\u001b]52;c;aGk=" in shown
    lanes = json.loads(run("history", "show", ids[0], "--json").text)["lanes"]
    assert f"Hay {EVIL} and {STAYS}." in lanes[0]["reply"]["text"] if "reply" in lanes[0] else str(lanes)


def test_data_in_a_pipe_keeps_every_character(run: Run, serve: Serve, tmp_path: Path) -> None:
    server = serve(plays("openai", answer("openai", f"Hay {EVIL}")))
    written(tmp_path, HEAD + entry("m", server.url))
    assert run("chat", "Hello").out.decode() == f"Hay {EVIL}\n"
    assert json.loads(run("chat", "Hello", "--json").text)["text"] == f"Hay {EVIL}"
    run("compare", "Hello")
    assert EVIL.replace("\r", "\r") in run("history", "export", "--format", "csv").out.decode()
    assert EVIL in json.loads(run("history", "export").text.splitlines()[0])["lanes"][0]["text"]


@pytest.mark.parametrize(
    "arguments",
    [["chat", "Hello"], ["chat", "--no-stream", "Hello"], ["chat", "--json", "Hello"], ["compare", "Hello"]],
)
def test_an_answer_in_a_terminal_steers_nothing(arguments: list[str], serve: Serve, tmp_path: Path) -> None:
    pieces = [
        thought("openai", f"Hm {OSC}"),
        said("openai", "Hay \x1b"),
        said("openai", "]52;c;aGk="),
        *answer("openai", "\x07 1\r", "\nand 2\r", "3."),
    ]
    server = serve(plays("openai", pieces))
    written(tmp_path, HEAD + entry("m", server.url))
    with Terminal(*arguments, folder=tmp_path) as terminal:
        assert terminal.end() == 0
    assert "\x1b]" not in terminal.seen
    assert "\x07" not in terminal.seen
    assert "\\u001b]52;c;aGk=" in terminal.text
    if "--json" not in arguments and "compare" not in arguments:  # tables drop carriage returns
        assert "1\nand 2\\u000d3." in terminal.text


def test_exports_and_reports_in_a_terminal_steer_nothing(run: Run, serve: Serve, tmp_path: Path) -> None:
    server = serve(plays("openai", answer("openai", f"Hay {OSC}")))
    written(tmp_path, HEAD + entry("m", server.url))
    run("compare", "Hello")
    for arguments in (
        ["history", "export", "--format", "csv"],
        ["history", "export"],
        ["report", "latest", "--out", "-"],
    ):
        with Terminal(*arguments, folder=tmp_path) as terminal:
            assert terminal.end() == 0
        assert "Hay" in terminal.seen
        assert "\x1b]" not in terminal.seen
        assert "\x07" not in terminal.seen


def test_a_fault_of_ours_is_told_clean(tmp_path: Path) -> None:
    program = (
        "from importlib import import_module\nmain = import_module('llamafarm.cli.main')\n"
        f"def app(**_): raise ValueError({EVIL!r})\nmain.app = app\nmain.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, cwd=tmp_path, encoding="utf-8"
    )
    assert done.returncode == 1
    assert "ValueError: x\\u001b]52" in done.stderr
    assert not STEERS.search(done.stderr)


def test_everything_that_prints_prints_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with clean_streams():
        print(EVIL)  # noqa: T201 - what is tested
        print(EVIL, file=sys.stderr)  # noqa: T201 - the same
        sys.stdout.writelines([EVIL, "\n"])
        logging.getLogger("lf.nobody").warning("%s", EVIL)
    told = capsys.readouterr()
    assert not STEERS.search(told.out)
    assert not STEERS.search(told.err)


def test_tables_progress_and_live_screens_are_clean() -> None:
    console = open_console()
    console.file = written_to = io.StringIO()
    table = plain_table(f"Head {EVIL}")
    table.add_row(Text(EVIL, style="red"))
    table.add_row(EVIL)
    nested = Table.grid()
    nested.add_row(table)
    console.print(table, nested, EVIL, Text.assemble((EVIL, "bold"), "plain"), STAYS)
    with Live(Text(EVIL), console=console, auto_refresh=False) as live:
        live.update(nested, refresh=True)
    assert not STEERS.search(written_to.getvalue())
    assert STAYS in written_to.getvalue()
    assert "\\u001b]52;c;aGk=" in written_to.getvalue()


class FakeTerminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    def isatty(self) -> bool:
        return True

    @property
    def seen(self) -> str:
        self.flush()
        self.seek(0)
        return self.read()


@pytest.mark.parametrize("cut", range(1, 12))
def test_bytes_are_cleaned_wherever_they_are_cut(cut: int) -> None:
    terminal, data = FakeTerminal(), "ü\x9b\r\n\x1b]👩\r".encode()
    out = CleanBytes(terminal)
    assert out.write(data[:cut]) + out.write(data[cut:]) == len(data)
    assert terminal.seen == "ü\\u009b\n\\u001b]👩"


def test_a_stream_is_otherwise_what_it_was() -> None:
    terminal = FakeTerminal()
    stream = CleanStream(terminal)
    assert stream.isatty()
    assert not stream.closed
    with pytest.raises(TypeError):
        stream.write(b"x")  # type: ignore[arg-type]  # how Typer finds out what a stream takes
    screen = Screen(terminal, terminal)
    screen.answer("a\r")
    screen.answer("\nb")
    assert "a\nb" in terminal.seen


def test_the_logs_of_the_server_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with clean_streams():
        uvicorn.Config("nothing", use_colors=False).configure_logging()
        logging.getLogger("uvicorn.error").warning("%s", EVIL)
        logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "1.2.3.4", "GET", EVIL, "1.1", 200)
    told = capsys.readouterr()
    assert "\\u001b]52" in told.err
    assert not STEERS.search(told.out + told.err)
