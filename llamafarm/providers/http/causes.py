"""Who is at fault where a server refuses: one table for all providers, read from the surest evidence to the weakest.

The evidence is the status, the server's words (of OpenAI, Anthropic, Google, Ollama, vLLM, llama.cpp, LiteLLM and
others), whether a page of HTML came (then something before the server answers), and whether it says when to try again.
Status 0 is an error inside an answer. `what` and `advice` are filled in by `Faults`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from llamafarm.core.errors import (
    AuthFailed,
    BadAnswer,
    ConnectFailed,
    ContextTooLong,
    Culprit,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    RegionRefused,
    RequestRejected,
    ServerFailed,
    ToolsUnsupported,
)
from llamafarm.providers.http.toolong import CONTEXT

IN_STREAM = 0
BAD = (400, 422, IN_STREAM)
GATEWAY = (502, 503, 504)
FAILED = range(500, 600)

NO_TOOLS = re.compile(
    r"does not support tools|tool choice requires|requires --jinja|support tool use|tools? (is|are) not supported", re.I
)
# A value of a type that its option does not take; Ollama says it as HTTP 500.
OPTION = re.compile(r"option \\?[\"']?(\w+)\\?[\"']? must be of type (\w+)|invalid options?: (\w+)", re.IGNORECASE)
_QUOTA = re.compile(
    r"insufficient[_ ](quota|balance|credits?|funds)|exceeded your (current|monthly) (quota|included credits)"
    r"|credit balance is too low|(out of|not enough|no) (credits|funds|quota)"
    r"|billing[_ ](hard[_ ])?(limit|not[_ ]active)|requires more credits|payment required|spend(ing)?[_ ]limit"
    r"|account (is |has been |was )?(not active|deactivated|suspended|disabled|past due)|arrearage",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)  # for the rate that the account has: it never passes
_REGION = re.compile(
    r"unsupported_country|(country|region|location)[^.]{0,40}not (supported|available|allowed)"
    r"|not (available|supported) in your (country|region|location)",
    re.IGNORECASE,
)
_NO_KEY = re.compile(
    r"no connected db|no_db_connection|api[_ -]?key (is )?(not valid|invalid|expired|required|missing)"
    r"|(invalid|incorrect|missing|expired|no)[_ ]api[_ -]?key|api_key_invalid|authentication_error",
    re.IGNORECASE,
)
_NO_ACCESS = re.compile(
    r"(not|n't) (have )?(access|permission)[^.]{0,60}model|model[^.]{0,80}(no access|not have access|permission)"
    r"|verified to use the model",
    re.IGNORECASE,
)
NO_MODEL = re.compile(
    r"invalid model name|pinned to|unknown model|no such model|model_not_found|not a valid model|invalid model id"
    r"|\bmodel\b[^;\n]{0,120}?(not found|not exist|is not (loaded|available|served)|decommissioned|been deprecated)",
    re.IGNORECASE,
)
_MODEL = re.compile("model", re.IGNORECASE)
_LOADING = re.compile("load", re.IGNORECASE)


class Evidence(NamedTuple):
    """What a refusal shows. `page`: HTML came; `waits`: the server says when to try again; `tools`: some were sent."""

    status: int
    text: str
    page: bool = False
    waits: bool = False
    tools: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """Who is at fault, the error for it, what happened and what to do; `again`: the same request may pass later.

    It holds for `statuses` (all where None), where `words` stand in the text, and `page`, `waits` and `tools` are so.
    """

    culprit: Culprit
    error: type[ProviderError]
    what: str
    advice: str
    again: bool = False
    statuses: Collection[int] | None = None
    words: re.Pattern[str] | None = None
    page: bool | None = None
    waits: bool | None = None
    tools: bool | None = None

    def fits(self, evidence: Evidence) -> bool:
        """Whether the evidence speaks for it."""
        return (
            (self.statuses is None or evidence.status in self.statuses)
            and all(want in (None, is_so) for want, is_so in zip(self._wanted, evidence[2:], strict=True))
            and (self.words is None or self.words.search(evidence.text) is not None)
        )

    @property
    def _wanted(self) -> tuple[bool | None, bool | None, bool | None]:
        return self.page, self.waits, self.tools


_PARAMETERS = "Look at {parameter}."
_REJECTS = "{server} rejects the request"
_BILL = "Look at the plan and the billing of the account, or ask another model."
_NOT_THERE = "{server} does not have the model {model}"

CAUSES: tuple[Cause, ...] = (
    Cause("model", ToolsUnsupported, "{model} can't use tools", "Set tool_call_strategy: prompt_based.",
          words=NO_TOOLS, tools=True),
    Cause("address", BadAnswer, "{server} redirects to {target}",
          "Redirects are not followed, so that no key goes astray: set base_url to the right address.",
          statuses=range(300, 400)),
    Cause("proxy", ConnectFailed, "The proxy before {server} wants a name and a password",
          "Look at http_proxy, https_proxy and no_proxy in the environment.", statuses=(407,)),
    Cause("request", ContextTooLong, _REJECTS, "{shorten}", statuses=(413,)),
    Cause("request", ContextTooLong, _REJECTS, "{shorten}", statuses=(*BAD, *FAILED), words=CONTEXT),
    Cause("request", RequestRejected, _REJECTS, "{option}", statuses=FAILED, words=OPTION),
    Cause("account", QuotaExceeded, "The account at {server} has no quota or credit left", _BILL, statuses=(402,)),
    Cause("account", QuotaExceeded, "The account at {server} has no quota or credit left", _BILL,
          statuses=(*BAD, 403, 429), words=_QUOTA, waits=False),
    Cause("account", RateLimited, "The request is larger than the account's rate at {server}",
          "Shorten the prompt, or ask for a higher limit.", statuses=(429,), words=_TOO_LARGE),
    Cause("region", RegionRefused, "{server} does not serve the region that the request came from",
          "Ask through a server in a region that it serves, or another provider.", statuses=(451,)),
    Cause("region", RegionRefused, "{server} does not serve the region that the request came from",
          "Ask through a server in a region that it serves, or another provider.", statuses=(*BAD, 403), words=_REGION),
    Cause("key", AuthFailed, "{server} refuses the key", "{key}", statuses=BAD, words=_NO_KEY),
    Cause("key", AuthFailed, "{server} refuses the key", "{key}", statuses=(401,)),
    Cause("account", AuthFailed, "{server} does not let this key use the model {model}",
          "Ask for access to the model there, or look at `model` in the project file. {key}", statuses=(403,),
          words=_NO_ACCESS),
    Cause("proxy", AuthFailed, "Something before {server} refuses",
          "A proxy or firewall answers in its place: look at the network, and at base_url. {key}", statuses=(403,),
          page=True),
    Cause("key", AuthFailed, "{server} refuses the key", "{key}", statuses=(403,)),
    Cause("model", ModelNotFound, _NOT_THERE, "{get_model}", statuses=(*BAD, 404), words=NO_MODEL),
    Cause("model", ModelNotFound, _NOT_THERE, "{get_model}", statuses=(404,), words=_MODEL, page=False),
    Cause("address", RequestRejected, "{server} has nothing at this address",
          "Does base_url end as the server wants it, such as in /v1? It is {address}.", statuses=(404, 405, 410)),
    Cause("server", ServerFailed, "{server} gave up waiting", "Try again.", again=True, statuses=(408, 425)),
    Cause("account", RateLimited, "{server} limits the rate", "{wait}", again=True, statuses=(429,)),
    Cause("server", ServerFailed, "{server} failed", "It is loading the model: try again in a moment.", again=True,
          statuses=(503,), words=_LOADING),
    Cause("proxy", ServerFailed, "{server} failed",
          "A proxy answers in its place: try again, and look whether the server behind it is up.", again=True,
          statuses=GATEWAY, page=True),
    Cause("request", ServerFailed, "{server} can't do this", _PARAMETERS, statuses=(501, 505)),
    Cause("server", ServerFailed, "{server} failed", "Try again; look at the server's log.", again=True,
          statuses=FAILED),
    Cause("server", ServerFailed, "{server} reports an error", "Try again.", again=True, statuses=(IN_STREAM,)),
    Cause("request", RequestRejected, _REJECTS, _PARAMETERS),
)  # fmt: skip


def cause_of(evidence: Evidence) -> Cause:
    """The first cause that the evidence speaks for; the last fits always."""
    return next(cause for cause in CAUSES if cause.fits(evidence))
