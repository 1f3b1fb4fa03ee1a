"""Errors in OpenAI's form, with a status that tells whose trouble it is.

What the caller can mend is 4xx. What only the operator or a model's server can mend is 5xx: also a wrong key for
that server, since the caller's own key was right. `x-should-retry: false` tells the openai package (and others
that know it) where asking again can't help.

    what happened                                status  code
    a message, parameter or variable is wrong    400     invalid_request
    the prompt doesn't fit the model             400     context_length_exceeded
    the model's server rejects the request       400     upstream_rejected_request
    no key, or a wrong one                       401     invalid_api_key
    no such project or model                     404     project_not_found, model_not_found
    the session is still answering               409     session_busy
    too many answers at once                     429     too_many_generations
    the model's server limits the rate           429     rate_limit_exceeded
    the model's server can't be reached, fails   502     upstream_unreachable, upstream_failed, …
    the named model can't be used here           503     model_unusable
    the model's server takes too long            504     upstream_timeout
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.requests import Request
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from llamafarm.api.jsons import dumps
from llamafarm.errors import TooManyGenerations
from llamafarm.events import Failed
from llamafarm.types import JsonValue

INVALID, SERVER, LIMITED = "invalid_request_error", "server_error", "rate_limit_error"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of failure is to a caller."""

    status: int
    type: str
    code: str
    retry: bool = False


MEANINGS: dict[str, Meaning] = {
    "RequestError": Meaning(400, INVALID, "invalid_request"),
    "ContextTooLong": Meaning(400, INVALID, "context_length_exceeded"),
    "RequestRejected": Meaning(400, INVALID, "upstream_rejected_request"),
    "RateLimited": Meaning(429, LIMITED, "rate_limit_exceeded", retry=True),
    "ConnectFailed": Meaning(502, SERVER, "upstream_unreachable", retry=True),
    "AuthFailed": Meaning(502, SERVER, "upstream_auth_failed"),
    "ModelNotFound": Meaning(502, SERVER, "upstream_model_not_found"),
    "ServerFailed": Meaning(502, SERVER, "upstream_failed", retry=True),
    "BadAnswer": Meaning(502, SERVER, "upstream_bad_answer"),
    "AnswerTooLong": Meaning(502, SERVER, "upstream_answer_too_long"),
    "Interrupted": Meaning(502, SERVER, "upstream_interrupted", retry=True),
    "ModelUnusable": Meaning(503, SERVER, "model_unusable"),
    "MissingPartError": Meaning(503, SERVER, "model_unusable"),
    "TimedOut": Meaning(504, SERVER, "upstream_timeout", retry=True),
}
ADVICE = {
    "n": "One answer is given a request (n: 1); ask again for another, or compare models",
    "logprobs": "Log probabilities are not returned: leave it out",
    "top_logprobs": "Log probabilities are not returned: leave it out",
    "functions": "Send `tools` instead, the newer form",
    "function_call": "Send `tool_choice` instead, the newer form",
    "X-Session-ID": "1 to 128 visible ASCII characters",
}
DEFECT = Meaning(500, SERVER, "internal_error")


@dataclass(slots=True)
class ApiError(Exception):
    """An error as the caller gets it: `param` names the part of the request that is wrong.

    `extension` is what stands beside it as `llamafarm`.
    """

    status: int
    message: str
    code: str
    type: str = INVALID
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    extension: Mapping[str, JsonValue] | None = None

    def body(self) -> dict[str, Any]:
        """In OpenAI's form."""
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": error} if self.extension is None else {"error": error, "llamafarm": self.extension}

    def response(self) -> Response:
        """The whole HTTP answer."""
        return Response(dumps(self.body()), self.status, dict(self.headers), "application/json")


def failed(failure: Failed, extension: Mapping[str, JsonValue] | None = None) -> ApiError:
    """The error for a lane that failed."""
    meaning = MEANINGS.get(failure.kind, DEFECT)
    headers = {} if meaning.retry or meaning.status < 500 else {"x-should-retry": "false"}  # noqa: PLR2004 - HTTP
    if failure.retry_after_s is not None:
        headers["retry-after"] = str(math.ceil(failure.retry_after_s))
    message = f"{failure.message} {failure.hint}".strip()
    return ApiError(meaning.status, message, meaning.code, meaning.type, headers=headers, extension=extension)


def too_many(error: TooManyGenerations) -> ApiError:
    """429: the caller's own answers have to end first."""
    return ApiError(429, str(error), "too_many_generations", LIMITED, headers={"retry-after": "1"})


def not_found(message: str, code: str, param: str | None = None) -> ApiError:
    """404."""
    return ApiError(404, message, code, param=param)


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


async def on_validation_error(_: Request, error: Exception) -> Response:
    """A request that its schema does not allow: the first thing that is wrong with it, by its place."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    return _first(error.errors()).response()


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: an unknown address, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    message = f"{error.detail}."
    if error.status_code == 404:  # noqa: PLR2004 - Not Found
        message = f"There is nothing at {request.url.path}: /docs tells what there is."
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return ApiError(error.status_code, message, code, headers=dict(error.headers or {})).response()


async def on_defect(_: Request, error: Exception) -> Response:
    """An unexpected error: its traceback is in the log, and only there."""
    message = f"The playground itself failed here ({type(error).__name__}): its log has the details."
    return ApiError(DEFECT.status, message, DEFECT.code, DEFECT.type).response()


def _first(errors: Sequence[Any]) -> ApiError:
    """The error that says most: of the forms that a value might have, the one that got furthest."""
    worst = max(errors, key=lambda error: len(error["loc"]))
    if worst["type"] == "json_invalid":
        return invalid(f"The body is not JSON: {worst['ctx']['error']} (byte {worst['loc'][-1]}).")
    param = _place(worst["loc"][1:])
    return invalid(f"{param or 'The body'}: {ADVICE.get(param, worst['msg'])}.", param or None)


def _place(path: Sequence[str | int]) -> str:
    """`("messages", 0, "(user)", "content")` as `messages[0].content`: a union's names say nothing to callers."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not part.startswith("("):
            text += f".{part}" if text else part
    return text


def stopping() -> ApiError:
    """What ends an answer that has begun when the server is stopped."""
    return ApiError(503, "The server is being stopped, so the answer ends here.", "server_stopping", SERVER)
