"""The composition root: everything that is opened, opened once and closed once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from llamafarm.config.library import Library, open_library
from llamafarm.config.model import NamedModel, Project
from llamafarm.engine.board import Board
from llamafarm.engine.chat import Lane, Question, chat
from llamafarm.engine.compare import Comparison
from llamafarm.engine.preview import preview
from llamafarm.engine.rests import Rests
from llamafarm.engine.toolcalls import Approve
from llamafarm.engine.toolloop import Toolbox
from llamafarm.pricing import PriceBook
from llamafarm.providers.check import check_models
from llamafarm.providers.client import open_client
from llamafarm.providers.embedded import EmbeddedModels
from llamafarm.providers.llamacpp import CONTEXT
from llamafarm.providers.registry import Providers
from llamafarm.tools import McpServers
from llamafarm.types import Event, Fault, ModelCheck, SentRequest


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the faces (page, API, command line) share: projects, providers with their connections, prices.

    `tools` are the MCP servers of all projects; `rests` the models that failed a moment ago; `embedded` is the home of
    the embedded models.
    """

    library: Library
    providers: Providers
    prices: PriceBook
    tools: McpServers
    rests: Rests = field(default_factory=Rests)
    embedded: EmbeddedModels | None = None

    def chat(self, project: Project, lane: Lane, question: Question) -> AsyncGenerator[Event, None]:
        """The events of one lane, without a task of its own: closing it stops the model's server."""
        return chat(project, lane, question, self.providers, self.rests, Toolbox(self.tools, self.context_window))

    def compare(
        self, project: Project, lanes: Iterable[Lane], question: Question, *, approve: Approve | None = None
    ) -> Comparison:
        """`question` to all `lanes` at once; nothing runs before the comparison is entered.

        `approve`, where given, is awaited before each tool call with the lane's id, the tool and the call.
        """
        box = Toolbox(self.tools, self.context_window, approve)
        return Comparison(lanes, lambda lane: chat(project, lane, question, self.providers, self.rests, box))

    def staged(self, faults: Mapping[str, Fault], rests: Rests) -> Runtime:
        """This runtime with `faults` staged for named models; what fails there is remembered in `rests` alone."""
        return replace(self, providers=self.providers.staging(faults), rests=rests)

    def context_window(self, model: NamedModel) -> int | None:
        """How many tokens prompt and answer of `model` have together; None where nobody tells."""
        if model.context_window is not None:
            return model.context_window
        if model.provider == "embedded":
            return CONTEXT
        told = model.parameters.get("num_ctx") if model.provider == "ollama" else None
        return told if isinstance(told, int) else self.prices.context_window(model)

    def board(self, project: Project, lanes: Iterable[Lane]) -> Board:
        """A fresh board for a comparison of `lanes`."""
        return Board(project, tuple(lanes), self.prices)

    async def check(self, project: Project) -> tuple[ModelCheck, ...]:
        """A look at each named model: is its server there, has it the model, does it take the key? Within 8 s."""
        return await check_models(project.models, self.providers.client)

    async def preview(self, project: Project, lane: Lane, question: Question) -> SentRequest:
        """The request that `lane` would send to its own model; nothing leaves. See `engine.preview`."""
        return await preview(project, lane, question, self.providers)


@asynccontextmanager
async def open_runtime(configs: Sequence[Path] = ()) -> AsyncIterator[Runtime]:
    """Open the operator's projects, connections, the embedded models' home and that of MCP servers; close them again.

    Raises ConfigError where one of `configs` is not there.
    """
    library = open_library(configs)
    async with open_client() as client, EmbeddedModels(client) as embedded, McpServers() as tools:
        providers = Providers(client, embedded=embedded.provider)
        yield Runtime(library, providers, PriceBook(), tools, embedded=embedded)
