"""What the faces can ask of the engine: one object, made of all that was opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from llamafarm.config.library import Library
from llamafarm.config.model import NamedModel, Project
from llamafarm.config.profiles import EMBEDDED
from llamafarm.core.errors import StoreError
from llamafarm.core.events import Event
from llamafarm.core.reply import Reply
from llamafarm.core.types import Fault, ModelCheck, Route, SentRequest
from llamafarm.engine.comparison import Before, Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.exchange import turns
from llamafarm.engine.lag import LoopLag, with_lag
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.preview import preview
from llamafarm.engine.recording import Origin, Recording
from llamafarm.engine.replies import Replies
from llamafarm.engine.sequential import Sequential
from llamafarm.engine.tool_loop.calls import Approve
from llamafarm.engine.tool_loop.loop import Toolbox
from llamafarm.engine.warmup import warm
from llamafarm.experiments.batch.batch import AT_ONCE as PLACES
from llamafarm.experiments.batch.batch import Batch
from llamafarm.experiments.batch.job import Job, Survey, survey_of, without_tools
from llamafarm.experiments.batch.lane import asking
from llamafarm.experiments.batch.run import BatchRun, begin_batch
from llamafarm.experiments.duration import expecting
from llamafarm.experiments.sweep.grid import Grid, without_fallback
from llamafarm.experiments.sweep.grid_plan import grid_from
from llamafarm.experiments.sweep.plan import Plan, plan_of
from llamafarm.experiments.sweep.run import SweepRun, begin_run, resume_run
from llamafarm.experiments.sweep.sweep import AT_ONCE, JUDGED, Sweep, reply_of
from llamafarm.history.database.store import Store
from llamafarm.history.probe import Probe
from llamafarm.pricing import PriceBook
from llamafarm.providers.check import check_models
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.registry import Providers
from llamafarm.routing import Learned, Unlearnt, choose, suggest
from llamafarm.runtime.generations import Generations, held
from llamafarm.runtime.keptprobes import KeptProbes
from llamafarm.runtime.learner import Learner
from llamafarm.runtime.probing import ProbeRun, planned
from llamafarm.tools import McpServers

if TYPE_CHECKING:
    from llamafarm.history.database.history import History
    from llamafarm.history.model import Run


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the faces (page, API, command line) share: projects, providers with their connections, prices.

    `tools` are the MCP servers of all projects; `cooldowns` the models that failed just now; `embedded` is the home of
    the embedded models. `store` keeps what happens, and is None where that is switched off. `turn` is what fair lanes
    take, one at a time in the whole process. `lag` tells how late the event loop is while lanes are timed.
    `generations` counts the lanes that run for each `caller`. `probes` are what servers were found to do,
    `learner` what comparisons have taught.
    """

    library: Library
    providers: Providers
    prices: PriceBook
    tools: McpServers
    cooldowns: Cooldowns = field(default_factory=Cooldowns)
    embedded: EmbeddedModels | None = None
    store: Store | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    lag: LoopLag = field(default_factory=LoopLag)
    generations: Generations = field(default_factory=Generations)
    probes: KeptProbes = field(default_factory=KeptProbes)
    learner: Learner = field(default_factory=Learner)
    caller: str = ""

    def of(self, caller: str) -> Runtime:
        """This runtime for `caller`, in whose name its lanes are counted."""
        return replace(self, caller=caller)

    def chat(
        self,
        project: Project,
        lane: Lane,
        question: Question,
        *,
        fair: Sequential | None = None,
        caller: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """The events of one lane, without a task of its own: closing it stops the model's server.

        `fair` as in `compare`; `caller` is in whose name it is counted, where not in that of this runtime. Raises
        TooManyGenerations with the first event.
        """
        box = Toolbox(self.tools, self.context_window)
        events = self._opening(project, question, box, fair)(lane)
        if self.generations.limit is None:
            return events
        return held(self.generations.running(self.caller if caller is None else caller), events)

    def _opening(
        self, project: Project, question: Question, box: Toolbox, fair: Sequential | None
    ) -> Callable[[Lane], AsyncGenerator[Event, None]]:
        def ask(lane: Lane) -> AsyncGenerator[Event, None]:
            return chat(project, lane, question, self.providers, self.cooldowns, box)

        if fair is not None:
            return with_lag(fair.opening(ask, lambda lane: warm(project, lane, question, self.providers)), self.lag)
        return with_lag(ask, self.lag)

    def compare(
        self,
        project: Project,
        lanes: Iterable[Lane],
        question: Question,
        *,
        origin: Origin = Origin(),
        approve: Approve | None = None,
        fair: Sequential | None = None,
        looked: bool = False,
    ) -> Comparison:
        """`question` to all `lanes` at once; nothing runs before the comparison is entered.

        What happens is recorded as coming from `origin`, where there is a store. `approve`, where given, is awaited
        before each tool call with the lane's id, the tool and the call. With `fair` (see there) the lanes run one after
        the other, each model warmed before; comparisons that are measured together have the same one. `looked`: what
        their servers have in memory was asked before. Entering the comparison raises TooManyGenerations where the
        caller has too many lanes already.
        """
        lanes, box = tuple(lanes), Toolbox(self.tools, self.context_window, approve)
        replies = self.replies(project, lanes)
        recording = self.recording(project, lanes, question, origin, replies)
        return Comparison(
            lanes,
            self._opening(project, question, box, fair),
            replies,
            record=recording,
            places=self.generations.running(self.caller, len(lanes)),
            before=None if looked else self._look(lane.model for lane in lanes),
            turns=partial(turns, lanes, question.parameters, self.providers.residency),
        )

    def _look(self, models: Iterable[NamedModel]) -> Before:
        """What asks the servers of `models` what they have in memory, before anything is measured; and their probes."""
        asked = tuple(models)

        async def look() -> None:
            looking = self.providers.residency.look(asked, self.providers.client)
            await asyncio.gather(self.read_probes(), looking)

        return look

    def recording(
        self, project: Project, lanes: Sequence[Lane], question: Question, origin: Origin, replies: Replies
    ) -> Recording | None:
        """What keeps the events of lanes that `chat` runs, with what they come to in `replies`; `compare` has its own.

        None where recording is off.
        """
        if self.store is None:
            return None
        named = {lane.id: lane for lane in lanes}
        return Recording(self.store, project, named, question, origin, replies)

    def fair(self) -> Sequential:
        """One at a time, warmed: for `compare`, the same for all comparisons that are measured together."""
        return Sequential(self.turn)

    def history(self) -> History:
        """What was recorded. Raises StoreError where recording is switched off."""
        if self.store is None:
            raise switched_off()
        return history_of(self.store)

    async def learned(self, project: Project) -> Learned | None:
        """What the history as it is now teaches of routing in `project`; None without a store."""
        return None if self.store is None else await self.learner.of(self.history(), project)

    def at_hand(self, project: Project) -> Learned | None:
        """The same as it was learnt last, without waiting for anything: for what follows a person's typing."""
        return None if self.store is None else self.learner.at_hand(project) or Unlearnt(project)

    async def chosen(self, prompt: str, project: Project) -> Route:
        """The route of `model: auto`. The history is looked at where the project routes by it."""
        by_history = project.routing.strategy == "learned"
        return choose(prompt, project, await self.learned(project) if by_history else None)

    async def suggested(self, prompt: str, project: Project) -> tuple[Route, ...]:
        """What every strategy would pick."""
        return suggest(prompt, project, await self.learned(project))

    def staged(self, faults: Mapping[str, Fault], cooldowns: Cooldowns) -> Runtime:
        """This runtime with `faults` staged for named models; what fails there is remembered in `cooldowns` alone."""
        return replace(self, providers=self.providers.staging(faults), cooldowns=cooldowns)

    def context_window(self, model: NamedModel) -> int | None:
        """How many tokens prompt and answer of `model` have together; None where nobody tells."""
        if model.context_window is not None:
            return model.context_window
        if model.profile.context:
            return model.profile.context
        told = model.parameters.get(model.profile.context_parameter)
        return told if isinstance(told, int) else self.prices.context_window(model)

    def sweep(
        self, project: Project, grid: Grid, *, at_once: int = AT_ONCE, run: SweepRun | None = None, fair: bool = False
    ) -> Sweep:
        """The calls of `grid`, at most `at_once` at each server; nothing runs before the sweep is entered.

        `run` is what they are recorded as, and what is done of it is not asked again; without one nothing is recorded.
        `fair`: one call at a time, a model's calls one after the other, each model warmed before (`Sequential`); a run
        that was begun so goes on so.
        """
        kept = self._patient()
        project, bare = without_fallback(project), replace(kept, store=None)
        quiet = self.fair() if fair or (run is not None and run.fair) else None

        async def ask(lane: Lane, question: Question, key: str) -> Reply:
            if quiet is not None and key.endswith(JUDGED):  # a judge's figures are not shown
                quiet.warmed.add(lane.model.name)
            into, origin = (bare, Origin()) if run is None else (kept, run.origin(key))
            async with self.generations.waiting(self.caller):
                comparison = into.compare(project, (lane,), question, origin=origin, fair=quiet, looked=True)
                return await reply_of(comparison)

        judges = () if grid.judge is None else (grid.judge.model,)
        look = self._look((*grid.models, *judges))
        return Sweep(grid, ask, at_once=at_once, ledger=run, fair=quiet is not None, before=look)

    def begin_sweep(
        self, project: Project, grid: Grid, task: str | None = None, *, fair: bool = False
    ) -> SweepRun | None:
        """A new run for `grid`; None where recording is switched off."""
        return None if self.store is None else begin_run(project, grid, self.store, task, fair=fair)

    async def resume_sweep(self, run: str, project: Project) -> tuple[SweepRun, Grid, str | None]:
        """The sweep with this id, its grid and its task, to ask what is missing.

        Raises RequestError where there is no such sweep, or `project` is another file; StoreError without a store.
        """
        if self.store is None:
            raise switched_off()
        history = self.history()
        return resume_run(await history.run(run), project, self.store, history)

    async def past_sweep(self, run: Run, project: Project) -> tuple[Grid, Mapping[str, Reply]]:
        """The grid of a sweep by `project`, its file as it was then, and the replies that ended, by key; asks nothing.

        Raises RequestError where the run is no sweep, StoreError without a store.
        """
        if self.store is None:
            raise switched_off()
        return grid_from(run.plan, project), await SweepRun(run.id, self.store, self.history()).all_ended()

    async def plan(self, project: Project, grid: Grid, at_once: int = AT_ONCE, *, fair: bool = False) -> Plan:
        """What `grid` will take. Raises RequestError where a template variable has no value."""
        plan = await asyncio.to_thread(plan_of, project, grid, self.prices)
        return await self.expecting(plan, at_once, fair=fair, embedded=EMBEDDED.places)

    async def expecting(self, plan: Plan, at_once: int, *, fair: bool, embedded: int = 1) -> Plan:
        """`plan` with how long it may take, where the history can tell; see `engine.pace`."""
        if self.store is None:
            return plan
        try:
            return await expecting(plan, self.history(), at_once, fair=fair, embedded=embedded)
        except StoreError:  # the store itself says what is the matter with it
            return plan

    def batch(
        self, project: Project, job: Job, survey: Survey, *, at_once: int = PLACES, run: BatchRun | None = None
    ) -> Batch:
        """Each row of `job` to each of its models, at most `at_once` at each server; nothing runs before it is entered.

        `run` is what they are recorded as, and what is done of it is not asked again; without one nothing is recorded.
        """
        bare, fair = without_tools(project), self.fair() if job.fair else None
        job = replace(job, models=tuple(bare.model(model.name) or model for model in job.models))
        self.prices.prepare(bare.models)
        chat = partial(self._patient().chat, bare, fair=fair)

        def waiting(lane: Lane, question: Question) -> AsyncGenerator[Event, None]:
            return held(self.generations.waiting(self.caller), chat(lane, question))

        ask = asking(bare, job, self.prices, waiting, run, self.probes.marks)
        return Batch(job, survey, ask, at_once=at_once, ledger=run, before=self._look(job.models))

    def _patient(self) -> Runtime:
        """For work that waits for a place by itself before each of its lanes, instead of being refused one."""
        return replace(self, generations=Generations())

    def begin_batch(self, project: Project, job: Job, survey: Survey) -> BatchRun | None:
        """A new run for `job`; None where recording is switched off."""
        return None if self.store is None else begin_batch(project, job, survey, self.store)

    def resume_batch(self, run: str, survey: Survey) -> BatchRun:
        """The batch with this id, to ask what is missing of the file that `survey` is of. StoreError without a store.

        Whether it is the same job is for `job_from` and `check_same_file` to say.
        """
        if self.store is None:
            raise switched_off()
        return BatchRun(run, self.store, self.history(), survey.rows)

    def replies(self, project: Project, lanes: Iterable[Lane]) -> Replies:
        """What folds the events of `lanes`; to be had before they run, until the price table is read."""
        self.prices.prepare(project.models)
        return Replies(project, tuple(lanes), self.prices, self.probes.marks)

    async def read_probes(self) -> None:
        """Know the probes that the history has, before their marks are asked for."""
        if self.store is not None:
            await self.probes.read(self.history())

    def probe(self, models: Iterable[NamedModel]) -> ProbeRun:
        """Probes of `models`, to be followed; what is found is kept where there is a store. See `experiments.probe`."""

        async def keep(probe: Probe) -> None:
            self.probes.add(probe)
            if self.store is not None:
                await self.history().keep_probe(probe)

        plans = planned(models, self.prices, self.context_window)
        return ProbeRun(plans, self.providers.once(), self._real_window, self._quiet, keep)

    async def _real_window(self, model: NamedModel) -> int | None:
        """The context of `model`: as the project or the price table have it, else as its server tells."""
        if (known := self.context_window(model)) is not None:
            return known
        await self.providers.residency.look((model,), self.providers.client)
        return self.providers.residency.context(model)

    @asynccontextmanager
    async def _quiet(self) -> AsyncIterator[None]:
        """The turn that fair lanes take too, and a place of the caller's."""
        async with self.turn, self.generations.waiting(self.caller):
            yield

    async def check(self, project: Project) -> tuple[ModelCheck, ...]:
        """A look at each named model: is its server there, has it the model, does it take the key? Within 8 s."""
        return await check_models(project.models, self.providers.client)

    async def preview(self, project: Project, lane: Lane, question: Question) -> SentRequest:
        """The request that `lane` would send to its own model; nothing leaves. See `engine.preview`."""
        return await preview(project, lane, question, self.providers)


def surveyed(project: Project, job: Job) -> Survey:
    """What the file of `job` holds, and what the batch will take; nothing else is opened for it. See `survey_of`."""
    return survey_of(project, job, PriceBook())


def history_of(store: Store) -> History:
    """What `store` holds, to be read."""
    from llamafarm.history.database.history import History  # noqa: PLC0415 - SQLAlchemy: 0.2 s that a comparison spares

    return History(store)


def switched_off() -> StoreError:
    """The error where nothing is recorded."""
    return StoreError("Recording is switched off.", hint="LF_DATABASE_URL=off does that: unset it.")
