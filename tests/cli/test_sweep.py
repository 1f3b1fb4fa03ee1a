"""`lf sweep`: from the command line to the table, the recommendation and the change of the file."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from llamafarm.core.errors import RequestError
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.sweep.prompts import prompts_of
from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, lf_async, started, written
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import answer, ending, plays, refuses, said


async def by_temperature(exchange: Exchange) -> None:
    """At 0 always the same answer, above it another by seed."""
    asked = exchange.seen.json()
    text = "Paris." if asked["temperature"] == 0 else f"Town {asked['seed']}"
    await plays("openai", [said("openai", text), ending("openai")])(exchange)


PLAN = ("--values", "0,1", "--repeats", "8", "--yes")


def project(folder: Path, server: FaultServer, **settings: Any) -> Path:
    return written(folder, HEAD + entry("m", server.url, **settings) + "# the end\n")


def test_a_sweep_measures_recommends_and_tells_machines(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(by_temperature)
    project(tmp_path, server, pricing={"input": 1, "output": 2})
    done = run("sweep", *PLAN, "--task", "factual", "--check", "contains:Paris", "--json", "Capital?")
    assert done.code == 0, done.notes
    told = json.loads(done.text)
    assert len(server.requests) == 16
    assert sorted(request.json()["seed"] for request in server.requests) == sorted([*range(1, 9)] * 2)
    cold, warm = told["cells"]
    assert (cold["value"], cold["answered"], cold["validity"]["value"]) == (0, 8, 1)
    assert (warm["value"], warm["validity"]["value"], warm["agreement"]["value"]) == (1, 0, 0.125)
    assert cold["answers"] == [[{"text": "Paris.", "count": 8}]]
    assert cold["cost"]["usd"] == pytest.approx(8 * (11 * 1 + 7 * 2) / 1e6)
    assert told["recommendations"]["m"]["value"] == 0
    assert told["recommendations"]["m"]["certainty"] == "clear"
    assert "Calls: 16." in done.notes
    assert "unknown: no max_tokens" in done.notes


def test_the_table_tells_people(tmp_path: Path, run: Run, serve: Serve) -> None:
    project(tmp_path, serve(by_temperature))
    done = run("sweep", *PLAN, "--task", "factual", "--max-tokens", "5", "Capital?")
    head = done.text.splitlines()[0].split("  ")
    assert [part.strip() for part in head if part.strip()][:4] == ["Model", "temperature", "Answers", "Agreement"]
    assert "1.00 [0.68, 1.00]" in done.text  # Wilson's for 8 of 8
    assert "m: temperature 0, agreement 1.00 [0.68, 1.00]. Highest agreement" in done.text
    assert "out at most 80" in done.notes
    assert "16 of 16" in done.notes


def test_all_answers_are_written_with_what_was_varied(tmp_path: Path, run: Run, serve: Serve) -> None:
    project(tmp_path, serve(by_temperature), pricing={"input": 1, "output": 2})
    for form, kept in (("parquet", ()), ("csv", ("--no-record",))):
        done = run("sweep", *PLAN, *kept, "--check", "contains:Paris", "--out", f"out.{form}", "Capital?")
        assert "16 answers were written to" in done.notes
    whole = pd.read_parquet(tmp_path / "out.parquet")
    assert whole["value"].tolist() == [0.0] * 8 + [1.0] * 8
    assert whole["repeat"].tolist() == [*range(1, 9)] * 2
    assert whole["passed"].tolist() == [True] * 8 + [False] * 8
    assert set(whole["cost_usd"]) == {Decimal("0.000025")}
    text = pd.read_csv(tmp_path / "out.csv")
    assert list(text) == list(whole)
    assert text["text"].tolist() == whole["text"].tolist()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--out", "answers.txt"), ".csv, .parquet or .jsonl"), (("--excel",), "Excel reads CSV"),
     (("--out", "no/where.csv"), "There is no folder"), (("-f", "mine.csv", "--out", "mine.csv"), "which is read here")],
)  # fmt: skip
def test_a_file_that_can_not_be_written_is_told_first(
    tmp_path: Path, run: Run, serve: Serve, arguments: tuple[str, ...], told: str
) -> None:
    server = serve(by_temperature)
    project(tmp_path, server)
    (tmp_path / "mine.csv").write_text("prompt\nCapital?\n")
    done = run("sweep", *PLAN, *arguments, "Capital?")
    assert done.code == 2
    assert told in " ".join(done.notes.replace("│", " ").split())
    assert not server.requests


def test_what_fails_is_counted_and_the_rest_is_measured(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(plays("openai", answer("openai", "yes")), refuses(400, {"error": {"message": "no"}}))
    project(tmp_path, server)
    done = run("sweep", "--values", "0,1", "--repeats", "1", "--at-once", "1", "Really?")
    assert done.code == 0
    assert "0 of 1" in done.text
    assert "1 failed" in done.notes


def test_no_answer_at_all_is_exit_1(tmp_path: Path, run: Run, serve: Serve) -> None:
    project(tmp_path, serve(refuses(401, {"error": {"message": "no"}})))
    assert run("sweep", "--values", "0,1", "--repeats", "1", "Really?").code == 1


def test_a_judge_is_asked_and_paid_apart(tmp_path: Path, run: Run, serve: Serve) -> None:
    server, judge = serve(by_temperature), serve(plays("openai", answer("openai", "Score: 8")))
    written(tmp_path, HEAD + entry("m", server.url) + entry("j", judge.url, pricing={"input": 1, "output": 1}))
    done = run("sweep", *PLAN, "--models", "m", "--judge", "j", "--rubric", "Be kind.", "--json", "Capital?")
    told = json.loads(done.text)
    assert len(judge.requests) == 16
    assert told["cells"][0]["score"]["value"] == 0.8
    assert told["cells"][0]["judge_cost"]["usd"] == pytest.approx(8 * 18 / 1e6)
    assert told["cells"][0]["cost"] == {"usd": None, "unknown": 8, "estimated": False, "free": False}
    assert "16 of the judge" in done.notes


def test_prompts_come_from_a_file_with_what_is_expected(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(by_temperature)
    project(tmp_path, server)
    lines = [{"prompt": "France?", "expected": "Paris"}, {"prompt": "Italy?", "checks": ["contains:Rome"]}]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    told = json.loads(run("sweep", "--values", "0", "--repeats", "1", "-f", "p.jsonl", "--json").text)
    assert told["prompts"] == ["France?", "Italy?"]
    assert told["cells"][0]["validity"]["value"] == 0.5


def test_a_recommendation_changes_its_line_in_the_file(tmp_path: Path, run: Run, serve: Serve) -> None:
    path = project(tmp_path, serve(by_temperature), model_api_parameters={"temperature": 1})
    before = path.read_text()
    shown = run("sweep", *PLAN, "--task", "factual", "--patch", "Capital?")
    assert "+" in shown.text
    assert path.read_text() == before
    done = run("sweep", *PLAN, "--task", "factual", "-c", path.name, "--apply", "--json", "Capital?")
    assert json.loads(done.text)["recommendations"]["m"]["value"] == 0
    assert path.read_text() == before.replace('"temperature": 1', '"temperature": 0')


def test_nothing_is_written_where_nothing_is_recommended(tmp_path: Path, run: Run, serve: Serve) -> None:
    path = project(tmp_path, serve(plays("openai", answer("openai", "same"))))
    before = path.read_text()
    done = run("sweep", *PLAN, "--task", "factual", "-c", path.name, "--apply", "Capital?")
    assert "no recommendation. Too few repeats to tell" in done.text
    assert "nothing to change" in done.notes
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("Hi",), "--values"),
        (("--values", "0"), "prompt"),
        (("--values", "0,0", "Hi"), "twice"),
        (("--task", "poetry", "Hi"), "brainstorm"),
        (("--task", "code", "--check", "python:x", "Hi"), "contains:TEXT"),
        (("--task", "code", "--rubric", "r", "Hi"), "--judge"),
        (("--task", "code", "--judge", "nobody", "Hi"), "nobody"),
        (("--task", "code", "--models", "nobody", "Hi"), "nobody"),
        (("--task", "code", "--apply", "Hi"), "--config"),
        (("--task", "code", "-f", "nowhere.txt"), "nowhere.txt"),
        (("--task", "code", "--repeats", "9999999", "Hi"), "at most"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(
    tmp_path: Path, run: Run, serve: Serve, arguments: tuple[str, ...], word: str
) -> None:
    server = serve(by_temperature)
    project(tmp_path, server)
    done = run("sweep", *arguments)
    assert done.code == 2
    assert word in done.notes
    assert server.requests == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "line 1: this is not JSON"),
        ('\n{"prompt": ""}', "line 2"),
        ("[]", "object"),
        ('{"prompt": "a", "checks": "json"}', "list"),
        ('{"prompt": "a", "checks": ["regex:("]}', "line 1"),
        ('{"prompt": "a", "variables": []}', "variables"),
    ],
)
def test_what_is_wrong_in_a_file_of_prompts_has_its_line(text: str, word: str) -> None:
    with pytest.raises(RequestError) as raised:
        prompts_of(PromptFile(Path("p.jsonl"), data=text.encode()))
    assert word in str(raised.value)


def test_lines_of_text_are_prompts() -> None:
    found, _ = prompts_of(PromptFile(Path("p.txt"), data=b"One\n\n Two \r\n"))
    assert [prompt.text for prompt in found] == ["One", "Two"]


# --- kept and resumed


def test_a_sweep_is_kept_and_goes_on_with_what_is_missing(tmp_path: Path, run: Run, serve: Serve) -> None:
    broken = refuses(400, {"error": {"message": "no"}})
    server = serve(by_temperature, *([broken] * 3))
    project(tmp_path, server)
    asked = ("sweep", *PLAN, "--task", "factual", "--at-once", "1", "--json", "Capital?")
    first = json.loads(run(*asked).text)
    assert sum(cell["failed"] for cell in first["cells"]) == 3
    done = run("sweep", "--resume", first["run"], "--json")
    second = json.loads(done.text)
    assert second["run"] == first["run"]
    assert len(server.requests) == 16 + 3
    assert [cell["answered"] for cell in second["cells"]] == [8, 8]
    assert second["recommendations"]["m"]["value"] == 0
    assert second["cells"][0]["validity"] is None
    run("sweep", "--resume", first["run"])
    assert len(server.requests) == 16 + 3  # nothing is missing any more


def test_only_a_sweep_of_the_same_file_goes_on(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(by_temperature)
    path = project(tmp_path, server)
    told = json.loads(run("sweep", *PLAN, "--json", "Capital?").text)
    path.write_text(path.read_text() + "# changed\n")
    done = run("sweep", "--resume", told["run"])
    assert (done.code, len(server.requests)) == (2, 16)
    assert "not the one" in done.notes
    assert run("sweep", "--resume", "nothing").code == 2


def test_what_shall_not_be_kept_is_not(tmp_path: Path, run: Run, serve: Serve) -> None:
    project(tmp_path, serve(by_temperature))
    told = json.loads(run("sweep", *PLAN, "--no-record", "--json", "Capital?").text)
    assert told["run"] is None


async def test_killing_it_loses_nothing_that_had_ended(tmp_path: Path) -> None:
    """kill -9 in the middle: the server sees each call once, but for the one that was in flight."""
    held = asyncio.Event()

    async def third_hangs(exchange: Exchange) -> None:
        if len(server.requests) == 3:
            held.set()
            await exchange.hang()
        else:
            await by_temperature(exchange)

    async with FaultServer(third_hangs) as server:
        project(tmp_path, server)
        process = await started("sweep", *PLAN, "--at-once", "1", "Capital?", folder=tmp_path)
        async with asyncio.timeout(30):
            await held.wait()
        process.kill()
        assert process.stderr
        notes = (await process.stderr.read()).decode()
        run_id = notes.partition("--resume ")[2].split()[0]
        done = await lf_async("sweep", "--resume", run_id, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [cell["answered"] for cell in json.loads(done.stdout)["cells"]] == [8, 8]
    assert len(server.requests) == 16 + 1


def test_one_at_a_time_warmed(tmp_path: Path, run: Run, serve: Serve) -> None:
    server = serve(by_seed_or_warming)
    project(tmp_path, server, pricing={"input": 1, "output": 2})
    done = run("sweep", *PLAN, "--fair", "--json", "Capital?")
    told = json.loads(done.text)
    assert len(server.requests) == 17
    assert server.requests[0].json()["messages"] == [{"role": "user", "content": "Hello."}]
    assert [cell["shared"] for cell in told["cells"]] == [0, 0]
    assert told["cells"][0]["warmups"]["usd"] == pytest.approx((11 * 1 + 7 * 2) / 1e6)
    assert told["cells"][1]["warmups"] is None
    assert told["cells"][0]["cost"]["usd"] == pytest.approx(8 * (11 * 1 + 7 * 2) / 1e6)


async def by_seed_or_warming(exchange: Exchange) -> None:
    if exchange.seen.json()["messages"][-1]["content"] == "Hello.":
        await plays("openai", [said("openai", "Hi"), ending("openai")])(exchange)
    else:
        await by_temperature(exchange)
