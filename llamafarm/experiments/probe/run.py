"""Asks one model the questions of a probe, within bounds of tokens and time, and says what they showed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from llamafarm.config.model import NamedModel
from llamafarm.core import tokens
from llamafarm.core.types import ChatRequest
from llamafarm.experiments.probe import bounds, forms, serving, stream
from llamafarm.experiments.probe.heard import Ask, Heard, bound_of, hear
from llamafarm.experiments.probe.plan import LARGEST_CONTEXT, MOST_S, MOST_TOKENS, Questions, words_of
from llamafarm.history.probe import Finding

Window = Callable[[], Awaitable[int | None]]
UNKNOWN = "Its context is not known: set context_window."
NOT_FREE = "Not tried: a prompt as long as its context would cost."
TOO_LARGE = f"Not tried: a context of more than {LARGEST_CONTEXT:,} tokens."
NOT_ASKED = "Not asked: the probe was stopped, or its bounds were met."


@dataclass(slots=True)
class Answers:
    """What was heard, by question; `word` is what the second answer should stop at."""

    count: Heard | None = None
    left: Heard | None = None
    again: Heard | None = None
    word: str | None = None
    stop_refused: Heard | None = None
    legs: Heard | None = None
    weather: Heard | None = None
    colours: tuple[Heard, ...] = ()
    long: Heard | None = None
    context: int | None = None
    why_not: str = NOT_ASKED

    @property
    def timed(self) -> tuple[Heard, ...]:
        """Answers that began as soon as they could."""
        return tuple(each for each in (self.legs, self.weather, *self.colours) if each is not None)

    @property
    def all(self) -> tuple[Heard, ...]:
        """All but the one to the prompt that was too long."""
        some = (self.count, self.left, self.again, *self.timed)
        return tuple(each for each in some if each is not None)


@dataclass(slots=True)
class Prober:
    """One model's probe: follow `steps` to its end or `stop` it, then `findings` has what there is.

    `ask` answers a request, `window` gives the model's context in tokens, where it is known. `free`: its tokens cost
    nothing, so that a prompt over its context may be tried.
    """

    model: NamedModel
    ask: Ask
    window: Window
    free: bool
    most_s: float = MOST_S
    answers: Answers = field(default_factory=Answers)
    spent: int = 0
    long_tokens: int = 0
    ended: bool = False
    _stopped: bool = False
    _running: asyncio.Task[None] | None = None
    _began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.perf_counter() - self._began

    def stop(self) -> None:
        """Ask nothing more, and leave what is under way."""
        self._stopped = True
        if self._running is not None:
            self._running.cancel()

    async def steps(self) -> AsyncGenerator[str, None]:
        """What is asked now, in words, one after the other."""
        self._began = time.perf_counter()
        questions = Questions.to(self.model)
        steps: tuple[tuple[str, Callable[[Questions], Coroutine[None, None, None]]], ...] = (
            ("counting", self._count),
            ("leaving an answer, and asking again", self._again),
            ("asking for JSON", self._legs),
            ("offering a tool", self._weather),
            ("asking two at once", self._colours),
            ("a prompt over its context", self._long),
        )
        for words, step in steps:
            yield words
            if not await self._within(step(questions)):
                return
            if self.answers.count is None or not self.answers.count.done:
                return  # a server that does not answer at all
        self.ended = True

    async def _within(self, step: Coroutine[None, None, None]) -> bool:
        """Whether the step came to its end before it was stopped or the time was over."""
        left = self.most_s - self.seconds
        if self._stopped or left <= 0:
            step.close()
            return False
        task = self._running = asyncio.create_task(step, name=f"probe of {self.model.name}")
        try:
            await asyncio.wait({task}, timeout=left)
        finally:
            self._running = None
            if not task.done():
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if task.cancelled():
            return False
        task.result()
        return True

    async def _hear(self, request: ChatRequest, *, cancel: bool = False) -> Heard | None:
        """The answer to `request`; None where it might take more tokens than a probe may."""
        if self.spent + tokens.estimate_messages(request.messages) + bound_of(request) > MOST_TOKENS:
            return None
        heard = await hear(self.ask, request, cancel=cancel)
        self.spent += heard.spent
        return heard

    async def _count(self, questions: Questions) -> None:
        heard = await self._hear(questions.count())
        if heard is not None and heard.refused:  # some models take no temperature, or no seed
            plain = await self._hear(questions.count(fixed=False))
            heard = plain if plain is not None and plain.done else heard
        self.answers.count = heard

    async def _again(self, questions: Questions) -> None:
        answers, counted = self.answers, self.answers.count
        if counted is None:
            return
        fixed = "seed" in counted.request.parameters
        answers.word = bounds.stop_word(counted.text)
        answers.left = await self._hear(questions.count_on(), cancel=True)
        again = await self._hear(questions.count(fixed=fixed, stop=answers.word))
        if again is not None and again.refused and answers.word is not None:
            answers.stop_refused, answers.word = again, None
            again = await self._hear(questions.count(fixed=fixed))
        answers.again = again

    async def _legs(self, questions: Questions) -> None:
        self.answers.legs = await self._hear(questions.legs())

    async def _weather(self, questions: Questions) -> None:
        self.answers.weather = await self._hear(questions.weather())

    async def _colours(self, questions: Questions) -> None:
        asked = (self._hear(questions.colour()), self._hear(questions.colour(long=True)))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in asked]
        self.answers.colours = tuple(heard for task in tasks if (heard := task.result()) is not None)

    async def _long(self, questions: Questions) -> None:
        answers, context = self.answers, await self.window()
        answers.context = context
        if context is None or not self.free or context > LARGEST_CONTEXT:
            answers.why_not = UNKNOWN if context is None else TOO_LARGE if self.free else NOT_FREE
            return
        request = questions.too_long(context)
        self.long_tokens = words_of(request.messages[0].content)
        answers.why_not = "It did not answer within the time of a probe."
        answers.long = await hear(self.ask, request)

    def findings(self) -> tuple[Finding, ...]:
        """What the answers show, so far or in the end."""
        found, counted = self.answers, self.answers.count
        nothing = counted or Heard(ChatRequest(()))
        return (
            stream.streaming(nothing),
            stream.usage(nothing),
            stream.growth(found.all),
            bounds.length(nothing),
            bounds.stopping(found.again, found.word, found.stop_refused),
            bounds.over_context(found.long, found.context, found.why_not),
            serving.cancelling(found.left, found.again, nothing, found.timed),
            serving.at_once(found.colours),
            bounds.repeating(nothing, found.again, found.word),
            forms.calling(found.weather, nothing),
            forms.json_kept(found.legs),
            stream.reasoning(found.all),
            stream.cached(found.again),
            stream.waits(nothing, [each for each in found.all if each is not counted]),
            stream.answering(found.all, self.model.model, ours=self.model.profile.embedded),
        )
