"""Who the operator is, and what only the operator may: decided here, for every place where it matters.

An address is no person: whoever is on the same machine, or behind a proxy on it, comes from loopback too. So the server
prints a link with a token, and the browser that opened it has the operator's right until the server ends.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from llamafarm.access.asgi import App, HttpMiddleware, Receive, Scope, Send
from llamafarm.access.settings import ServerSettings

RIGHTS = "llamafarm.rights"
TOKEN = "token"  # noqa: S105 - the name of the query's parameter
BY_LINK = (
    "Open the link that was printed in the terminal when the server was started: the browser that came through it may."
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What the browser behind a request may, besides looking and asking.

    `trust`: trust files that come from a browser, and change files of this machine that are trusted. `paths`: open
    files of this machine by path. `by_link`: the operator's link would give both.
    """

    trust: bool = False
    paths: bool = False
    by_link: bool = False

    def how(self, option: str) -> str:
        """What to do where one of them is missing; `option` is what the server lacks."""
        return BY_LINK if self.by_link else f"The server was started without {option}."


NONE = Rights()


def new_token() -> str:
    """A token for the link of a server that starts."""
    return secrets.token_urlsafe(32)


def link(address: str, token: str) -> str:
    """The address that makes the browser which opens it the operator's."""
    return f"{address}/?{urlencode({TOKEN: token})}"


class Operator(HttpMiddleware):
    """Wraps the page's application, which finds the caller's `Rights` in the scope.

    `/?token=…` answers with a cookie where the token is right, and always leads on to the address without it, so that
    it stays in no history entry, page or log. The cookie's name has the port in it: browsers give cookies to every
    server of a host.
    """

    def __init__(self, app: App, settings: ServerSettings) -> None:
        super().__init__(app)
        token = settings.operator_token
        self._token = token.get_secret_value().encode() if token and settings.has_operator else None
        self._open = Rights(settings.trust_uploads, settings.allow_paths, by_link=self._token is not None)
        self._secret = hashlib.sha256(b"cookie " + self._token).hexdigest().encode() if self._token else b""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its rights, or answer the link."""
        query = _fields(scope)
        if scope["path"] == "/" and scope["method"] in ("GET", "HEAD") and any(name == TOKEN for name, _ in query):
            await self._lead_on(scope, send, query)
            return
        scope[RIGHTS] = Rights(trust=True, paths=True) if self._is_operator(scope) else self._open
        await self._app(scope, receive, send)

    async def _lead_on(self, scope: Scope, send: Send, query: list[tuple[str, str]]) -> None:
        rest = urlencode([(name, value) for name, value in query if name != TOKEN], encoding="latin-1")
        headers = [(b"location", b"/" + (f"?{rest}".encode() if rest else b"")), (b"cache-control", b"no-store")]
        given = [value.encode("latin-1") for name, value in query if name == TOKEN]
        if self._token is not None and any(hmac.compare_digest(each, self._token) for each in given):
            cookie = _cookie(scope) + b"=" + self._secret + b"; Path=/; HttpOnly; SameSite=Strict"
            headers.append((b"set-cookie", cookie))
        headers.append((b"content-length", b"0"))
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _is_operator(self, scope: Scope) -> bool:
        if self._token is None:
            return False
        named = [value for name, value in scope["headers"] if name == b"cookie"]
        pairs = [pair.strip().partition(b"=") for value in named for pair in value.split(b";")]
        own = _cookie(scope)
        return any(hmac.compare_digest(value, self._secret) for name, _, value in pairs if name == own)


def _fields(scope: Scope) -> list[tuple[str, str]]:
    """The query's names and values; a letter stands for a byte, so that any bytes are taken."""
    text = scope.get("query_string", b"").decode("latin-1")
    return parse_qsl(text, keep_blank_values=True, encoding="latin-1")


def _cookie(scope: Scope) -> bytes:
    """The cookie's name; the port is that of the socket, whatever a header says."""
    return f"lf-operator-{(scope.get('server') or ('', 0))[1]}".encode()
