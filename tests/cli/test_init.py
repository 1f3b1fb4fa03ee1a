"""lf init, and what the shell completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llamafarm.config import load, sample_names, sample_path
from llamafarm.config.reading.read import read_document
from tests.cli.conftest import Run
from tests.cli.helpers import HEAD, entry, written

LINE = b"# yaml-language-server: $schema=llamafarm.schema.json\n"


def test_without_a_pattern_it_is_the_one_that_needs_nothing(tmp_path: Path, run: Run) -> None:
    done = run("init")
    assert done.code == 0
    assert "Wrote llamafarm.yaml (embedded)." in done.text
    assert (tmp_path / "llamafarm.yaml").read_bytes() == LINE + sample_path("embedded").read_bytes()
    assert run("validate").code == 0


@pytest.mark.parametrize("pattern", ["speed_tiers", "speed-tiers", "Speed_Tiers.yaml"])
def test_a_pattern(tmp_path: Path, run: Run, pattern: str) -> None:
    assert "Needs Ollama with the three models." in run("init", pattern).text
    project = load(tmp_path / "llamafarm.yaml").project
    assert project is not None
    assert project.name == "speed-tiers"


def test_the_patterns_are_listed(tmp_path: Path, run: Run) -> None:
    done = run("init", "--list")
    assert [line.split()[0] for line in done.text.splitlines()] == sample_names()
    assert all(len(line.split()) > 3 for line in done.text.splitlines())
    assert not (tmp_path / "llamafarm.yaml").exists()


def test_an_unknown_pattern_is_exit_2(tmp_path: Path, run: Run) -> None:
    assert "did you mean speed_tiers?" in " ".join(run("init", "sped-tiers").notes.split())
    done = run("init", "zebra")
    assert done.code == 2
    assert "there are: embedded, basic," in " ".join(done.notes.split())
    assert not (tmp_path / "llamafarm.yaml").exists()


def test_what_is_there_stays_without_force(tmp_path: Path, run: Run) -> None:
    path = written(tmp_path, "my own\n")
    done = run("init")
    assert (done.code, path.read_text()) == (2, "my own\n")
    assert "llamafarm.yaml is there already: --force overwrites it." in " ".join(done.notes.split())
    assert run("init", "--force").code == 0
    assert path.read_bytes() == LINE + sample_path("embedded").read_bytes()


def test_another_ending_counts_too(tmp_path: Path, run: Run) -> None:
    (tmp_path / "llamafarm.yml").write_text("my own\n")
    done = run("init")
    assert done.code == 2
    assert "--force writes llamafarm.yaml, which is read instead of it" in " ".join(done.notes.split())
    assert run("init", "--force").code == 0
    assert (tmp_path / "llamafarm.yml").read_text() == "my own\n"


def test_a_folder_that_takes_no_file_is_no_traceback(tmp_path: Path, run: Run) -> None:
    (tmp_path / "llamafarm.yaml").mkdir()
    done = run("init", "--force")
    assert done.code == 2
    assert "can't be written: Is a directory." in " ".join(done.notes.split())


def test_the_line_names_a_schema_that_is_there(tmp_path: Path, run: Run) -> None:
    told = run("schema")
    assert told.code == 0
    assert run("init").code == 0
    beside = tmp_path / "llamafarm.schema.json"
    assert beside.read_bytes() == told.out
    checker: Any = jsonschema.Draft7Validator(json.loads(told.text))
    assert list(checker.iter_errors(read_document((tmp_path / "llamafarm.yaml").read_text(), "x.yaml").value)) == []
    assert (
        len(list(checker.iter_errors({"runtime": {"models": [{"name": "a", "provider": "olama", "model": "x"}]}}))) == 1
    )


def test_an_older_schema_is_replaced(tmp_path: Path, run: Run) -> None:
    beside = tmp_path / "llamafarm.schema.json"
    beside.write_text(json.dumps({"title": json.loads(run("schema").text)["title"]}))
    assert run("init").code == 0
    assert "definitions" in json.loads(beside.read_text())


@pytest.mark.parametrize("other", [b"{}", b"\xff", b""])
def test_a_schema_of_somebody_else_s_stays_and_is_not_named(tmp_path: Path, run: Run, other: bytes) -> None:
    beside = tmp_path / "llamafarm.schema.json"
    beside.write_bytes(other)
    assert run("init").code == 0
    assert beside.read_bytes() == other
    assert b"$schema" not in (tmp_path / "llamafarm.yaml").read_bytes()


def test_a_refusal_writes_no_schema(tmp_path: Path, run: Run) -> None:
    written(tmp_path, "my own\n")
    assert run("init").code == 2
    assert not (tmp_path / "llamafarm.schema.json").exists()


# --- completion, as a shell asks for it


def completed(line: str, folder: Path) -> list[str]:
    words = line.split(" ")
    asked = {"_LF_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [Path(sys.executable).with_name("lf")], env=os.environ | asked, cwd=folder, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_the_shell_completes_names_of_models_and_patterns(tmp_path: Path) -> None:
    written(tmp_path, HEAD + entry("fast", "http://h") + entry("fine", "http://h") + entry("expert", "http://h"))
    assert completed("lf chat --model f", tmp_path) == ["fast", "fine"]
    assert completed("lf chat --model ", tmp_path) == ["fast", "fine", "expert", "auto"]
    assert completed("lf compare --models fast,", tmp_path) == ["fast,fine", "fast,expert"]
    assert completed(f"lf chat -c {sample_path('speed_tiers')} -m i", tmp_path) == ["instant"]
    assert completed("lf init sp", tmp_path) == ["speed_tiers"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a: [\n", []),
        ("runtime: 3\n", []),
        ("runtime: {models: {a: {model: x}, b: null}}\n", ["a", "b"]),
        ("runtime: {models: [3, {name: a}, {model: x}]}\n", ["a"]),
    ],
)
def test_a_broken_file_completes_what_it_can_in_silence(tmp_path: Path, text: str, names: list[str]) -> None:
    from llamafarm.cli.asking.complete import _models  # noqa: PLC0415 - the seam that a shell's question comes to

    assert [name for name, _ in _models(written(tmp_path, text))] == names
    assert _models(tmp_path / "nowhere.yaml") == []
