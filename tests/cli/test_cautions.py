"""An answer that is not what it looks like is told so on every face."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.server import Script
from tests.faultserver.speech import chunk, event, plays, record, said

LONG = "The llama eats grass and looks at the mountains. " * 300
CUT: dict[str, Script] = {
    "openai": plays("openai", [
        said("openai", "Grass."), chunk({}, "stop"),
        event({"choices": [], "usage": {"prompt_tokens": 128, "completion_tokens": 2, "total_tokens": 130}}),
        event("[DONE]"),
    ]),
    "ollama": plays("ollama", [
        said("ollama", "Grass."),
        record({"content": ""}, done=True, done_reason="stop", prompt_eval_count=128, eval_count=2),
    ]),
}  # fmt: skip
SAYS = "The server counted 128 tokens of a prompt of about 3,304: it was probably cut."


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_cut_prompt_on_every_face(provider: str, tmp_path: Path, run: Run, serve: Serve) -> None:
    written(tmp_path, HEAD + entry("short", serve(CUT[provider]).url, provider=provider))
    answer = run("chat", "--json", LONG)
    assert answer.code == 0, answer.notes
    assert json.loads(answer.text)["cautions"] == [{"kind": "prompt_cut", "text": SAYS}]
    assert SAYS in " ".join(run("chat", LONG).notes.split())
    lane = json.loads(run("compare", "--json", LONG).text)["lanes"][0]
    assert (lane["status"], lane["cautions"][0]["kind"]) == ("done", "prompt_cut")
    compared = run("compare", LONG)
    assert SAYS in " ".join((compared.text + compared.notes).split())
    rows = list(csv.DictReader(run("history", "export", "--format", "csv").text.splitlines()))
    assert {row["cautions"] for row in rows} == {SAYS}
    assert "it was probably cut" in run("history", "export", "--format", "markdown").text


def test_batches_and_sweeps_count_them(tmp_path: Path, run: Run, serve: Serve) -> None:
    written(tmp_path, HEAD + entry("short", serve(CUT["openai"]).url, provider="openai"))
    (tmp_path / "rows.csv").write_text(f"prompt\n{LONG}\nHello\n")
    batch = run("batch", "rows.csv", "--json", "-y")
    assert batch.code == 0, batch.notes
    assert json.loads(batch.text)["models"][0]["cautions"] == {"prompt_cut": 1}
    shown = run("batch", "rows.csv", "-y")
    assert "Of 1 calls the prompt was cut" in " ".join((shown.text + shown.notes).split())
    report = run("report", json.loads(batch.text)["run"], "--out", "report.html")
    assert report.code == 0, report.notes
    assert "Of 1 calls the prompt was cut" in (tmp_path / "report.html").read_text(encoding="utf-8")
    sweep = run("sweep", "--values", "0,1", "--repeats", "1", "--yes", "--json", LONG)
    assert [cell["cautions"] for cell in json.loads(sweep.text)["cells"]] == [{"prompt_cut": 1}] * 2


def test_a_short_prompt_has_none(tmp_path: Path, run: Run, serve: Serve) -> None:
    written(tmp_path, HEAD + entry("short", serve(CUT["openai"]).url, provider="openai"))
    answer = json.loads(run("chat", "--json", "Hello").text)
    assert (answer["text"], answer["cautions"]) == ("Grass.", [])


OTHER: dict[str, Script] = {
    "openai": plays("openai", [
        chunk({"content": "Grass."}, model="tiny-2b"), chunk({}, "stop", model="tiny-2b"), event("[DONE]"),
    ]),
    "ollama": plays("ollama", [
        record({"content": "Grass."}, model="tiny:2b"),
        record({"content": ""}, model="tiny:2b", done=True, done_reason="stop"),
    ]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "named"),
    [("openai", "tiny-2b"), ("ollama", "tiny:2b"), ("universal", "tiny-2b"), ("lemonade", "tiny-2b")],
)
def test_another_model_answered_on_every_face(
    provider: str, named: str, tmp_path: Path, run: Run, serve: Serve
) -> None:
    script = OTHER["ollama" if provider == "ollama" else "openai"]
    written(tmp_path, HEAD + entry("large", serve(script).url, provider=provider))
    says = f"large-id was asked, and the server says that {named} answered."
    answer = run("chat", "--json", "Hello")
    assert json.loads(answer.text)["cautions"] == [{"kind": "other_model", "text": says}]
    for shown in (run("chat", "Hello"), run("compare", "Hello"), run("history", "export", "--format", "markdown")):
        assert says in " ".join((shown.text + shown.notes).split())
    lane = json.loads(run("compare", "--json", "Hello").text)["lanes"][0]
    assert [each["kind"] for each in lane["cautions"]] == ["other_model"]
    rows = list(csv.DictReader(run("history", "export", "--format", "csv").text.splitlines()))
    assert {row["cautions"] for row in rows} == {says}


def test_a_report_counts_answers_of_other_models(tmp_path: Path, run: Run, serve: Serve) -> None:
    written(tmp_path, HEAD + entry("large", serve(OTHER["openai"]).url, provider="openai"))
    (tmp_path / "rows.csv").write_text("prompt\nHi\nHello\n")
    batch = run("batch", "rows.csv", "--json", "-y")
    assert json.loads(batch.text)["models"][0]["cautions"] == {"other_model": 2}
    assert run("report", json.loads(batch.text)["run"], "--out", "report.html").code == 0
    told = "Of 2 calls the server named another model than the one that was asked"
    assert told in (tmp_path / "report.html").read_text(encoding="utf-8")
