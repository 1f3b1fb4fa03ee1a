"""Renew the exact versions under [tool.uv] constraint-dependencies: `uv run scripts/renew_constraints.py`.

Resolves anew within the ranges of pyproject.toml for all platforms, and writes down what came of it. The
versions alone are kept: where they are fetched from is everybody's own setting.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^constraint-dependencies = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL)


def resolved() -> dict[str, str]:
    """Name and version of every package that a fresh resolution of the whole project takes.

    Where newer Pythons would take a newer version, the oldest: it runs on all of them.
    """
    lock = ROOT / "uv.lock"
    lock.unlink(missing_ok=True)
    subprocess.run(["uv", "lock", "--quiet"], cwd=ROOT, check=True)  # noqa: S607 - uv as the person has it
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    versions: dict[str, str] = {}
    for package in packages:
        if "editable" not in package["source"]:
            name, version = package["name"], package["version"]
            versions[name] = min(version, versions.get(name, version), key=Version)
    return versions


def main() -> None:
    """Rewrite the block in pyproject.toml."""
    project = ROOT / "pyproject.toml"
    text = BLOCK.sub("constraint-dependencies = [\n]\n", project.read_text(encoding="utf-8"))
    project.write_text(text, encoding="utf-8")
    pins = "".join(f'    "{name}=={version}",\n' for name, version in sorted(resolved().items()))
    project.write_text(text.replace("constraint-dependencies = [\n]", f"constraint-dependencies = [\n{pins}]"), "utf-8")
    print(f"{pins.count(chr(10))} versions written")


if __name__ == "__main__":
    main()
