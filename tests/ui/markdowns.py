"""Markdown that is hard to read in one way: cases and random pieces, and what must be shown of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, MutableMapping, Sequence
from html.parser import HTMLParser
from typing import Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from llamafarm.ui.parts.markdown_parser import parser

EVIL = '<img src="http://127.0.0.1:9/x.png" onerror="document.title=1"> <b>bold</b> std::vector<int>'
# Each was HTML, a request or lost text in a view that looks at one line at a time.
CASES: dict[str, str] = {
    "a fence in a list item": f"- one\n  ```\n  {EVIL}\n  ```\n{EVIL}",
    "a fence after 1)": f"1) ```\n   code\n   ```\n   {EVIL}\n\n{EVIL}",
    "a fence after +": f"+ ```\n  code\n  ```\n+ {EVIL}",
    "a fence after > -": f"> - ```\n>   code\n> {EVIL}\n\n{EVIL}",
    "a code span over lines": f"`one\n{EVIL}\ntwo` {EVIL}",
    "a lone backtick in a cell": f"| a | b |\n|---|---|\n| ` | {EVIL} |\n| ` | x |",
    "a fence behind a tab": f"\t```\n{EVIL}\n\t```\n{EVIL}",
    "a picture in what is no fence": "``` ![x](http://127.0.0.1:9/p.png) ```\n![](http://127.0.0.1:9/q.png)\n" + EVIL,
    "mermaid": "```mermaid\ngraph TD; A-->B\n```\nafter",
    "mermaid with blanks": "```mermaid  \ngraph TD; A-->B\n```\n```mermaid\nnever closed",
    "a fence that never closes": f"```html\n{EVIL}\n\n~~~\n{EVIL}",
    "a longer fence around a shorter": f"`````\n```\n{EVIL}\n```\n`````\n{EVIL}",
    "a tilde fence with backticks": f"~~~\n`````\n{EVIL}\n~~~\n{EVIL}",
    "html blocks": f"<div>\n\n{EVIL}\n\n</div>\n<pre>\n# x\n</pre>\n<script>document.title=1</script>\n<!-- kept -->",
    "a half tag": f"<img src=x\n\nonerror=alert(1)> <b\n> {EVIL}",
    "hidden definitions": f'[a]: http://127.0.0.1:9 "title"\n[^1]: foot\n\n[a] and [^1] {EVIL}',
    "surplus cells": f"| a | b |\n|---|---|\n| 1 | 2 | three | {EVIL} |",
    "deep quotations": ">" * 150 + f" deep {EVIL}",
    "deep lists": "- " * 150 + f"deep {EVIL}",
    "entities": "&lt;b&gt; &amp;lt;b&amp;gt; &#60;i&#62; &#x3c;u&#x3e;",
    "placeholders of the page": "%%%LATEX_BLOCK_0%%% `%%%LATEX_BLOCK_0%%%`\n\n```\n%%%LATEX_BLOCK_0%%%\n```\n$x$",
    "signs of the page": "a \ufdd0\\def\\x{1}\\x\ufdd1 b $y$ \ufdd2z\ufdd3 `\ufdd0c\ufdd1`",
    "bad addresses": "[a](javascript:alert(1)) [b](data:text/html,x) [c](/v1/models) [d](//127.0.0.1:9) <javascript:x>",
    "words for a language": f"``` <b>all of this</b> is told\ncode\n```\n```__proto__\n{EVIL}\n```\n```constructor\nx\n```",
    "tabs in code": "```go\n\tif x {\n\t\treturn\n\t}\n```\n\n    indented\tcode",
    "line ends": f"one\rtwo\r\nthree\u2028four\x0bfive\x0csix\x85seven {EVIL}",
    "a table with a code span": f"| a |\n|---|\n| `x \\| y` <u>{EVIL}</u> |",
    "a long paragraph": "**bold** <b>x</b> words " * 300,
}
PIECES: Sequence[str] = (
    "<b>", "</b>", "</think>", "<img src=x>", "<!--", "-->", "<div>\n", "`", "``", "```", "````", "```\n", "~~~\n", "\n", "\n\n", "\n    ", "\t",
    "![", "](", "![a](http://127.0.0.1:9/y.png)", "[x]: http://127.0.0.1:9\n", "- ", "+ ", "* ", "1. ", "2) ", "> ", "> - ", "# ", "## ",
    "<", ">", "\\", "&lt;", "&#60;b&#62;", "*", "**", "_", "~~", "|", "| a | b |\n|---|---|\n| ", "---\n", "===\n", "$", "$$", "$$\n", r"\(",
    r"\[", r"\]", "%%%", "http://127.0.0.1:9/z", "std::vector<int>", "\r", "\u00a0", "  \n", "5",
)  # fmt: skip
# What stands for the page's own: the button of code, its pictures, and what a formula is drawn of.
OWN = frozenset(("button", "svg", "path", "div", "span"))


class Read(HTMLParser):
    """The elements and the text of some HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags[{"h1": "h4", "h2": "h5", "h3": "h6", "h4": "h6", "h5": "h6"}.get(tag, tag)] += 1

    def handle_data(self, data: str) -> None:
        self.text += data


def asked_for(text: str) -> Read:
    """What CommonMark makes of `text`, by the library's own way of writing it. Formulas are their source."""
    made = parser()
    renderer = made.renderer
    assert isinstance(renderer, RendererHTML)
    for name in ("formula", "formula_block"):
        made.add_render_rule(name, _source)
    tokens = made.parse(text)
    for token in tokens:
        token.hidden = False  # paragraphs of tight lists are shown as such
        for at, child in reversed(list(enumerate(token.children or ()))):
            if child.type == "link_open" and token.children and token.children[at + 1].type == "link_close":
                token.children.insert(at + 1, Token("text", "", 0, content=str(child.attrGet("href"))))  # a picture's
    read = Read()
    read.feed(renderer.render(tokens, made.options, {}))
    read.close()
    read.text = re.sub("[\ufdd0-\ufdef]", lambda found: f"\\u{ord(found[0]):04x}", read.text)
    return read


def _source(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: Mapping[str, Any], env: MutableMapping[str, Any]
) -> str:
    return tokens[at].content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def letters(text: str) -> str:
    """`text` without blanks: what must be seen of it, whatever the lines."""
    return "".join(text.split())
