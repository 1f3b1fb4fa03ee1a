"""Reads the cost of an answer that a server itself reports, in US dollars. Pure.

`cost` is OpenRouter's and others', `cost.total_cost` Perplexity's. To whoever brings a key of their own OpenRouter
bills its fee alone; `cost_details.upstream_inference_cost` is what the model's provider bills beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from llamafarm.core.types import JsonValue
from llamafarm.providers.counts.told import Doubt, short

MOST_USD = Decimal(10_000)  # for one answer
SMALLEST = -15  # the place of the first digit of an amount that is told apart from nothing


def billed(usage: Mapping[str, JsonValue]) -> Decimal | Doubt | None:
    """The cost in a server's usage; a Doubt where it can't be or is not all of it, None where none is told."""
    told, details = usage.get("cost"), usage.get("cost_details")
    if isinstance(told, dict):
        told = told.get("total_cost")
    if told is None:
        return None
    cost, own_key = dollars(told), usage.get("is_byok") is True
    upstream = details.get("upstream_inference_cost") if isinstance(details, dict) else None
    if isinstance(cost, Doubt) or not (own_key or cost == 0):
        return cost
    beside = None if upstream is None else dollars(upstream)
    if isinstance(beside, Decimal) and beside > 0:
        return cost + beside
    return Doubt(short(told), "your own key is billed by another") if own_key else cost


def dollars(value: JsonValue) -> Decimal | Doubt:
    """`value` as US dollars, also where it is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Doubt(short(value), "that is no amount")
    try:
        usd = Decimal(str(value).strip().removeprefix("$"))
    except InvalidOperation:
        return Doubt(short(value), "that is no amount")
    if not usd.is_finite():
        return Doubt(short(value), "that is no amount")
    if usd < 0:
        return Doubt(short(value), "that is negative")
    if usd > MOST_USD:
        return Doubt(short(value), f"that is more than ${MOST_USD:,} for one answer")
    return usd if usd.adjusted() >= SMALLEST else Decimal(0)
