"""The way from the page to a report. Pure."""

from __future__ import annotations

from llamafarm.ui.parts.markup import Markup, tag


def report_link(identity: str | None, label: str = "Report") -> Markup:
    """A link to the report of a run or a comparison with this id; nothing where it was not kept, or there is none.

    The address is relative, so that it holds behind a proxy's path too.
    """
    if identity is None:
        return Markup("")
    return tag(
        "a",
        label,
        href=f"report/{identity}",
        target="_blank",
        rel="noopener",
        class_="lf-button",
        title="One HTML file for people who were not there: to save, mail or print",
    )
