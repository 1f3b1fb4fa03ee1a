"""What stands around each page: the rail of pages, the header with the project picker, and the banner. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llamafarm.config.model import Loaded, NamedModel, Project
from llamafarm.core.errors import Problem
from llamafarm.core.events import Failed
from llamafarm.core.reply import Reply
from llamafarm.ui.parts.markup import Markup, join, tag
from llamafarm.ui.project.file_cards import BROKEN_EDIT, place

# The pages by their addresses, with their names and signs; the first is the one at "/".
PAGES: tuple[tuple[str, str, str], ...] = (
    ("compare", "Compare", "⇉"),
    ("lab", "Lab", "∿"),
    ("batch", "Batch", "≡"),
    ("router", "Routing", "⇄"),
    ("history", "History", "↺"),
)
# What brings out each of the rules by which prompts are routed.
STARTERS: tuple[tuple[str, str], ...] = (
    ("A short question", "What is the capital of France?"),
    ("An analysis", "Analyze the trade-offs between renting and buying a house."),
    ("Everyday writing", "Write a friendly note that tells a customer their parcel will be two days late."),
    ("A comparison", "Compare solar and wind power for a small farm, and evaluate which pays off sooner."),
)
SEVERAL = 2


def rail() -> Markup:
    """The way to each page. The addresses are relative, so that they hold behind a proxy's path too."""
    links = (
        tag(
            "a",
            tag("span", sign, class_="lf-sign", aria_hidden="true"),
            name,
            href="./" if at == 0 else page,
            data_page=page,
            aria_current="page" if at == 0 else None,
        )
        for at, (page, name, sign) in enumerate(PAGES)
    )
    brand = tag("span", "◆", class_="lf-brand", aria_hidden="true")
    return tag("nav", brand, *links, class_="lf-rail", aria_label="Pages")


def masthead(project: Project | None) -> Markup:
    """The header: the project that is shown, as the button that opens its drawer."""
    inside: list[Markup] = [tag("span", "Open a project", class_="lf-project")]
    if project is not None:
        usable, every = sum(model.usable for model in project.models), len(project.models)
        inside = [
            tag("span", f"{project.namespace}/{project.name}", class_="lf-project"),
            tag("span", f"{usable} of {every} model{'' if every == 1 else 's'}", class_="lf-sub"),
            tag("span", "trusted", class_="lf-sub")
            if project.trusted
            else tag("span", "not trusted", class_="lf-chip lf-warn"),
        ]
    return tag(
        "div",
        tag("h1", "LlamaFarm ", tag("span", "Playground")),
        toggle("drawer", *inside, class_="lf-picker", title="Open, edit, trust or probe the project; tools; faults"),
        toggle("share", "Share", class_="lf-button lf-shares", title="The table as a file"),
        class_="lf-masthead",
    )


def toggle(shows: str, *children: str, class_: str, title: str | None = None) -> Markup:
    """A button that shows and hides the part with the id `shows`: see shell.js."""
    return tag(
        "button",
        *children,
        tag("span", " ▾", aria_hidden="true"),
        type="button",
        class_=class_,
        title=title,
        data_toggle=shows,
        aria_controls=shows,
        aria_expanded="false",
    )


def drawer_head() -> Markup:
    """The drawer's title, and the button that closes it."""
    close = tag("button", "✕", type="button", class_="lf-close", aria_label="Close", data_toggle="drawer")
    return tag("div", tag("h2", "Project"), close, class_="lf-drawer-head")


def starters() -> Markup:
    """Prompts for who has none yet."""
    buttons = (
        tag("button", tag("strong", name), tag("span", prompt), type="button", class_="lf-starter", data_prompt=prompt)
        for name, prompt in STARTERS
    )
    words = "One prompt goes to every model. Try one of these, and see where it would be routed:"
    return tag("div", tag("p", words, class_="lf-sub"), tag("div", *buttons), class_="lf-starters")


def banner(
    loaded: Loaded, title: str, shown: Sequence[NamedModel], replies: Sequence[Reply], *, broken: Sequence[Problem] = ()
) -> Markup:
    """What stands in the way of an answer, once and not once a lane, each with its button; empty where nothing does.

    `broken` are the problems of a newer edit, in whose place the last good reading of the file is shown.
    """
    project = loaded.project
    if project is None:
        said = _unread(title, loaded.errors)
    else:
        said = [*_broken(broken), *_untrusted(project), *_unusable(project, shown), *_failed(replies)]
    return tag("div", *said, class_="lf-banners") if said else Markup("")


def common_failures(replies: Sequence[Reply]) -> dict[tuple[str, str], list[Reply]]:
    """Failures that several lanes share, by what is said of them."""
    found: dict[tuple[str, str], list[Reply]] = {}
    for reply in replies:
        if reply.failure is not None:
            found.setdefault(_words(reply.failure), []).append(reply)
    return {words: failed for words, failed in found.items() if len(failed) >= SEVERAL}


def _words(failure: Failed) -> tuple[str, str]:
    return failure.message, failure.hint


def _unread(title: str, errors: Sequence[Problem]) -> list[Markup]:
    """Nothing where no file was opened."""
    return [_bar(f"{title} can't be used. {_told(errors[0])}", _opens("Open the project"))] if errors else []


def _broken(problems: Sequence[Problem]) -> list[Markup]:
    return [_bar(f"{BROKEN_EDIT} {_told(problems[0])}", _opens("Open the project"))] if problems else []


def _told(problem: Problem) -> str:
    return f"{where}: {problem.message}" if (where := place(problem)) else problem.message


def _untrusted(project: Project) -> list[Markup]:
    if project.trusted:
        return []
    words = "This file is not trusted: nothing is read or started for it until you say so."
    return [_bar(words, _opens("See what it asks for"))]


def _unusable(project: Project, shown: Sequence[NamedModel]) -> list[Markup]:
    reasons: dict[str, list[str]] = {}
    for model in project.models:
        if not model.usable and project.trusted:
            reason = model.problems[0].message if model.problems else "It can't be used."
            reasons.setdefault(reason, []).append(model.name)
    go_on = "" if shown else " No model is left to ask."
    return [
        _bar(f"{', '.join(names)}: {reason}{go_on}", _opens("Open the project"))
        for reason, names in reasons.items()
    ]  # fmt: skip


def _failed(replies: Sequence[Reply]) -> list[Markup]:
    again = tag("button", "Ask them again", type="button", class_="lf-button", data_retry="failed")
    return [
        _bar(f"{', '.join(reply.lane for reply in failed)}: {' '.join(words).strip()}", again)
        for words, failed in common_failures(replies).items()
    ]


def _opens(words: str) -> Markup:
    return tag("button", words, type="button", class_="lf-button", data_toggle="drawer")


def _bar(words: str, button: Markup) -> Markup:
    return tag("div", join(tag("span", words), button), class_="lf-banner", role="alert")
