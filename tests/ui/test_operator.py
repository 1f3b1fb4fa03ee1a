"""The operator's link: who gets the right by it, and who never does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from llamafarm.access.asgi import Message, Receive, Scope, Send
from llamafarm.access.operator import NONE, RIGHTS, Operator, Rights, link, new_token
from llamafarm.access.settings import Login, ServerSettings
from tests.serving import TOKEN

HERE = ServerSettings(operator_token=SecretStr(TOKEN))
ALL = Rights(trust=True, paths=True)
STRANGER = Rights(by_link=True)
ELSEWHERE = "0.0.0.0"  # noqa: S104 - nothing listens here: it is what an operator may write


class Page:
    """A browser with its cookies in front of `Operator`; `seen` is the last scope that the page got."""

    def __init__(self, settings: ServerSettings, port: int = 7860) -> None:
        self.cookies: list[str] = []
        self.seen: Scope = {}
        self.sent: list[Message] = []
        self.port = port
        self._app = Operator(self._page, settings)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen = scope

    async def get(self, target: str, method: str = "GET", **headers: str) -> dict[str, str]:
        path, _, query = target.partition("?")
        given = [(b"cookie", cookie.encode()) for cookie in self.cookies]
        given += [(name.encode(), value.encode()) for name, value in headers.items()]
        scope: Scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(),
                        "headers": given, "server": ("127.0.0.1", self.port)}  # fmt: skip
        self.seen, self.sent = {}, []
        await self._app(scope, self._nothing, self._take)
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]} if self.sent else {}

    async def open_link(self, query: str = f"token={TOKEN}") -> dict[str, str]:
        told = await self.get(f"/?{query}")
        if "set-cookie" in told:
            self.cookies.append(told["set-cookie"].partition(";")[0])
        return told

    async def rights(self) -> Rights:
        await self.get("/gradio_api/queue/join", "POST")
        rights: Rights = self.seen[RIGHTS]
        return rights

    async def _nothing(self) -> Message:
        raise AssertionError("a body was read")

    async def _take(self, message: Message) -> None:
        self.sent.append(message)


async def test_only_the_link_gives_the_right() -> None:
    page = Page(HERE)
    assert await page.rights() == STRANGER
    told = await page.open_link()
    assert page.sent[0]["status"] == 303
    assert told["location"] == "/"
    assert page.seen == {}  # the page never sees the token
    name, *attributes = told["set-cookie"].split("; ")
    assert name.startswith("lf-operator-7860=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} == set(attributes)
    assert TOKEN not in name
    for _ in range(3):
        assert await page.rights() == ALL
    assert await Page(HERE).rights() == STRANGER


async def test_the_link_holds_until_the_server_ends_and_no_longer() -> None:
    page = Page(HERE)
    await page.open_link()
    await page.open_link()  # it can be opened again, in another browser too
    assert await page.rights() == ALL
    anew = Page(replace(HERE, operator_token=SecretStr(new_token())))
    anew.cookies = page.cookies
    assert await anew.rights() == STRANGER


@pytest.mark.parametrize(
    "query", ["token=", "token=wrong", f"token={TOKEN}x", f"token={TOKEN[:-1]}", f"token={TOKEN.upper()}", "token",
              f"TOKEN={TOKEN}", f"token=%00{TOKEN}", "token=%ff%fe", f"x=1&token=&y={TOKEN}"],
)  # fmt: skip
async def test_a_wrong_link_gives_nothing_and_tells_nothing(query: str) -> None:
    page = Page(HERE)
    told = await page.open_link(query)
    assert "set-cookie" not in told
    assert await page.rights() == STRANGER


async def test_the_rest_of_the_address_stays() -> None:
    told = await Page(HERE).open_link(f"comparison=abc&token={TOKEN}&__theme=dark")
    assert told["location"] == "/?comparison=abc&__theme=dark"
    assert told["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "cookie",
    ["lf-operator-7860=", f"lf-operator-7860={TOKEN}", "lf-operator-7860", "x=y", ";;;=;", "lf-operator-7860=\u00e9",
     "lf-operator-7861={}", "xlf-operator-7860={}", 'lf-operator-7860="{}"'],
)  # fmt: skip
async def test_cookies_that_are_not_the_links_give_nothing(cookie: str) -> None:
    page = Page(HERE)
    told = await page.open_link()
    page.cookies = [cookie.replace("{}", told["set-cookie"].partition(";")[0].partition("=")[2])]
    assert await page.rights() == STRANGER


async def test_other_cookies_do_not_hide_the_right_one() -> None:
    page = Page(HERE)
    await page.open_link()
    page.cookies = ["lf-operator-7860=planted", f"a=b; {page.cookies[0]}; c"]
    assert await page.rights() == ALL


async def test_another_port_is_another_server() -> None:
    page, other = Page(HERE), Page(HERE, port=7861)
    await page.open_link()
    other.cookies = page.cookies
    assert await other.rights() == STRANGER


KEYS: dict[str, Any] = {"api_keys": (SecretStr("k"),)}
PERSON: dict[str, Any] = {"login": Login("ann", SecretStr("p"))}


@pytest.mark.parametrize(
    "changes", [KEYS, PERSON, KEYS | {"host": ELSEWHERE}, {"host": ELSEWHERE}, {"host": "example.org"}]
)
async def test_where_there_are_keys_or_others_no_link_counts(changes: dict[str, Any]) -> None:
    page = Page(replace(HERE, **changes))
    told = await page.open_link()
    assert "set-cookie" not in told
    assert await page.rights() == NONE


@pytest.mark.parametrize("changes", [{}, KEYS, PERSON, KEYS | {"host": ELSEWHERE}])
async def test_what_the_operator_allows_everybody_may(changes: dict[str, Any]) -> None:
    for option, expected in (("trust_uploads", (True, False)), ("allow_paths", (False, True))):
        allowed: dict[str, Any] = changes | {option: True}
        rights = await Page(replace(HERE, **allowed)).rights()
        assert (rights.trust, rights.paths) == expected


async def test_a_posted_token_is_none() -> None:
    page = Page(HERE)
    await page.get(f"/?token={TOKEN}", "POST")
    assert page.sent == []
    assert page.seen[RIGHTS] == STRANGER


async def test_without_a_token_nobody_is_the_operator() -> None:
    page = Page(ServerSettings())
    for query in ("token=", "token=None"):
        assert "set-cookie" not in await page.open_link(query)
    page.cookies = ["lf-operator-7860="]
    assert await page.rights() == NONE


def test_tokens_are_long_and_differ() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 40
    assert link("http://127.0.0.1:1", "a&b") == "http://127.0.0.1:1/?token=a%26b"
