r"""Markdown as models write it, read by a CommonMark parser: GFM's tables and strikethrough, and formulas. Pure.

HTML, pictures and hidden definitions are no Markdown here: they are text. Nothing that is written gets lost: rows of
tables keep their surplus cells, and what is nested deeper than the parser goes is a paragraph.

Formulas follow Pandoc's rule for `$…$` (https://pandoc.org/MANUAL.html#extension-tex_math_dollars): no blank after the
first sign or before the last, no word right before or behind, so that "$5 and $6" is money. `$$…$$`, `\(…\)` and
`\[…\]` are formulas too.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.blockquote import blockquote
from markdown_it.rules_block.list import list_block
from markdown_it.rules_block.table import escapedSplit, getLine, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

LONGEST = 4096  # letters of a paragraph in which marks are looked for: the time can grow with their square
DEEP = 24  # levels; each list is two of them, each quotation one
NESTING = 100  # the parser's own bound, behind which it drops text: never reached
SCHEMES = ("http", "https", "mailto")
CLOSED_BY = {"$$": "$$", r"\[": r"\]"}
_DISPLAY = re.compile(r"(?:\$\$(?P<dollars>(?:[^$`]|\\\$)+?)\$\$|\\\[(?P<brackets>[^`]{1,2000}?)\\\])", re.DOTALL)
_INLINE = re.compile(
    r"\$(?P<dollars>(?![\s$])(?:[^$`\\]|\\.)*?(?<!\s))\$(?![\w$])|\\\((?P<brackets>[^`]{1,2000}?)\\\)", re.DOTALL
)
_WORDS = re.compile(r"\d[^\\]*[\s(][A-Za-z]{2,}")  # "$5 (or 5$)": an amount, not a formula


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        """Whether an address may stand in a link: of another place, whole, and not a script."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return parts.scheme in SCHEMES and bool(parts.netloc or parts.scheme == "mailto")


def parser() -> MarkdownIt:
    """A parser with these rules. Building it takes 0.2 ms; it keeps nothing between two texts."""
    made = _Parser("commonmark", {"html": False, "breaks": True, "maxNesting": NESTING})
    made.enable(["table", "strikethrough"])
    made.disable(["html_block", "html_inline", "image", "reference"])
    block, inline = made.block.ruler, made.inline.ruler
    block.at("blockquote", _quotation, {"alt": ["paragraph", "reference", "blockquote", "list", "table"]})
    block.at("list", _list, {"alt": ["paragraph", "reference", "blockquote", "table"]})
    block.at("table", _whole_table, {"alt": ["paragraph", "reference"]})
    block.before("paragraph", "formula", _formula_block, {"alt": ["paragraph", "reference"]})
    inline.before("escape", "formula", _formula)
    made.core.ruler.at("inline", _inline)
    return made


def _inline(state: StateCore) -> None:
    """What stands within each block; a paragraph that is too long stays as it is written, line by line."""
    for token in state.tokens:
        if token.type != "inline" or token.children is None:
            continue
        if len(token.content) <= LONGEST:
            state.md.inline.parse(token.content, state.md, state.env, token.children)
            continue
        for line in token.content.split("\n"):
            token.children += [Token("softbreak", "br", 0)] if token.children else []
            token.children.append(Token("text", "", 0, content=line))


def _quotation(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the library's signature
    return state.level < DEEP and blockquote(state, start, end, silent)


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the same
    return state.level < DEEP and list_block(state, start, end, silent)


def _whole_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the same
    """A table, in which the cells that a row has beyond the head's stay in its last one, as they are written."""
    before = len(state.tokens)
    found = table(state, start, end, silent)
    if not found or silent:
        return found
    made = state.tokens[before:]
    columns = sum(token.type == "th_open" for token in made)
    for at, token in enumerate(made):
        if token.type == "tr_open" and token.map and made[at + 1].type == "td_open":
            cells = escapedSplit(getLine(state, token.map[0]).strip())
            cells = cells[not cells[0] :]
            cells = cells[: len(cells) - (not cells[-1])] if cells else cells
            if len(cells) > columns:
                last = made[at + 3 * columns - 1]
                last.content = " | ".join([last.content, *(cell.strip() for cell in cells[columns:])])
    return found


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the same
    """A paragraph that begins with `$$` or `\\[`: its lines make no lists or headings, up to its close or a blank line.

    Until the close has come they are a paragraph, so that an answer that still comes does not jump.
    """
    line = getLine(state, start).rstrip()
    close = CLOSED_BY.get(line[:2])
    if close is None or state.is_code_block(start):
        return False
    last, closed = start, line.endswith(close) and len(line) > 3  # noqa: PLR2004 - more than the two signs
    while not closed and last + 1 < end and not state.isEmpty(last + 1) and state.sCount[last + 1] >= state.blkIndent:
        last += 1
        closed = getLine(state, last).rstrip().endswith(close)
    if not closed and last == start and len(line) > 2:  # noqa: PLR2004 - "$$5 is a lot", on one line
        return False
    if silent:
        return True
    lines = [getLine(state, number).strip() for number in range(start, last + 1)]
    state.line = last + 1
    text = "\n".join(lines)
    if closed and (tex := text[2:-2].strip()) and balanced(tex):
        token = state.push("formula_block", "", 0)
        token.content, token.map = tex, [start, state.line]
        return True
    _paragraph(state, text, start)
    return True


def _paragraph(state: StateBlock, text: str, start: int) -> None:
    state.push("paragraph_open", "p", 1).map = [start, state.line]
    token: Token = state.push("inline", "", 0)
    token.content, token.map, token.children = text, [start, state.line], []
    state.push("paragraph_close", "p", -1)


def _formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the same
    r"""`$…$`, `$$…$$`, `\(…\)` or `\[…\]` within a paragraph."""
    sign = state.src[state.pos : state.pos + 2]
    if not sign.startswith("$") and sign not in (r"\(", r"\["):
        return False
    display = sign in CLOSED_BY
    found = (_DISPLAY if display else _INLINE).match(state.src, state.pos, state.posMax)
    if found is None or (sign[0] == "$" and _joined(state.src, state.pos)):
        return False
    tex = found["dollars"] or found["brackets"]
    if not tex.strip() or not balanced(tex) or (found["dollars"] and not display and _WORDS.match(tex)):
        return False
    if not silent:
        state.push("formula_block" if display else "formula", "", 0).content = tex.strip()
    state.pos = found.end()
    return True


def _joined(text: str, at: int) -> bool:
    """Whether the sign at `at` belongs to what stands before it, as in US$5 or an escaped one."""
    before = text[at - 1 : at]
    return before.isalnum() or before in ("$", "\\")


def balanced(tex: str) -> bool:
    """Whether the braces of a formula match: the browser looks for its end outside of them."""
    depth = 0
    for brace in re.findall(r"\\.|[{}]", tex, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        if depth < 0:
            return False
    return depth == 0
