"""`lf report`: a file of what was asked before."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.speech import answer, plays


def test_the_newest_is_written_beside_and_any_by_its_id(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(plays("openai", answer("openai", "Paris.")))
    written(tmp_path, HEAD + entry("m", server.url, api_key="sk-very-secret", pricing={"input": 1, "output": 2}))
    first = json.loads(run("compare", "--json", "Capital of France?").text)["id"]
    sweep = json.loads(run("sweep", "--values", "0,1", "--repeats", "2", "--yes", "--json", "Italy?").text)["run"]
    done = run("report", "latest")
    assert done.code == 0
    assert done.text.startswith(f"report-{sweep}.html: ")
    html = (tmp_path / f"report-{sweep}.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "Which temperature?" in html
    assert "4 of 4" in html
    assert run("report", first[:14], "--out", "one.html").code == 0
    html = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert "Capital of France?" in html
    assert "sk-very-secret" not in html
    assert run("report", first, "--out", "-").text.startswith("<!doctype html>")


def test_what_cannot_be_is_a_sentence(tmp_path: Path, run: Run) -> None:
    done = run("report", "latest")
    assert (done.code, "history is empty" in done.notes) == (2, True)
    assert "no comparison 'zzz'" in run("report", "zzz").notes
    assert "Traceback" not in done.notes


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, run: Run, serve: Serve) -> None:
    written(tmp_path, HEAD + entry("m", serve(plays("openai", answer("openai", "Paris."))).url))
    run("compare", "Capital?")
    done = run("report", "latest", "--out", "nowhere/report.html")
    assert done.code == 2
    assert "There is no folder nowhere" in done.notes
