"""What the parser found, as the HTML that the browser shows: written here alone, escaped by construction. Pure.

Gradio's Markdown view reads what it gets with a parser of its own, marked (https://marked.js.org). Two parsers differ
in what is code, a list or a tag; so it gets only two forms, of which nothing can be read in two ways. A block is HTML
on one line that begins with a block's tag, up to an empty line. Code is a fence at the line's beginning, longer than
any in it: so it keeps its colours and its button for copying.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Literal, NamedTuple

from markdown_it.token import Token

# What opens and closes a formula in the browser: characters that Unicode keeps for a program's own use, and that no
# text brings here.
FORMULA, DISPLAY = ("\ufdd0", "\ufdd1"), ("\ufdd2", "\ufdd3")
# The languages of which Gradio's page has the colours; it looks any other word up in an object of its own.
COLOURED = frozenset(
    ("python", "latex", "bash", "c", "cpp", "json", "sql", "java", "go", "rust", "php", "yaml", "html", "xml", "css",
     "javascript", "js")
)  # fmt: skip
HEADINGS = {"h1": "h4", "h2": "h5"}  # below the card's own h3; all others are h6
ALIGNED = {f"text-align:{side}" for side in ("left", "center", "right")}
PLACEHOLDER = "%%%"  # Gradio's page writes formulas where it finds %%%LATEX_BLOCK_0%%%
_FOREIGN = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_RUN = re.compile("`+")
_ADDRESS = re.compile(r"https?://(?:[^\s<>\"'`|\\^{}]*[^\s<>\"'`|\\^{}.,;:!?)\]*_~])", re.IGNORECASE)


class Piece(NamedTuple):
    """A part of what the browser gets. Closing parts at the very end can be left out: browsers add them."""

    kind: Literal["html", "close", "code", "break"]
    text: str


BREAK = Piece("break", "\n\n")


def written(pieces: Sequence[Piece], *, open_ended: bool) -> str:
    """The pieces as one text; `open_ended`: with what is open at its end left open.

    What comes next is then only added, and the page is told no more than that.
    """
    end = len(pieces)
    while open_ended and end and pieces[end - 1].kind in ("close", "break"):
        end -= 1
    return "".join(piece.text for piece in pieces[:end])


def words(text: str) -> str:
    """`text` as HTML on one line; a line end in it is a character."""
    return escape(_own(text)).replace(PLACEHOLDER, "%%&#37;").replace("\r", "&#13;").replace("\n", "&#10;")


def _own(text: str) -> str:
    """`text`; characters that no text may bring are written as their numbers."""
    return _FOREIGN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def pieces_of(tokens: Sequence[Token]) -> Iterator[Piece]:
    """The tokens of a text as what the browser gets."""
    broken = True
    for token in tokens:
        for piece in _block(token):
            if piece.kind == "code" and not broken:
                yield BREAK
            yield piece
            broken = piece.text.endswith("\n\n")
        if token.level == 0 and token.nesting <= 0 and not broken:
            yield BREAK
            broken = True


def _block(token: Token) -> Iterator[Piece]:
    match token.type:
        case "inline":
            yield from inline(token.children or ())
        case "fence" | "code_block":
            yield from _code(token.content, token.info.strip())
        case "formula_block":
            yield Piece("html", f'<div class="lf-formula">{_formula(token.content, DISPLAY)}')
            yield Piece("close", "</div>")
        case "hr":
            yield Piece("html", "<hr>")
        case "heading_open" | "heading_close":
            name = HEADINGS.get(token.tag, "h6")
            yield Piece("html", f"<{name}>") if token.nesting == 1 else Piece("close", f"</{name}>")
        case "table_open":
            yield Piece("html", '<div class="lf-scroll"><table>')
        case "table_close":
            yield Piece("close", "</table></div>")
        case _ if token.nesting == 1:
            yield Piece("html", f"<{token.tag}{_attributes(token)}>")
        case _:
            yield Piece("close", f"</{token.tag}>")


def _attributes(token: Token) -> str:
    start, style = token.attrGet("start"), token.attrGet("style")
    if isinstance(start, int):
        return f' start="{start}"'
    return f' style="{style}"' if style in ALIGNED else ""


def _code(content: str, info: str) -> Iterator[Piece]:
    """A block of code under the name of its language, or whatever stands there."""
    if info:
        yield Piece("html", f'<div class="lf-language">{words(info)}</div>')
    content = _own(content)
    if PLACEHOLDER in content or "\r" in content:
        yield Piece("html", f'<div class="lf-pre"><pre><code>{words(content)}')
        yield Piece("close", "</code></pre></div>")
        return
    mark = "`" * max(4, 1 + max(map(len, _RUN.findall(content)), default=0))
    language = info.split(maxsplit=1)[0].lower() if info else ""
    yield Piece("code", f"{mark}{language if language in COLOURED else ''}\n{content}")
    ended = not content or content.endswith("\n")
    yield Piece("close", ("" if ended else "\n") + f"{mark}\n\n")


def _formula(tex: str, signs: tuple[str, str]) -> str:
    return signs[0] + words(tex) + signs[1]


def inline(tokens: Sequence[Token]) -> Iterator[Piece]:
    """What stands within a block."""
    linked = ""
    for at, token in enumerate(tokens):
        match token.type:
            case "link_open":
                linked = str(token.attrGet("href") or "")
                yield Piece("html", _link(linked, token.attrGet("title")))
                if tokens[at + 1].type == "link_close":
                    yield Piece("html", words(linked))
            case "link_close":
                linked = ""
                yield Piece("close", "</a>")
            case "code_inline":
                yield Piece("html", f"<code>{words(token.content)}")
                yield Piece("close", "</code>")
            case "softbreak" | "hardbreak":
                yield Piece("html", "<br>")
            case "formula" | "formula_block":
                yield Piece("html", _formula(token.content, FORMULA if token.type == "formula" else DISPLAY))
            case "em_open" | "strong_open" | "s_open":
                yield Piece("html", f"<{token.tag}>")
            case "em_close" | "strong_close" | "s_close":
                yield Piece("close", f"</{token.tag}>")
            case _:
                yield Piece("html", words(token.content) if linked else _with_links(token.content))


def _with_links(text: str) -> str:
    """A text in which addresses that stand bare are links."""
    if "://" not in text:
        return words(text)
    parts, at = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [words(text[at : found.start()]), _link(found[0]), words(found[0]), "</a>"]
        at = found.end()
    return "".join([*parts, words(text[at:])])


def _link(address: str, title: object = None) -> str:
    told = f' title="{words(str(title))}"' if title else ""
    return f'<a href="{words(address)}"{told} target="_blank" rel="noopener noreferrer">'
