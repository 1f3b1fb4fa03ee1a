"""Every error of the playground, made for the person who reads it.

    LlamaFarmError                      what happened, and what to do
    ├── ConfigError                     a project file can't be used: carries its problems
    ├── RequestError                    what was asked can't be done (a missing variable, an unknown model)
    │   └── ModelUnusable               a named model can't be asked here: a missing key, a file that can't be loaded
    ├── MissingPartError                an optional package or model file is not installed
    ├── ToolServerFailed                an MCP server can't be started or reached; told to the model, never ends a lane
    ├── StoreError                      the history can't be read or changed: its database is away, full or broken
    └── ProviderError                   a model server did not answer as it should
        ├── ConnectFailed               refused, name not found, TLS failure, connection lost before an answer
        ├── TimedOut                    a bound on waiting was met; `phase` tells which
        ├── AuthFailed                  401, 403
        │   └── RegionRefused           451, or a region that is not served
        ├── ModelNotFound               404 for the model
        ├── RequestRejected             400, 413, 422 and other 4xx: asking again won't help
        │   ├── ContextTooLong          prompt and answer don't fit the model's context
        │   └── ToolsUnsupported        the model has no use for tools
        ├── RateLimited                 429
        │   └── QuotaExceeded           the account has no quota or credit left (402, 429)
        ├── ServerFailed                5xx, 408, and an error object inside a stream
        ├── BadAnswer                   the bytes are not the protocol (HTML, broken JSON, a redirect)
        ├── AnswerTooLong               more came than one answer may be; what had come is kept
        └── Interrupted                 the stream ended or broke before the answer did

Providers raise; the engine alone turns a ProviderError into a `Failed` event. No message, hint or
excerpt ever holds a key, a header's value or the user's whole prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Culprit = Literal["address", "key", "account", "region", "model", "request", "proxy", "playground", "server"]
Phase = Literal["connect", "first_token", "between_tokens", "total"]


class LlamaFarmError(Exception):
    """Base of all errors that are shown to people.

    `message` is one sentence on what happened; `hint`, where there is one, says what to do next; `culprit` is who is at
    fault.
    """

    culprit: Culprit = "playground"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or ignored) in a project file.

    `line` counts from 1 and is None where no line can be named; `key` is the dotted path, such as
    `runtime.models[2].provider`; `message` says what is wrong and what to do.
    """

    line: int | None
    key: str
    message: str


class ConfigError(LlamaFarmError):
    """A project file that can't be used at all; `problems` says where and why."""

    def __init__(self, message: str, problems: Sequence[Problem] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class RequestError(LlamaFarmError):
    """What was asked can't be done with this project: an unknown model, a missing template variable."""

    culprit: Culprit = "request"


class ModelUnusable(RequestError):
    """A named model can't be asked on this machine, whatever the request: its entry or its file is wrong."""

    culprit: Culprit = "model"


class TooManyGenerations(RequestError):
    """A caller has as many answers running as one may have."""

    def __init__(self, running: int, asked: int, limit: int) -> None:
        here = f"{running} answers are running for you" if running else f"{asked} answers at once were asked for"
        super().__init__(f"{here}, and {limit} may.", hint="Wait for some to end." if running else "Ask fewer models.")


class MissingPartError(LlamaFarmError):
    """An optional package or a model file is missing; the hint says how to install it."""


class ToolServerFailed(LlamaFarmError):
    """An MCP server can't be started or reached, or was lost.

    `unsent`: the call that it was about certainly never reached the server, so that it may be made again.
    """

    def __init__(self, message: str, *, hint: str = "", unsent: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.unsent = unsent


class StoreError(LlamaFarmError):
    """The history can't be read or changed now: its database is away, full, broken, or newer than this program."""


class ProviderError(LlamaFarmError):
    """A model server did not answer as it should.

    Carries data, not only words: HTTP `status`, the server's `request_id`, and a short `excerpt` of
    the body with secrets taken out. `retryable` tells whether the same request may succeed later, `named` which fields
    of the request the server's words name.
    """

    retryable = False
    culprit: Culprit = "server"
    named: tuple[str, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int | None = None,
        request_id: str | None = None,
        excerpt: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.request_id = request_id
        self.excerpt = excerpt

    @property
    def asked_again(self) -> bool:
        """Whether the same request is sent again at once, without asking anybody."""
        return self.retryable


class ConnectFailed(ProviderError):
    """No connection: refused, name not found, TLS failure, or lost before any answer.

    `retryable` is False where waiting won't help (a name that is not known, a bad certificate).
    """

    culprit: Culprit = "address"

    def __init__(self, message: str, *, hint: str = "", retryable: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class TimedOut(ProviderError):
    """A bound on waiting was met; `phase` names it, `seconds` is the bound."""

    retryable = True

    def __init__(self, message: str, *, phase: Phase, seconds: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.phase = phase
        self.seconds = seconds
        self.culprit = "address" if phase == "connect" else "server"

    @property
    def asked_again(self) -> bool:
        """Not what was long waited for: it is the asker who decides."""
        return self.retryable and self.phase == "connect"


class AuthFailed(ProviderError):
    """401 or 403: the key is missing, wrong, or not allowed to use this model."""

    culprit: Culprit = "key"


class RegionRefused(AuthFailed):
    """The server does not serve the region that the request came from."""

    culprit: Culprit = "region"


class ModelNotFound(ProviderError):
    """The server is there but does not have the model."""

    culprit: Culprit = "model"


class RequestRejected(ProviderError):
    """The server refuses this request as it is (400, 413, 422, …)."""

    culprit: Culprit = "request"


class ContextTooLong(RequestRejected):
    """The prompt does not fit into the model's context."""


class ToolsUnsupported(RequestRejected):
    """The model, or its server as it was started, can't use tools."""

    culprit: Culprit = "model"


class AsksToWait(ProviderError):
    """A server that can't answer now; `retry_after` is the wait in seconds that it asked for, if it did."""

    retryable = True
    usual_status: int | None = None

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int | None = None,
        request_id: str | None = None,
        excerpt: str = "",
        retry_after: float | None = None,
    ) -> None:
        status = self.usual_status if status is None else status
        super().__init__(message, hint=hint, status=status, request_id=request_id, excerpt=excerpt)
        self.retry_after = retry_after


class RateLimited(AsksToWait):
    """429: too many requests, or too much in them."""

    culprit: Culprit = "account"
    usual_status = 429


class QuotaExceeded(RateLimited):
    """The account has no quota or credit left: waiting won't help."""

    retryable = False


class ServerFailed(AsksToWait):
    """The server says that it failed: 5xx, 408, or an error object inside the stream."""


class BadAnswer(ProviderError):
    """The answer is not the protocol: HTML, broken JSON, a redirect, a non-finite number."""


class Interrupted(ProviderError):
    """The stream ended or broke before the answer was complete; what had come is kept."""

    retryable = True

    @property
    def asked_again(self) -> bool:
        """It was answered once, and may have cost something: it is the asker who decides."""
        return False


class AnswerTooLong(ProviderError):
    """More came than one answer may be: the stream was closed, and what had come is kept."""

    culprit: Culprit = "request"


def answer_too_long(limit: int) -> AnswerTooLong:
    """The error for an answer that was ended at `limit` bytes."""
    return AnswerTooLong(
        f"The answer was ended here: it is longer than {limit / 1024 / 1024:g} MiB.",
        hint="What had come is kept. Bound it with max_tokens, or raise `max_answer_mib` in the project file.",
    )
