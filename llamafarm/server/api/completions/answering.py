"""The answer to one chat completion, streamed or whole: an ASGI response that runs the lane itself.

The response begins with the first content or the end, so that what goes wrong before is an HTTP error, and headers
tell which model answers. The model's server is stopped when the client goes away. A slow reader slows the reading
from the server: nothing is piled up.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from starlette.responses import Response

from llamafarm.access.asgi import Receive, Scope, Send
from llamafarm.core.errors import TooManyGenerations
from llamafarm.core.events import Event, Failed, Stopped, is_final
from llamafarm.core.reply import Reply
from llamafarm.core.types import Message
from llamafarm.engine.comparison import LaneEvent
from llamafarm.engine.lane import Lane
from llamafarm.engine.recording import Origin, Recording
from llamafarm.server.api.bodies.jsons import dumps
from llamafarm.server.api.completions.asked import Asked
from llamafarm.server.api.completions.chunks import Chunks, error_event
from llamafarm.server.api.completions.completion import completion_json
from llamafarm.server.api.completions.sessions import Conversation, Key
from llamafarm.server.api.completions.trace import Trace
from llamafarm.server.api.disconnect import until_gone
from llamafarm.server.api.errors import ApiError, error_of, failed, stopping
from llamafarm.server.api.services import Services

SSE = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x-accel-buffering": "no"}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Order:
    """How an answer is wanted, and by whom. `session` is the key of the conversation that it continues."""

    caller: str
    stream: bool = False
    with_usage: bool = False
    session: Key | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """A lane that runs: its events, what is known of them, and the conversation that it continues."""

    events: AsyncGenerator[Event, None]
    trace: Trace
    conversation: Conversation | None

    def end(self, asked: Asked) -> Reply:
        """The whole reply, which the conversation takes. Raises ApiError where the lane failed."""
        reply = self.trace.reply()
        if reply.failure is not None:
            raise self._error(reply, reply.failure)
        if self.conversation is not None:
            self.conversation.add((*asked.question.messages, *self._said(reply)))
        return reply

    def _said(self, reply: Reply) -> tuple[Message, ...]:
        """What the lane adds to the conversation; of the calls that stand open, those that the caller is to answer."""
        said, calls = reply.said, self.trace.calls(reply)
        if not calls:
            return said or (Message("assistant", reply.text),)
        if said and said[-1].role == "assistant":
            return (*said[:-1], replace(said[-1], tool_calls=calls))
        return (*said, Message("assistant", "", calls))

    def _error(self, reply: Reply, failure: Failed) -> ApiError:
        partial = {"partial_content": reply.text} if reply.text else {}
        error = failed(failure, self.trace.last(reply) | partial, retries=len(reply.retries))
        error.headers = {**error.headers, **self.trace.headers(reply)}
        return error


async def _recorded(
    events: AsyncGenerator[Event, None], lane: Lane, recording: Recording
) -> AsyncGenerator[Event, None]:
    """`events`, as the history sees them; where the reader goes before the end, the lane was stopped."""
    ended = False

    def take(event: Event) -> None:
        recording.replies.add(lane.id, event)
        recording.watch(LaneEvent(lane.id, event))

    try:
        async with aclosing(events):
            async for event in events:
                ended = is_final(event)
                take(event)
                yield event
    except TooManyGenerations:
        ended = True  # it never began
        raise
    finally:
        if not ended:
            take(Stopped(at=time.perf_counter()))


class ChatAnswer(Response):
    """Answers `asked` as `order` says. Raises ApiError before the response has begun."""

    def __init__(self, services: Services, asked: Asked, order: Order) -> None:
        super().__init__()
        self._services = services
        self._asked = asked
        self._order = order
        self._id = f"chatcmpl-{secrets.token_hex(16)}"
        self._created = int(time.time())
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Run the lane and send what it says, until the end or until the client has gone."""
        work = self._streamed(send) if self._order.stream else self._whole(send)
        try:
            await until_gone(receive, work)
        except TooManyGenerations as error:
            raise error_of(error) from None
        except asyncio.CancelledError:
            if self._begun:
                await send({"type": "http.response.body", "body": error_event(stopping()), "more_body": True})
            raise

    @contextmanager
    def _running(self) -> Iterator[_Run]:
        """The lane, with its turn in the conversation."""
        asked, order, runtime = self._asked, self._order, self._services.runtime
        with ExitStack() as stack:
            conversation, session = None, None
            if order.session is not None:
                conversation = stack.enter_context(self._services.conversations.turn(order.session))
                dropped = conversation.dropped
                session = {"id": order.session[-1], "messages": conversation.count, "dropped": dropped}
            lane = asked.after(conversation.messages if conversation else ())
            events = runtime.chat(asked.project, lane, asked.question, caller=order.caller)
            folded = None
            if (recording := self._recording(lane)) is not None:
                folded, events = recording.replies, _recorded(events, lane, recording)
            trace = Trace(asked, partial(runtime.replies, asked.project, [asked.lane]), session, folded)
            yield _Run(events, trace, conversation)

    def _recording(self, lane: Lane) -> Recording | None:
        """What keeps the lane's events, where completions are kept."""
        asked, services = self._asked, self._services
        if not services.settings.record_completions:
            return None
        origin, lanes = Origin("chat", routes=[asked.route] if lane.auto else ()), [lane]
        replies = services.runtime.replies(asked.project, lanes)
        return services.runtime.recording(asked.project, lanes, asked.question, origin, replies)

    async def _whole(self, send: Send) -> None:
        with self._running() as run:
            async with aclosing(run.events) as events:
                async for event in events:
                    run.trace.add(event)
            reply = run.end(self._asked)
        body = dumps(completion_json(run.trace, reply, self._id, self._created))
        await self._begin(send, {**JSON, "content-length": str(len(body))}, run.trace, reply)
        await send({"type": "http.response.body", "body": body})

    async def _streamed(self, send: Send) -> None:
        """The last bytes leave when the session and the place are free again: the next request may follow at once."""
        data = b""
        with self._running() as run:
            chunks = Chunks(run.trace, self._id, self._created, with_usage=self._order.with_usage)
            async with aclosing(run.events) as events:
                async for event in events:
                    run.trace.add(event)
                    data = chunks.of(event)
                    if not data or is_final(event):
                        continue
                    if not self._begun:
                        await self._begin(send, SSE, run.trace)
                    await send({"type": "http.response.body", "body": data, "more_body": True})
            if not (self._begun and run.trace.failure):
                run.end(self._asked)
        if not self._begun:
            await self._begin(send, SSE, run.trace)
        await send({"type": "http.response.body", "body": data})

    async def _begin(self, send: Send, headers: Mapping[str, str], trace: Trace, reply: Reply | None = None) -> None:
        self._begun = True
        told = {**headers, "x-request-id": self._id, **trace.headers(reply)}
        if self._order.session is not None:
            told["x-session-id"] = self._order.session[-1]
        raw = [(name.encode(), value.encode()) for name, value in told.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
