"""Errors in OpenAI's form; what they mean is in `llamafarm.server.api.meanings`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fastapi.exceptions import RequestValidationError
from fastapi.requests import Request
from fastapi.responses import Response
from pydantic import ValidationError

from llamafarm.config.nearest import nearest
from llamafarm.core.errors import Culprit, LlamaFarmError, TooManyGenerations
from llamafarm.core.events import Failed
from llamafarm.core.types import JsonValue
from llamafarm.engine.lane import failure
from llamafarm.server.api.bodies.jsons import dumps
from llamafarm.server.api.meanings import DEFECT, INVALID, SERVER, is_retried, meaning_of

ADVICE = {
    "n": "One answer is given a request (n: 1); ask again for another, or compare models",
    "logprobs": "Log probabilities are not returned: leave it out",
    "top_logprobs": "Log probabilities are not returned: leave it out",
    "functions": "Send `tools` instead, the newer form",
    "function_call": "Send `tool_choice` instead, the newer form",
    "tool_choice": 'Send auto, none, required, or {"type": "function", "function": {"name": …}}',
    ".image_url.url": "Send the picture itself, as data:image/png;base64,…: addresses are not fetched",
    "X-Session-ID": "1 to 128 visible ASCII characters",
}
_UNNAMED = re.compile(r"\(.*|str|(list|dict)\[.*")  # members of unions, as we and pydantic name them
PATTERNED = "This text is not in its form, which /docs describes"  # a regular expression tells nobody what to do
NOT_AGAIN = {"x-should-retry": "false"}


@dataclass(slots=True)
class ApiError(Exception):
    """An error as the caller gets it: `param` names the part of the request that is wrong.

    `extension` is what stands beside it as `llamafarm`, `culprit` who is at fault where a lane failed.
    """

    status: int
    message: str
    code: str
    type: str = INVALID
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    extension: Mapping[str, JsonValue] | None = None
    culprit: Culprit | None = None

    def body(self) -> dict[str, Any]:
        """In OpenAI's form."""
        error: dict[str, JsonValue] = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        if self.culprit is not None:
            error["culprit"] = self.culprit
        return {"error": error} if self.extension is None else {"error": error, "llamafarm": self.extension}

    def response(self) -> Response:
        """The whole HTTP answer."""
        return Response(dumps(self.body()), self.status, dict(self.headers), "application/json")


def failed(failure: Failed, extension: Mapping[str, JsonValue] | None = None, *, retries: int = 0) -> ApiError:
    """The error for a lane that failed, after `retries` of our own."""
    meaning = meaning_of(failure.kind)
    again = meaning.retry if failure.retryable is None else failure.retryable
    asked_again = is_retried(meaning.status) and (retries > 0 or not again)
    headers = dict(NOT_AGAIN) if asked_again else {}
    if failure.retry_after_s is not None:
        headers["retry-after"] = str(math.ceil(failure.retry_after_s))
    message = f"{failure.message} {failure.hint}".strip()
    if retries:
        message = f"{message} It was asked {retries + 1} times."
    return ApiError(
        meaning.status,
        message,
        meaning.code,
        meaning.type,
        headers=headers,
        extension=extension,
        culprit=failure.culprit,
    )


def error_of(error: LlamaFarmError) -> ApiError:
    """The answer to an error that no lane told, such as too many answers for one caller."""
    if isinstance(error, TooManyGenerations):  # the caller's own answers have to end first
        return failed(replace(failure(error), retry_after_s=1))
    return failed(failure(error))


def not_found(message: str, code: str, param: str | None = None) -> ApiError:
    """404."""
    return ApiError(404, message, code, param=param)


def unknown(message: str, name: str, known: Sequence[str], param: Literal["model", "project"]) -> ApiError:
    """404 for a name that is none of `known`, which the message is followed by, and by what may have been meant."""
    near = nearest(name, known)
    meant = f" Did you mean {near!r}?" if near else ""
    return not_found(f"{message}: {', '.join(known) or 'none'}.{meant}", f"{param}_not_found", param)


def invalid(message: str, param: str | None = None, code: str = "invalid_request") -> ApiError:
    """400."""
    return ApiError(400, message, code, param=param)


def invalid_body(error: ValidationError) -> ApiError:
    """400 for a body that its form does not allow."""
    return _first([{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)])


# --- FastAPI's own errors --------------------------------------------------------------------------


async def on_api_error(_: Request, error: Exception) -> Response:
    """An `ApiError` that an endpoint raised."""
    assert isinstance(error, ApiError)  # noqa: S101 - registered for nothing else
    return error.response()


async def on_known_error(_: Request, error: Exception) -> Response:
    """An error of the playground's own that an endpoint did not expect: it has its meaning all the same."""
    assert isinstance(error, LlamaFarmError)  # noqa: S101 - registered for nothing else
    return error_of(error).response()


async def on_validation_error(_: Request, error: Exception) -> Response:
    """A request that its schema does not allow: the first thing that is wrong with it, by its place."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    return _first(error.errors()).response()


async def on_defect(_: Request, error: Exception) -> Response:
    """An unexpected error: its traceback is in the log, and only there."""
    message = f"The playground itself failed here ({type(error).__name__}): its log has the details."
    return ApiError(DEFECT.status, message, DEFECT.code, DEFECT.type, headers=NOT_AGAIN).response()


def _first(errors: Sequence[Any]) -> ApiError:
    """The error that says most: of the forms that a value might have, the one that got furthest."""
    worst = max(errors, key=lambda error: len(error["loc"]))
    if worst["type"] == "json_invalid":
        return invalid(f"The body is not JSON: {worst['ctx']['error']} (byte {worst['loc'][-1]}).")
    param = _place(worst["loc"][1:])
    words = PATTERNED if worst["type"] == "string_pattern_mismatch" else worst["msg"]
    field = param.rpartition("]")[2] or param  # without its place in a list
    return invalid(f"{param or 'The body'}: {ADVICE.get(field, words)}.", param or None)


def _place(path: Sequence[str | int]) -> str:
    """`("messages", 0, "(user)", "content")` as `messages[0].content`: a union's names say nothing to callers."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not _UNNAMED.fullmatch(part):
            text += f".{part}" if text else part
    return text


def stopping() -> ApiError:
    """What ends an answer that has begun when the server is stopped."""
    return ApiError(503, "The server is being stopped, so the answer ends here.", "server_stopping", SERVER)
