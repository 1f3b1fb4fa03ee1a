"""The wheel in a clean environment, far from the checkout: what plain pip users get."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASSETS = {path.name for path in (ROOT / "llamafarm" / "ui" / "assets").iterdir()}


@pytest.mark.timeout(300)
def test_the_wheel_has_all_it_needs(tmp_path: Path) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv was not found (pip install uv): it builds the wheel.")
    subprocess.run([uv, "build", "--wheel", "--quiet", "--out-dir", tmp_path, ROOT], check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "clean"
    venv.create(home, with_pip=True)
    binaries = home / ("Scripts" if sys.platform == "win32" else "bin")
    pins = tmp_path / "pins.txt"
    frozen = subprocess.run(
        [uv, "pip", "freeze", "--quiet", "--exclude-editable"], check=True, cwd=ROOT, capture_output=True
    )
    pins.write_bytes(frozen.stdout)
    subprocess.run([binaries / "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-c", pins, wheel],
                   check=True, cwd=tmp_path)  # fmt: skip
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}

    def run(*command: str | Path, codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=plain, check=False)
        assert done.returncode in codes, done.stderr
        return done.stdout

    assert run(binaries / "lf", "--version").startswith("lf ")
    where = run(binaries / "python", "-c", "import llamafarm; print(llamafarm.__file__)").strip()
    assert Path(where).is_relative_to(home)
    assert {"style.css", "page.js"} <= ASSETS
    assert {path.name for path in (Path(where).parent / "ui" / "assets").iterdir()} == ASSETS
    assert (Path(where).parent / "output" / "report" / "templates" / "report.html").is_file()
    sample = Path(where).parent / "sample_configs" / "embedded.yaml"
    assert json.loads(run(binaries / "lf", "validate", "--json", sample))["models"]
    # No llama.cpp was asked for: the lane says what to install, and nothing breaks.
    told = json.loads(run(binaries / "lf", "compare", "--json", "hi", codes=(1,)))
    assert "pip install" in told["lanes"][0]["error"]
