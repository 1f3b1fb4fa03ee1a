"""Who is asked now: which requests of this process are under way at the same server at the same time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Use:
    """One request at a server. `others`: how many others were under way there at one time, at most; None before."""

    server: str
    others: int | None = None


@dataclass(slots=True)
class Servers:
    """The requests under way by server, of all that runs in this process; to be used from one event loop."""

    _under_way: dict[str, set[Use]] = field(default_factory=dict)

    def enter(self, use: Use) -> None:
        """`use` is under way from now on; all others at its server are told."""
        uses = self._under_way.setdefault(use.server, set())
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
