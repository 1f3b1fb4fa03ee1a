"""The lf command: its contracts with machines, its exit codes, and what it does not import."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config import sample_names, sample_path
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, ending, plays, said

HEAVY = {"gradio", "pandas", "numpy", "httpx", "aiohttp", "fastapi", "yaml", "pydantic", "genai_prices", "xllamacpp"}


def lf(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`lf` in a process of its own."""
    command = [sys.executable, "-c", "from llamafarm.cli import main; main()", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=os.environ | environment
    )


async def lf_async(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The same beside servers that run in the test's loop."""
    return await asyncio.to_thread(lf, *arguments, folder=folder)


def written(folder: Path, text: str) -> Path:
    path = folder / "llamafarm.yaml"
    path.write_text(text)
    return path


HEAD = "version: v1\nname: p\nnamespace: n\nruntime:\n  models:\n"


# --- lf validate


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_is_valid(name: str, tmp_path: Path) -> None:
    done = lf("validate", str(sample_path(name)), folder=tmp_path, OPENAI_API_KEY="k", TOGETHER_API_KEY="k")
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""


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
    assert set(told["route"]) == {"complexity", "token_budget"}
    assert set(told["route"]["complexity"]) == {"model", "reason"}
    good, gone = told["lanes"]
    assert (good["model"], good["provider"], good["status"], good["text"]) == ("good", "openai", "done", "All is well.")
    assert good["usage"] == {"input": 11, "output": 7, "reasoning": None, "cached": None, "source": "reported"}
    assert good["cost"] == {"usd": 0.000025, "source": "config"}
    assert 0 < good["timings"]["ttft_s"] <= good["timings"]["total_s"]
    assert (gone["status"], gone["text"], gone["cost"]["usd"]) == ("failed", "", None)
    assert "Nothing listens at 127.0.0.1:9." in gone["error"]


async def test_compare_for_people_has_the_answer_and_the_table(tmp_path: Path) -> None:
    async with FaultServer(plays("openai", answer("openai", "All \x1b[31mis well."))) as server:
        written(tmp_path, HEAD + f"    - {{name: good, provider: openai, model: x, base_url: '{server.url}/v1'}}\n")
        done = await lf_async("compare", "What is it?", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "is well." in done.stdout
    assert "\x1b" not in done.stdout
    assert "unknown" in done.stdout


async def test_compare_marks_what_a_time_includes_and_an_answer_that_was_cut(tmp_path: Path) -> None:
    pieces = [said("ollama", "And so"), ending("ollama", "length")]
    async with FaultServer(plays("ollama", pieces)) as server:
        written(tmp_path, HEAD + f"    - {{name: loads, provider: ollama, model: x, base_url: '{server.url}'}}\n")
        shown = await lf_async("compare", "What is it?", folder=tmp_path)
        told = json.loads((await lf_async("compare", "--json", "What is it?", folder=tmp_path)).stdout)
    assert "loads: the times include 250 ms of loading the model." in shown.stdout
    assert "loads: the answer was cut at the token limit." in shown.stdout
    assert (told["lanes"][0]["timings"]["load_s"], told["lanes"][0]["finish_reason"]) == (0.25, "length")


def test_compare_is_exit_1_when_nobody_answers(tmp_path: Path) -> None:
    written(tmp_path, HEAD + "    - {name: gone, provider: ollama, model: m, base_url: 'http://127.0.0.1:9'}\n")
    done = lf("compare", "--json", "hi", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["lanes"][0]["status"] == "failed"


# --- what is quick stays quick


@pytest.mark.parametrize(
    "arguments", ["['--help']", "['validate', '--help']", "['compare', '--help']", "['--version']"]
)
def test_help_imports_nothing_heavy(tmp_path: Path, arguments: str) -> None:
    program = (
        "import sys\nfrom llamafarm.cli import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
        "print('IMPORTED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    imported = set(done.stdout.rpartition("IMPORTED ")[2].split())
    assert imported.isdisjoint(HEAVY - {"pydantic"})  # typer itself looks for it
    assert "typer" in imported


def test_validate_imports_no_page_and_no_network(tmp_path: Path) -> None:
    written(tmp_path, HEAD + "    - {name: a, provider: ollama, model: m}\n")
    program = (
        "import sys\nfrom llamafarm.cli import main\n"
        "try:\n    main(['validate'])\nexcept SystemExit:\n    pass\n"
        "print('IMPORTED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert set(done.stdout.rpartition("IMPORTED ")[2].split()).isdisjoint(HEAVY - {"yaml", "pydantic"})
