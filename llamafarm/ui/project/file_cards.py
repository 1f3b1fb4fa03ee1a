"""What the page says of a project's file: its problems, and what it asks to be trusted with. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from llamafarm.access.operator import BY_LINK, Rights
from llamafarm.config.model import Ask, Loaded
from llamafarm.core.characters import for_consent, look_alikes
from llamafarm.core.errors import Problem
from llamafarm.ui.parts.markup import Markup, tag

BROKEN_EDIT = "The file was edited and can't be used as it is: its last good state is shown and asked."


def report(loaded: Loaded, title: str, broken_edit: Sequence[Problem] = ()) -> Markup:
    """What reading the project file gave: errors and warnings with their lines.

    `broken_edit` are the problems of a newer edit, in whose place the last good reading is shown.
    """
    project = loaded.project
    broken = [problem for model in project.models for problem in model.problems] if project else []
    usable = sum(model.usable for model in project.models) if project else 0
    if project is None:
        verdict = tag("p", f"{title} can't be used.", class_="lf-verdict lf-failed")
    else:
        verdict = tag("p", f"{title}: {usable} of {len(project.models)} models can be used.", class_="lf-verdict")
    return tag(
        "div",
        verdict,
        tag("p", BROKEN_EDIT, class_="lf-verdict lf-failed") if broken_edit else None,
        _problems("The edit", broken_edit, "lf-failed"),
        _problems("Errors", [*loaded.errors, *broken], "lf-failed"),
        _problems("Warnings", loaded.warnings, "lf-warn"),
        class_="lf-report",
        aria_live="polite",
    )


def _problems(title: str, problems: Sequence[Problem], look: str) -> Markup | None:
    unique = list(dict.fromkeys(problems))
    if not unique:
        return None
    items = (tag("li", tag("span", place(problem), class_="lf-place"), problem.message) for problem in unique)
    return tag(
        "details",
        tag("summary", f"{title} ({len(unique)})", class_=look),
        tag("ul", *items),
        open="open" if look == "lf-failed" else None,
    )


def place(problem: Problem) -> str:
    """Where in the file a problem is."""
    line = f"line {problem.line}" if problem.line else ""
    return " · ".join(part for part in (line, problem.key) if part)


MOST = 8  # characters that are named
ASKED = 64_000  # characters of all that a file asks for
TOO_MUCH = "It asks for more than can be shown whole, so it can't be trusted here: start the server with it instead."
ASKS = {
    "variable": "Send the environment variable {name} to {target}",
    "address": "Call {target} with a key that the file holds",
    "server": "Let models use the tools of the MCP server at {target}",
    "command": "Start on this machine: {target}",
    "file": "Read on this machine: {target}",
}


def no_paths(rights: Rights) -> Markup:
    """Why files of this machine can't be opened here; nothing where no link would help."""
    return (
        tag("p", f"Files of this machine can be opened by path, too. {BY_LINK}", class_="lf-sub")
        if rights.by_link
        else Markup("")
    )


def asks(loaded: Loaded, rights: Rights) -> Markup:
    """What an untrusted file asks for, for the person who may allow it."""
    if too_much(loaded):
        note = TOO_MUCH
    elif rights.trust:
        note = "Nothing of this happens unless you trust the file."
    else:
        note = f"This page can't trust files. {rights.how('--trust-uploads')}"
    items = [tag("li", _ask(ask), _look_alikes(ask), dir="ltr") for ask in loaded.asks if not too_much(loaded)]
    if loaded.more_asks:
        items.append(tag("li", f"And {loaded.more_asks:,} things more: a file that asks for so much can't be trusted."))
    listed = tag("ul", *items) if loaded.asks else tag("p", "It asks for nothing more than what runs already.")
    return tag(
        "div",
        tag("strong", "This file is not trusted yet. It asks to:"),
        listed,
        tag("p", note, class_="lf-sub"),
        class_="lf-asks",
    )


def _ask(ask: Ask) -> str:
    place = f" (line {ask.line})" if ask.line else ""
    return for_consent(ASKS[ask.kind].format(name=ask.name, target=ask.target)) + place


def _look_alikes(ask: Ask) -> Markup | None:
    """What in a command or an address is not the character that it looks like, by its name."""
    found = look_alikes(f"{ask.name} {ask.target}")
    if not found:
        return None
    named = (f"{char} is {unicodedata.name(char, 'unnamed').lower()} (U+{ord(char):04X})" for char in found[:MOST])
    more = f", and {len(found) - MOST:,} more" if len(found) > MOST else ""
    return tag("div", f"Looks like another character: {'; '.join(named)}{more}.", class_="lf-mark lf-warn")


def too_much(loaded: Loaded) -> bool:
    """Whether a file asks for more than can be shown whole: nobody can allow what they can't see."""
    return loaded.more_asks > 0 or sum(len(_ask(ask)) for ask in loaded.asks) > ASKED
