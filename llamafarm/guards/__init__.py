"""What the server refuses or adds before anything else sees a request."""

from llamafarm.guards.guards import MAX_BODY, Guards
from llamafarm.guards.whole import Whole

__all__ = ["MAX_BODY", "Guards", "Whole"]
