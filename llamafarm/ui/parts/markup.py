"""HTML as text, escaped by construction: the only way that words get into the page's own markup."""

from __future__ import annotations

from html import escape


class Markup(str):
    """A piece of HTML that is safe to show as it is."""

    __slots__ = ()


def tag(name: str, *children: str | None, **attributes: str | None) -> Markup:
    """`<name …>children</name>`; plain text is escaped, Markup is not, None is left out.

    Attributes drop one trailing underscore (`class_`) and turn the others into dashes (`aria_label`).
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: str | None) -> Markup:
    """The children one after the other, plain text escaped."""
    return Markup(
        "".join(child if isinstance(child, Markup) else escape(child) for child in children if child is not None)
    )
