"""What the API answers, as its description in /docs has it; tests hold every answer to these models.

Spans are seconds, money is US dollars; null is not measured or not known, and never zero.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from llamafarm.core.errors import Culprit

CostSource = Literal["reported", "config", "table", "free", "unknown"]


class Answer(BaseModel):
    """Base of all answers: nothing that is not described."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Answer):
    """What went wrong: `message` for people, `code` for programs, `param` the part of the request that is wrong.

    `culprit` says who is at fault, where a model was asked.
    """

    message: str
    type: str
    param: str | None
    code: str | None
    culprit: Culprit | None = None


class RouteTaken(Answer):
    """How the named model was found: `named` by the request, the `default`, or a router's strategy, with its reason."""

    strategy: str
    model: str
    reason: str
    signals: dict[str, JsonValue]


class Fallback(Answer):
    """`model` failed before any content after `lost_s` seconds, so `to` was asked; `kind` names the error."""

    model: str
    to: str
    lost_s: float
    kind: str
    message: str


class FailedTry(Answer):
    """A try that failed; number `attempt` began `delay_s` seconds later. `kind` names the error."""

    attempt: int
    delay_s: float
    kind: str
    message: str


class AnswerTimings(Answer):
    """Spans from the start of the request, but for `queue_s`, `server_queue_s` and `load_s`: waiting for a place here,
    waiting in the model server's own queue, loading the model.

    ttft_s: to the first visible token. ttfr_s: to the first reasoning token. tokens_per_s: while decoding. tools_s: MCP
    servers started and tools ran. ttft_lost_s: what of `lost_s` is in `ttft_s`. lag_s: the most by which the server's
    own event loop was late meanwhile, ttft_lag_s until the first visible token: so much too long times may be.
    """

    queue_s: float | None = None
    server_queue_s: float | None = None
    load_s: float | None = None
    ttfr_s: float | None = None
    ttft_s: float | None = None
    total_s: float | None = None
    tokens_per_s: float | None = None
    tools_s: float | None = None
    ttft_lost_s: float | None = None
    lag_s: float | None = None
    ttft_lag_s: float | None = None


class AnswerCost(Answer):
    """What the answer cost in US dollars; `usd` is null where `source` is `unknown`.

    `estimated`: the token counts beneath it are. `detail` says in words what the figure rests on.
    """

    usd: float | None
    source: CostSource
    estimated: bool
    detail: str


class SessionState(Answer):
    """The conversation that `X-Session-ID` continues: `messages` of it went with this request.

    `dropped`: older messages that were too many to be kept.
    """

    id: str
    messages: int
    dropped: int


class ToolAnswer(Answer):
    """A call of an MCP server's tool, and what came of it: done, failed, denied, stopped; `turn` counts from 1."""

    server: str
    tool: str
    state: str
    turn: int
    seconds: float | None


class AnswerCaution(Answer):
    """Why an answer is not what it looks like: prompt_cut, answer_cut, repeated, tools_ignored or other_model.

    `text` says it in a sentence.
    """

    kind: str
    text: str


class Extension(Answer):
    """What the playground adds to OpenAI's form.

    In a stream the first chunk has what is known then; the one with `finish_reason` has the rest.
    """

    asked: str
    model: str
    provider: str
    model_id: str
    route: RouteTaken
    fallbacks: list[Fallback]
    timings: AnswerTimings
    retries: list[FailedTry] | None = Field(
        None, description="Tries that failed before the model or a fallback answered."
    )
    reconnects: int | None = Field(None, description="Requests that left again because a kept connection was closed.")
    lost_s: float | None = Field(
        None, description="Seconds of `total_s` that went to failed tries, pauses, closed connections and fallbacks."
    )
    usage_source: Literal["reported", "estimated"] | None = None
    usage_doubts: list[str] | None = Field(None, description="What the model server counted that can't be, not used.")
    cautions: list[AnswerCaution] | None = Field(
        None, description="Why the answer is not what it looks like, such as a prompt that was cut."
    )
    cost: AnswerCost | None = None
    reclassified: bool | None = Field(
        None, description="What a stream sent as `content` before its last `reasoning_content` was reasoning."
    )
    finish_reason: str | None = Field(None, description="The model server's own word, where it is not OpenAI's.")
    tools: list[ToolAnswer] | None = Field(None, description="Calls of MCP tools, which the server itself ran.")
    tools_missing: dict[str, str] | None = Field(None, description="Why an MCP server's tools were not there.")
    session: SessionState | None = None
    partial_content: str | None = Field(None, description="What had come before the answer failed.")


class ErrorBody(Answer):
    """An error in OpenAI's form; where a model was asked, `llamafarm` says what came of it."""

    error: ErrorDetail
    llamafarm: Extension | None = None


class CallFunction(Answer):
    """The function that a model asks for; `arguments` is JSON text."""

    name: str
    arguments: str


class ToolCallAnswer(Answer):
    """A tool call that the caller is asked to run."""

    id: str
    type: Literal["function"]
    function: CallFunction


class ReplyMessage(Answer):
    """What the model said. `reasoning_content` is its reasoning, where the server shows it."""

    role: Literal["assistant"]
    content: str | None
    reasoning_content: str | None = None
    tool_calls: list[ToolCallAnswer] | None = None


FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class Choice(Answer):
    """The one answer."""

    index: Literal[0]
    message: ReplyMessage
    finish_reason: FinishReason
    logprobs: None = None


class PromptDetails(Answer):
    """Of the prompt's tokens, those that the server had in its cache, and those that it wrote into it."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionDetails(Answer):
    """Of the answer's tokens, those of reasoning."""

    reasoning_tokens: int


class UsageAnswer(Answer):
    """Tokens; `llamafarm.usage_source` says whether the server reported them or they are estimated."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class ChatCompletion(Answer):
    """A whole answer; `model` is the named model that gave it."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: UsageAnswer | None
    llamafarm: Extension


class CallFunctionDelta(Answer):
    """The function of a tool call."""

    name: str
    arguments: str


class ToolCallDelta(Answer):
    """A tool call, whole: the pieces are put together before they are passed on."""

    index: int
    id: str
    type: Literal["function"]
    function: CallFunctionDelta


class Delta(Answer):
    """A piece of the answer."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCallDelta] | None = None


class ChunkChoice(Answer):
    """The one answer, in pieces."""

    index: Literal[0]
    delta: Delta
    finish_reason: FinishReason | None
    logprobs: None = None


class ChatCompletionChunk(Answer):
    """One event of a stream. The usage chunk, where it was asked for, has no choices."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: UsageAnswer | None = None
    llamafarm: Extension | None = None
