"""The records that come most often: one piece of text and nothing else. Read in a few steps, since they come by the
thousand; all others are read by `chat_chunks`.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from llamafarm.core.types import JsonValue
from llamafarm.providers.counts.told import KEYS

USUAL = 4096  # characters of a record; what is longer is read with care
TELLING = KEYS | {"llamafarm", "x_context_usage", "error", "errors", "done", "type"}
TELLING_BESIDE = frozenset(("error", "message", "usage", "text"))
MESSAGE = {"role", "content"}
TRIES = 3  # records of an answer whose frame is learned: where each has its own, no more is won by that
OTHER_TEXT = "another text"


def quick(data: str) -> dict[str, JsonValue] | None:
    """The record in `data` where it is an object of the usual length; None where it takes a closer look."""
    if len(data) > USUAL or not data.startswith("{"):
        return None
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None


class Frame:
    """What stands around the text of one answer's records, where from one to the next nothing else changes.

    It is learned from a record that was read with care: with another text in its place, that record must read the same.
    Then a text that needs no escape in JSON can be cut out of the next, and nothing of it need be parsed.
    """

    __slots__ = ("_after", "_before", "_tries")

    def __init__(self) -> None:
        self._before = self._after = ""
        self._tries = TRIES

    def text(self, data: str) -> str | None:
        """The text of a record in this frame; None where it takes a closer look."""
        before, after = self._before, self._after
        if not before or not data.startswith(before) or not data.endswith(after):
            return None
        text = data[len(before) : len(data) - len(after)]
        plain = text.isprintable() and '"' not in text and "\\" not in text and len(data) >= len(before) + len(after)
        return text if plain else None

    def learn(self, data: str, text: str, index: JsonValue) -> None:
        """Take the frame of `data`, whose piece of the choice `index` is `text`; a few times an answer at most."""
        if not self._tries:
            return
        self._tries -= 1
        before, found, after = data.rpartition(f'"{text}"')
        other = quick(f'{before}"{OTHER_TEXT}"{after}') if found else None
        if other is not None and piece_of(other, index) == OTHER_TEXT:
            self._before, self._after = f'{before}"', f'"{after}'


def piece_of(record: Mapping[str, JsonValue], index: JsonValue) -> str | None:
    """The text of `record` where it has a piece of the choice `index`, or of Ollama's message, and nothing else."""
    choices = record.get("choices")
    if choices is None:
        return _of_message(record)
    if type(choices) is not list or len(choices) != 1 or not TELLING.isdisjoint(record):
        return None
    choice = choices[0]
    if type(choice) is not dict or choice.get("index") != index or choice.get("finish_reason") is not None:
        return None
    delta = choice.get("delta")
    if type(delta) is not dict or len(delta) != 1 or not TELLING_BESIDE.isdisjoint(choice):
        return None
    text = delta.get("content")
    return text if type(text) is str else None


def _of_message(record: Mapping[str, JsonValue]) -> str | None:
    message = record.get("message")
    if record.get("done") is not False or type(message) is not dict or message.keys() != MESSAGE or len(record) > 4:  # noqa: PLR2004 - model, created_at, message, done
        return None
    text = message["content"]
    return text if type(text) is str else None
