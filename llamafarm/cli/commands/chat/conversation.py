"""`lf chat -i`: a conversation in a terminal, kept in memory alone."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import typer

from llamafarm.access.signals import stopping_signals
from llamafarm.cli.asking.options import Options
from llamafarm.cli.asking.remote import seen_through
from llamafarm.cli.asking.target import Target
from llamafarm.cli.commands.chat.answer import Teller, ask
from llamafarm.cli.commands.chat.line_edit import Lines
from llamafarm.cli.terminal.background import Background
from llamafarm.cli.terminal.lines import route_line, summary_line
from llamafarm.cli.terminal.redelivery import redelivered
from llamafarm.cli.terminal.screen import RED, Screen
from llamafarm.cli.terminal.stop import Stop
from llamafarm.core.reply import Reply
from llamafarm.core.types import Message
from llamafarm.runtime import Runtime, open_runtime

COMMANDS = ("/help", "/clear", "/exit")
HELP = """\
/model NAME   ask another model from now on; /model alone lists them
/clear        forget the conversation
/exit         leave, as Ctrl-D does
Ctrl-C        stop the answer; the conversation stays
//…           a message that begins with a slash"""


def converse(target: Target, given: Options, screen: Screen, *, whole: bool) -> int:
    """Talk until Ctrl-D or /exit; the exit code is 1 where something was asked and nothing answered.

    SIGTERM and SIGHUP end it as Ctrl-D does, an answer that runs as Ctrl-C does; the code is then 143 or 129.
    """
    with Background(open_runtime) as background:
        conversation = Conversation(target, given, screen, background, whole=whole)
        with conversation.leaving():
            conversation.talk()
    if conversation.by is not None:
        return 128 + conversation.by
    return 1 if conversation.asked and not conversation.answered else 0


@dataclass(slots=True)
class Conversation:
    """The messages so far, and whom they go to."""

    target: Target
    given: Options
    screen: Screen
    background: Background[Runtime]
    whole: bool
    messages: tuple[Message, ...] = ()
    asked: int = 0
    answered: int = 0
    by: int | None = None
    _left: bool = field(default=False)
    _stop: Stop | None = None

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """What asks the process to end, but for Ctrl-C, ends the conversation: the terminal is put right."""
        before = {each: signal.signal(each, self._end) for each in stopping_signals() if each != signal.SIGINT}
        try:
            with redelivered(lambda: self._left):
                yield
        except EOFError:
            self.screen.next_line()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, _frame: object) -> None:
        if self._left and self._stop is None:  # it is leaving already
            return
        self.by, self._left = number, True
        if self._stop is None:
            raise EOFError
        self.background.interrupt(self._stop)

    def talk(self) -> None:
        """Ask for lines until one of them leaves."""
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
        lines = Lines(self._words)
        if sys.stdin.isatty():
            self.screen.note(f"{self._who()}. /help tells the commands, Ctrl-D leaves.")
        if self.given.prompt:
            self._ask(self.given.prompt)
        while not self._left:
            try:
                self._take(lines.ask("› ").strip())
            except KeyboardInterrupt:
                self.screen.note(" (Ctrl-D or /exit leaves)")

    def _take(self, line: str) -> None:
        if line.startswith("/") and not line.startswith("//"):
            self._command(*line.split(maxsplit=1))
        elif line:
            self._ask(line.removeprefix("/"))

    def _who(self) -> str:
        lane, route = self.target.lane("")
        return "The router picks a model for each prompt" if route_line(route) else f"Model {lane.model.name}"

    def _words(self) -> list[str]:
        return [*COMMANDS, *(f"/model {name}" for name in self.target.names() or [""])]

    # --- commands ------------------------------------------------------------------------------------

    def _command(self, name: str, argument: str = "") -> None:
        commands: dict[str, Callable[[str], None]] = {
            "/help": self._help,
            "/model": self._model,
            "/clear": self._clear,
            "/exit": self._exit,
            "/quit": self._exit,
        }
        if name in commands:
            commands[name](argument.strip())
        else:
            self.screen.note(f"There is no command {name}: /help tells them, // begins a message with a slash.", RED)

    def _help(self, _: str) -> None:
        for line in HELP.splitlines():
            self.screen.note(line)

    def _model(self, name: str) -> None:
        if not name:
            names = ", ".join(self.target.names()) or "they are the server's own"
            self.screen.note(f"{self._who()}. There are: {names}.")
            return
        try:
            self.target = self.target.named(name)
        except typer.BadParameter as error:
            self.screen.note(error.message, RED)
        else:
            self.screen.note(f"{self._who()} from now on.")

    def _clear(self, _: str) -> None:
        self.messages = ()
        self.screen.note("The conversation is forgotten.")

    def _exit(self, _: str) -> None:
        self._left = True

    # --- asking --------------------------------------------------------------------------------------

    def _ask(self, prompt: str) -> None:
        """Ask, and keep question and answer: also the part of one that was stopped, but none without any text."""
        lane, route = self.target.lane(prompt)
        lane, question = replace(lane, history=self.messages), replace(self.given, prompt=prompt).question()
        if line := route_line(route):
            self.screen.note(line)
        teller = Teller(self.screen, text=not self.whole)
        self._stop = stop = Stop()
        work = ask(self.background.resource, self.target.project, lane, question, teller, stop)
        self.asked += 1
        reply = self.background.run(work, stop)
        self._stop = None
        teller.end(reply, whole=self.whole)
        self._keep(prompt, reply)
        reply = seen_through(reply)
        self.screen.summary(summary_line(reply, route.strategy))

    def _keep(self, prompt: str, reply: Reply) -> None:
        self.answered += reply.status == "done"
        if reply.said:
            self.messages = (*self.messages, Message("user", prompt), *reply.said)
        else:
            self.screen.note("Without an answer, the question is not kept either.")
