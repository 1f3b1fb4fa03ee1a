"""Registry of this process's running requests by server, which shows who shares one."""

from __future__ import annotations

from dataclasses import dataclass, field

NO_WAIT_S = 0.05


@dataclass(slots=True, eq=False)
class Use:
    """One request at a server. `others`: how many others were under way there at one time, at most; None before.

    `model` is what is asked there, where the server answers so many requests of a model at a time; `ahead`: how many of
    these were under way when it came.
    """

    server: str
    others: int | None = None
    model: str = ""
    ahead: int = 0


@dataclass(slots=True)
class Servers:
    """The requests under way by server, of all that runs in this process; to be used from one event loop."""

    _under_way: dict[str, set[Use]] = field(default_factory=dict)
    _at_once: set[tuple[str, str]] = field(default_factory=set)

    def waits(self, use: Use) -> bool:
        """Whether `use` waits behind others at its server, as far as is known: one answer of a model at a time."""
        return use.ahead > 0 and (use.server, use.model) not in self._at_once

    def waited(self, use: Use, seconds: float) -> None:
        """Its server tells how long `use` waited: not at all behind others, where it answers several at once."""
        if use.ahead and seconds < NO_WAIT_S:
            self._at_once.add((use.server, use.model))
        elif use.ahead:
            self._at_once.discard((use.server, use.model))

    def enter(self, use: Use) -> None:
        """`use` is under way from now on; all others at its server are told."""
        uses = self._under_way.setdefault(use.server, set())
        if use.model:
            use.ahead = sum(each.model == use.model for each in uses if each is not use)
        uses.add(use)
        others = len(uses) - 1
        for each in uses:
            if each.others is None or each.others < others:
                each.others = others

    def leave(self, use: Use) -> None:
        """`use` is no longer under way; may be said again."""
        uses = self._under_way.get(use.server)
        if uses is not None:
            uses.discard(use)
            if not uses:
                del self._under_way[use.server]
