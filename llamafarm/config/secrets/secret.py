"""Which settings hold a secret, by their names alone; and how an address or a command's words are shown without one.

Everything that hides a secret goes by these rules: a project file's text, requests as they are shown, errors, tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from urllib.parse import unquote_plus

from llamafarm.config.reading.env import without_references

HIDDEN = "(hidden)"
PLACEHOLDERS = frozenset(
    {
        "", "not-needed", "not_needed", "none", "empty", "dummy", "local", "ollama", "universal", "lemonade",
        "lm-studio", "no-key-required", "sk-no-key-required", HIDDEN,
    }
)  # fmt: skip


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET = _names(
    "secret secrets password passwords passwd passphrase passcode pwd authorization auth credential credentials cred"
    " creds bearer cookie cookies jwt apikey apikeys"
)
_LAST = _names("pass pat pin signature sig")
_SECRET_ENDS = ("apikey", "accesskey", "secretkey", "authkey", "privatekey", "token", "secret", "password", "passwd")
_OPEN_TOKENS = _names(  # what is counted or learnt: `first_token`, `eos_token`
    "first last next between max min per eos bos pad unk sep cls mask stop end start special image audio tokens"
    " each token"
)
_OPEN_KEYS = _names("public cache primary foreign sort partition group routing index lookup hot column")
_OPENING = _names("api access auth secret private bearer refresh session id bot")  # `api_keys`, `auth_tokens`
_CONTAINERS = _names("env envs environment env_vars environment_variables")
_QUERY = _names("key code sig signature sign pw user_key")  # in an address: `?key=`

_USERINFO = re.compile(r"(?<=://)[^/?#\s\"'<>`\\]+@")
_QUERY_PAIR = re.compile(r"(?<=[?&;#])([^=&;#\s\"'<>?]+)=([^&#\s\"'<>]+)")
_ASSIGNED = re.compile(r"(?<![\w.-])(-{0,2}[A-Za-z][\w.-]*)(\\?[\"']?\s*[:=]\s*\\?[\"']?)")
_FLAG = re.compile(r"(?:(?<=\s)|^)(--?[A-Za-z][\w.-]*)(\s+\\?[\"']?)(?!-)")
_VALUE = re.compile(r"(?:(?:bearer|basic|token|apikey)\s+)?(?:\$\{[^}]*\}|[^\s\"'&,;\\)}\]])+", re.IGNORECASE)
_SCHEME = re.compile(r"(?:bearer|basic|token|apikey)(?:\s+|$)", re.IGNORECASE)
_USER_FLAGS = ("-u", "--user", "--proxy-user")  # curl's `user:password`


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether a setting, variable, header, option or parameter of this name holds a secret.

    By its words: `OPENAI_API_KEY`, `apiKey`, `X-Auth-Token` and `extra_body.auth` do; `max_tokens`, `first_token` and
    `prompt_cache_key` don't.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return False
    if _SECRET.intersection(words) or ("api", "key") in pairwise(words):
        return True
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    match last:
        case "token":
            return before not in _OPEN_TOKENS
        case "key":
            return before not in _OPEN_KEYS
        case "tokens" | "keys":
            return before in _OPENING
        case _:
            return last in _LAST or any(word.endswith(_SECRET_ENDS) for word in words if word != "token")


def holds_settings(name: str) -> bool:
    """Whether all that stands under this name may be a secret: the environment of a process, headers of requests."""
    return name.lower().replace("-", "_") in _CONTAINERS or name.lower().endswith("headers")


def is_literal(text: str) -> bool:
    """Whether `text` tells a secret: something other than `${…}`, `Bearer` and the like, or a placeholder."""
    return without_scheme(without_references(text)).strip(" \t\r\n:,;").lower() not in PLACEHOLDERS


def without_scheme(text: str) -> str:
    """The value of a header without the `Bearer` before it."""
    text = text.strip()
    scheme = _SCHEME.match(text)
    return text[scheme.end() :] if scheme else text


def shown_address(text: str) -> str:
    """An address (or a text with addresses in it) as it may be shown.

    User names and passwords are hidden, and parameters that hold a secret: `https://(hidden)@host/v1?key=(hidden)`.
    """
    if "://" in text:
        text = _USERINFO.sub(lambda found: f"{HIDDEN}@" if is_literal(found[0][:-1]) else found[0], text)
    return _QUERY_PAIR.sub(_pair, text) if "=" in text else text


def address_secrets(address: str) -> Iterator[str]:
    """The secrets in an address, as they are written and as they are meant: passwords, and values like `?key=`."""
    for found in _USERINFO.finditer(address):
        user, colon, password = found[0][:-1].partition(":")
        yield from _both(password if colon else user)
    for found in _QUERY_PAIR.finditer(address):
        if _is_parameter(found[1]):
            yield from _both(found[2])


def shown_words(text: str) -> str:
    """A command's word (or its whole line) as it may be shown: `--token=(hidden)`, `TOKEN=(hidden)`."""
    text, done, pieces = shown_address(text), 0, list[str]()
    for start, end in sorted(_word_secrets(text)):
        if start >= done:
            pieces += [text[done:start], HIDDEN]
            done = end
    return "".join([*pieces, text[done:]])


def announces_secret(word: str) -> bool:
    """Whether the word after this one of a command is a secret: `--token`, `-u`."""
    return word in _USER_FLAGS or (word.startswith("-") and "=" not in word and names_secret(word))


def word_secrets(text: str) -> Iterator[str]:
    """The secrets in a command's word."""
    for start, end in _word_secrets(text):
        yield text[start:end]


def _word_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where secrets stand in a command: after `name=`, `name: ` and `--name `."""
    whole = _ASSIGNED.match(text)
    if whole and names_secret(whole[1]) and is_literal(text[whole.end() :]):
        yield whole.end(), len(text.rstrip("\"'\r\n"))
        return
    for shape in (_ASSIGNED, _FLAG):
        done = 0
        for found in shape.finditer(text):
            if found.start() < done or not names_secret(found[1]) or text.startswith(HIDDEN, found.end()):
                continue
            if value := _VALUE.match(text, found.end()):
                done = value.end()
                if is_literal(value[0]):
                    yield value.span()


def _pair(found: re.Match[str]) -> str:
    hide = _is_parameter(found[1]) and is_literal(found[2])
    return f"{found[1]}={HIDDEN}" if hide else found[0]


def _is_parameter(name: str) -> bool:
    name = unquote_plus(name)
    return name.lower() in _QUERY or names_secret(name)


def _both(text: str) -> Iterator[str]:
    yield text
    if (plain := unquote_plus(text)) != text:
        yield plain
