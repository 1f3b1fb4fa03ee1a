"""The sample projects: in a checkout beside the package, in an installed wheel inside it."""

from __future__ import annotations

from pathlib import Path

FIRST = "embedded"


def _folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    inside = package / "sample_configs"
    return inside if inside.is_dir() else package.parent / "sample_configs"


def sample_names() -> list[str]:
    """The names of the samples, the one that needs nothing first."""
    names = sorted(path.stem for path in _folder().glob("*.yaml"))
    return sorted(names, key=lambda name: name != FIRST)


def sample_path(name: str) -> Path:
    """Where the sample `name` is. Raises KeyError for a name that is not in `sample_names`."""
    if name not in sample_names():
        raise KeyError(name)
    return _folder() / f"{name}.yaml"
