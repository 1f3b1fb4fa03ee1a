"""Looking at the servers of named models without asking for an answer: is each there, has it the model, does it take
the key?

A server is asked for its list of models: GET /models (https://platform.openai.com/docs/api-reference/models/list),
or Ollama's /api/tags. An embedded model's file and package are looked at, and nothing is loaded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from llamafarm.config.model import NamedModel
from llamafarm.config.secrets.known import model_scrubber
from llamafarm.core.errors import (
    AuthFailed,
    BadAnswer,
    LlamaFarmError,
    MissingPartError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    RegionRefused,
    RequestRejected,
    ServerFailed,
)
from llamafarm.core.types import JsonValue, KeyState, ModelCheck, Verdict
from llamafarm.providers.base import Remote
from llamafarm.providers.embedded.llama_cpp import model_file, need_library
from llamafarm.providers.http.body import response_body
from llamafarm.providers.http.client import Client
from llamafarm.providers.http.deadlines import Deadlines
from llamafarm.providers.http.exchange import check_whole, parse
from llamafarm.providers.registry import REMOTE

BOUND_S = 8.0  # for one server's list
MAX_LIST = 4 * 1024 * 1024  # bytes: the longest real list, of a gateway, has one
LONGEST_NAME = 200
NAMED = 5  # models of a server that a message names
NO_LIST = (404, 405, 501)
ANY_NAME = ("llamacpp",)  # servers with one model that answer to every name


@dataclass(frozen=True, slots=True)
class _Listing:
    """The names of a server's models, None where it lists none at all; or what went wrong."""

    names: tuple[str, ...] | None = None
    any_name: bool = False
    error: LlamaFarmError | None = None
    seconds: float = 0.0


async def check_models(models: Iterable[NamedModel], client: Client) -> tuple[ModelCheck, ...]:
    """A check of each model, in their order; all at once, each server once for each key, in at most 8 s."""
    asked = tuple(models)
    tasks: dict[tuple[str, str], asyncio.Task[_Listing]] = {}
    async with asyncio.TaskGroup() as group:
        for model in asked:
            if model.usable and not model.profile.embedded and _target(model) not in tasks:
                tasks[_target(model)] = group.create_task(_list(REMOTE[model.provider](model, client)))
        here = group.create_task(asyncio.to_thread(_embedded, asked))
    embedded = here.result()
    return tuple(
        _unusable(model)
        if not model.usable
        else embedded[model.name]
        if model.profile.embedded
        else _scrubbed(_remote(model, tasks[_target(model)].result()), model)
        for model in asked
    )


def _target(model: NamedModel) -> tuple[str, str]:
    key = model.api_key.get_secret_value() if model.api_key else ""
    return f"{model.provider} {model.base_url}", key


def _unusable(model: NamedModel) -> ModelCheck:
    key: KeyState = "none"
    if model.api_key or model.key_variable:
        key = "unknown" if model.api_key else "missing"
    return ModelCheck(model.name, "unknown", "unknown", key, usable=False, message=model.problems[0].message)


# --- embedded models ---------------------------------------------------------------------------------


def _embedded(models: Sequence[NamedModel]) -> dict[str, ModelCheck]:
    return {model.name: _file(model) for model in models if model.usable and model.profile.embedded}


def _file(model: NamedModel) -> ModelCheck:
    server: Verdict = "yes"
    found: Verdict = "yes"
    wrong: list[LlamaFarmError] = []
    try:
        need_library()
    except MissingPartError as error:
        server = "no"
        wrong.append(error)
    try:
        path = model_file(model.model)
    except LlamaFarmError as error:
        found = "no"
        wrong.append(error)
    if wrong:
        message, todo = wrong[0].message, " ".join(error.hint for error in wrong)
        return ModelCheck(model.name, server, found, "none", usable=False, message=message, todo=todo)
    return ModelCheck(model.name, server, found, "none", usable=True, message=f"{path.name} is there.")


# --- servers -----------------------------------------------------------------------------------------


async def _list(provider: Remote) -> _Listing:
    exchange = provider.listing()
    began, html = time.perf_counter(), False
    try:
        deadlines = Deadlines(exchange.model.timeout)
        async with asyncio.timeout(BOUND_S):
            with deadlines:
                async with aclosing(await exchange.answered(deadlines)) as response:
                    body = await exchange.whole(response_body(response), deadlines, MAX_LIST)
                    check_whole(body, MAX_LIST)
                    html = response.headers.get("content-type", "").startswith("text/html")
                    names, any_name = _names(await asyncio.to_thread(parse, body))
    except TimeoutError:
        error: LlamaFarmError = ProviderError(
            f"{exchange.faults.server} said nothing within {BOUND_S:g} s.",
            hint="Is it busy, or out of reach from here?",
        )
    except ValueError:
        if not html:
            return _Listing(None, seconds=time.perf_counter() - began)
        error = exchange.faults.not_protocol("something that is no list of models")
    except ProviderError as raised:
        if raised.status in NO_LIST and not exchange.model.profile.lists_models:
            return _Listing(None, seconds=time.perf_counter() - began)
        error = raised
    else:
        return _Listing(names, any_name, seconds=time.perf_counter() - began)
    return _Listing(error=error, seconds=time.perf_counter() - began)


def _names(body: JsonValue) -> tuple[tuple[str, ...], bool]:
    """The names in OpenAI's form (`data[].id`) or Ollama's (`models[].name`); ValueError for anything else."""
    entries = body.get("data", body.get("models")) if isinstance(body, dict) else body
    if entries is None and isinstance(body, dict) and {"data", "models"} & body.keys():
        entries = []  # what servers written in Go make of an empty list
    if not isinstance(entries, list):
        raise ValueError("no list of models")  # noqa: TRY004 - of a server's, not of ours
    known = [entry for entry in entries if isinstance(entry, dict)]
    names = [entry.get("id") or entry.get("name") or entry.get("model") for entry in known]
    any_name = any(entry.get("owned_by") in ANY_NAME for entry in known)
    return tuple(name[:LONGEST_NAME] for name in names if isinstance(name, str)), any_name


def _remote(model: NamedModel, listing: _Listing) -> ModelCheck:
    if listing.error is not None:
        return _wrong(model, listing.error, listing.seconds)
    found, message, todo = _found(model, listing)
    return ModelCheck(
        model=model.name,
        server="yes",
        found=found,
        key="accepted" if model.api_key else "none",
        usable=found != "no",
        message=message,
        todo=todo,
        seconds=listing.seconds,
    )


def _scrubbed(check: ModelCheck, model: NamedModel) -> ModelCheck:
    """What a server listed or said holds none of the model's secrets."""
    clean = model_scrubber(model).clean
    return replace(check, message=clean(check.message), todo=clean(check.todo))


def _found(model: NamedModel, listing: _Listing) -> tuple[Verdict, str, str]:
    """Whether the server has the model, that in a sentence, and what to do."""
    if listing.names is None:
        return "unknown", "The server answers, but does not list its models.", "A prompt will tell."
    if model.model in listing.names or f"{model.model}:latest" in listing.names:
        return "yes", f"The server has {model.model}.", ""
    if listing.any_name:
        return "yes", f"The server has one model, {', '.join(listing.names)}, and answers to every name with it.", ""
    if model.profile.fetches_models:
        return "unknown", f"The server does not list {model.model} yet: it fetches a model when it is first asked.", ""
    if not listing.names and not model.profile.lists_models:
        return "unknown", "The server answers, but lists no model.", "A prompt will tell."
    shown = ", ".join(sorted(listing.names)[:NAMED]) or "none"
    more = f" and {len(listing.names) - NAMED:,} more" if len(listing.names) > NAMED else ""
    hint = model.profile.pull.format(model=model.model) or "change `model` in the project file"
    return "no", f"The server does not have {model.model}; it has {shown}{more}.", f"Get or change it: {hint}."


def _wrong(model: NamedModel, error: LlamaFarmError, seconds: float) -> ModelCheck:
    server: Verdict = "no"
    key: KeyState = "unknown" if model.api_key else "none"
    usable = False
    if isinstance(error, ProviderError) and error.status is not None and not isinstance(error, BadAnswer):
        server = "yes"
    if isinstance(error, AuthFailed):
        key = ("unknown" if error.status == 403 else "refused") if model.api_key else "missing"  # noqa: PLR2004
    todo = error.hint
    if _tells_nothing(error):
        usable, todo = True, "A prompt will tell."
    return ModelCheck(model.name, server, "unknown", key, usable, error.message, todo, seconds)


def _tells_nothing(error: LlamaFarmError) -> bool:
    """Whether a list that fails so says nothing of whether the server answers prompts.

    A key may be good for those alone (403), and many servers have no list that works.
    """
    if isinstance(error, QuotaExceeded | RegionRefused):
        return False
    if isinstance(error, RateLimited | ServerFailed | RequestRejected):
        return error.status not in NO_LIST
    return isinstance(error, AuthFailed) and error.status == 403  # noqa: PLR2004 - Forbidden
