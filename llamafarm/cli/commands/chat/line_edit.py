"""Reading a person's lines, with editing and a history in memory where the terminal has them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence


class Lines:
    """Asks for lines. `words` are what the Tab key completes at this moment. Nothing is kept on disk."""

    def __init__(self, words: Callable[[], Sequence[str]]) -> None:
        self._words = words
        self._typed = sys.stdin.isatty()
        self._edited = self._typed and sys.stdout.isatty() and self._readline()

    def ask(self, prompt: str) -> str:
        """The next line. Raises EOFError at the end of input, KeyboardInterrupt for Ctrl-C."""
        if self._edited:
            return input(f"\001\x1b[1m\002{prompt}\001\x1b[0m\002")
        if self._typed:  # standard output is the answer's alone
            sys.stderr.write(prompt)
            sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")

    def _readline(self) -> bool:
        try:
            import readline
        except ImportError:  # not on every system
            return False
        readline.set_completer(self._complete)
        readline.set_completer_delims("")
        readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
        return True

    def _complete(self, begun: str, index: int) -> str | None:
        fitting = [word for word in self._words() if word.startswith(begun)]
        return fitting[index] if index < len(fitting) else None
