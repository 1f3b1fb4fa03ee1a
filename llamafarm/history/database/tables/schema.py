"""The tables as queries see them; `migrations` makes them.

Ids are texts that sort by time (`records.ids`). `seq` orders rows as they were written.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from llamafarm.history.database.tables.columns import Instant, Json, Money, Words

metadata = MetaData()


def _json(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Json, nullable=nullable)


def _key() -> Column[int]:
    return Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _required(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    return Column(name, kind, nullable=False)


snapshots = Table(
    "snapshots",
    metadata,
    Column("digest", Text, primary_key=True),
    _required("file", Words),
    _required("text", Words),
)

machines = Table(
    "machines",
    metadata,
    Column("digest", Text, primary_key=True),
    _json("facts"),
)

comparisons = Table(
    "comparisons",
    metadata,
    _key(),
    _required("id", Text),
    _required("kind", Text),
    _required("started_at", Instant),
    _required("namespace", Words),
    _required("project", Words),
    _required("digest", Text),
    _required("prompt", Words),
    _json("messages"),
    _json("variables"),
    _json("parameters"),
    _json("tools"),
    Column("system", Words),
    _json("routes"),
    _json("lanes"),
    _json("names"),
    Column("parent", Text),
    Column("run", Text),
    Column("item", Words),
    _json("checks", nullable=True),
    Column("machine", Text),
)

# `rest` holds the fields of a reply that have no column of their own. Three of the timings stand by themselves too, for
# lists and for those who look into the database.
lanes = Table(
    "lanes",
    metadata,
    _key(),
    _required("id", Text),
    _required("comparison", Text),
    _required("lane", Words),
    _json("spec"),
    _json("parameters"),
    _required("asked", Words),
    _required("model", Words),
    _required("provider", Words),
    _required("model_id", Words),
    _required("status", Text),
    _required("text", Words),
    _required("reasoning", Words),
    Column("finish_reason", Words),
    _json("failure", nullable=True),
    _json("sent", nullable=True),
    _json("usage"),
    _json("timings"),
    Column("ttft_s", Double),
    Column("total_s", Double),
    Column("tokens_per_s", Double),
    Column("cost_usd", Money),
    _required("cost_source", Text),
    _required("cost_detail", Words),
    _required("cost_estimated", Boolean),
    _json("rest"),
    _required("ended_at", Instant),
)

# What full text search looks at: the different words of a question or of an answer, see `words`.
documents = Table(
    "documents",
    metadata,
    _key(),
    _required("comparison", Text),
    _required("words", Text),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    _required("kind", Text),
    _required("title", Words),
    _required("started_at", Instant),
    Column("ended_at", Instant),
    _required("namespace", Words),
    _required("project", Words),
    _required("digest", Text),
    _json("plan"),
)

votes = Table(
    "votes",
    metadata,
    Column("comparison", Text, primary_key=True),
    _required("choice", Text),
    Column("lane", Words),
    _required("blind", Boolean),
    _required("voted_at", Instant),
)

# What a model's server was found to do, the newest of each day.
probes = Table(
    "probes",
    metadata,
    _key(),
    _required("server", Words),
    _required("provider", Words),
    _required("model_id", Words),
    _required("day", Text),
    _required("model", Words),
    _required("probed_at", Instant),
    _json("findings"),
    _required("tokens", Integer),
    _required("seconds", Double),
    _required("ended", Boolean),
    _required("long_tokens", Integer),
)

# What each routing strategy suggested before a comparison's first lane started.
suggestions = Table(
    "suggestions",
    metadata,
    _key(),
    _required("comparison", Text),
    _required("strategy", Text),
    _required("at", Instant),
    _required("model", Words),
    _required("incumbent", Words),
    Column("probability", Double),
    _required("per_cost", Double),
    _required("evidence", Integer),
    Column("known_until", Instant),
    _required("fit", Text),
)

migrations = Table(
    "migrations",
    metadata,
    Column("name", Text, primary_key=True),
    _required("applied_at", Instant),
)
