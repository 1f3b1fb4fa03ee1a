"""Reading llamafarm.yaml: leniently, and saying precisely what is wrong where.

What is named here is imported when it is first asked for: shell completion and `lf init` need a sample's path or
a file's names within a few hundredths of a second, and not the shapes of a whole project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamafarm.config.project import load, parse
    from llamafarm.config.reading.read import read_text
    from llamafarm.config.samples import sample_names, sample_path
    from llamafarm.config.secrets.mask import masked_text
    from llamafarm.config.trust import addresses

__all__ = ["addresses", "load", "masked_text", "parse", "read_text", "sample_names", "sample_path"]

_HOMES = {
    "addresses": "trust",
    "load": "project",
    "masked_text": "secrets.mask",
    "parse": "project",
    "read_text": "reading.read",
    "sample_names": "samples",
    "sample_path": "samples",
}


def __getattr__(name: str) -> object:
    """The function `name` from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
