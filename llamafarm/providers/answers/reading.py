"""Reads one answer from its bytes to its end: what all protocols over HTTP share."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from functools import partial

from llamafarm.core.conditions import Cautioned
from llamafarm.core.errors import BadAnswer, Interrupted, ProviderError, TimedOut
from llamafarm.core.events import Event, Finished, Sent, is_content
from llamafarm.core.types import REPEATED, JsonValue
from llamafarm.providers.answers.chat_chunks import ChatChunks
from llamafarm.providers.answers.deltas import Arrived, arrived
from llamafarm.providers.answers.failing import failure_in
from llamafarm.providers.http.body import Body
from llamafarm.providers.http.deadlines import Deadlines
from llamafarm.providers.http.exchange import Exchange
from llamafarm.providers.http.faults import html_title
from llamafarm.providers.wire.records import DONE, Record, Records

USAGE_S = 2.0  # for counts behind the end of an answer, which most servers send at once


async def answer(exchange: Exchange, chat: ChatChunks) -> AsyncGenerator[Event, None]:
    """The events of one answer, `Finished` last; what came before an error is told first. Raises ProviderError.

    `chat` takes its records. The connection is kept for the next request where the server ends the answer properly.
    """
    deadlines = Deadlines(exchange.model.timeout)
    yield Sent(at=deadlines.started, request=exchange.sent())
    with deadlines:
        response = await exchange.answered(deadlines)
        chat.server = response.headers.get("server", "")
        async with exchange.client.endings.reading(response) as body:
            for told in exchange.reconnected(response):
                yield told
            reading = _Reading(exchange, deadlines, chat, body)
            try:
                while (more := await reading.more()) is not None:
                    for event in more:
                        if is_content(event):
                            deadlines.begin()
                        yield event
                for event in reading.end():
                    yield event
            except ProviderError:
                for event in reading.held():
                    yield event
                raise


class _Reading:
    """One response, whatever form the server gave it.

    An answer is complete once its finish_reason has come: what happens to the connection after that is no fault of it.
    """

    def __init__(self, exchange: Exchange, deadlines: Deadlines, chat: ChatChunks, body: Body) -> None:
        self._exchange = exchange
        self._deadlines = deadlines
        self._chat = chat
        self._body = body
        self._records = Records()
        self._done = self._over = False
        self._at = deadlines.started

    @property
    def _complete(self) -> bool:
        return self._done or self._chat.finish_reason is not None

    async def more(self) -> Iterator[Event] | None:
        """The events of what arrives next; None when the answer has come to its end. Raises ProviderError."""
        if self._done or self._over or self._chat.over:
            return None
        try:
            chunk = await self._exchange.read(self._body, self._deadlines)
        except (BadAnswer, Interrupted, TimedOut):
            if not self._complete:
                raise
            self._give_up()
            return iter(())
        if chunk is None:
            self._over, self._at = True, self._at if self._complete else time.perf_counter()
            return arrived(self._at, partial(self._told, self._records.end()))
        if not self._complete:
            self._at = chunk.at
        return arrived(chunk.at, partial(self._told, self._records.feed(chunk.data)))

    def end(self) -> Iterator[Event]:
        """What was held back, and `Finished`; raises ProviderError where the answer did not come to its end."""
        yield from arrived(self._at, self._chat.end)
        if not self._complete and (caution := self._chat.circles) is not None:
            yield Cautioned(at=self._at, caution=caution)
            yield Finished(at=self._at, reason=REPEATED)
            return
        self._check()
        yield Finished(at=self._at, reason=self._chat.reason)

    def held(self) -> Iterator[Event]:
        """What was held back where an error ends the answer."""
        return arrived(self._at, self._chat.held)

    def _told(self, records: Iterable[Record], came: Arrived) -> None:
        chat, texts = self._chat, list[str]()
        try:
            for kind, data in records:
                if kind == "message" and not self._done:
                    if text := chat.framed(data):
                        texts.append(text)
                        continue
                    chat.said(texts, came)
                    if chat.quick(data, came):
                        continue
                if self._done or self._chat.over or not data:
                    continue
                if data.strip() == DONE:
                    self._done = True
                else:
                    chat.said(texts, came)
                    self._take(kind, data, came)
        except BadAnswer:
            if not self._complete:
                raise
            self._give_up()
        finally:
            chat.said(texts, came)

    def _take(self, kind: str, data: str, came: Arrived) -> None:
        for record in self._parsed(kind, data):
            failure = failure_in(record, kind)
            if failure is not None and not self._complete:
                self._chat.told(record, came)
                raise self._exchange.faults.in_stream(failure)
            before, was_complete = self._chat.letters, self._complete
            self._chat.feed(record, came)
            if self._complete and (not was_complete or self._chat.letters != before):
                self._at = came.at
                self._deadlines.end_within(USAGE_S)

    def _parsed(self, kind: str, data: str) -> Iterable[dict[str, JsonValue]]:
        """The records in `data`, which may hold one a line. What is no JSON means nothing beside other events."""
        try:
            return self._exchange.records(data)
        except BadAnswer:
            if kind in ("error", "exception"):
                raise self._exchange.faults.in_stream(data) from None
            if kind != "message":
                return ()
            if "\n" not in data:
                raise
        return [record for line in data.split("\n") if line.strip() for record in self._exchange.records(line)]

    def _give_up(self) -> None:
        """Nothing more is wanted of this connection."""
        self._over = True
        self._body.close()

    def _check(self) -> None:
        """Raise where the answer did not come to its end, or came in a form that nobody knows."""
        faults, stray = self._exchange.faults, self._records.stray.strip()
        page = html_title(stray)
        if not self._complete:
            if page and not self._chat.seen:
                raise faults.not_protocol("an HTML page", page)
            if stray and self._chat.seen:
                raise faults.in_stream(page or stray)
            if not self._chat.seen:
                raise faults.not_protocol("something that is no chat answer", self._chat.unknown or stray)
            raise Interrupted(
                f"{faults.server} ended the stream before the answer was complete.", hint="What had come is kept."
            )
        if self._chat.unknown:
            raise faults.not_protocol("something that is no chat answer", self._chat.unknown)
