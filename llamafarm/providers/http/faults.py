"""What went wrong and what to do about it: statuses, bodies and exceptions to errors for people."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

import httpx

from llamafarm.config.model import NamedModel
from llamafarm.config.secrets.known import model_scrubber
from llamafarm.config.secrets.secret import HIDDEN, shown_address
from llamafarm.core.addresses import host_of
from llamafarm.core.errors import (
    BadAnswer,
    ConnectFailed,
    ContextTooLong,
    Culprit,
    Interrupted,
    ProviderError,
    RateLimited,
    RequestError,
    RequestRejected,
    ServerFailed,
)
from llamafarm.core.types import ChatRequest, JsonValue
from llamafarm.providers.http.address import host_and_port
from llamafarm.providers.http.causes import OPTION, Evidence, cause_of
from llamafarm.providers.http.deadlines import timed_out
from llamafarm.providers.http.headers import asked_enough, request_id, retry_after
from llamafarm.providers.http.outside import Inside
from llamafarm.providers.http.said import objects, words
from llamafarm.providers.http.toolong import advice, fit
from llamafarm.providers.wire.surrogates import mended

EXCERPT = 200
STATUSES = ("code", "status", "status_code", "statusCode")
LONGEST_HEAD = 4000  # of a page that is looked through for its title
_FIELD = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"[\w.\[\]]{1,80}")
_RETRY = re.compile(r"retry_?delay|(retry|try again) in [\d.]+ ?(s|m)", re.IGNORECASE)
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
        said, wait = self.excerpt(refusal), retry_after(refusal.headers)
        waits = wait is not None or _RETRY.search(refusal.text) is not None
        page = bool(html_title(refusal.text))
        evidence = Evidence(refusal.status, refusal.text, page, waits, bool(self.request.tools))
        cause = cause_of(evidence)
        http = f" (HTTP {refusal.status})" if refusal.status else ""
        told = fit(refusal.body, refusal.text).told(self.request, self.model) if cause.error is ContextTooLong else ""
        message = f"{self._filled(cause.what, refusal)}{http}{f': “{said}”' if said else ''}. {told}".strip()
        error = cause.error(message, hint=self._filled(cause.advice, refusal).strip())
        error.retryable = cause.again and not asked_enough(refusal.headers)
        error.culprit = _culprit(refusal.body) or cause.culprit
        error.status, error.request_id, error.excerpt = refusal.status or None, request_id(refusal.headers), said
        if isinstance(error, RateLimited | ServerFailed):
            error.retry_after = wait
        return error

    def _filled(self, words: str, refusal: Refusal) -> str:
        """What a cause says, with what is known of this request in it."""
        values: dict[str, Callable[[], str]] = {
            "server": lambda: self.server,
            "model": lambda: self.model.model,
            "address": lambda: self._address,
            "key": self._key_hint,
            "get_model": self._model_hint,
            "target": lambda: shown_address(refusal.headers.get("location", "another address")),
            "wait": lambda: _wait_hint(retry_after(refusal.headers)),
            "shorten": lambda: advice(self.model, refusal.text),
            "option": lambda: _option_hint(refusal.text),
            "parameter": lambda: _parameter(refusal.body),
        }
        return _FIELD.sub(lambda found: values[found[1]](), words)

    def in_stream(self, body: JsonValue) -> ProviderError:
        """The error for an error object inside a stream."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self.refused(Refusal(_status(body), {}, body, text))

    def interrupted(self, error: httpx.RequestError) -> ProviderError:
        """The error for an exception of the HTTP client in mid-answer."""
        if isinstance(error, httpx.DecodingError):
            return self.not_protocol("bytes that can't be decompressed")
        return Interrupted(f"{self.server} cut the connection in mid-answer.", hint="What had come is kept.")

    def unanswered(self, error: httpx.RequestError | httpx.InvalidURL) -> ProviderError:
        """The error for an exception of the HTTP client before an answer came."""
        found = self._unanswered(error)
        found.culprit = "proxy" if isinstance(error, httpx.ProxyError) else "address"
        return found

    def _unanswered(self, error: httpx.RequestError | httpx.InvalidURL) -> ProviderError:
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
        error = RequestError(
            "The key can't be sent: it holds a character that HTTP does not allow.", hint=self._key_hint()
        )
        error.culprit = "key"
        return error

    def not_protocol(self, what: str, said: str = "") -> BadAnswer:
        """The error for an answer that is something else than the protocol; `said` are the server's words."""
        said = self._shown(said)
        error = BadAnswer(
            f"{self.server} answered with {what}{f': “{said}”' if said else ''}.",
            hint=f"Is base_url right? It is {self._address}.",
        )
        error.excerpt, error.culprit = said, "address"
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
        if pull := self.model.profile.pull:
            return f"Get it: {pull.format(model=self.model.model)}"
        return "Look at `model` in the project file, and at what the server offers (its /models)."

    def _start_hint(self) -> str:
        start = self.model.profile.start
        return f"Is the server running? Else {f'start it: {start}' if start else 'start it, or look at base_url'}."


def _option_hint(text: str) -> str:
    wrong = OPTION.search(text)
    if wrong is None:
        return "Look at the model's parameters."
    name, kind = wrong[1] or wrong[3], wrong[2]
    number = " (a number)" if kind and kind.startswith(("float", "int")) else ""
    return f"Look at {name} in the model's parameters" + (f": it must be {kind}{number}." if kind else ".")


def _wait_hint(seconds: float | None) -> str:
    return f"It asks to wait {seconds:g} s." if seconds else "Wait, or ask for a higher limit."


def _parameter(body: JsonValue) -> str:
    """The parameter that a refusal is about, as OpenAI's `param` names it."""
    named = (each.get("param") for each in objects(body))
    name = next((name for name in named if isinstance(name, str) and _NAME.fullmatch(name)), None)
    return f"the model's parameters: {name}" if name else "the model's parameters"


def _culprit(body: JsonValue) -> Culprit | None:
    """Who is at fault, as a LlamaFarm server tells of its own model's server."""
    known: dict[str, Culprit] = {name: name for name in get_args(Culprit)}
    told = (each.get("culprit") for each in objects(body))
    return next((known[name] for name in told if isinstance(name, str) and name in known), None)


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
