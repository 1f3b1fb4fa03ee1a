"""Commands that say so where an option that takes one value is given twice: else the last one would win unseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperOption

if TYPE_CHECKING:
    from collections.abc import Callable

INSTEAD: Mapping[str, str] = {  # by command and option: what was probably wanted
    "chat model": "To ask several models at once: lf compare -m {all}",
}


class Once(TyperCommand):
    """A command whose single options are given once. A flag may be repeated, and not contradicted."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See click's Command."""
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            given = Counter(param for param in order if isinstance(param, TyperOption) and not param.multiple)
            for option, times in given.items():
                if times > 1 and (not option.is_flag or _contradicts(option, args)):
                    raise typer.BadParameter(self._told(option, args), ctx=ctx, param=option)
        return super().parse_args(ctx, args)

    def _told(self, option: TyperOption, args: Sequence[str]) -> str:
        if option.is_flag:
            return "It and its opposite are given: leave one out."
        instead = INSTEAD.get(f"{self.name} {option.name}", "Leave the others out.")
        return (
            f"It is given more than once, and takes one value. {instead.format(all=' -m '.join(_values(option, args)))}"
        )


class Commands(typer.Typer):
    """A group of such commands."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """See Typer."""
        return super().command(name, **{"cls": Once, **settings})


def _contradicts(option: TyperOption, args: Sequence[str]) -> bool:
    """Whether a flag is given with its opposite."""
    given = set(args[: args.index("--")] if "--" in args else args)
    return not given.isdisjoint(option.opts) and not given.isdisjoint(option.secondary_opts)


def _values(option: TyperOption, args: Sequence[str]) -> list[str]:
    """The values of an option as they were written."""
    found, rest = [], iter(args)
    for each in rest:
        name, equals, value = each.partition("=")
        if each == "--":
            break
        if each in option.opts:
            found.append(next(rest, ""))
        elif name in option.opts and equals:
            found.append(value)
        elif each[:2] in option.opts and each[:2] != "--":
            found.append(each[2:])
    return found
