"""Under which names this server is called."""

from __future__ import annotations

import re

from llamafarm.access.asgi import ADDRESSED, Scope, header
from llamafarm.access.settings import ServerSettings
from llamafarm.core.addresses import is_loopback

_NAME = re.compile(r"[a-z0-9._-]{1,253}", re.ASCII)


class Hosts:
    """The names that a server on loopback answers to, so that no other site's name can be pointed at it.

    A page that is reached in that way knows no key: a request that brings one as a bearer may have any host. What is
    reached from other machines has keys or a login in any case, and answers to all names.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._any = not settings.loopback
        self._keys = bool(settings.api_keys)
        self._names = set(map(_plain, settings.allowed_hosts))

    def trouble(self, scope: Scope) -> str | None:
        """Why a request is not answered under the name that it gives, and what to do; None where it is."""
        host: str = scope.get(ADDRESSED, header(scope, b"host") or "")
        name = _plain(host)
        if self._any or self._is_known(name) or (self._keys and _brings_key(scope)):
            return None
        if not _NAME.fullmatch(name):
            return f"This server answers to localhost, not to {name!r}."
        return (
            f"This server answers to localhost, not to {name!r}. If that is a name of yours for it, start it with "
            f"--allowed-host {name} (or LF_ALLOWED_HOSTS={name})."
        )

    def _is_known(self, name: str) -> bool:
        parents = (f"*{name[at:]}" for at, letter in enumerate(name) if letter == ".")
        return is_loopback(name) or name in self._names or any(each in self._names for each in parents)


def _plain(host: str) -> str:
    """A host's name without its port, in small letters."""
    name = host if host.endswith("]") else re.sub(r":\d*$", "", host)
    return name.lower().removesuffix(".")


def _brings_key(scope: Scope) -> bool:
    """Whether a key is sent with it; whether it is one of ours, the gate asks."""
    return (header(scope, b"authorization") or "").lower().startswith("bearer ")
