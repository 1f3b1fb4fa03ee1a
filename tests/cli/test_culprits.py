"""Who is at fault is told beside the advice, on every face."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from llamafarm.core.errors import Culprit
from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.speech import refuses

PAGE = "<html><title>Bad gateway</title></html>"
CASES: list[tuple[Culprit, str, int, Any]] = [
    ("key", "the key", 401, {"error": {"message": "Incorrect API key provided"}}),
    ("account", "the account at the server", 402, {"error": "insufficient credits"}),
    ("region", "the region", 451, {"error": "not here"}),
    ("model", "the model", 404, {"error": {"message": "model 'large-id' not found"}}),
    ("request", "the request", 400, {"error": {"message": "temperature is too high"}}),
    ("proxy", "a proxy", 407, PAGE),
    ("address", "the address", 405, {"detail": "Method Not Allowed"}),
    ("server", "the server", 500, {"error": "out of memory"}),
]


@pytest.mark.parametrize("case", CASES, ids=[each[0] for each in CASES])
@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_in_terminal_and_json(
    provider: str, case: tuple[Culprit, str, int, Any], tmp_path: Path, run: Run, serve: Serve
) -> None:
    culprit, words, status, body = case
    kind = "text/html" if isinstance(body, str) else "application/json"
    server = serve(refuses(status, body, kind, x_should_retry="false"))
    written(tmp_path, HEAD + entry("large", server.url, provider=provider))
    failed = json.loads(run("chat", "--json", "Hello").text)["failure"]
    assert (failed["culprit"], failed["status"], failed["retryable"]) == (culprit, status, False)
    assert f"At fault: {words}." in " ".join(run("chat", "Hello").notes.split())


def test_in_comparisons_history_and_export(tmp_path: Path, run: Run, serve: Serve) -> None:
    refusing = serve(refuses(401, {"error": {"message": "Incorrect API key provided"}}))
    written(tmp_path, HEAD + entry("large", refusing.url, provider="openai"))
    (lane,) = json.loads(run("compare", "--json", "Hello").text)["lanes"]
    assert (lane["failure"]["culprit"], lane["failure"]["kind"]) == ("key", "AuthFailed")
    says = "At fault: the key."
    compared = run("compare", "Hello")
    assert says in " ".join((compared.text + compared.notes).split())
    rows = list(csv.DictReader(run("history", "export", "--format", "csv").text.splitlines()))
    assert {row["culprit"] for row in rows} == {"key"}
    shown = run("history", "show", rows[0]["comparison"])
    assert says in " ".join((shown.text + shown.notes).split())
    kept = json.loads(run("history", "show", rows[0]["comparison"], "--json").text)
    assert kept["lanes"][0]["error"]["culprit"] == "key"
    assert says in run("history", "export", "--format", "markdown").text


def test_in_reports(tmp_path: Path, run: Run, serve: Serve) -> None:
    written(tmp_path, HEAD + entry("large", serve(refuses(402, {"error": "no credits"})).url, provider="openai"))
    (tmp_path / "rows.csv").write_text("prompt\nHi\n")
    batch = run("batch", "rows.csv", "--json", "-y")
    assert run("report", json.loads(batch.text)["run"], "--out", "report.html").code == 0
    assert "At fault: the account at the server." in (tmp_path / "report.html").read_text(encoding="utf-8")
