"""How this server was started: what the page and the API need to know of it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from llamafarm.core.addresses import is_loopback
from llamafarm.core.errors import RequestError

GENERATIONS = 256


@dataclass(frozen=True, slots=True)
class Login:
    """A person who may use the page (and the API) with a name and a password."""

    user: str
    password: SecretStr

    @classmethod
    def of(cls, text: str) -> Login:
        """`user:password` as a login. Raises RequestError."""
        user, colon, password = text.partition(":")
        if not (user and colon and password):
            raise RequestError("A login is written user:password.", hint="Look at --login or LF_LOGIN.")
        return cls(user, SecretStr(password))


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`host` and `port` are where the server listens.

    As soon as there are `api_keys` or a `login`, everything but `/health` asks for one of them: the API for a
    bearer key, the page for the login, or for a key as the password.
    `trust_uploads`: whoever sees the page may trust files that come from a browser; `allow_paths`: may open files of
    this machine by path. Otherwise the operator alone may, who comes with `operator_token`. `forwarded_allow_ips`:
    proxies that are believed.
    `allowed_hosts`: names beside this machine's own under which it may be called on loopback; `*.example.org` is all
    names under that one.
    `cors_origins`: sites whose pages may call the API and the MCP endpoint. `generations`: answers that one caller may
    have running.
    `record_completions`: the API's completions are kept in the history, where all who see the page see them.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    trust_uploads: bool = False
    allow_paths: bool = False
    forwarded_allow_ips: tuple[str, ...] = ()
    api_keys: tuple[SecretStr, ...] = ()
    login: Login | None = None
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    generations: int = GENERATIONS
    record_completions: bool = False
    operator_token: SecretStr | None = None

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def protected(self) -> bool:
        """Whether callers must say who they are."""
        return bool(self.api_keys or self.login)

    @property
    def has_operator(self) -> bool:
        """Whether the server's link makes its browser the operator's: where all others are strangers without a name."""
        return self.loopback and not self.protected

    def check(self) -> None:
        """Raise RequestError where anybody on the network could spend the operator's keys and read the files."""
        if not (self.loopback or self.protected):
            raise RequestError(
                f"{self.host} can be reached from other machines, and nothing would keep anybody out.",
                hint="Set keys for programs (LF_API_KEYS or --api-key) or a login for the page (LF_LOGIN or "
                "--login user:password), or listen on this machine alone: --host 127.0.0.1.",
            )
