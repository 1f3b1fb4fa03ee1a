"""lf chat -i in a real terminal, and lf chat where a person looks at it."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Serve, left
from tests.cli.helpers import HEAD, entry, written
from tests.cli.terminal import PATIENCE_S, Terminal
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import answer, plays, refuses, said, thought

CTRL_C, CTRL_D, TAB = "\x03", "\x04", "\t"


def says(*texts: str) -> Script:
    return plays("openai", answer("openai", *texts))


def conversation(server: FaultServer, at: int = -1) -> list[str]:
    return [f"{each['role']}: {each['content']}" for each in server.requests[at].json()["messages"]]


def until(gate: threading.Event, script: Script) -> Script:
    """`script`, once a test opens the gate."""

    async def gated(exchange: Exchange) -> None:
        assert await asyncio.to_thread(gate.wait, PATIENCE_S)
        await script(exchange)

    return gated


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("asking", [False, True], ids=["at the prompt", "in an answer"])
def test_a_signal_ends_it_as_a_person_would(number: signal.Signals, asking: bool, tmp_path: Path, serve: Serve) -> None:
    server = serve(plays("openai", [said("openai", "One, two")], then="hang"))
    written(tmp_path, HEAD + entry("fast", server.url))
    with Terminal("chat", "-i", folder=tmp_path) as terminal:
        before = terminal.settings()
        terminal.wait_for("› ")
        if asking:
            terminal.type("Count!\n")
            terminal.wait_for("One, two")
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert "Traceback" not in terminal.text
        assert terminal.settings() == before
    assert not asking or left(server)


def test_a_conversation_goes_on(tmp_path: Path, serve: Serve) -> None:
    server = serve(says("Second."), says("First."))
    written(tmp_path, HEAD + entry("fast", server.url) + entry("other", server.url))
    with Terminal("chat", "-i", "--system", "Be brief.", folder=tmp_path) as terminal:
        terminal.wait_for("Model fast. /help tells the commands, Ctrl-D leaves.")
        terminal.wait_for("› ")
        terminal.type("One?\n")
        terminal.wait_for("First.")
        terminal.wait_for("fast (openai fast-id) · TTFT ")
        terminal.wait_for("› ")
        terminal.type("//model is a word\n")
        terminal.wait_for("Second.")
        terminal.wait_for("› ")
        terminal.type("/mo" + TAB + "other\n")
        terminal.wait_for("Model other from now on.")
        terminal.type("/model nobody\n")
        terminal.wait_for("There is no model nobody; the project has: fast, other.")
        terminal.type("/dance\n")
        terminal.wait_for("There is no command /dance")
        terminal.type("/clear\n")
        terminal.wait_for("The conversation is forgotten.")
        terminal.type("Three?\n")
        terminal.wait_for("other (openai other-id) · TTFT ")
        terminal.type("/model auto\n")
        terminal.wait_for("The router picks a model for each prompt from now on.")
        terminal.type("/help\n")
        terminal.wait_for("/exit ")
        terminal.type("/exit\n")
        assert terminal.end() == 0
    assert conversation(server, 0) == ["system: Be brief.", "user: One?"]
    assert conversation(server, 1) == [
        "system: Be brief.", "user: One?", "assistant: First.", "user: /model is a word",
    ]  # fmt: skip
    assert conversation(server, 2) == ["system: Be brief.", "user: Three?"]
    assert server.requests[2].json()["model"] == "other-id"


def test_ctrl_c_stops_the_answer_and_keeps_the_conversation(tmp_path: Path, serve: Serve) -> None:
    server = serve(says("Good."), plays("openai", [said("openai", "Once upon")], then="hang"), Exchange.hang)
    written(tmp_path, HEAD + entry("fast", server.url))
    with Terminal("chat", "-i", "Tell me a story", folder=tmp_path) as terminal:
        terminal.wait_for("Once upon")
        terminal.type(CTRL_C)
        terminal.wait_for(" · stopped")
        terminal.wait_for("› ")
        terminal.type("nev")
        terminal.wait_for("nev")
        terminal.press_until(CTRL_C, "(Ctrl-D or /exit leaves)")
        terminal.type("Nothing\n")
        terminal.wait_for("fast: waiting … ")
        terminal.type(CTRL_C)
        terminal.wait_for("Without an answer, the question is not kept either.")
        terminal.type("Well?\n")
        terminal.wait_for("Good.")
        terminal.wait_for("› ")
        terminal.type(CTRL_D)
        assert terminal.end() == 0
        assert "Traceback" not in terminal.seen
        assert left(server, 0)
        assert left(server, 1)
    assert conversation(server) == ["user: Tell me a story", "assistant: Once upon", "user: Well?"]


def test_lines_from_a_pipe_are_a_conversation_too(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(says("Second."), says("First."))
    written(tmp_path, HEAD + entry("fast", server.url))
    done = run("chat", "-i", "--no-stream", given=b"One?\n\nTwo? \xff\n")
    assert (done.code, done.text) == (0, "First.\nSecond.\n")
    assert conversation(server) == ["user: One?", "assistant: First.", "user: Two? \ufffd"]
    assert "›" not in done.notes


def test_a_conversation_without_any_answer_is_exit_1(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(refuses(400, {"error": {"message": "no"}}))
    written(tmp_path, HEAD + entry("fast", server.url))
    assert run("chat", "-i", given=b"One?\n").code == 1
    assert run("chat", "-i").code == 0


# --- one answer in a terminal


def test_a_terminal_is_not_steered_and_sees_where_it_waits(tmp_path: Path, serve: Serve) -> None:
    gate = threading.Event()
    pieces = [thought("openai", "Hm\x1b[5m."), *answer("openai", "All \x1b[31mred\x07, 1\r2.\n")]
    server = serve(until(gate, plays("openai", pieces)))
    written(tmp_path, HEAD + entry("fast", server.url))
    with Terminal("chat", "Hello", folder=tmp_path) as terminal:
        terminal.wait_for("fast: waiting … ")
        gate.set()
        assert terminal.end() == 0
    assert "\x1b[31mred" not in terminal.seen
    assert "\x07" not in terminal.seen
    assert "\x1b[2mHm\\u001b[5m.\x1b[0m" in terminal.seen  # reasoning is dim
    shown = terminal.text[terminal.text.rindex("Hm") :]
    assert shown.startswith("Hm\\u001b[5m.\n\nAll \\u001b[31mred\\u0007, 1\\u000d2.\n\nfast (openai fast-id) · TTFT ")


def test_no_color(tmp_path: Path, serve: Serve) -> None:
    server = serve(plays("openai", [thought("openai", "Hm."), *answer("openai", "Yes.")]))
    written(tmp_path, HEAD + entry("fast", server.url))
    with Terminal("chat", "Hello", folder=tmp_path, NO_COLOR="1", TERM="dumb") as terminal:
        assert terminal.end() == 0
    assert "\x1b[" not in terminal.seen
