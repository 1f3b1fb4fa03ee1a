"""Probes as rows: kept by server, model and day, the newest of a day in the place of those before."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, delete, func, select

from llamafarm.history.codec import decode_all, encode
from llamafarm.history.database.tables.schema import probes
from llamafarm.history.probe import Finding, Probe, Subject


def keep_probe(connection: Connection, probe: Probe) -> None:
    """Store `probe` in the place of one of the same subject and day."""
    table, subject = probes.c, probe.subject
    same = (table.server == subject.server, table.provider == subject.provider, table.model_id == subject.model_id)
    connection.execute(delete(probes).where(*same, table.day == probe.day))
    connection.execute(
        probes.insert().values(
            server=subject.server,
            provider=subject.provider,
            model_id=subject.model_id,
            day=probe.day,
            model=probe.model,
            probed_at=probe.probed_at,
            findings=encode(probe.findings),
            tokens=probe.tokens,
            seconds=probe.seconds,
            ended=probe.ended,
            long_tokens=probe.long_tokens,
        )
    )


def newest_probes(connection: Connection) -> list[Probe]:
    """The newest probe of each subject."""
    table = probes.c
    newest = select(func.max(table.seq)).group_by(table.server, table.provider, table.model_id)
    rows = select(probes).where(table.seq.in_(newest)).order_by(table.seq)
    return [_probe_of(row) for row in connection.execute(rows).mappings()]


def _probe_of(row: RowMapping) -> Probe:
    return Probe(
        subject=Subject(row["server"], row["provider"], row["model_id"]),
        model=row["model"],
        probed_at=row["probed_at"],
        findings=decode_all(Finding, row["findings"]),
        tokens=row["tokens"],
        seconds=row["seconds"],
        ended=row["ended"],
        long_tokens=row["long_tokens"],
    )
