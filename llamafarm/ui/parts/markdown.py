"""A model's Markdown as what the page's view of it shows: every word, as text; nothing runs and nothing is fetched.

The text is parsed here, and only what the parser calls Markdown becomes an element; see `mdparse` and `mdhtml`. Pure,
but for what `Growing` remembers of a text that still comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from markdown_it import MarkdownIt

from llamafarm.core.reply import Reply
from llamafarm.ui.parts.markdown_html import DISPLAY, FORMULA, pieces_of, words, written
from llamafarm.ui.parts.markdown_parser import parser

READ = 48_000  # letters of a text that are read as Markdown, 0.1 s at most for usual ones; what follows is plain text
LONGEST = 500_000  # letters of a text that are shown at all: a browser stands still for more
AT_ONCE = 2_000  # letters of a block that is parsed anew for each that comes
STEP = 16  # a longer one is, each time it has grown by this part of itself

# For the page's Markdown view: what our own signs around formulas mean.
DELIMITERS: tuple[dict[str, str | bool], ...] = (
    {"left": DISPLAY[0], "right": DISPLAY[1], "display": True},
    {"left": FORMULA[0], "right": FORMULA[1], "display": False},
)


def shown(text: str) -> str:
    """`text`, whole, for the page's Markdown view."""
    return Growing().of(text, ended=True)


def strong(text: str) -> str:
    """A paragraph of plain, strong text."""
    return f"<p><strong>{words(' '.join(text.split()))}</strong></p>"


def soft(text: str) -> str:
    """A paragraph of the page's own words."""
    return f"<p><em>{words(text)}</em></p>"


def blocks(*parts: str) -> str:
    """Parts that were made here one after the other, a line between them."""
    return "\n\n<hr>\n\n".join(part for part in parts if part)


@dataclass(slots=True)
class Growing:
    """One text that grows: what has ended of it is parsed once, and what is shown changes as little as it can.

    Blocks but the last are final as soon as the last one's first two lines are whole: no rule of CommonMark, with
    definitions left out, looks further ahead.
    """

    _parser: MarkdownIt = field(default_factory=parser)
    _text: str = ""
    _final: int = 0  # letters that are read for good
    _done: str = ""  # and what they became
    _read: int = 0  # letters beyond them that `_tail` shows
    _tail: str = ""

    def of(self, text: str, *, ended: bool) -> str:
        """What to show of `text`. Until it has `ended`, the newest words of a long block may still be missing."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not text.startswith(self._text):
            self._final = self._read = 0
            self._done = self._tail = ""
        self._text = text
        rest = len(text) - self._final
        if rest > self._read and (ended or rest < AT_ONCE or rest - self._read > rest // STEP):
            if len(text) > READ:
                self._cut(text)
            else:
                self._parse(text[self._final :])
            self._read = len(text) - self._final
        return self._done + self._tail

    def _parse(self, rest: str) -> None:
        """Parse what is not final yet; all but the last block of it may be from now on."""
        tokens = self._parser.parse(rest)
        last = max((at for at, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0), default=0)
        line = (tokens[last].map or [0])[0] if tokens else 0
        if last and line + 2 <= rest.count("\n"):
            self._done += written(list(pieces_of(tokens[:last])), open_ended=False)
            self._final += _line_start(rest, line)
            tokens = tokens[last:]
        self._tail = written(list(pieces_of(tokens)), open_ended=True)

    def _cut(self, text: str) -> None:
        """What is too long to be read as Markdown goes on as plain text."""
        cut = text.rfind("\n", 0, READ) + 1 or READ
        if self._final < cut:
            tokens = self._parser.parse(text[self._final : cut])
            self._done += written(list(pieces_of(tokens)), open_ended=False)
            self._final = cut
        more = len(text) - LONGEST
        note = f"\n\n… and {more:,} characters more, which no page can show: exports have all." if more > 0 else ""
        self._tail = f'<div class="lf-plain">{words(text[cut:LONGEST] + note)}'


@dataclass(slots=True)
class Views:
    """What is shown of each lane's answer and reasoning while they come, so that nothing is read twice."""

    _growing: dict[tuple[str, str], Growing] = field(default_factory=dict)

    def answer(self, reply: Reply) -> str:
        """A reply's answer."""
        return self._of(reply, "answer", reply.text)

    def reasoning(self, reply: Reply) -> str:
        """What was thought before it."""
        return self._of(reply, "reasoning", reply.reasoning)

    def _of(self, reply: Reply, part: str, text: str) -> str:
        if not text:
            return ""
        return self._growing.setdefault((reply.lane, part), Growing()).of(text, ended=reply.ended)


def _line_start(text: str, line: int) -> int:
    """Where a line begins; the first one is 0."""
    at = 0
    for _ in range(line):
        at = text.index("\n", at) + 1
    return at
