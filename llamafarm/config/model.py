"""A loaded project: what a llamafarm.yaml says, validated and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr

from llamafarm.config.profiles import Profile, profile_of
from llamafarm.config.sections.template import texts_of
from llamafarm.core.errors import Problem
from llamafarm.core.types import Role

MAX_ANSWER_MIB = 8.0
Transport = Literal["stdio", "http", "sse"]
Strategy = Literal["complexity", "token_budget", "learned"]
OWN_FIRST_TOKEN_S = 300.0
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Dollars = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class Frozen(BaseModel):
    """Base of all parts of a project: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Pricing(Frozen):
    """A model's own prices in US dollars per million tokens; they win over the price table.

    cached: input that is read from the server's cache. cache_write: input that is written into it.
    """

    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    cache_write: Dollars | None = None


class Timeouts(Frozen):
    """Bounds on waiting, in seconds. Nothing waits for ever.

    connect: until the connection stands. first_token: from the request to the first content; `OWN_FIRST_TOKEN_S` unless
    the file says otherwise where the server is on one's own network, and may have to load a large model first.
    between_tokens: silence inside a stream. total: the whole answer.
    """

    connect: Seconds = 10.0
    first_token: Seconds = 120.0
    between_tokens: Seconds = 60.0
    total: Seconds = 600.0


class PromptMessage(Frozen):
    """One message of a prompt set; `content` may hold `{{ template }}` variables."""

    role: Role
    content: str


class PromptSet(Frozen):
    """A named list of messages that go before the user's."""

    name: str
    messages: tuple[PromptMessage, ...]


class ServerTimeouts(Frozen):
    """Bounds on waiting for an MCP server, in seconds.

    connect: until it has started and listed its tools; long, since `npx` and `uvx` may fetch the server first.
    call: one tool call.
    """

    connect: Seconds = 60.0
    call: Seconds = 60.0


class McpServer(Frozen):
    """An entry of `mcp.servers`.

    `folder` is that of the project file: a stdio server runs there, so that relative paths start at the file.
    """

    name: str
    transport: Transport
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, SecretStr] = Field(default_factory=dict)
    base_url: str | None = None
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    timeout: ServerTimeouts = ServerTimeouts()
    folder: Path | None = None


class Routing(Frozen):
    """What `model: auto` goes by.

    `learned` is what the project's own comparisons teach; until they show that it is worth something, and for all else,
    `complexity` decides. What the dial is set to: `per_dollar`, the quality (from 0 to 1) that a dollar an answer is
    worth, or `budget`, the dollars that 10,000 answers may cost; `per_second`, the quality that a second of waiting is
    worth. `votes` are those that count: all, blind or open ones.
    """

    strategy: Strategy = "complexity"
    budget: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    per_dollar: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    per_second: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    votes: Literal["all", "blind", "open"] = "all"


class NamedModel(Frozen):
    """An entry of `runtime.models`.

    `provider` is one of `PROVIDERS`, or what the file says instead (then `problems` tells so; empty when
    absent, as `model` is). `base_url` is the file's own, or the provider's default; None for `embedded`.
    `parameters` is `model_api_parameters` as written. `prompts` are the names of the prompt sets that apply, in order,
    already resolved (absent or empty in the file = every set). `mcp_servers` likewise (absent = all).
    `context_window` is how many tokens prompt and answer have together, where the file tells.
    `max_tool_turns` bounds how often the model may ask for tools before it has to answer.
    `max_answer_mib` bounds what an answer comes to with its reasoning and tool calls, in MiB over all turns.
    `outside_only`: its server must be one of the internet at large, wherever its name leads when it is called.
    `key_variable` names the environment variable that `api_key` came from, for messages and exports.
    `problems` are the errors of this model alone: with any, it is shown but can't be used.
    """

    name: str
    provider: str
    model: str = ""
    description: str = ""
    base_url: str | None = None
    api_key: SecretStr | None = None
    key_variable: str | None = None
    parameters: Mapping[str, JsonValue] = Field(default_factory=dict)
    extra_body: Mapping[str, JsonValue] = Field(default_factory=dict)
    prompts: tuple[str, ...] = ()
    mcp_servers: tuple[str, ...] = ()
    tools: tuple[Mapping[str, JsonValue], ...] = ()
    tool_call_strategy: Literal["native_api", "prompt_based"] = "native_api"
    max_tool_turns: int = Field(default=10, ge=1, le=100)
    pricing: Pricing | None = None
    tier: str | None = None
    context_window: Annotated[int, Field(gt=0)] | None = None
    timeout: Timeouts = Timeouts()
    max_answer_mib: Annotated[float, Field(gt=0, le=64)] = MAX_ANSWER_MIB
    outside_only: bool = False
    fallback: tuple[str, ...] = ()
    line: int | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether a request can be sent to this model at all."""
        return not self.problems

    @property
    def profile(self) -> Profile:
        """What is particular about its provider."""
        return profile_of(self.provider)

    @property
    def answer_bytes(self) -> int:
        """The same bound in bytes."""
        return int(self.max_answer_mib * 1024 * 1024)


class Project(Frozen):
    """A whole project file. `models` is in the file's order and holds at least one entry.

    `digest` is the SHA-256 of the file's text, `text` that text with the secrets in it hidden; `trusted` tells whether
    `${…}` was resolved.
    `fallback` is `runtime.fallback`: names of models in the order in which they are tried.
    """

    namespace: str
    name: str
    models: tuple[NamedModel, ...]
    default_model: str
    prompts: tuple[PromptSet, ...] = ()
    mcp_servers: tuple[McpServer, ...] = ()
    fallback: tuple[str, ...] = ()
    routing: Routing = Routing()
    source: Path | None = None
    digest: str = ""
    text: str = Field(default="", repr=False)
    trusted: bool = True

    def model(self, name: str) -> NamedModel | None:
        """The named model `name`, or None."""
        return next((model for model in self.models if model.name == name), None)

    def messages_for(self, model: NamedModel) -> tuple[PromptMessage, ...]:
        """The messages of all prompt sets that apply to `model`, in order."""
        sets = {prompt_set.name: prompt_set for prompt_set in self.prompts}
        return tuple(message for name in model.prompts for message in sets[name].messages)

    def templates_for(self, model: NamedModel) -> tuple[str, ...]:
        """The texts that template variables of `model` stand in: its prompts', then its tools'."""
        prompts = (message.content for message in self.messages_for(model))
        return (*prompts, *(text for tool in model.tools for text in texts_of(dict(tool))))


class Ask(Frozen):
    """One thing that an untrusted file asks for, in words for the person who may allow it.

    variable: `name` of an environment variable whose value would go to `target`.
    address: `target` would be called (with a key that the file itself holds).
    command: `target` would be started on this machine.
    server: the MCP server at `target` would be called.
    file: `target` would be read on this machine.
    """

    kind: Literal["variable", "address", "command", "server", "file"]
    name: str
    target: str
    line: int | None = None


class Loaded(Frozen):
    """What reading a project file gave: a project where there is one, and all that is to be said of it.

    `project` is None exactly when `errors` holds something that concerns the whole file and no model
    could be made of it. Errors of single models stand in their `problems`, not here.
    `text` is the file's text as it may be shown: with the secrets in it hidden.
        `project` is None exactly when `errors` holds something that concerns the whole file and no model
    Errors of single models stand in their `problems`, not here. What
        a file asks for beyond the first hundred things is counted in `more_asks`.
    """

    project: Project | None
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    asks: tuple[Ask, ...] = ()
    text: str = Field(default="", repr=False)
    more_asks: int = 0
