"""Who calls: keys for programs and a login for people, asked before the page or the API see a request. Plain ASGI."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math

from llamafarm.access.asgi import ANYBODY, CALLER, App, HttpMiddleware, Receive, Scope, Send, header, refuse
from llamafarm.access.attempts import LONGEST_S, Attempts, TooManyTries
from llamafarm.access.settings import ServerSettings

NOT_ALLOWED = 1008  # RFC 6455: against the server's policy; neither page nor API has websockets
FOR_PROGRAMS = ("/v1", "/mcp")
BASIC = b'Basic realm="LlamaFarm Playground", charset="UTF-8"'
OPEN_PATHS = ("/health",)  # what watches a server has no key; it is told less there


class Authentication(HttpMiddleware):
    """Wraps an application; the caller's name stands in the scope under `CALLER`, or None on an open path.

    Programs send `Authorization: Bearer KEY`; browsers ask people for a name and a password (HTTP Basic, RFC 7617),
    and a key with any name will do as well. Comparing takes the same time whichever key is nearly right. Gates of one
    server share `attempts`, which slow down whoever tries many.
    """

    def __init__(self, app: App, settings: ServerSettings, attempts: Attempts | None = None) -> None:
        super().__init__(app)
        self._attempts = Attempts() if attempts is None else attempts
        self._open = not settings.protected
        self._keys = [_digest(key.get_secret_value()) for key in settings.api_keys]
        login = settings.login
        self._login = (login.user, _digest(login.password.get_secret_value())) if login else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close what strangers open, and see `HttpMiddleware`."""
        if scope["type"] == "websocket" and not self._open:
            await send({"type": "websocket.close", "code": NOT_ALLOWED})
            return
        await super().__call__(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer strangers here, and pass on everybody else."""
        try:
            caller = ANYBODY if self._open else await self._asked(scope)
        except TooManyTries:
            await _ask_to_wait(scope, send)
            return
        if caller is None and scope["path"] not in OPEN_PATHS:
            await _ask_who(scope, send)
            return
        scope[CALLER] = caller
        await self._app(scope, receive, send)

    async def _asked(self, scope: Scope) -> str | None:
        """Who calls; whose address was wrong too often waits before it is looked at. Raises TooManyTries."""
        authorization, address = header(scope, b"authorization"), (scope.get("client") or ("",))[0]
        if not authorization:
            return None
        if not self._attempts.waits(address):
            return self._looked_at(authorization, address)
        async with self._attempts.turn(address):
            return self._looked_at(authorization, address)

    def _looked_at(self, authorization: str, address: str) -> str | None:
        caller = self._caller(authorization)
        if caller is None:
            self._attempts.wrong(address)
        else:
            self._attempts.right(address)
        return caller

    def _caller(self, authorization: str) -> str | None:
        scheme, _, value = authorization.partition(" ")
        match scheme.lower():
            case "bearer":
                return self._by_key(value.strip())
            case "basic":
                user, password = _basic(value.strip())
                return self._by_login(user, password) or self._by_key(password)
            case _:
                return None

    def _by_key(self, key: str) -> str | None:
        digest = _digest(key)
        found = [index for index, known in enumerate(self._keys) if hmac.compare_digest(digest, known)]
        return f"key {found[0] + 1}" if found else None

    def _by_login(self, user: str, password: str) -> str | None:
        if self._login is None:
            return None
        known_user, known_password = self._login
        right = hmac.compare_digest(_digest(password), known_password)
        return f"login {user}" if hmac.compare_digest(user.encode(), known_user.encode()) and right else None


def _digest(text: str) -> bytes:
    """A hash of `text`, so that all that is compared has one length."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest()


def _basic(value: str) -> tuple[str, str]:
    """Name and password, or two empty texts where it is neither."""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password


async def _ask_to_wait(scope: Scope, send: Send) -> None:
    """429: this address has tried too many wrong keys, and goes on."""
    message = "Too many wrong keys came from your address: wait a little, then try again."
    headers = ((b"retry-after", str(math.ceil(LONGEST_S)).encode()),)
    await refuse(scope, send, 429, message, code="too_many_tries", kind="rate_limit_error", headers=headers)


async def _ask_who(scope: Scope, send: Send) -> None:
    """401: browsers at the page are to ask for a login, programs at the API are told how to send a key."""
    message = "This server asks for a key: send the header Authorization: Bearer KEY, with one of its API keys."
    challenge = b"Bearer" if scope["path"].startswith(FOR_PROGRAMS) else BASIC
    headers = ((b"www-authenticate", challenge),)
    await refuse(scope, send, 401, message, code="invalid_api_key", kind="authentication_error", headers=headers)
