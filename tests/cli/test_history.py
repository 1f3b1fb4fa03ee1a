"""lf history: from a comparison that was kept to all that can be done with it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from llamafarm.cli import main
from llamafarm.core.events import FellBack, Retrying
from llamafarm.core.types import Cost, Timings
from llamafarm.history.database.connecting.place import place_of
from llamafarm.history.database.history import History
from llamafarm.history.database.store import open_store
from llamafarm.history.model import Asked, Recorded, Run, RunBegan, Snapshot
from tests.cli.conftest import Serve
from tests.cli.helpers import HEAD, entry, written
from tests.databases import known
from tests.faultserver.speech import answer, plays
from tests.history.database.made import PROJECT, START, asked, ended, keep

Said = tuple[int, str, str]
Lf = Callable[..., Said]


@pytest.fixture
def lf(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lf:
    """Runs `lf` here, in an empty folder; gives the exit code, the output and the errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def three() -> list[Asked]:
    """Two comparisons and one piece of a run, in the history that `lf` will open."""
    llamas = asked("What do llamas eat?")
    sky = asked("Why is the sky blue?", ("fast",), started_at=START + timedelta(days=2))
    run = Run("r" * 26, "batch", "prompts.csv", START, PROJECT)
    piece = asked("Row one", ("fast",), kind="batch", run=run.id, item="1")

    async def fill() -> None:
        async with open_store(known(place_of(os.environ))) as store:
            keep(store, llamas, ended(llamas, text="Grass \x1b[31mand hay."), ended(llamas, "wise", "Shrubs."))
            keep(store, sky, ended(sky, text="Scattering.", cost=Cost(None, "unknown")))
            store.take(RunBegan(run, None))
            keep(store, piece, ended(piece, text="One."))

    asyncio.run(fill())
    return [llamas, sky, piece]


def test_a_list_for_people(lf: Lf) -> None:
    llamas, sky, _ = three()
    code, out, _ = lf("history", "list")
    first, second = out.splitlines()[1:]
    assert code == 0
    assert first.split()[0] == sky.id
    assert "unknown" in first
    assert second.startswith(llamas.id)
    assert "~$0.000246" in second  # what rests on an estimate is marked in a list too
    assert "What do llamas eat?" in second


RETRIED = Retrying(at=1.0, attempt=2, delay_s=0.3, kind="ServerFailed", message="It broke.")
FELL = FellBack(at=1.0, model="fast", to="wise", lost_s=2.0, kind="TimedOut", message="Late.")


@pytest.mark.parametrize(
    ("changes", "figure", "note", "told"),
    [
        (
            {"retries": (RETRIED,), "timings": Timings(ttft_s=0.9, total_s=2.0, lost_s=0.5, ttft_lost_s=0.5)},
            "900 ms *",
            "TTFT with 500 ms lost to a failed try.",
            {"retries": 1, "lost_s": 0.5, "ttft_lost_s": 0.5},
        ),
        (
            {"reconnects": 1, "timings": Timings(ttft_s=0.9, total_s=2.0, lost_s=0.0001, ttft_lost_s=0.0001)},
            "900 ms *",
            "under 1 ms lost to a closed connection.",
            {"reconnects": 1, "lost_s": 0.0001},
        ),
        (
            {"fallbacks": (FELL,), "timings": Timings(ttft_s=2.9, total_s=4.0)},
            "2.90 s *",
            "2.00 s lost to a model that failed before.",
            {"fallbacks": 1, "lost_s": 2.0, "ttft_lost_s": 2.0},
        ),
        (
            {"timings": Timings(ttft_s=0.9, total_s=2.0, lag_s=0.09, ttft_lag_s=0.09)},
            "900 ms *",
            "the playground itself was up to 90 ms late.",
            {"lag_s": 0.09, "ttft_lag_s": 0.09, "lost_s": 0},
        ),
        (
            {"timings": Timings(ttft_s=0.9, total_s=2.0, load_s=0.4)},
            "900 ms *",
            "TTFT with 400 ms loading.",
            {"load_s": 0.4},
        ),
    ],
)
def test_a_list_marks_what_a_time_has_in_it(
    lf: Lf, changes: dict[str, Any], figure: str, note: str, told: dict[str, Any]
) -> None:
    kept = asked("Why?", ("fast",))

    async def fill() -> None:
        async with open_store(known(place_of(os.environ))) as store:
            keep(store, kept, ended(kept, **changes))

    asyncio.run(fill())
    out = lf("history", "list")[1]
    assert f" {figure} " in out
    assert f"{kept.id} *: " in out
    assert note in out
    [lane] = json.loads(lf("history", "list", "--json")[1])["comparisons"][0]["lanes"]
    assert lane.items() >= told.items()


def test_an_empty_history_is_no_error(lf: Lf) -> None:
    assert lf("history", "list") == (0, "Nothing was found.\n", "")
    assert json.loads(lf("history", "list", "--json")[1]) == {"comparisons": [], "older": None}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["list"], [1, 0]), (["list", "--limit", "1"], [1]), (["list", "--model", "wise"], [0]), (["list", "--project", "x/y"], []),
        (["list", "--since", "2026-11-25"], [1]), (["list", "--until", "2026-11-25"], [0]), (["list", "--kind", "batch"], [2]),
        (["list", "--run", "r" * 26], [2]), (["search", "gra"], [0]), (["search", "llamas", "shrubs"], [0]), (["search", "zebra"], []),
    ],
)  # fmt: skip
def test_what_is_found(lf: Lf, arguments: list[str], found: list[int]) -> None:
    kept = three()
    code, out, _ = lf("history", *arguments, "--json")
    assert code == 0
    assert [each["id"] for each in json.loads(out)["comparisons"]] == [kept[index].id for index in found]


def test_pages(lf: Lf) -> None:
    llamas, sky, _ = three()
    first = json.loads(lf("history", "list", "--limit", "1", "--json")[1])
    assert first["older"] == sky.id
    second = json.loads(lf("history", "list", "--limit", "1", "--older-than", first["older"], "--json")[1])
    assert ([each["id"] for each in second["comparisons"]], second["older"]) == ([llamas.id], None)


def test_a_comparison_is_shown_as_it_was(lf: Lf) -> None:
    llamas, *_ = three()
    code, out, _ = lf("history", "show", llamas.id[:20])
    assert code == 0
    assert "user: What do llamas eat?" in out
    assert "Shrubs." in out
    assert "250 ms" in out
    assert "~$0.000123" in out
    assert "\x1b" not in out
    told = json.loads(lf("history", "show", llamas.id, "--json")[1])
    assert told["lanes"][0]["cost"]["usd"] == "0.000123"


def test_a_vote_is_kept_and_shown(lf: Lf) -> None:
    llamas, *_ = three()
    assert lf("history", "vote", llamas.id, "--best", "wise")[0] == 0
    assert "Vote: wise is the best." in lf("history", "show", llamas.id)[1]
    assert lf("history", "vote", llamas.id, "--clear")[0] == 0
    assert "Vote" not in lf("history", "show", llamas.id)[1]


def test_two_are_compared(lf: Lf) -> None:
    llamas, sky, _ = three()
    code, out, _ = lf("history", "diff", llamas.id, sky.id)
    assert code == 1
    assert "+Scattering." in out
    assert "wise: only in the first" in out
    code, out, _ = lf("history", "diff", llamas.id, llamas.id, "--json")
    assert (code, json.loads(out)["same"]) == (0, True)


@pytest.mark.parametrize("form", ["csv", "jsonl", "markdown"])
def test_what_is_exported_is_the_same_in_a_file_and_in_the_terminal(lf: Lf, form: str, tmp_path: Path) -> None:
    three()
    code, out, _ = lf("history", "export", "--format", form)
    assert code == 0
    assert lf("history", "export", "--format", form, "--output", "out")[:2] == (0, "")
    assert (tmp_path / "out").read_bytes().decode().replace("\r\n", "\n") == out.replace("\r\n", "\n")
    assert "Scattering." in out


def test_what_is_exported_is_a_frame(lf: Lf, tmp_path: Path) -> None:
    three()
    assert lf("history", "export", "--format", "parquet", "--output", "out.parquet")[:2] == (0, "")
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["lane"].tolist() == ["fast", "fast", "wise"]
    assert str(found["started_at"].dtype) == "datetime64[us, UTC]"
    assert found["cost_usd"].sum() == 2 * Decimal("0.000123")  # one is unknown


def test_exports_take_ids_or_options(lf: Lf) -> None:
    llamas, sky, piece = three()

    def exported(*arguments: str) -> list[str]:
        return [json.loads(line)["id"] for line in lf("history", "export", *arguments)[1].splitlines()]

    assert exported() == [sky.id, llamas.id]
    assert exported(llamas.id, piece.id) == [llamas.id, piece.id]
    assert exported("--run", "r" * 26) == [piece.id]
    assert exported("--text", "grass") == [llamas.id]
    rows = list(csv.DictReader(io.StringIO(lf("history", "export", "-f", "csv")[1])))
    assert [row["lane"] for row in rows] == ["fast", "fast", "wise"]


def test_deleting_asks_first(lf: Lf, monkeypatch: pytest.MonkeyPatch) -> None:
    llamas, sky, _ = three()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert lf("history", "delete", llamas.id)[0] == 1
    assert lf("history", "show", llamas.id)[0] == 0
    code, out, _ = lf("history", "delete", llamas.id, "--run", "r" * 26, "--yes")
    assert (code, out) == (0, f"Deleted: 1 comparison and the run {'r' * 26}.\n")
    left = json.loads(lf("history", "list", "--json")[1])["comparisons"]
    assert [each["id"] for each in left] == [sky.id]
    assert json.loads(lf("history", "list", "--kind", "batch", "--json")[1])["comparisons"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "nobody"], "no comparison"), (["delete"], "Name a comparison"), (["delete", "zz", "--yes"], "no comparison"),
        (["vote", "zz"], "Give one of"), (["vote", "zz", "--tie", "--bad"], "Give one of"), (["list", "--since", "yesterday"], "no date"),
        (["export", "--output", "nowhere/x"], "There is no folder nowhere"), (["export", "--format", "pdf"], "pdf"), (["dance"], "dance"),
        (["delete", "--run", "zz", "--yes"], "no run"), (["rerun", "zz"], "no comparison"),
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_2_with_a_sentence(lf: Lf, arguments: list[str], sentence: str) -> None:
    code, _, err = lf("history", *arguments)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_without_a_history_that_is_told(lf: Lf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LF_DATABASE_URL", "off")
    code, _, err = lf("history", "list")
    assert code == 2
    assert "Recording is switched off." in err


@pytest.mark.parametrize("command", ["list", "search", "show", "diff", "vote", "delete", "export", "rerun"])
def test_each_command_has_an_example(lf: Lf, command: str) -> None:
    code, out, _ = lf("history", command, "--help")
    assert code == 0
    assert f"Example: lf history {command}" in out


# --- the whole way


KEY = "sk-very-secret-key-0123456789"


def test_a_comparison_is_kept_shown_and_asked_again(lf: Lf, serve: Serve, tmp_path: Path) -> None:
    server = serve(plays("openai", answer("openai", "All ", "is well.")))
    path = written(tmp_path, HEAD + entry("good", server.url, api_key=KEY))
    identity = json.loads(lf("compare", "--json", "What is it?")[1])["id"]
    shown: dict[str, Any] = json.loads(lf("history", "show", identity, "--json")[1])
    (lane,) = shown["lanes"]
    assert (lane["text"], lane["status"], lane["usage"]["output"]["value"]) == ("All is well.", "done", 7)
    assert lane["request"]["body"]["messages"] == [{"role": "user", "content": "What is it?"}]
    assert {route["strategy"] for route in shown["routes"]} == {"complexity", "token_budget", "learned"}

    _, again, told = lf("history", "rerun", identity, "--json")
    second = json.loads(again)["id"]
    assert told == ""
    path.write_text(path.read_text() + "# edited\n")
    _, edited, told = lf("history", "rerun", identity)
    assert "has changed since" in told
    assert "Kept in the history: lf history show" in edited
    other = tmp_path / "other.yaml"
    other.write_text(path.read_text().replace("name: p", "name: q"))
    code, _, told = lf("history", "rerun", identity, "--config", str(other))
    assert (code, "asked by the project n/p" in told) == (2, True)
    assert "history" not in lf("compare", "--no-record", "Hush.")[1]

    ids, newer, snapshot = asyncio.run(read(second))
    assert (len(ids), ids[1:]) == (3, [second, identity])
    assert newer.asked.parent == identity
    assert snapshot is not None
    assert "(hidden)" in snapshot.text
    assert KEY.encode() not in content(Path(os.environ["XDG_DATA_HOME"]))


async def read(identity: str) -> tuple[list[str], Recorded, Snapshot | None]:
    """The ids of all comparisons, newest first, and one of them with its project file."""
    async with open_store(known(place_of(os.environ))) as store:
        history = History(store)
        found = await history.open(identity)
        ids = [item.id for item in (await history.find()).items]
        return ids, found, await history.snapshot(found.asked.project.digest)


def test_a_chat_is_kept_too(lf: Lf, serve: Serve, tmp_path: Path) -> None:
    server = serve(plays("openai", answer("openai", "All is well.")))
    written(tmp_path, HEAD + entry("good", server.url))
    assert lf("chat", "What is it?")[0] == 0
    (kept,) = json.loads(lf("history", "list", "--kind", "chat", "--json")[1])["comparisons"]
    assert kept["prompt"] == "What is it?"


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def other_project(folder: Path) -> Path:
    path = folder / "other.yaml"
    path.write_text(HEAD.replace("name: p", "name: q") + "    - {name: good, provider: ollama, model: m}\n")
    return path


def test_a_comparison_goes_on_where_the_history_can_not_be_opened(
    lf: Lf, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("LF_DATA_DIR", str(tmp_path / "blocked"))
    server = serve(plays("openai", answer("openai", "All is well.")))
    written(tmp_path, HEAD + entry("good", server.url))
    code, out, err = lf("compare", "What is it?")
    assert code == 1  # the answers came, and were not kept
    assert "All is well." in out
    assert "can't be opened" in err
    assert "Lost, because they could not be stored: 2 records." in err


def test_runs_are_listed_with_what_resumes_and_reports_them(lf: Lf, tmp_path: Path, serve: Serve) -> None:
    assert lf("history", "runs")[1] == "Nothing was found.\n"
    written(tmp_path, HEAD + entry("m", serve(plays("openai", answer("openai", "Paris."))).url))
    sweep = json.loads(lf("sweep", "--values", "0", "--repeats", "1", "--yes", "--json", "Italy?")[1])["run"]
    (tmp_path / "p.csv").write_text("prompt\nWhy?\n")
    batch = json.loads(lf("batch", "p.csv", "-y", "--json")[1])["run"]
    assert [each["id"] for each in json.loads(lf("history", "runs", "--json")[1])] == [batch, sweep]
    (found,) = json.loads(lf("history", "runs", "--kind", "sweep", "--json")[1])
    assert (found["id"], found["kind"], found["ended_at"] is None) == (sweep, "sweep", False)
    shown = lf("history", "runs", "--limit", "1")[1]
    assert batch in shown
    assert "p.csv: 1 row" in shown
    assert sweep not in shown
