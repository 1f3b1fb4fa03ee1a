"""The price book: the server's word, the project's prices, what runs here, the table; else unknown."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from llamafarm.config.model import NamedModel, Pricing
from llamafarm.core.types import Cost, CostSource, Count, Usage
from llamafarm.pricing.local import runs_here

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
        kept = Kept.of(usage, given)
        sold_as = (model.model, model.base_url)
        found = None if sold_as in self._unsold else _calculated(*sold_as, given, made, kept)
        if found is None:
            if len(self._unsold) >= REMEMBERED:
                self._unsold.clear()
            self._unsold.add(sold_as)
            hint = "add pricing: {input: …, output: …} (dollars per million tokens) to the model"
            return Cost(
                None, "unknown", detail=f"{self._table} has no price for {model.model} at this address: {hint}."
            )
        detail = f"{found.provider.name}'s {found.model.id}: {self._words(found)}; table {self._table}."
        prices = found.model_price
        doubt = kept.doubt(own=prices.cache_write_mtok is not None, hour=prices.cache_write_1h_mtok is not None)
        return _cost(found.total_price, "table", detail, doubt, usage)

    def _words(self, found: PriceCalculation) -> str:
        """A model's prices in words. Those of each model are kept: they take as long as the calculation."""
        key, price = (found.provider.id, found.model.id), found.model_price
        if key not in self._known or self._known[key][0] is not price:
            self._known[key] = (price, str(price))
        return self._known[key][1]


@dataclass(frozen=True, slots=True)
class Kept:
    """Tokens of a prompt that were read from a cache, or written into one, `hour` of those for an hour."""

    read: int = 0
    written: int = 0
    hour: int = 0

    @classmethod
    def of(cls, usage: Usage, given: int) -> Kept:
        """Those of `usage`, whose prompt has `given` tokens: no part is larger than the whole."""
        read = _part(usage.cached, given)
        written = _part(usage.written, given - read)
        return cls(read, written, _part(usage.written_1h, written))

    def doubt(self, *, own: bool, hour: bool) -> str:
        """What to say where no price is known for what was written; `own`: there is one, `hour`: for an hour too."""
        if self.written and not own:
            return (
                f"{self.written:,} tokens were written to a cache: no price is known for that, so it is that of input."
            )
        if self.hour and not hour:
            return (
                f"{self.hour:,} tokens were written to a cache for an hour: only the price for some minutes is known."
            )
        return ""


def _part(count: Count | None, whole: int) -> int:
    return 0 if count is None else min(max(count.value, 0), whole)


def _cost(usd: Decimal, source: CostSource, detail: str, doubt: str, usage: Usage) -> Cost:
    return Cost(usd, source, f"{detail} {doubt}".strip(), estimated=usage.source == "estimated" or bool(doubt))


def _calculated(
    model_id: str, address: str | None, given: int | None = None, made: int | None = None, kept: Kept | None = None
) -> PriceCalculation | None:
    """What the table says of a model at an address, and of so many tokens; None where it does not know the model."""
    from genai_prices import Usage as TableUsage  # noqa: PLC0415 - 0.13 s that local models don't need
    from genai_prices import calc_price  # noqa: PLC0415 - the same

    kept = kept or Kept()
    counts = TableUsage(
        input_tokens=given,
        output_tokens=made,
        cache_read_tokens=kept.read,
        cache_write_tokens=kept.written,
        cache_write_1h_tokens=kept.hour,
    )
    try:
        return calc_price(counts, model_id, provider_api_url=address or "")
    except LookupError:
        return None
    except Exception:  # the table's own rules: what they can't price is unknown, and ends no lane
        log.warning("the price table failed for %s", model_id, exc_info=True)
        return None


def _by_pricing(pricing: Pricing, usage: Usage) -> Cost:
    """By the project's own prices; what was read from a cache or written into one at its price, or at that of input."""
    if usage.input is None or usage.output is None:
        return Cost(None, "unknown", detail="The numbers of tokens are not known.")
    if min(usage.input.value, usage.output.value) < 0:
        return Cost(None, "unknown", detail="The numbers of tokens can't be.")
    kept = Kept.of(usage, usage.input.value)
    read_price = pricing.input if pricing.cached is None else pricing.cached
    write_price = pricing.input if pricing.cache_write is None else pricing.cache_write
    anew = usage.input.value - kept.read - kept.written
    given = anew * pricing.input + kept.read * read_price + kept.written * write_price
    detail = f"The project file's prices: ${pricing.input} / ${pricing.output} per million tokens in / out."
    doubt = kept.doubt(own=pricing.cache_write is not None, hour=False)
    return _cost((given + usage.output.value * pricing.output) / MILLION, "config", detail, doubt, usage)


def _is_amount(usd: Decimal | None) -> bool:
    return usd is not None and usd.is_finite() and usd >= 0
