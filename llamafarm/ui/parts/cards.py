"""The page's own markup around the answers: lane heads and feet, model facts, routes, problems. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llamafarm.config.model import Loaded, NamedModel, Project
from llamafarm.config.secrets.secret import shown_address
from llamafarm.core import display
from llamafarm.core.reply import Reply
from llamafarm.core.types import Route
from llamafarm.ui.compare.tools import tool_runs
from llamafarm.ui.parts.markup import Markup, join, tag
from llamafarm.ui.parts.words import (
    SOURCES,
    STATES,
    caution_chips,
    changed_chips,
    ending,
    late_chip,
    shared_chip,
    status_pill,
)
from llamafarm.ui.project.file_cards import place


def lane_head(model: NamedModel, reply: Reply | None, changed: Sequence[str] = ()) -> Markup:
    """A lane's name, its model and its state; its error, where it failed or can't run.

    `changed` are the parameters that it was asked with and are not the project's.
    """
    return tag(
        "div",
        tag("div", tag("h3", model.name), *changed_chips(changed), *_state(reply), class_="lf-lane-title"),
        tag("div", _identity(model), class_="lf-sub"),
        steps(reply) if reply else None,
        tool_runs(reply) if reply else None,
        trouble(model, reply),
        class_="lf-lane-head lf-thinks" if reply and reply.reasoning else "lf-lane-head",
    )


def steps(reply: Reply) -> Markup | None:
    """How the answer came about, where it was not at once: tries, and models that stood in, each with its time."""
    tries = [
        tag("li", f"Try {each.attempt}, after a pause of {display.seconds(each.delay_s)}: {each.message}")
        for each in reply.retries
    ]
    if reply.reconnects:
        tries.append(tag("li", display.reconnected(reply)))
    left = [
        tag(
            "li",
            tag("strong", step.model),
            f" → {step.to} " + (f"after {display.seconds(step.lost_s)}: " if step.lost_s else ""),
            step.message,
        )
        for step in reply.fallbacks
    ]
    if reply.fallbacks:
        lost = f", {display.seconds(reply.lost_s)} later than without the failures" if reply.lost_s else ""
        verb = "answered" if reply.status == "done" else "was asked"
        left.append(tag("li", tag("strong", reply.model), f" ({reply.model_id}) {verb}{lost}."))
    return tag("ol", *tries, *left, class_="lf-steps") if tries or left else None


def _state(reply: Reply | None) -> list[Markup]:
    if reply is None:
        return []
    how = ending(reply)
    stage = [tag("span", "staged fault", class_="lf-chip lf-warn")] if reply.staged else []
    marks = [
        *caution_chips(reply),
        shared_chip(reply),
        late_chip(reply),
        tag("span", how, class_="lf-sub") if how else None,
    ]
    return [status_pill(reply), *stage, *(mark for mark in marks if mark)]


def lane_foot(reply: Reply | None) -> Markup:
    """The lane's figures in one line."""
    return tag("div", summary(reply) if reply else "Nothing asked yet.", class_="lf-lane-foot")


def summary(reply: Reply) -> str:
    """TTFT, total, speed, tokens and cost of a reply in words; what is not known is left out."""
    spans, usage = reply.timings, reply.usage
    if reply.status in ("waiting", "warming") and reply.note:
        doing = STATES[reply.status]
        return reply.note.capitalize() if reply.note.startswith(doing) else f"{doing}: {reply.note}"
    estimated = usage.output is not None and usage.output.source == "estimated"
    parts = [
        f"TTFT {display.seconds(spans.ttft_s)}" if spans.ttft_s is not None else "",
        display.waited(spans),
        display.warm_ttft(spans),
        display.lost(reply, reply.lost_s),
        display.lag(spans),
        f"total {display.seconds(spans.total_s)}" if spans.total_s is not None else "",
        f"{display.seconds(spans.tools_s)} in tools" if spans.tools_s else "",
        f"{display.seconds(spans.held_s)} waiting for you" if spans.held_s else "",
        display.speed(spans.tokens_per_s, estimated=estimated) if spans.tokens_per_s is not None else "",
        f"{display.tokens(usage.output)} tokens" if usage.output is not None else "",
        _price(reply) if reply.ended and usage.output is not None else "",
    ]
    return " · ".join(part for part in parts if part) or reply.note or "Waiting for the first word."


def _price(reply: Reply) -> str:
    source = SOURCES[reply.cost.source]
    text = display.usd(reply.cost.usd, estimated=reply.cost.estimated)
    return f"{text} ({source})" if source else f"cost {text}"


def trouble(model: NamedModel, reply: Reply | None) -> Markup | None:
    """Why this lane failed, or can't be asked at all; with what to do."""
    if reply is not None and reply.failure is not None:
        failure = reply.failure
        facts = [
            display.at_fault(failure).removesuffix("."),
            f"HTTP {failure.status}" if failure.status else "",
            f"request {failure.request_id}" if failure.request_id else "",
        ]
        told = " · ".join(fact for fact in facts if fact)
        return _alert(failure.message, failure.hint, told)
    if model.problems:
        return join(*(_alert(problem.message, "", place(problem)) for problem in model.problems))
    return None


def unusable(loaded: Loaded, title: str) -> Markup:
    """In the table's place: the file can't be used, and its first error; all stand in the report."""
    first = loaded.errors[0] if loaded.errors else None
    return _alert(f"{title} can't be used.", first.message if first else "", place(first) if first else "")


def _alert(message: str, hint: str, facts: str) -> Markup:
    return tag(
        "div",
        tag("strong", message),
        tag("span", f" {hint}") if hint else None,
        tag("div", facts, class_="lf-sub") if facts else None,
        class_="lf-alert",
        role="alert",
    )


def _identity(model: NamedModel) -> str:
    parts = [model.provider or "no provider", model.model or "no model", model.tier and f"tier {model.tier}"]
    return " · ".join(part for part in parts if part)


def model_facts(project: Project, model: NamedModel) -> Markup:
    """What the project says of one named model."""
    facts = [
        ("Provider", model.provider or "none"),
        ("Model", model.model or "none"),
        ("Address", shown_address(model.base_url or "this machine")),
        ("Key", _key(model)),
        ("Prompt sets", ", ".join(model.prompts) or "none"),
        ("MCP servers", ", ".join(model.mcp_servers) or "none"),
    ]
    rows = (join(tag("dt", name), tag("dd", value)) for name, value in facts)
    title = tag(
        "div",
        tag("h2", model.name),
        tag("span", "default", class_="lf-chip") if model.name == project.default_model else None,
        class_="lf-lane-title",
    )
    about = tag("p", model.description) if model.description else None
    return tag("div", title, about, tag("dl", *rows, class_="lf-facts"), class_="lf-model")


def _key(model: NamedModel) -> str:
    if model.key_variable:
        return f"${model.key_variable}" + ("" if model.api_key else " (not set)")
    return "set in the file (hidden)" if model.api_key else "none"


def routing_card(routes: Sequence[Route], prompt: str) -> Markup:
    """Which named model each strategy would pick for the prompt, and why."""
    if not prompt.strip():
        body = tag("p", "Type a prompt to see which model each strategy would send it to, and why.", class_="lf-sub")
    else:
        body = tag("div", *(_route(route) for route in routes), class_="lf-routes")
    return tag("section", tag("h2", "Routing suggestion"), body, class_="lf-card lf-routing")


def _route(route: Route) -> Markup:
    return tag(
        "div",
        tag(
            "div",
            tag("span", route.strategy.replace("_", " "), class_="lf-strategy"),
            tag("span", "stays with" if route.signals.get("doubt") else "→"),
            tag("strong", route.model),
        ),
        tag("p", route.reason, title=route.reason),
        class_="lf-route-row",
    )
