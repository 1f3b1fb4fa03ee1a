"""`lf batch`: from a file of prompts to the table, the rows and the history."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, started, written
from tests.cli.terminal import Terminal
from tests.cli.test_conversation import until
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import answer, plays, refuses

CAPITALS = "prompt,id,expected\nFrance?,fr,Paris\nItaly?,it,Rome\nJapan?,jp,Tokyo\n"
ANSWERS = {"France?": "It is Paris.", "Italy?": "It is Milan.", "Japan?": "Tokyo"}


async def knows(exchange: Exchange) -> None:
    """Answers two of three questions well."""
    asked = exchange.seen.json()["messages"][-1]["content"]
    await plays("openai", answer("openai", ANSWERS.get(asked, "Well…")))(exchange)


def project(folder: Path, *servers: FaultServer, **settings: Any) -> Path:
    (folder / "capitals.csv").write_text(CAPITALS)
    named = (entry(f"m{at}", server.url, **settings) for at, server in enumerate(servers))
    return written(folder, HEAD + "".join(named))


def test_a_batch_measures_and_tells_machines(tmp_path: Path, run: Run, serve: Serve) -> None:
    one, two = serve(knows), serve(refuses(400, {"error": {"message": "no"}}))
    project(tmp_path, one, two, pricing={"input": 1, "output": 2})
    done = run("batch", "capitals.csv", "--max-tokens", "9", "--json", "-y")
    assert done.code == 0, done.notes
    told = json.loads(done.text)
    good, bad = told["models"]
    assert (told["rows"], told["finished"], told["concurrency"], told["file"]) == (3, True, 8, "capitals.csv")
    assert (good["asked"], good["answered"], good["passed"], good["not_passed"]) == (3, 3, 2, 1)
    assert good["pass_rate"]["value"] == pytest.approx(2 / 3)
    assert good["pass_rate"]["low"] < 2 / 3 < good["pass_rate"]["high"]
    assert good["ttft_s"]["n"] == good["total_s"]["n"] == 3
    assert good["ttft_s"]["p50"] <= good["ttft_s"]["p95"] <= good["total_s"]["p95"]
    assert (good["input_tokens"]["value"], good["output_tokens"]["value"]) == (33, 21)
    assert good["cost"]["usd"] == pytest.approx((33 * 1 + 21 * 2) / 1e6)
    assert good["cost"]["sources"] == {"config": 3}
    assert (bad["failed"], bad["faults"], bad["cost"]["usd"]) == (3, {"RequestRejected": 3}, None)
    assert "Calls: 6." in done.notes
    assert "out at most 54" in done.notes
    assert "3 calls failed" in done.notes
    assert all(request.json()["max_tokens"] == 9 for request in one.requests)


def test_one_at_a_time_warmed(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(knows)
    project(tmp_path, server, server, pricing={"input": 1, "output": 2})
    done = run("batch", "capitals.csv", "--fair", "--json", "-y")
    told = json.loads(done.text)
    asked = [request.json()["messages"][-1]["content"] for request in server.requests]
    assert asked == ["Hello.", *ANSWERS] * 2
    assert (told["concurrency"], told["fair"]) == (1, True)
    for model in told["models"]:
        assert (model["answered"], model["shared"]) == (3, 0)
        assert model["warmups"]["usd"] == pytest.approx((11 * 1 + 7 * 2) / 1e6)
        assert model["cost"]["usd"] == pytest.approx(3 * (11 * 1 + 7 * 2) / 1e6)
    with_shared = json.loads(run("batch", "capitals.csv", "--json", "-y").text)
    assert with_shared["models"][0]["warmups"] is None
    assert run("batch", "capitals.csv", "--resume", told["run"], "--json").code == 0
    assert len(server.requests) == 8 + 6


def test_the_table_tells_people(tmp_path: Path, run: Run, serve: Serve) -> None:
    project(tmp_path, serve(knows))
    done = run("batch", "capitals.csv")
    head, row = (line.split("  ") for line in done.text.splitlines()[:2])
    assert [part.strip() for part in head if part.strip()] == [
        "Model", "Answers", "Pass rate", "TTFT p50", "TTFT p95", "Total p50", "Total p95", "In", "Out", "Cost", "Source",
    ]  # fmt: skip
    cells = [part.strip() for part in row if part.strip()]
    assert cells[:2] == ["m0", "3 of 3"]
    assert cells[2].startswith("0.67 [0.2")
    assert cells[-2:] == ["unknown", "unknown"]
    assert "Wilson" in done.text
    alone = run("batch", "capitals.csv", "--concurrency", "1")
    assert "gives times to compare" not in alone.text


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_the_answers_are_written_in_the_order_of_the_file(tmp_path: Path, run: Run, serve: Serve, ending: str) -> None:
    project(tmp_path, serve(knows), serve(refuses(400, {"error": {"message": "no"}})))
    done = run("batch", "capitals.csv", "--check", "not-contains:Milan", "--out", f"out.{ending}")
    assert "6 answers were written to" in done.notes
    out = tmp_path / f"out.{ending}"
    if ending == "csv":
        with out.open(newline="") as file:
            found: list[dict[str, Any]] = list(csv.DictReader(file))
    else:
        found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(int(row["row"]), row["id"], row["model"]) for row in found] == [
        (number, name, model) for number, name in enumerate(("fr", "it", "jp"), 1) for model in ("m0", "m1")
    ]
    assert [str(row["passed"]).lower() for row in found[::2]] == ["true", "false", "true"]
    assert found[2]["not_passed"].split("\n") == ["not-contains:Milan: does not hold", "contains:Rome: does not hold"]
    assert (found[0]["prompt"], found[0]["text"], found[0]["status"]) == ("France?", "It is Paris.", "done")
    assert (found[1]["status"], found[1]["error"]) == ("failed", found[3]["error"])
    assert found[1]["passed"] in ("", None)


def test_answers_are_a_parquet_file_with_their_types(tmp_path: Path, run: Run, serve: Serve) -> None:
    project(tmp_path, serve(knows), serve(refuses(400, {"error": {"message": "no"}})))
    done = run("batch", "capitals.csv", "--check", "not-contains:Milan", "--out", "out.parquet")
    assert "6 answers were written to" in done.notes
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["row"].tolist() == [1, 1, 2, 2, 3, 3]
    assert found["passed"].dtype == "boolean"
    assert found[found["model"] == "m0"]["passed"].tolist() == [True, False, True]
    assert found[found["model"] == "m1"]["passed"].isna().all()


@pytest.mark.parametrize(
    "command",
    [("batch", "capitals.csv", "--out", "x.parquet"), ("sweep", "--values", "0", "Why?", "--out", "x.parquet"),
     ("history", "export", "--format", "parquet", "--output", "x.parquet")],
)  # fmt: skip
def test_without_pyarrow_nothing_is_asked_and_its_command_is_told(
    tmp_path: Path, run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr("llamafarm.output.tables.find_spec", lambda _: None)
    server = serve(knows)
    project(tmp_path, server)
    done = run(*command)
    assert done.code != 0
    assert 'pip install "llamafarm-playground[parquet]"' in done.notes
    assert not server.requests
    assert not (tmp_path / "x.parquet").exists()


def test_columns_fill_a_template(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(knows)
    project(tmp_path, server)
    (tmp_path / "towns.csv").write_text("town\nOslo\nRome\n")
    run("batch", "towns.csv", "--prompt", "Where is {{town}}, {{how}}?", "--var", "how=briefly", "--system", "Hi")
    asked = [[message["content"] for message in request.json()["messages"]] for request in server.requests]
    assert sorted(asked) == [["Hi", "Where is Oslo, briefly?"], ["Hi", "Where is Rome, briefly?"]]


def test_a_terminal_shows_how_far_it_is_and_asks_before_it_starts(tmp_path: Path, serve: Serve) -> None:
    gate = threading.Event()
    quick, slow = serve(knows), serve(until(gate, knows))
    project(tmp_path, quick, slow)
    with Terminal("batch", "capitals.csv", folder=tmp_path) as terminal:
        terminal.wait_for("Start?")
        assert quick.requests == []
        terminal.type("y\n")
        terminal.wait_for("3 of 6")
        terminal.wait_for("Ctrl-C stops")
        terminal.wait_for("3 of 3")
        gate.set()
        assert terminal.end() == 0
    assert "6 of 6" in terminal.text
    assert "shared a server with other requests" in terminal.text


def test_no_answer_at_all_is_exit_1(tmp_path: Path, run: Run, serve: Serve) -> None:
    project(tmp_path, serve(refuses(401, {"error": {"message": "no"}})))
    assert run("batch", "capitals.csv").code == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("nowhere.csv",), "nowhere.csv can't be read"),
        (("bad.csv",), "line 3: the prompt is empty"),
        (("capitals.csv", "--check", "python:x"), "contains:TEXT"),
        (("capitals.csv", "--models", "nobody"), "nobody"),
        (("capitals.csv", "--temperature", "inf"), "finite"),
        (("capitals.csv", "--out", "out.xlsx"), ".jsonl"),
        (("capitals.csv", "--out", "no/out.csv"), "folder"),
        (("capitals.csv", "--resume", "nothing"), "no run"),
        (("capitals.csv", "--resume", "x", "--check", "json"), "asked before"),
        (("capitals.csv", "--prompt", "{{x}}"), "needs a value for: x"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(
    tmp_path: Path, run: Run, serve: Serve, arguments: tuple[str, ...], word: str
) -> None:
    server = serve(knows)
    project(tmp_path, server)
    (tmp_path / "bad.csv").write_text('prompt,x\na,b\n"",c\n')
    done = run("batch", *arguments)
    assert done.code == 2
    assert word in done.notes
    assert server.requests == []


def test_bad_rows_are_passed_over_where_that_is_wanted(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(knows)
    project(tmp_path, server)
    (tmp_path / "bad.jsonl").write_text('{"prompt": "a"}\n{\n{"prompt": "b"}\n')
    done = run("batch", "bad.jsonl", "--skip-bad", "--json")
    assert done.code == 0
    assert len(server.requests) == 2
    assert "Passed over: 1 of 3 rows" in done.notes
    assert json.loads(done.text)["bad_rows"] == 1


# --- kept and resumed


def test_resuming_asks_what_failed_and_tells_of_all(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(knows, refuses(400, {"error": {"message": "no"}}))
    project(tmp_path, server)
    first = run("batch", "capitals.csv", "--concurrency", "1", "--json")
    told = json.loads(first.text)
    assert told["models"][0]["failed"] == 1
    assert f"lf batch capitals.csv --resume {told['run']}" in first.notes
    done = run("batch", "capitals.csv", "--resume", told["run"], "--json", "--out", "all.jsonl")
    again = json.loads(done.text)
    assert (again["run"], again["models"][0]["answered"], again["models"][0]["passed"]) == (told["run"], 3, 2)
    assert len(server.requests) == 3 + 1
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 3
    run("batch", "capitals.csv", "--resume", told["run"])
    assert len(server.requests) == 3 + 1  # nothing is missing any more


def test_only_the_same_files_go_on(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(knows)
    path = project(tmp_path, server)
    told = json.loads(run("batch", "capitals.csv", "--json").text)
    (tmp_path / "capitals.csv").write_text(CAPITALS + "Spain?,es,Madrid\n")
    done = run("batch", "capitals.csv", "--resume", told["run"])
    assert done.code == 2
    assert "is not the file that the run was begun with (capitals.csv)" in done.notes
    (tmp_path / "capitals.csv").write_text(CAPITALS)
    path.write_text(path.read_text() + "# changed\n")
    done = run("batch", "capitals.csv", "--resume", told["run"])
    assert done.code == 2
    assert "project file is not the one" in done.notes
    sweep = json.loads(run("sweep", "--values", "0", "--repeats", "1", "--json", "Hi").text)["run"]
    assert "is no batch" in run("batch", "capitals.csv", "--resume", sweep).notes
    assert len(server.requests) == 3 + 1


def test_without_a_history_it_runs_all_the_same(
    tmp_path: Path, run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, serve(knows))
    monkeypatch.setenv("LF_DATABASE_URL", "off")
    done = run("batch", "capitals.csv", "--json")
    assert (done.code, json.loads(done.text)["run"]) == (0, None)
    assert run("batch", "capitals.csv", "--out", "a.csv").code == 2


async def test_ctrl_c_stops_at_the_server_and_tells_how_to_go_on(tmp_path: Path) -> None:
    held = asyncio.Event()

    async def second_hangs(exchange: Exchange) -> None:
        if len(server.requests) == 2:
            held.set()
            await exchange.hang()
        else:
            await knows(exchange)

    async with FaultServer(second_hangs) as server:
        project(tmp_path, server)
        process = await started("batch", "capitals.csv", "--concurrency", "1", "--json", folder=tmp_path)
        async with asyncio.timeout(30):
            await held.wait()
            process.send_signal(signal.SIGINT)
            out, notes = await process.communicate()
            await server.requests[1].gone.wait()
    told = json.loads(out)
    assert process.returncode == 130
    assert (told["finished"], told["models"][0]["answered"]) == (False, 1)
    assert f"2 are left; to ask them again: lf batch capitals.csv --resume {told['run']}" in notes.decode()
    assert len(server.requests) == 2


def test_models_are_named_with_commas_or_one_by_one(tmp_path: Path, run: Run, serve: Serve) -> None:
    servers = [serve(knows) for _ in range(3)]
    project(tmp_path, *servers)
    for arguments in (
        ("batch", "capitals.csv", "-y", "-m", "m0", "--model", "m2"),
        ("compare", "Hi", "-m", "m0", "-m", "m2"),
        ("sweep", "Hi", "-y", "--values", "0", "--values", "1", "--repeats", "1", "-m", "m0", "--models", "m2"),
    ):
        before = [len(server.requests) for server in servers]
        assert run(*arguments).code == 0
        asked = [len(server.requests) - count for server, count in zip(servers, before, strict=True)]
        assert asked[0] == asked[2] > 0
        assert asked[1] == 0


def test_answers_for_excel_begin_with_a_mark_and_are_read_back(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(knows)
    project(tmp_path, server)
    (tmp_path / "odd.csv").write_text("prompt,x\n=1+1,a\n'=2,b\n")
    assert run("batch", "odd.csv", "-y", "--out", "out.csv", "--excel").code == 0
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfrow,")
    assert run("batch", "out.csv", "-y").code == 0
    asked = [request.json()["messages"][-1]["content"] for request in server.requests]
    assert sorted(asked) == ["'=2", "'=2", "=1+1", "=1+1"]
