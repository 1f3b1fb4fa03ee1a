"""Pictures that go with a prompt: what a browser may send, and what is shown of it. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llamafarm.core.errors import RequestError
from llamafarm.core.types import Image
from llamafarm.ui.parts.markup import Markup, join, tag

MOST = 4
MIB = 1024 * 1024
MOST_BYTES = 4 * MIB  # all together; base64 and JSON make it a third more, which the server's bound allows
# What the first bytes of a file say, whatever its name does.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
RIFF, WEBP, WEBP_AT = b"RIFF", b"WEBP", 8


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its file's name and size in bytes."""

    name: str
    size: int
    image: Image


def read_pictures(upload: Mapping[str, Any], before: Sequence[Picture] = ()) -> tuple[Picture, ...]:
    """The pictures `before` and those of `upload`: {"files": [{"name", "data" as base64}]} or {"refused": why}.

    Raises RequestError for what is no PNG, JPEG, GIF or WebP, for more than 4, and for more than 4 MiB together.
    """
    if "refused" in upload:
        raise RequestError(str(upload["refused"]))
    pictures = (*before, *map(_read, upload.get("files", ())))
    if len(pictures) > MOST:
        raise RequestError(f"A prompt takes {MOST} pictures at most.", hint="Remove some first.")
    if sum(picture.size for picture in pictures) > MOST_BYTES:
        raise RequestError(f"The pictures are more than {MOST_BYTES // MIB} MiB together.", hint="Shrink them.")
    return pictures


def _read(upload: Mapping[str, str]) -> Picture:
    name, data = upload.get("name", "picture"), upload.get("data", "")
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise RequestError(f"{name} can't be read.") from None
    kind = media_type(raw)
    if kind is None:
        raise RequestError(f"{name} is no picture.", hint="PNG, JPEG, GIF and WebP can be sent.")
    return Picture(name, len(raw), Image(kind, data))


def media_type(raw: bytes) -> str | None:
    """The media type that the first bytes tell; None for anything but the four kinds."""
    if raw.startswith(RIFF) and raw[WEBP_AT:].startswith(WEBP):
        return "image/webp"
    return next((kind for magic, kind in MAGIC if raw.startswith(magic)), None)


def shown(pictures: Sequence[Picture]) -> Markup:
    """The pictures as chips."""
    return join(*(tag("span", f"{each.name} · {-(-each.size // 1024):,} kB", class_="lf-chip") for each in pictures))
