"""What a batch came to, model by model, as JSON for machines: the contract of `lf batch --json`."""

from __future__ import annotations

from collections.abc import Mapping

from llamafarm.core.figures import Estimate
from llamafarm.core.types import JsonValue
from llamafarm.experiments.stats.spread import Spread
from llamafarm.experiments.stats.tally import Costs, Sum, Tally


def results_json(tallies: Mapping[str, Tally]) -> list[JsonValue]:
    """An object for each model; spans in seconds, `usd` in dollars, null is unknown. See `Tally` for what counts.

    `retries` and `reconnects` are calls with such in them, and `lost_s` what that took in all.
    """
    return [_model(name, tally) for name, tally in tallies.items()]


def _model(name: str, tally: Tally) -> dict[str, JsonValue]:
    return {
        "model": name,
        "asked": tally.asked,
        "answered": tally.answered,
        "stood_in": tally.stood_in,
        "failed": tally.failed,
        "faults": dict(tally.faults),
        "cut": tally.cut,
        "passed": tally.passed,
        "not_passed": tally.refused,
        "unchecked": tally.unchecked,
        "shared": tally.shared,
        "waited": tally.waited,
        "late": tally.late,
        "doubted": tally.doubted,
        "cautions": dict(tally.cautions),
        "retries": tally.retried,
        "reconnects": tally.reconnected,
        "lost_s": tally.lost_s,
        "pass_rate": _estimate(tally.pass_rate),
        "ttft_s": _spread(tally.ttft_s),
        "total_s": _spread(tally.total_s),
        "input_tokens": _sum(tally.given),
        "output_tokens": _sum(tally.made),
        "cost": _costs(tally.costs),
        "warmups": _costs(tally.warmups) if tally.warmups.sources.total() else None,
    }


def _costs(costs: Costs) -> JsonValue:
    money = costs.money
    return {
        "usd": None if money.usd is None else float(money.usd),
        "unknown": money.unknown,
        "estimated": money.estimated,
        "free": money.free,
        "sources": {source: count for source, count in costs.sources.items() if count},
    }


def _estimate(found: Estimate | None) -> JsonValue:
    return None if found is None else {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def _spread(found: Spread | None) -> JsonValue:
    return None if found is None else {"p50": found.median.value, "p95": found.p95, "n": found.median.n}


def _sum(found: Sum) -> JsonValue:
    count = found.count
    value = None if count is None else count.value
    return {"value": value, "estimated": found.estimated, "unknown": found.unknown}
