"""Which values are secrets, and how a text is shown without them."""
