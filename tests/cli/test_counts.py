"""Whatever a server counts, no face loses an answer: figures are told with their source, and what can't be is told."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.server import Script
from tests.faultserver.speech import event, plays, said

TEXT = "Hay, grass and leaves; they sleep in a barn."
COUNTS: dict[str, tuple[dict[str, Any], str]] = {
    "a cache larger than its prompt": (
        {"prompt_tokens": 12, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 5000}},
        "5,000 cached tokens",
    ),
    "negative": ({"prompt_tokens": -12, "completion_tokens": 9}, "-12 input tokens"),
    "not finite": ({"prompt_tokens": 12, "completion_tokens": float("nan")}, "nan output tokens"),
    "absurd": ({"prompt_tokens": 12, "completion_tokens": 10**15}, "1,000,000,000,000,000 output tokens"),
    "no number": ({"prompt_tokens": True, "completion_tokens": "nine"}, "True input tokens"),
    "a cost that is none": ({"prompt_tokens": 12, "completion_tokens": 9, "cost": -1}, "a cost of -1"),
    "a cost beyond all": ({"prompt_tokens": 12, "completion_tokens": 9, "cost": 1e300}, "a cost of 1e+300"),
}
CASES = [pytest.param(*case, id=name) for name, case in COUNTS.items()]
PRICES = {"pricing": {"input": 1, "output": 2, "cached": 0.5}}


def counting(counts: dict[str, Any]) -> Script:
    end = event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    return plays("openai", [said("openai", TEXT), end, event({"choices": [], "usage": counts}), event("[DONE]")])


@pytest.mark.parametrize(("counts", "told"), CASES)
def test_the_command_lines_answers(counts: dict[str, Any], told: str, tmp_path: Path, run: Run, serve: Serve) -> None:
    good = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}
    odd, fine = serve(counting(counts)), serve(counting(good))
    written(tmp_path, HEAD + entry("odd", odd.url, **PRICES) + entry("fine", fine.url, **PRICES))
    done = run("chat", "--model", "odd", "--json", "Hello")
    assert done.code == 0, done.notes
    answer = json.loads(done.text)
    assert answer["text"] == TEXT
    assert told in answer["usage"]["doubts"][0]
    assert answer["cost"]["source"] in ("config", "reported")
    compared = run("compare", "--json", "Hello")
    assert compared.code == 0, compared.notes
    first, second = json.loads(compared.text)["lanes"]
    assert (first["status"], second["status"]) == ("done", "done")
    assert told in first["usage"]["doubts"][0]
    assert (second["usage"]["doubts"], second["usage"]["source"]) == ([], "reported")
    shown = run("compare", "Hello")
    assert shown.code == 0
    assert told in " ".join((shown.text + shown.notes).split())
    exported = run("history", "export", "--format", "csv")
    rows = list(csv.DictReader(exported.text.splitlines()))
    assert {row["model"]: told in row["tokens_doubts"] for row in rows} == {"odd": True, "fine": False}
    assert "Traceback" not in done.notes + compared.notes + shown.notes + exported.notes


WRITES = {
    "prompt_tokens": 1000,
    "completion_tokens": 9,
    "total_tokens": 1009,
    "prompt_tokens_details": {"cache_write_tokens": 600},
}


@pytest.mark.parametrize(("price", "usd", "doubt"), [({"cache_write": 3}, 0.002218, ""), ({}, 0.001018, "no price")])
def test_what_is_written_into_a_cache_is_priced_and_told(
    price: dict[str, Any], usd: float, doubt: str, tmp_path: Path, run: Run, serve: Serve
) -> None:
    prices = {"pricing": {"input": 1, "output": 2, "cached": 0.5, **price}}
    written(tmp_path, HEAD + entry("writes", serve(counting(WRITES)).url, **prices))
    prompt = "Hello llama. " * 300
    told = json.loads(run("chat", "--json", prompt).text)
    assert (told["usage"]["cache_write"], told["usage"]["doubts"]) == (600, [])
    assert (told["cost"]["usd"], told["cost"]["estimated"]) == (usd, bool(doubt))
    assert doubt in told["cost"]["detail"]
    row = next(csv.DictReader(run("history", "export", "--format", "csv").text.splitlines()))
    assert row["cache_write_tokens"] == "600"


@pytest.mark.parametrize("counts", [case for case, _ in COUNTS.values()], ids=COUNTS)
def test_batches_and_sweeps(counts: dict[str, Any], tmp_path: Path, run: Run, serve: Serve) -> None:
    written(tmp_path, HEAD + entry("odd", serve(counting(counts)).url, **PRICES))
    (tmp_path / "rows.csv").write_text("prompt\nHello\nHello again\n")
    batch = run("batch", "rows.csv", "--json", "-y")
    assert batch.code == 0, batch.notes
    (found,) = json.loads(batch.text)["models"]
    assert (found["answered"], found["doubted"]) == (2, 2)
    sweep = run("sweep", "--values", "0,1", "--repeats", "1", "--yes", "--json", "Hello")
    assert sweep.code == 0, sweep.notes
    assert [cell["doubted"] for cell in json.loads(sweep.text)["cells"]] == [1, 1]
