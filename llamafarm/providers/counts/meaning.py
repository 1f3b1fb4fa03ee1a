"""Which convention a server counts by: reasoning within the completion or beside it, cached tokens likewise. Pure.

The total tells, where it is the sum of the parts in one of the ways; else the names do, and at last the sizes: what is
larger than the whole is no part of it.
"""

from __future__ import annotations

from collections.abc import Callable

from llamafarm.providers.counts.told import Doubt, Part, Told

KEPT: tuple[Part, ...] = ("cached", "written", "written 5m", "written 1h")
WAYS = ((False, False), (True, False), (False, True), (True, True))


class Meaning:
    """The parts of what was `told`: `input` with what was cached, `output` with the reasoning; and what can't be.

    `room` gives how many tokens the prompt could be at most.
    """

    def __init__(self, told: Told, room: Callable[[], int]) -> None:
        self.parts = dict(told.parts)
        self.doubts = dict(told.doubts)
        self._room = room
        self._total = self.parts.get("total") or None
        self._complete()
        given, made = self.parts.get("input"), self.parts.get("output")
        thinks, keeps = self._apart(told, given, made)
        if made is not None and (thought := self.parts.get("reasoning", 0)):
            made = self._with_reasoning(thought, made, given, beside=thinks)
        if given is not None and (kept := self._kept()):
            given = self._with_cached(kept, given, beside=keeps)
        if made is not None and given is not None:
            made = self._with_unnamed(made, given)
        self._put("input", given)
        self._put("output", made)
        if (hour := self.parts.get("written 1h", 0)) > (written := self.parts.get("written", 0)):
            self._doubt("written 1h", hour, f"all that was written is {written:,}")

    def _put(self, part: Part, value: int | None) -> None:
        if value is not None:
            self.parts[part] = value

    def _kept(self) -> int:
        """Tokens that were read from a cache, or written into one."""
        return self.parts.get("cached", 0) + self.parts.get("written", 0)

    def _complete(self) -> None:
        """Add what tools put into the prompt, and the one of two counts that the total tells."""
        total, given, made = self._total, self.parts.get("input"), self.parts.get("output")
        if given is not None:
            self.parts["input"] = given + self.parts.get("tool input", 0)
        if total and given is None and made is not None and total > made:
            self.parts["input"] = total - made
        if total and made is None and given is not None and total >= self.parts["input"]:
            self.parts["output"] = total - self.parts["input"]

    def _apart(self, told: Told, given: int | None, made: int | None) -> tuple[bool | None, bool | None]:
        """Whether reasoning, and what was cached, stand beside the other counts; None where nothing tells."""
        by_name = (told.thought_beside, told.cached_beside)
        if given is not None and made is not None:
            thought, kept = self.parts.get("reasoning", 0), self._kept()
            for thinks, keeps in (by_name, *WAYS):
                fits = given + made + thinks * thought + keeps * kept == self._total
                if fits and (thinks or thought <= made) and (keeps or kept <= given):
                    return thinks, keeps
        return by_name[0] or None, by_name[1] or None

    def _with_reasoning(self, thought: int, made: int, given: int | None, *, beside: bool | None) -> int:
        if beside is None:
            left = 0 if self._total is None or given is None else self._total - given - made
            if thought > made and self._total is not None and left == 0:
                self._doubt("reasoning", thought, f"the total has no place for them beside {made:,} of the answer")
                return made
            beside = thought > made or left >= thought
        return made + thought if beside else made

    def _with_cached(self, kept: int, given: int, *, beside: bool | None) -> int:
        if beside is None:
            beside = kept > given and self._total is None and given + kept <= self._room()
            if kept > given and not beside:
                self._doubt("cached" if self.parts.get("cached") else "written", kept, f"the prompt has {given:,}")
                for part in KEPT:
                    self.parts.pop(part, None)
        return given + kept if beside else given

    def _with_unnamed(self, made: int, given: int) -> int:
        """`made` with what the total has beside all parts: reasoning, as Gemini's compatible address counts it."""
        left = 0 if self._total is None else self._total - given - made
        if left < 0 or (left > 0 and "reasoning" in self.parts):
            self._doubt("total", self._total or 0, f"the parts are {given:,} and {made:,}")
        elif left > 0:
            self.parts["reasoning"] = left
            return made + left
        return made

    def _doubt(self, part: Part, value: int, why: str) -> None:
        self.doubts[part] = Doubt(f"{value:,}", why)
        self.parts.pop(part, None)
