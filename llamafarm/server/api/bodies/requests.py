"""What callers send: the bodies of requests, as their description in /docs has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue

from llamafarm.routing import AUTO as AUTO  # noqa: PLC0414 - named by requests
from llamafarm.server.api.bodies.messages import Messages, Strict

Number = Annotated[float, Field(allow_inf_nan=False)]


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 5.0 is whole too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# What JSON holds exactly everywhere (RFC 8259, section 6).
Whole = Annotated[int, Field(ge=-(2**53), le=2**53), BeforeValidator(_whole)]
One = Annotated[int, Field(ge=1, le=1), BeforeValidator(_whole)]
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}


class FunctionSchema(Strict):
    """A function that a model may ask to be called; `parameters` is a JSON Schema of its arguments."""

    model_config = ConfigDict(strict=True, extra="allow")

    name: str = Field(min_length=1)
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None


class Tool(Strict):
    """A tool that the caller runs."""

    model_config = ConfigDict(strict=True, extra="allow")

    type: Literal["function"]
    function: FunctionSchema


class StreamOptions(Strict):
    """`include_usage`: one more chunk comes before [DONE], with the usage and no choices."""

    include_usage: bool | None = None


class ChatCompletionRequest(Strict):
    """A conversation to be answered by a named model of the project.

    The project's own prompts come first, then the session's conversation, then `messages`. Parameters win over the
    project's; one that is null counts as not given. What is not listed here (`top_k`, `min_p`, …) is
    passed on to the model's server as it is.
    """

    model_config = ConfigDict(
        strict=True,
        extra="allow",
        json_schema_extra={
            "examples": [HELLO, {**HELLO, "model": "expert", "stream": True, "stream_options": {"include_usage": True}}]
        },
    )

    messages: Messages
    model: str | None = Field(None, description="A named model; `auto`: the router's pick; absent: the default.")
    stream: bool | None = Field(None, description="Answer as server-sent events.")
    stream_options: StreamOptions | None = None
    variables: dict[str, JsonValue] | None = Field(None, description="Values for the prompts' template variables.")
    tools: list[Tool] | None = Field(None, description="Tools that the caller runs; calls of them are returned.")
    n: One | None = Field(None, description="One answer a request: compare models instead.")
    logprobs: Literal[False] | None = Field(None, description="Log probabilities are not returned.")
    top_logprobs: Literal[0] | None = Field(None, description="Log probabilities are not returned.")
    functions: None = Field(None, description="Not taken: `tools` is the newer form.", deprecated=True)
    function_call: None = Field(None, description="Not taken: `tool_choice` is the newer form.", deprecated=True)

    temperature: Number | None = Field(None, description="Randomness; 0 is the most likely answer.")
    top_p: Number | None = Field(None, description="Share of the probability that is sampled from.")
    max_tokens: Whole | None = Field(None, description="Bound on output tokens; under either name, as the project has.")
    max_completion_tokens: Whole | None = Field(None, description="The newer name of `max_tokens`.")
    stop: str | list[str] | None = Field(None, description="Texts at which the answer ends.")
    seed: Whole | None = Field(None, description="Makes sampling repeatable, where the server can.")
    frequency_penalty: Number | None = None
    presence_penalty: Number | None = None
    response_format: dict[str, JsonValue] | None = Field(None, description="JSON mode or a JSON Schema.")
    tool_choice: str | dict[str, JsonValue] | None = None
    parallel_tool_calls: bool | None = None
    logit_bias: dict[str, Number] | None = None
    reasoning_effort: str | None = None
    user: str | None = None

    def parameters(self) -> dict[str, JsonValue]:
        """What goes to the model's server beside the messages and tools."""
        given = {name: getattr(self, name) for name in self.model_fields_set if name not in _OURS}
        given |= self.model_extra or {}
        return {name: value for name, value in given.items() if value is not None}


_OURS = {"messages", "model", "stream", "stream_options", "variables", "tools"} | {
    "n", "logprobs", "top_logprobs", "functions", "function_call"}  # fmt: skip


class RouteRequest(Strict):
    """The prompt that is to be routed: the user's own words alone."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"prompt": "What is a llama?"}]}
    )

    prompt: str


class CompareRequest(Strict):
    """One conversation to several named models at once; without `models` to all that can be used."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{**HELLO, "models": ["fast", "expert"], "parameters": {"max_tokens": 100}}]},
    )

    messages: Messages
    models: list[str] | None = Field(None, min_length=1, max_length=32, description="Named models, each once.")
    variables: dict[str, JsonValue] | None = Field(None, description="Values for the prompts' template variables.")
    parameters: dict[str, JsonValue] | None = Field(None, description="Parameters for all, over the project's.")
    fair: bool = Field(default=False, description="One model at a time, each warmed by a short request before.")
