"""The live table of lf compare in a real terminal."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.cli.conftest import Run, Serve, left
from tests.cli.helpers import HEAD, entry, written
from tests.cli.terminal import Terminal
from tests.cli.test_conversation import CTRL_C, says, until
from tests.faultserver.speech import plays, said


def test_the_table_lives(tmp_path: Path, serve: Serve) -> None:
    gate = threading.Event()
    quick, slow = serve(says("Hay.")), serve(until(gate, says("Grass\x1b[31m.")))
    written(tmp_path, HEAD + entry("quick", quick.url) + entry("slow", slow.url))
    with Terminal("compare", "What do llamas eat?", folder=tmp_path) as terminal:
        terminal.wait_for("Route by complexity:")
        terminal.wait_for("✓ done")
        terminal.wait_for("waiting")
        terminal.wait_for("1 of 2 done · ")
        gate.set()
        assert terminal.end() == 0
    final = terminal.text[terminal.text.rindex("\nquick\n") :]
    assert "\nquick\nHay.\n" in final
    assert "\nslow\nGrass\\u001b[31m.\n" in final
    assert final.count("✓ done") == 2
    assert " of 2 done" not in final


def test_ctrl_c_keeps_what_had_come(tmp_path: Path, serve: Serve) -> None:
    server = serve(plays("openai", [said("openai", "Once upon")], then="hang"))
    written(tmp_path, HEAD + entry("slow", server.url))
    with Terminal("compare", "Tell me a story", folder=tmp_path) as terminal:
        terminal.wait_for("slow: …Once upon")
        terminal.type(CTRL_C)
        assert terminal.end() == 130
    assert terminal.text.count("■ stopped") >= 1
    assert "\nslow\nOnce upon\n" in terminal.text
    assert left(server)


def test_a_pipe_gets_the_end_alone_and_nothing_is_cut(tmp_path: Path, run: Run, serve: Serve) -> None:
    words = "llama " * 60
    server = serve(says(words))
    written(
        tmp_path, HEAD + entry("a-model-with-a-rather-long-name-that-says-a-lot", server.url) + entry("b", server.url)
    )
    done = run("compare", "-m", "a-model-with-a-rather-long-name-that-says-a-lot", "--system", "Be brief.", given=b"Hi")
    assert done.code == 0
    assert words.strip() in done.text
    assert "a-model-with-a-rather-long-name-that-says-a-lot (default) →" in done.text
    assert " of 1 done" not in done.text
    assert [each["content"] for each in server.requests[0].json()["messages"]] == ["Be brief.", "Hi"]
