"""Usage and a named model to a cost, with its source. Unknown is never zero."""

from llamafarm.pricing.book import PriceBook

__all__ = ["PriceBook"]
