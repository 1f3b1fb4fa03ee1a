"""What went wrong and what to do about it: statuses, bodies and exceptions to errors for people."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from llamafarm.conditions import host_of
from llamafarm.config.known import model_scrubber
from llamafarm.config.model import NamedModel
from llamafarm.config.secret import HIDDEN, shown_address
from llamafarm.errors import (
    AuthFailed,
    BadAnswer,
    ConnectFailed,
    ContextTooLong,
    Interrupted,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestError,
    RequestRejected,
    ServerFailed,
    ToolsUnsupported,
)
from llamafarm.providers.http.address import host_and_port
from llamafarm.providers.http.deadlines import timed_out
from llamafarm.providers.http.headers import request_id, retry_after
from llamafarm.providers.http.outside import Inside
from llamafarm.providers.http.said import words
from llamafarm.providers.http.toolong import CONTEXT, advice, fit
from llamafarm.types import ChatRequest, JsonValue
from llamafarm.wire.surrogates import mended

EXCERPT = 200
STATUSES = ("code", "status", "status_code", "statusCode")
LONGEST_HEAD = 4000  # of a page that is looked through for its title
# LiteLLM, `transformers serve`, vLLM, Ollama, OpenAI and Together, of a model that is not there, under any status.
_NO_MODEL = re.compile(
    r"invalid model name|pinned to|unknown model|no such model|model_not_found|not a valid model|invalid model id"
    r"|\bmodel\b[^;\n]{0,120}?(not found|not exist|is not (loaded|available|served))",
    re.IGNORECASE,
)
# LiteLLM (which looks a key that it does not know up in a database), Google and OpenAI, of a key under a 400.
_NO_KEY = re.compile(r"no connected db|no_db_connection|api[ _-]?key (is )?(not valid|invalid)"
                     r"|(invalid|incorrect|missing)[ _]api[ _-]?key", re.IGNORECASE)  # fmt: skip
# Ollama, as HTTP 500: a value of a type that its option does not take.
_OPTION = re.compile(r"option \\?[\"']?(\w+)\\?[\"']? must be of type (\w+)|invalid options?: (\w+)", re.IGNORECASE)
# Ollama, vLLM, llama.cpp and OpenRouter, in this order, of a model that can't use tools or was not started for it.
_NO_TOOLS = re.compile(
    r"does not support tools|tool choice requires|requires --jinja|support tool use|tools? (is|are) not supported", re.I
)
_KEYLIKE = re.compile(r"(?i)(?<=bearer )\S+|\b(?:sk|pk|gsk|hf|xai)[-_][A-Za-z0-9*_.-]{6,}")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as the server put it: its status, headers, and body as JSON (None if it is not) and text."""

    status: int
    headers: Mapping[str, str]
    body: JsonValue
    text: str


@dataclass(frozen=True, slots=True)
class Faults:
    """Makes the errors of one request; keeps the key and the user's words out of them."""

    model: NamedModel
    request: ChatRequest

    @property
    def server(self) -> str:
        """How the server is named to people."""
        return f"The server at {self._place}"

    @property
    def _place(self) -> str:
        """Host and port, without a user's name and password."""
        return host_and_port(self.model.base_url or "")

    @property
    def _address(self) -> str:
        """The address as the project file has it, without what is secret in it."""
        return shown_address(self.model.base_url or "")

    def refused(self, refusal: Refusal) -> ProviderError:
        """The error for an HTTP status that is not 2xx."""
        said = self.excerpt(refusal)
        error = self._classify(refusal, f": “{said}”." if said else ".")
        error.status, error.request_id, error.excerpt = refusal.status, request_id(refusal.headers), said
        return error

    def _classify(self, refusal: Refusal, said: str) -> ProviderError:
        return self._by_words(refusal, said) or self._by_status(refusal, said)

    def _by_words(self, refusal: Refusal, said: str) -> ProviderError | None:
        """What the server's words tell more surely than its status."""
        text, rejected = refusal.text, f"{self.server} rejects the request (HTTP {refusal.status}){said}"
        if self.request.tools and _NO_TOOLS.search(text):
            return ToolsUnsupported(
                f"{self.model.model} can't use tools (HTTP {refusal.status}){said}",
                hint="Set tool_call_strategy: prompt_based.",
            )
        if refusal.status >= 500 and (wrong := _OPTION.search(text)):  # noqa: PLR2004 - the class of server errors
            return RequestRejected(rejected, hint=_option_hint(wrong))
        if refusal.status not in (400, 422) or CONTEXT.search(text):
            return None
        if _NO_KEY.search(text):
            return self._key_refused(refusal, said)
        return self._not_found(refusal, said) if _NO_MODEL.search(text) else None

    def _key_refused(self, refusal: Refusal, said: str) -> AuthFailed:
        return AuthFailed(f"{self.server} refuses the key (HTTP {refusal.status}){said}", hint=self._key_hint())

    def _by_status(self, refusal: Refusal, said: str) -> ProviderError:
        match refusal.status:
            case 401 | 403:
                return self._key_refused(refusal, said)
            case 404:
                return self._not_found(refusal, said)
            case 408:
                return ServerFailed(f"{self.server} gave up waiting (HTTP 408){said}", hint="Try again.")
            case 429:
                wait = retry_after(refusal.headers)
                hint = f"It asks to wait {wait:g} s." if wait else "Wait, or ask for a higher limit."
                return RateLimited(f"{self.server} limits the rate (HTTP 429){said}", hint=hint, retry_after=wait)
            case status if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
                target = shown_address(refusal.headers.get("location", "another address"))
                return BadAnswer(
                    f"{self.server} redirects to {target} (HTTP {status}).",
                    hint="Redirects are not followed, so that no key goes astray: set base_url to the right address.",
                )
            case status if status >= 500:  # noqa: PLR2004 - the class of server errors
                return self._failed(refusal, said)
            case status:
                return self._rejected(f"{self.server} rejects the request (HTTP {status}){said}", refusal)

    def _not_found(self, refusal: Refusal, said: str) -> ProviderError:
        if "model" not in refusal.text.lower() and not _NO_MODEL.search(refusal.text):
            return RequestRejected(
                f"{self.server} has nothing at this address (HTTP 404){said}",
                hint=f"Does base_url end as the server wants it, such as in /v1? It is {self._address}.",
            )
        return ModelNotFound(
            f"{self.server} does not have the model {self.model.model} (HTTP {refusal.status}){said}",
            hint=self._model_hint(),
        )

    def _failed(self, refusal: Refusal, said: str) -> ProviderError:
        if CONTEXT.search(refusal.text):
            return self._rejected(f"{self.server} rejects the request (HTTP {refusal.status}){said}", refusal)
        loading = refusal.status == 503 and "load" in refusal.text.lower()  # noqa: PLR2004 - Service Unavailable
        hint = "It is loading the model: try again in a moment." if loading else "Try again; look at the server's log."
        return ServerFailed(
            f"{self.server} failed (HTTP {refusal.status}){said}", hint=hint, retry_after=retry_after(refusal.headers)
        )

    def _rejected(self, message: str, refusal: Refusal) -> ProviderError:
        if refusal.status == 413 or CONTEXT.search(refusal.text):  # noqa: PLR2004 - Content Too Large
            told = fit(refusal.body, refusal.text).told(self.request, self.model)
            return ContextTooLong(f"{message} {told}".rstrip(), hint=advice(self.model, refusal.text))
        return RequestRejected(message, hint="Look at the model's parameters.")

    def in_stream(self, body: JsonValue) -> ProviderError:
        """The error for an error object inside a stream."""
        status = _status(body)
        text = body if isinstance(body, str) else json.dumps(body)
        refusal = Refusal(status, {}, body, text)
        if status:
            return self.refused(refusal)
        said = self.excerpt(refusal)
        if CONTEXT.search(text):
            error: ProviderError = self._rejected(f"{self.server} reports an error: “{said}”.", refusal)
        else:
            error = ServerFailed(f"{self.server} reports an error: “{said}”.", hint="Try again.")
        error.excerpt = said
        return error

    def interrupted(self, error: httpx.RequestError) -> ProviderError:
        """The error for an exception of the HTTP client in mid-answer."""
        if isinstance(error, httpx.DecodingError):
            return self.not_protocol("bytes that can't be decompressed")
        return Interrupted(f"{self.server} cut the connection in mid-answer.", hint="What had come is kept.")

    def unanswered(self, error: httpx.RequestError | httpx.InvalidURL) -> ProviderError:
        """The error for an exception of the HTTP client before an answer came."""
        causes = list(_causes(error))
        host = host_of(self.model.base_url or "")
        if isinstance(error, httpx.ProxyError):
            return ConnectFailed(
                f"The proxy gives no way to {self._place}: it refuses, or nothing listens there.",
                hint="Look at http_proxy, https_proxy and no_proxy in the environment.",
            )
        if any(isinstance(cause, ssl.SSLError | ssl.CertificateError) for cause in causes):
            return ConnectFailed(
                f"No secure connection to {host}: its certificate or TLS is not accepted.",
                hint="Is it https? A certificate of your own goes into SSL_CERT_FILE.",
                retryable=False,
            )
        if any(isinstance(cause, Inside | socket.gaierror) for cause in causes):
            return self._unreachable(host, inside=any(isinstance(cause, Inside) for cause in causes))
        if isinstance(error, httpx.ConnectTimeout):
            return timed_out("connect", self.model.timeout.connect)
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return ConnectFailed(f"Nothing listens at {self._place}.", hint=self._start_hint())
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return RequestRejected(f"The address {self._address} can't be called.", hint="Look at base_url.")
        if isinstance(error, httpx.RemoteProtocolError):
            return self.not_protocol("something that is not HTTP")
        return ConnectFailed(f"{self.server} closed the connection before it answered.", hint="Try again.")

    def _unreachable(self, host: str | None, *, inside: bool) -> ConnectFailed:
        if inside:
            return ConnectFailed(
                f"{host} leads to an address of this machine or its network, and the file is not trusted.",
                hint="On a server that others reach, such a file calls the internet at large alone.",
                retryable=False,
            )
        return ConnectFailed(
            f"The name {host} is not known.", hint="Look at base_url, and at the network.", retryable=False
        )

    def unsendable(self) -> RequestError:
        """The error for a request that HTTP can't carry: of all that is in its headers, only the key is unknown."""
        return RequestError(
            "The key can't be sent: it holds a character that HTTP does not allow.", hint=self._key_hint()
        )

    def not_protocol(self, what: str, said: str = "") -> BadAnswer:
        """The error for an answer that is something else than the protocol; `said` are the server's words."""
        said = self._shown(said)
        error = BadAnswer(
            f"{self.server} answered with {what}{f': “{said}”' if said else ''}.",
            hint=f"Is base_url right? It is {self._address}.",
        )
        error.excerpt = said
        return error

    def unreadable(self, text: str) -> BadAnswer:
        """The error for a piece of an answer that is no JSON."""
        said = self._shown(text)
        error = BadAnswer(f"{self.server} sent JSON that can't be read: “{said}”.", hint="Try again; look at its log.")
        error.excerpt = said
        return error

    def excerpt(self, refusal: Refusal) -> str:
        """A short piece of what the server said, with no key and none of the user's words in it."""
        return self._shown(words(refusal.body) or html_title(refusal.text) or words(refusal.text))

    def _shown(self, text: str) -> str:
        text = mended(text)
        text = model_scrubber(self.model).clean(text)  # before it is cut
        for message in self.request.messages:
            if len(message.content) > EXCERPT // 4:
                for prompt in (message.content, " ".join(message.content.split())):
                    text = text.replace(prompt, "(prompt)")
        text = " ".join(_KEYLIKE.sub(HIDDEN, text).split()).rstrip(".")
        return text if len(text) <= EXCERPT else f"{text[:EXCERPT].rpartition(' ')[0] or text[:EXCERPT]}…"

    def _key_hint(self) -> str:
        if self.model.key_variable:
            return f"Look at the environment variable {self.model.key_variable}."
        if self.model.api_key:
            return "Look at api_key in the project file."
        return "The model has no api_key: add one, such as ${env:API_KEY}."

    def _model_hint(self) -> str:
        if self.model.provider == "ollama":
            return f"Get it: ollama pull {self.model.model}"
        return "Look at `model` in the project file, and at what the server offers (its /models)."

    def _start_hint(self) -> str:
        start = "start it: ollama serve" if self.model.provider == "ollama" else "start it, or look at base_url"
        return f"Is the server running? Else {start}."


def _option_hint(wrong: re.Match[str]) -> str:
    name, kind = wrong[1] or wrong[3], wrong[2]
    number = " (a number)" if kind and kind.startswith(("float", "int")) else ""
    return f"Look at {name} in the model's parameters" + (f": it must be {kind}{number}." if kind else ".")


def _status(body: JsonValue) -> int:
    """The HTTP status that an error in a stream names; 0 where it names none."""
    places = [body, *(body.values() if isinstance(body, dict) else ())]
    codes = [place.get(name) for place in places if isinstance(place, dict) for name in STATUSES]
    return next((code for code in codes if isinstance(code, int) and 400 <= code < 600), 0)  # noqa: PLR2004 - HTTP errors


def html_title(text: str) -> str:
    """The title of an HTML page; empty for other text."""
    if "<html" not in text.lower() and "<!doctype" not in text.lower():
        return ""
    title = _TITLE.search(text[:LONGEST_HEAD])
    return title[1].strip() if title else "an HTML page"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
