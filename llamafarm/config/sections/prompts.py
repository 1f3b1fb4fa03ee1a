"""The `prompts` section in all the forms that real files have.

A list of named sets with `messages`; older ones with `role` and `content`, with `sections` (titles and
lines) or with `raw_text`; a mapping of names to any of these; or plain text. Texts are taken as they are:
nothing of `${…}` is resolved in them.
"""

from __future__ import annotations

from itertools import islice
from typing import get_args

from llamafarm.config.model import PromptMessage, PromptSet
from llamafarm.config.reading.document import Findings, Path, dotted, kind, shortened
from llamafarm.core.types import JsonValue, Role

ROLES: tuple[Role, ...] = get_args(Role)
UNNAMED = "default"
MOST_SETS = 200
MOST_MESSAGES = 200  # of a set


def read_prompts(findings: Findings, value: JsonValue) -> tuple[PromptSet, ...]:
    """The prompt sets of a project, in the file's order; what can't be read is an error of its own."""
    path: Path = ("prompts",)
    sets: dict[str, list[PromptMessage]] = {}
    match value:
        case None:
            pass
        case str():
            sets[UNNAMED] = [PromptMessage(role="system", content=value)]
        case dict():
            for name, entry in value.items():
                sets[name] = _messages(findings, (*path, name), entry)
        case list():
            for index, entry in enumerate(value):
                _add(findings, (*path, index), entry, sets)
        case _:
            findings.error(path, f"`prompts` must be a list of prompt sets, but is {kind(value)}.")
    kept = dict(islice(sets.items(), MOST_SETS))
    if len(sets) > MOST_SETS:
        findings.error(
            path, f"A file has {MOST_SETS} prompt sets at most: the last {len(sets) - MOST_SETS:,} are left out."
        )
    for name, messages in kept.items():
        if len(messages) > MOST_MESSAGES:
            findings.error(path, f"A prompt set has {MOST_MESSAGES} messages at most: `{shortened(name)}` has more.")
    return tuple(PromptSet(name=name, messages=tuple(each[:MOST_MESSAGES])) for name, each in kept.items())


def _add(findings: Findings, path: Path, entry: JsonValue, sets: dict[str, list[PromptMessage]]) -> None:
    named = isinstance(entry, dict) and entry.get("name") is not None
    name = UNNAMED
    if isinstance(entry, dict) and named:
        name = findings.document.text((*path, "name"), entry["name"]) or UNNAMED
        if name in sets:
            findings.error((*path, "name"), f"There are two prompt sets `{name}`: rename one; both are used.")
    sets.setdefault(name, []).extend(_messages(findings, path, entry))


def _messages(findings: Findings, path: Path, entry: JsonValue) -> list[PromptMessage]:
    """The messages of one entry, whatever its form."""
    match entry:
        case None:
            return []
        case str():
            return [PromptMessage(role="system", content=entry)]
        case list():
            return [m for index, each in enumerate(entry) for m in _messages(findings, (*path, index), each)]
        case dict() if "messages" in entry:
            return _messages(findings, (*path, "messages"), entry["messages"])
        case dict():
            return _single(findings, path, entry)
        case _:
            findings.error(path, f"`{dotted(path)}` must be a prompt, but is {kind(entry)}.")
            return []


def _single(findings: Findings, path: Path, entry: dict[str, JsonValue]) -> list[PromptMessage]:
    """The one message of an entry with `content`, `sections` or `raw_text`."""
    sections = entry.get("sections")
    if isinstance(sections, list):
        texts = [_section(findings, (*path, "sections", index), each) for index, each in enumerate(sections)]
        return [_message(findings, path, entry, "\n\n".join(texts))]
    for key in ("raw_text", "content"):
        if key in entry:
            return [_message(findings, path, entry, _text(findings, (*path, key), entry[key]))]
    findings.error(path, f"`{dotted(path)}` has no text: add `messages`, `content`, `sections` or `raw_text`.")
    return []


def _message(findings: Findings, path: Path, entry: dict[str, JsonValue], content: str) -> PromptMessage:
    role = entry.get("role") or "system"
    for known in ROLES:
        if role == known:
            return PromptMessage(role=known, content=content)
    findings.error((*path, "role"), f"The role `{shortened(str(role))}` is not known: write one of {', '.join(ROLES)}.")
    return PromptMessage(role="system", content=content)


def _section(findings: Findings, path: Path, value: JsonValue) -> str:
    if not isinstance(value, dict):
        return _text(findings, path, value)
    title = _text(findings, (*path, "title"), value.get("title"))
    content = _text(findings, (*path, "content"), value.get("content"))
    return "\n".join(part for part in (title, content) if part)


def _text(findings: Findings, path: Path, value: JsonValue) -> str:
    """A text, or the lines of a list of texts; null is empty."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(_text(findings, (*path, index), each) for index, each in enumerate(value))
    text = findings.document.text(path, value)
    if text is None:
        findings.error(path, f"`{dotted(path)}` must be text, but is {kind(value)}.")
    return text or ""
