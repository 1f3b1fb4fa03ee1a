"""The lf command: its contracts with machines, its exit codes, and what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config import sample_names, sample_path
from tests.cli.helpers import HEAD, lf, lf_async, written
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import answer, ending, plays, refuses, said

HEAVY = {
    "aiohttp", "asyncio", "fastapi", "genai_prices", "gradio", "httpx", "numpy", "orjson", "pandas", "pydantic", "rich",
    "sqlalchemy", "uvicorn", "xllamacpp", "yaml",
}  # fmt: skip


# --- lf validate


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_is_valid(name: str, tmp_path: Path) -> None:
    done = lf("validate", str(sample_path(name)), folder=tmp_path, OPENAI_API_KEY="k", TOGETHER_API_KEY="k")
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("command", [["validate"], ["models", "list"], ["models", "check"]], ids=" ".join)
def test_a_project_file_is_named_as_an_argument_or_by_an_option(command: list[str], tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "    - {name: here, provider: embedded, model: smollm2}\n")
    path = path.rename(tmp_path / "other.yaml")
    plain, option = lf(*command, str(path), folder=tmp_path), lf(*command, "-c", str(path), folder=tmp_path)
    assert (plain.returncode, plain.stdout) == (option.returncode, option.stdout)
    assert "here" in plain.stdout or command == ["validate"]
    twice = lf(*command, str(path), "-c", str(path), folder=tmp_path)
    assert twice.returncode == 2
    assert "named twice" in " ".join(twice.stderr.split())


def test_validate_tells_machines_everything(tmp_path: Path) -> None:
    written(
        tmp_path,
        HEAD
        + "    - {name: good, provider: ollama, model: m}\n    - {name: bad, provider: olama, model: m}\ncolour: red\n",
    )
    done = lf("validate", "--json", folder=tmp_path)
    assert done.returncode == 0
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["project"] == {"namespace": "n", "name": "p"}
    assert told["default_model"] == "good"
    assert told["models"][0] == {"name": "good", "provider": "ollama", "model": "m", "errors": []}
    assert "ollama" in told["models"][1]["errors"][0]
    assert [problem["line"] for problem in told["errors"]] == [7]
    assert told["warnings"][0] == {"line": 8, "key": "colour", "message": told["warnings"][0]["message"]}


@pytest.mark.parametrize("text", ["- a\n- b\n", "version: v9\n", "a: [\n", "\tx: 1\n", "", "runtime: {models: []}\n"])
def test_nothing_usable_is_exit_1_and_never_a_traceback(tmp_path: Path, text: str) -> None:
    written(tmp_path, text)
    done = lf("validate", folder=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert json.loads(lf("validate", "--json", folder=tmp_path).stdout)["errors"]


@pytest.mark.parametrize(
    "arguments",
    [["validate", "nowhere.yaml"], ["validate"], ["compare", "--models", "nobody", "hi"], ["compare"], ["dance"],
     ["serve", "--port", "99999"], ["serve", "--config", "nowhere.yaml", "--port", "0"]],
)  # fmt: skip
def test_wrong_usage_is_exit_2_with_a_sentence(tmp_path: Path, arguments: list[str]) -> None:
    done = lf(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


# --- lf compare


async def test_compare_tells_machines_everything(tmp_path: Path) -> None:
    async with FaultServer(plays("openai", answer("openai", "All ", "is well."))) as server:
        written(
            tmp_path,
            HEAD + f"    - {{name: good, provider: openai, model: gpt-4o-mini, base_url: '{server.url}/v1', pricing: {{input: 1, output: 2}}}}\n"
            "    - {name: gone, provider: ollama, model: m, base_url: 'http://127.0.0.1:9'}\n",
        )  # fmt: skip
        done = await lf_async("compare", "--json", "What is it?", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["prompt"] == "What is it?"
    assert set(told["route"]) == {"complexity", "token_budget", "learned"}
    assert set(told["route"]["complexity"]) == {"model", "reason"}
    good, gone = told["lanes"]
    assert (good["model"], good["provider"], good["status"], good["text"]) == ("good", "openai", "done", "All is well.")
    assert good["usage"] == {
        "input": 11,
        "output": 7,
        "reasoning": None,
        "cached": None,
        "cache_write": None,
        "source": "reported",
        "doubts": [],
    }
    assert good["cost"] == {"usd": 0.000025, "source": "config"}
    assert 0 < good["timings"]["ttft_s"] <= good["timings"]["total_s"]
    assert (gone["status"], gone["text"], gone["cost"]["usd"]) == ("failed", "", None)
    assert "Nothing listens at 127.0.0.1:9." in gone["error"]


async def test_compare_tells_of_a_server_that_may_have_to_exchange_models(tmp_path: Path) -> None:
    """And once it knows that it must, a lane says behind whom it waits: here a card has no room for the second."""
    says = plays("ollama", answer("ollama", "Hay."))

    async def ollama(exchange: Exchange) -> None:
        full = {"models": [{"name": "y:latest", "size": 100, "size_vram": 50}]}
        await (refuses(200, full) if exchange.seen.path == "/api/ps" else says)(exchange)

    async with FaultServer(ollama) as server:
        models = (
            f"    - {{name: {name}, provider: ollama, model: {name}, base_url: '{server.url}'}}\n" for name in "xy"
        )
        written(tmp_path, HEAD + "".join(models))
        done = await lf_async("compare", "What is it?", folder=tmp_path)
        fair = await lf_async("compare", "--fair", "What is it?", folder=tmp_path)
        told = await lf_async("compare", "--json", "What is it?", folder=tmp_path)
        alone = await lf_async("compare", "--json", "--fair", "What is it?", folder=tmp_path)
        asked = [each.json()["model"] for each in server.requests if each.path == "/api/chat"]
    assert done.returncode == 0, done.stderr
    note = "x, y: their server exchanges models where its memory does not hold them together"
    assert note in " ".join(done.stdout.split())
    assert note not in " ".join(fair.stdout.split())
    assert [told_note.startswith(note) for told_note in json.loads(told.stdout)["notes"]] == [True]
    assert json.loads(alone.stdout)["notes"] == []
    assert asked[:2] == ["y", "x"]


async def test_compare_for_people_has_the_answer_and_the_table(tmp_path: Path) -> None:
    async with FaultServer(plays("openai", answer("openai", "All \x1b[31mis well."))) as server:
        written(tmp_path, HEAD + f"    - {{name: good, provider: openai, model: x, base_url: '{server.url}/v1'}}\n")
        done = await lf_async("compare", "What is it?", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "is well." in done.stdout
    assert "\x1b" not in done.stdout
    assert "unknown" in done.stdout


async def test_compare_tells_which_models_are_left_out(tmp_path: Path) -> None:
    async with FaultServer(plays("openai", answer("openai", "Well."))) as server:
        keyless = "    - {name: keyless, provider: openai, model: x, api_key: '${env:LF_NO_SUCH_KEY}'}\n"
        written(
            tmp_path,
            HEAD + keyless + f"    - {{name: good, provider: openai, model: x, base_url: '{server.url}/v1'}}\n",
        )
        done = await lf_async("compare", "--json", "What is it?", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "lf: keyless is left out: The environment variable LF_NO_SUCH_KEY is not set" in done.stderr
    assert [lane["model"] for lane in json.loads(done.stdout)["lanes"]] == ["good"]


async def test_compare_marks_what_a_time_includes_and_an_answer_that_was_cut(tmp_path: Path) -> None:
    pieces = [said("ollama", "And so"), ending("ollama", "length")]
    nothing_loaded = refuses(200, {"models": []})
    async with FaultServer(plays("ollama", pieces), looks=nothing_loaded) as server:
        written(tmp_path, HEAD + f"    - {{name: loads, provider: ollama, model: x, base_url: '{server.url}'}}\n")
        shown = await lf_async("compare", "What is it?", folder=tmp_path)
        told = json.loads((await lf_async("compare", "--json", "What is it?", folder=tmp_path)).stdout)
    assert "loads: the times include 250 ms of loading the model." in shown.stdout
    assert "loads: the answer was cut at the token limit." in shown.stdout
    assert (told["lanes"][0]["timings"]["load_s"], told["lanes"][0]["finish_reason"]) == (0.25, "length")


async def test_compare_fairly_is_one_after_the_other_and_tells_of_the_warming(tmp_path: Path) -> None:
    async with FaultServer(plays("openai", answer("openai", "Fine."))) as server:
        models = (f"    - {{name: {name}, provider: openai, model: x, base_url: '{server.url}/v1'}}\n" for name in "ab")
        written(tmp_path, HEAD + "".join(models))
        told = json.loads((await lf_async("compare", "--fair", "--json", "Well?", folder=tmp_path)).stdout)
        shown = await lf_async("compare", "--fair", "Well?", folder=tmp_path)
    asked = [request.json()["messages"][-1]["content"] for request in server.requests]
    assert asked == ["Hello.", "Well?"] * 4
    for lane in told["lanes"]:
        assert (lane["shared"], lane["sharing"]["others"], lane["warmup"]["error"]) == (False, 0, None)
        assert lane["warmup"]["cost"] == {"usd": None, "source": "unknown"}
    assert "a was warmed before, which counts in no figure: " in shown.stdout
    assert "shared" not in shown.stdout


def test_compare_is_exit_1_when_nobody_answers(tmp_path: Path) -> None:
    written(tmp_path, HEAD + "    - {name: gone, provider: ollama, model: m, base_url: 'http://127.0.0.1:9'}\n")
    done = lf("compare", "--json", "hi", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["lanes"][0]["status"] == "failed"


# --- what is quick stays quick


def imported(folder: Path, *arguments: str) -> set[str]:
    """The modules that a command imports."""
    program = (
        "import sys\nfrom llamafarm.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print('IMPORTED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=True)
    modules = set(done.stdout.rpartition("IMPORTED ")[2].split())
    assert "typer" in modules
    return modules


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_help_imports_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    assert imported(tmp_path, *arguments).isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "command",
    [
        ["chat"],
        ["compare"],
        ["route"],
        ["models"],
        ["models", "check"],
        ["validate"],
        ["init"],
        ["serve"],
        ["history"],
        ["history", "list"],
        ["history", "export"],
    ],
)
def test_the_help_of_a_command_imports_nothing_heavy(tmp_path: Path, command: list[str]) -> None:
    # typer itself takes pydantic for the values of options, as soon as there is a command
    assert imported(tmp_path, *command, "--help").isdisjoint(HEAVY - {"pydantic"})


def test_every_command_has_an_example(tmp_path: Path) -> None:
    commands = [
        ["chat"],
        ["compare"],
        ["route"],
        ["models", "list"],
        ["models", "check"],
        ["validate"],
        ["init"],
        ["serve"],
    ]
    for command in commands:
        done = lf(*command, "--help", folder=tmp_path)
        assert f"lf {' '.join(command)}" in done.stdout.partition("Example")[2], command


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["validate"], {"yaml", "pydantic"}),
        (["route", "Hello"], {"yaml", "pydantic", "rich"}),
        (["models", "list"], {"yaml", "pydantic", "rich"}),
        (["init", "--list"], {"pydantic"}),
    ],
)
def test_commands_that_ask_nobody_import_no_page_and_no_network(
    tmp_path: Path, arguments: list[str], allowed: set[str]
) -> None:
    written(tmp_path, HEAD + "    - {name: a, provider: ollama, model: m}\n")
    assert imported(tmp_path, *arguments).isdisjoint(HEAVY - allowed)
