"""The files of prompts that browsers send."""

from __future__ import annotations

import base64
import binascii
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llamafarm.core.errors import RequestError
from llamafarm.history.ids import new_id

MOST_BYTES = 4 * 1024 * 1024  # base64 and JSON make it a third more, which the server's bound allows
LONGEST_NAME = 80


class Files:
    """Files of prompts that browsers sent, in a folder of this process alone, which goes when it does.

    The name that the browser tells is for people: on the disk a file has one of ours.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lf-batch-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def keep(self, data: bytes) -> Path:
        """Write a file. Blocks. Raises RequestError where it is too large."""
        if len(data) > MOST_BYTES:
            raise RequestError("The page takes files up to 4 MiB.", hint="lf batch takes larger ones.")
        path = self._folder / new_id()
        path.write_bytes(data)
        return path


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Prompts:
    """The file of prompts of a tab: where it is, and what the person calls it. It goes with the last that needs it."""

    path: Path
    name: str
    size: int

    def __post_init__(self) -> None:
        weakref.finalize(self, self.path.unlink, missing_ok=True)


def uploaded_bytes(upload: Mapping[str, Any]) -> tuple[str, bytes]:
    """The name and bytes of {"name", "data" as base64}. Raises RequestError where the browser sent no file."""
    if "data" not in upload:
        raise RequestError(str(upload.get("refused") or "No file was chosen."))
    try:
        data = base64.b64decode(str(upload["data"]), validate=True)
    except (binascii.Error, ValueError):
        raise RequestError("The browser's upload can't be read.") from None
    name = "".join(sign for sign in str(upload.get("name") or "") if sign.isprintable())
    return name.rpartition("/")[2][:LONGEST_NAME] or "prompts", data
