"""Maps each class of error to its HTTP status, its code, and whether to ask again.

What the caller can mend is 4xx. What only the operator or a model's server can mend is 5xx: also a wrong key for
that server, since the caller's own key was right. `x-should-retry: false` tells the openai package (and others
that know it) where asking again can't help, and where we have asked again already: three tries of theirs, each of
which is three of ours, would be nine requests. A class of error that has no meaning of its own has its parent's.

    what happened                                status  code
    a message, parameter or variable is wrong    400     invalid_request
    the prompt doesn't fit the model             400     context_length_exceeded
    the model can't use tools                    400     tools_unsupported
    the model's server rejects the request       400     upstream_rejected_request
    no key, or a wrong one                       401     invalid_api_key
    no such project or model                     404     project_not_found, model_not_found
    the session is still answering               409     session_busy
    too many answers at once                     429     too_many_generations
    the model's server limits the rate           429     rate_limit_exceeded
    the model's server can't be reached, fails   502     upstream_unreachable, upstream_failed, …
    an MCP server can't be started or reached    502     tool_server_failed
    the named model can't be used here           503     model_unusable
    the project or the history can't be used     503     project_unusable, history_unavailable
    the model's server takes too long            504     upstream_timeout
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llamafarm.core.errors import (
    AnswerTooLong,
    AuthFailed,
    BadAnswer,
    ConfigError,
    ConnectFailed,
    ContextTooLong,
    Interrupted,
    LlamaFarmError,
    MissingPartError,
    ModelNotFound,
    ModelUnusable,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    RegionRefused,
    RequestError,
    RequestRejected,
    ServerFailed,
    StoreError,
    TimedOut,
    ToolServerFailed,
    ToolsUnsupported,
    TooManyGenerations,
)

RETRIED = (408, 409, 429)  # and all from 500: https://github.com/openai/openai-python#retries
INVALID, SERVER, LIMITED = "invalid_request_error", "server_error", "rate_limit_error"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of failure is to a caller."""

    status: int
    type: str
    code: str
    retry: bool = False


MEANINGS: dict[type[LlamaFarmError], Meaning] = {
    RequestError: Meaning(400, INVALID, "invalid_request"),
    ContextTooLong: Meaning(400, INVALID, "context_length_exceeded"),
    ToolsUnsupported: Meaning(400, INVALID, "tools_unsupported"),
    RequestRejected: Meaning(400, INVALID, "upstream_rejected_request"),
    TooManyGenerations: Meaning(429, LIMITED, "too_many_generations", retry=True),
    QuotaExceeded: Meaning(502, SERVER, "upstream_quota_exceeded"),
    RegionRefused: Meaning(502, SERVER, "upstream_region_refused"),
    RateLimited: Meaning(429, LIMITED, "rate_limit_exceeded", retry=True),
    ConnectFailed: Meaning(502, SERVER, "upstream_unreachable", retry=True),
    AuthFailed: Meaning(502, SERVER, "upstream_auth_failed"),
    ModelNotFound: Meaning(502, SERVER, "upstream_model_not_found"),
    ServerFailed: Meaning(502, SERVER, "upstream_failed", retry=True),
    BadAnswer: Meaning(502, SERVER, "upstream_bad_answer"),
    AnswerTooLong: Meaning(502, SERVER, "upstream_answer_too_long"),
    Interrupted: Meaning(502, SERVER, "upstream_interrupted", retry=True),
    ProviderError: Meaning(502, SERVER, "upstream_failed"),
    ToolServerFailed: Meaning(502, SERVER, "tool_server_failed"),
    ModelUnusable: Meaning(503, SERVER, "model_unusable"),
    MissingPartError: Meaning(503, SERVER, "model_unusable"),
    ConfigError: Meaning(503, SERVER, "project_unusable"),
    StoreError: Meaning(503, SERVER, "history_unavailable"),
    TimedOut: Meaning(504, SERVER, "upstream_timeout", retry=True),
}
DEFECT = Meaning(500, SERVER, "internal_error")


def meaning_of(kind: str) -> Meaning:
    """What an error whose class is called `kind` means; a class without a meaning of its own has its parent's."""
    found = next((each for each in _classes(LlamaFarmError) if each.__name__ == kind), None)
    known = (MEANINGS[each] for each in found.__mro__ if each in MEANINGS) if found else iter(())
    return next(known, DEFECT)


def _classes(parent: type[LlamaFarmError]) -> Iterator[type[LlamaFarmError]]:
    for each in parent.__subclasses__():
        yield each
        yield from _classes(each)


def is_retried(status: int) -> bool:
    """Whether clients ask again by themselves after an answer with this status."""
    return status in RETRIED or status >= DEFECT.status
