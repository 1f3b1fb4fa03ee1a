"""The price book: the server's word, the project's prices, what runs here, the table; else unknown."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from llamafarm.config.model import NamedModel, Pricing
from llamafarm.pricing.local import runs_here
from llamafarm.types import Cost, Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, PriceCalculation

log = logging.getLogger(__name__)

MILLION = Decimal(1_000_000)
TABLE = "genai-prices"
REMEMBERED = 1000  # models without a price, by name and address: others may be looked up again


@dataclass(slots=True)
class PriceBook:
    """Prices answers. Built once; the table of genai-prices is read from disk when a model first needs it."""

    _table: str = field(default_factory=lambda: f"{TABLE} {version(TABLE)}")
    _unsold: set[tuple[str, str | None]] = field(default_factory=set)
    _known: dict[tuple[str, str], tuple[ModelPrice, str]] = field(default_factory=dict)
    _loaded: bool = False

    def load(self) -> None:
        """Read the table, once: it takes a fifth of a second, which no lane should lose while it runs."""
        if not self._loaded:
            _calculated("gpt-4o", "https://api.openai.com/v1", given=1, made=1)
            self._loaded = True

    def prepare(self, models: Iterable[NamedModel]) -> None:
        """Read the table where one of `models` may need it."""
        if not self._loaded and any(model.pricing is None and not runs_here(model) for model in models):
            self.load()

    def price(self, model: NamedModel, usage: Usage, *, reported_usd: Decimal | None = None) -> Cost:
        """What `usage` of `model` costs in US dollars: of any usage, it never raises.

        The first of these that applies: what the server reported; the model's own `pricing`; nothing, where
        it runs on hardware of one's own; the price table, for the provider that `base_url` belongs to. That a model
        with a price costs nothing is not taken from a server: then somebody else is billed.
        """
        if not _is_amount(reported_usd):
            return self._priced(model, usage)
        assert reported_usd is not None  # noqa: S101 - it is an amount
        if reported_usd == 0 and not runs_here(model):
            priced = self._priced(model, usage)
            if priced.usd:
                return replace(priced, detail=f"{priced.detail} The server told $0: somebody else may be billed.")
        return Cost(reported_usd, "reported", detail="Told by the server.")

    def _priced(self, model: NamedModel, usage: Usage) -> Cost:
        if model.pricing is not None:
            return _by_pricing(model.pricing, usage)
        if runs_here(model):
            return Cost(Decimal(0), "free", detail="Runs on hardware of your own: no price a token.")
        if usage.input is None or usage.output is None:
            return Cost(None, "unknown", detail="The numbers of tokens are not known.")
        return self._by_table(model, usage, usage.input.value, usage.output.value)

    def context_window(self, model: NamedModel) -> int | None:
        """How many tokens `model` takes as prompt and answer together, where the table knows it."""
        if runs_here(model):
            return None
        found = _calculated(model.model, model.base_url)
        return found.model.context_window if found else None

    def _by_table(self, model: NamedModel, usage: Usage, given: int, made: int) -> Cost:
        if min(given, made) < 0:
            return Cost(None, "unknown", detail="The numbers of tokens can't be.")
        cached = min(max(usage.cached.value, 0), given) if usage.cached else None
        sold_as = (model.model, model.base_url)
        found = None if sold_as in self._unsold else _calculated(*sold_as, given, made, cached)
        if found is None:
            if len(self._unsold) >= REMEMBERED:
                self._unsold.clear()
            self._unsold.add(sold_as)
            hint = "add pricing: {input: …, output: …} (dollars per million tokens) to the model"
            return Cost(
                None, "unknown", detail=f"{self._table} has no price for {model.model} at this address: {hint}."
            )
        detail = f"{found.provider.name}'s {found.model.id}: {self._words(found)}; table {self._table}."
        return Cost(found.total_price, "table", detail=detail, estimated=usage.source == "estimated")

    def _words(self, found: PriceCalculation) -> str:
        """A model's prices in words. Those of each model are kept: they take as long as the calculation."""
        key, price = (found.provider.id, found.model.id), found.model_price
        if key not in self._known or self._known[key][0] is not price:
            self._known[key] = (price, str(price))
        return self._known[key][1]


def _calculated(
    model_id: str, address: str | None, given: int | None = None, made: int | None = None, cached: int | None = None
) -> PriceCalculation | None:
    """What the table says of a model at an address, and of so many tokens; None where it does not know the model."""
    from genai_prices import Usage as TableUsage  # noqa: PLC0415 - 0.13 s that local models don't need
    from genai_prices import calc_price  # noqa: PLC0415 - the same

    counts = TableUsage(input_tokens=given, output_tokens=made, cache_read_tokens=cached)
    try:
        return calc_price(counts, model_id, provider_api_url=address or "")
    except LookupError:
        return None
    except Exception:  # the table's own rules: what they can't price is unknown, and ends no lane
        log.warning("the price table failed for %s", model_id, exc_info=True)
        return None


def _by_pricing(pricing: Pricing, usage: Usage) -> Cost:
    """By the project's own prices; cached tokens at their price, or at that of other input."""
    if usage.input is None or usage.output is None:
        return Cost(None, "unknown", detail="The numbers of tokens are not known.")
    if min(usage.input.value, usage.output.value) < 0:
        return Cost(None, "unknown", detail="The numbers of tokens can't be.")
    cached = min(max(usage.cached.value, 0), usage.input.value) if usage.cached else 0
    cached_price = pricing.input if pricing.cached is None else pricing.cached
    usd = (
        (usage.input.value - cached) * pricing.input + cached * cached_price + usage.output.value * pricing.output
    ) / MILLION
    detail = f"The project file's prices: ${pricing.input} / ${pricing.output} per million tokens in / out."
    return Cost(usd, "config", detail=detail, estimated=usage.source == "estimated")


def _is_amount(usd: Decimal | None) -> bool:
    return usd is not None and usd.is_finite() and usd >= 0
