"""The list of past comparisons: what is searched for, and a page of what was found. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import get_args
from urllib.parse import urlencode

from llamafarm.core import display
from llamafarm.core.characters import excerpt
from llamafarm.core.errors import RequestError
from llamafarm.experiments.stats.sample import money
from llamafarm.history.model import Kind, Vote
from llamafarm.history.query import Brief, Filter, Found, since_of, until_of
from llamafarm.output.tables import writable
from llamafarm.output.written import Form
from llamafarm.ui.parts.markup import Markup, join, tag
from llamafarm.ui.parts.report_link import report_link

EXCERPT = 110
UNTOLD = "hidden until the vote"
KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
EXPORTS: dict[Form, str] = {"csv": "CSV", "jsonl": "JSON Lines", "markdown": "Markdown", "parquet": "Parquet"}


@dataclass(frozen=True, slots=True)
class Search:
    """What a person looks for, as they typed it; empty restricts nothing."""

    text: str | None = None
    project: str | None = None
    model: str | None = None
    kind: str | None = None
    since: str | None = None
    until: str | None = None

    def filter(self) -> Filter:
        """The same as a filter. Raises RequestError where a date or the kind can't be read."""
        said = {field.name: (getattr(self, field.name) or "").strip() for field in fields(self)}
        if said["kind"] and said["kind"] not in KINDS:
            raise RequestError(f"There is no kind {said['kind']}.", hint=f"There are {', '.join(KINDS)}.")
        return Filter(
            text=said["text"] or None,
            project=said["project"] or None,
            model=said["model"] or None,
            kind=KINDS.get(said["kind"]),
            since=since_of(said["since"]) if said["since"] else None,
            until=until_of(said["until"]) if said["until"] else None,
        )

    def query(self, form: Form) -> str:
        """The address that downloads all of it, relative to the page's."""
        said = {field.name: value for field in fields(self) if (value := getattr(self, field.name))}
        return f"history/export?{urlencode({'format': form, **said})}"


def link(identity: str) -> str:
    """The address that opens a comparison, relative to the page's."""
    return f"?{urlencode({'comparison': identity})}"


def link_to(identity: str) -> Markup:
    """The comparison's link, and a button that copies it: see page.js."""
    opens = tag("a", "Link to this comparison", href=link(identity), data_comparison=identity)
    copies = tag("button", "Copy link", type="button", class_="lf-copy", data_copy=link(identity))
    return tag("span", opens, " ", copies, " ", report_link(identity), class_="lf-link")


def when(instant: datetime) -> str:
    """An instant in this machine's time zone, which is named."""
    return f"{instant.astimezone():%Y-%m-%d %H:%M %Z}"


def list_view(found: Found, search: Search, hidden: Container[str], *, first: bool, shared: bool) -> Markup:
    """A page of the history. `hidden` are comparisons whose models may not be told; `shared`: others may see it too."""
    note = "Everybody who can open this page can see, judge and delete what was asked at this server."
    head = tag("p", note, class_="lf-note") if shared else None
    if not found.items:
        nothing = "Nothing older." if not first else "Nothing was found." if search != Search() else "Nothing yet."
        return join(head, tag("p", nothing, class_="lf-sub"))
    titles = ("", "When", "Prompt", "Models", "Project", "Kind", "Best TTFT", "Cost", "Vote")
    header = tag("tr", *(tag("th", title, scope="col") for title in titles))
    rows = [_row(brief, hidden=brief.id in hidden) for brief in found.items]
    table = tag("table", tag("thead", header), tag("tbody", *rows), class_="lf-table lf-past-list")
    return join(
        head,
        tag("div", table, class_="lf-table-wrap", tabindex="0", role="region", aria_label="Past comparisons"),
        tag("p", "All that this search finds, as a file: ", *_downloads(search), class_="lf-note"),
    )


def _downloads(search: Search) -> Sequence[Markup]:
    links = (tag("a", name, href=search.query(form), download="") for form, name in EXPORTS.items() if writable(form))
    return [join(each, " ") for each in links]


def _row(brief: Brief, *, hidden: bool) -> Markup:
    short = excerpt(brief.prompt, EXCERPT) or "(no prompt)"
    opens = tag("a", short, href=link(brief.id), data_comparison=brief.id)
    tick = f"Tick the comparison of {when(brief.started_at)}"
    box = tag("input", type="checkbox", class_="lf-tick", value=brief.id, aria_label=tick)
    return tag(
        "tr",
        tag("td", box),
        tag("td", when(brief.started_at)),
        tag("th", opens, scope="row"),
        tag("td", UNTOLD if hidden else _models(brief)),
        tag("td", f"{brief.project.namespace}/{brief.project.name}"),
        tag("td", brief.kind),
        tag("td", display.NOTHING) if hidden else _best(brief),
        tag("td", display.NOTHING if hidden else display.money(money(brief.costs))),
        tag("td", vote_words(brief.vote) if brief.vote else ""),
    )


def _best(brief: Brief) -> Markup:
    """The best TTFT, with what it has in it that is not its model's."""
    if (best := brief.best) is None:
        return tag("td", display.NOTHING)
    marks = display.ttft_marks(best)
    return tag(
        "td",
        display.seconds(best.ttft_s),
        tag("span", f"with {'; '.join(marks)}", class_="lf-mark lf-warn-text") if marks else None,
    )


def _models(brief: Brief) -> Markup:
    """The lanes, and which of them did not end well."""
    states = {lane.lane: lane.status for lane in brief.lanes} | dict.fromkeys(brief.unfinished, "never ended")
    bad = [f"{name} {state}" for name, state in states.items() if state != "done"]
    staged = any(lane.staged for lane in brief.lanes)
    return join(
        ", ".join(states),
        tag("span", "; ".join(bad), class_="lf-mark lf-warn-text") if bad else None,
        tag("span", "staged fault", class_="lf-mark lf-warn-text") if staged else None,
    )


def vote_words(vote: Vote) -> str:
    """A vote in a few words."""
    words = {"best": f"{vote.lane} is best", "tie": "a tie", "bad": "all bad"}[vote.choice]
    return f"{words} (blind)" if vote.blind else words
