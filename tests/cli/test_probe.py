"""lf models probe: what it tells before, what it shows, keeps and marks."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.probed import Counting
from tests.faultserver.speech import refuses

FREE = {"pricing": {"input": 0, "output": 0}, "context_window": 100}


def test_a_probe_is_shown_kept_and_marks_the_figures_of_later_answers(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(Counting("openai", frozenset({"lumps", "counts don't grow"})))
    written(tmp_path, HEAD + entry("a", server.url, model="m", **FREE))
    done = run("models", "probe")
    assert done.code == 0, done.notes
    assert "at most 600 tokens and 60 s each" in done.notes
    assert "Cost: nothing" in done.notes
    lines = " ".join(done.text.split())
    assert "✗ streams word by word 20 tokens in 1 piece" in lines
    assert "TTFT is the time until a whole lump was there" in lines
    asked = len(server.requests)
    last = run("models", "probe", "--last", "--json")
    (kept,) = json.loads(last.out)["probes"]
    marks = {each["check"]: each["mark"] for each in kept["findings"]}
    assert (marks["stream"], marks["growth"], marks["context"]) == ("no", "no", "yes")
    assert len(server.requests) == asked
    compared = run("compare", "Count.", "--max-tokens", "9")
    assert " ✗ " in compared.text
    assert "a ✗: counts don't grow (probe of 20" in " ".join((compared.text + compared.notes).split())
    (lane,) = json.loads(run("compare", "Count.", "--max-tokens", "9", "--json").out)["lanes"]
    assert {each["check"] for each in lane["probed"]} >= {"stream", "growth"}
    assert all(each["figures"] and each["meaning"] and each["day"] for each in lane["probed"])


def test_what_may_cost_is_not_asked_where_nobody_can_say_so(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(Counting("openai"))
    priced = entry("a", server.url, model="m", pricing={"input": 5, "output": 20})
    written(tmp_path, HEAD + priced + entry("b", server.url, model="m", base_url="http://models.example.com/v1"))
    done = run("models", "probe", "-m", "a")
    assert done.code == 2
    assert "Cost: at most ~$0.00" in done.notes
    assert "--yes" in done.notes
    both = run("models", "probe")
    assert (both.code, "unknown for b" in both.notes) == (2, True)
    assert server.requests == []
    bought = run("models", "probe", "-m", "a", "--yes", "--json", "--no-record")
    assert bought.code == 0, bought.notes
    (probe,) = json.loads(bought.out)["probes"]
    assert probe["tokens"] <= 600
    context = next(each for each in probe["findings"] if each["check"] == "context")
    assert context["mark"] == "untold"


def test_a_server_that_does_not_answer_gives_nothing_to_keep(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(refuses(401, {"error": {"message": "no such key"}}))
    written(tmp_path, HEAD + entry("a", server.url, model="m", **FREE))
    assert run("models", "probe").code == 1
    assert len(server.requests) == 1
    last = run("models", "probe", "--last")
    assert (last.code, "a was never probed" in last.notes) == (1, True)
