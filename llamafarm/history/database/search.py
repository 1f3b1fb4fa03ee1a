"""A Filter as SQL."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, TextClause, exists, false, or_, select, text

from llamafarm.history.database.tables.schema import comparisons, documents, lanes, votes
from llamafarm.history.database.tables.words import asked_words
from llamafarm.history.query import Filter

# `words` hold neither quotes nor anything else that would end them: see `words`.
HITS = {
    "sqlite": "seq IN (SELECT rowid FROM documents_index WHERE documents_index MATCH '\"' || :{name} || '\"*')",
    "postgresql": "array_to_tsvector(string_to_array(words, ' ')) @@ ('''' || :{name} || ''':*')::tsquery",
}


def matching(wanted: Filter, dialect: str) -> list[ColumnElement[bool]]:
    """The conditions on `comparisons` that `wanted` asks for."""
    return [*_plain(wanted), *_texts(wanted, dialect)]


def _plain(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    table = comparisons.c
    if wanted.run is not None:
        yield table.run == wanted.run
    elif wanted.kind is None and not wanted.judged:
        yield table.run.is_(None)
    if wanted.judged:
        yield or_(table.checks.is_not(None), exists().where(votes.c.comparison == table.id))
    if wanted.kind is not None:
        yield table.kind == wanted.kind
    if wanted.since is not None:
        yield table.started_at >= wanted.since
    if wanted.until is not None:
        yield table.started_at < wanted.until
    if wanted.project is not None:
        namespace, slash, name = wanted.project.rpartition("/")
        yield table.project == name
        if slash:
            yield table.namespace == namespace
    if wanted.model is not None:
        names = or_(lanes.c.asked == wanted.model, lanes.c.model == wanted.model, lanes.c.model_id == wanted.model)
        yield exists().where(lanes.c.comparison == comparisons.c.id, names)


def _texts(wanted: Filter, dialect: str) -> Iterator[ColumnElement[bool]]:
    """Each word must occur somewhere in the comparison: in what was asked, or in any answer."""
    if wanted.text is None:
        return
    words = asked_words(wanted.text)
    if wanted.text.strip() and not words:
        yield false()
    for number, word in enumerate(words):
        name = f"word_{number}"
        hit = text(HITS[dialect].format(name=name)).bindparams(**{name: word})
        yield comparisons.c.id.in_(_comparisons_with(hit))


def _comparisons_with(hit: TextClause) -> Select[tuple[str]]:
    return select(documents.c.comparison).where(hit)
