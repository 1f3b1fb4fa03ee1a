"""How much evidence it takes; apart, so that who only tells it loads no numpy."""

FEWEST = 30  # comparisons, below which nothing is suggested
